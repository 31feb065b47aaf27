//! `Guarded<T>`: layout, whole values, writers that die at any step, peers that do not keep the rules.
//!
//! Dying at a step is shown here by making the bytes that such a writer leaves; processes that are really
//! killed are in tests/guarded.rs.

use proptest::prelude::*;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::handle::{AsHandle, FromHandle};
use crate::mapping::{Guarded, Mapping, View};
use crate::support::{code, in_thread, limit, unique};

const CONTROL: usize = 64;
const SEQUENCE: usize = CONTROL + 24;
const ID: usize = CONTROL + 32;
const SECOND: usize = 128;

type Ten = [u8; 10];

/// A guarded value and a view of its raw bytes.
fn ten() -> (Guarded<Ten>, View) {
    let guarded = Guarded::<Ten>::anonymous().unwrap();
    let raw = guarded.mapping().view().unwrap();
    (guarded, raw)
}

fn again(guarded: &Guarded<Ten>) -> crate::Result<Guarded<Ten>> {
    let handle = guarded.mapping().as_handle().try_clone()?;
    Guarded::from_mapping(Mapping::from_handle(handle)?)
}

/// The layout is a format that builds of different age meet in: these bytes never change for version 1.
#[test]
#[cfg(target_endian = "little")]
fn the_layout_is_the_one_in_the_drawing() {
    let _limit = limit();
    let (guarded, raw) = ten();
    guarded.store(b"0123456789").unwrap();
    let mut expected = vec![0; 4096];
    expected[..10].copy_from_slice(b"0123456789");
    expected[64..72].copy_from_slice(b"transomG");
    expected[72..76].copy_from_slice(&[1, 0, 0, 0]);
    expected[76..80].copy_from_slice(&[1, 0, 0, 0]);
    expected[80..88].copy_from_slice(&[10, 0, 0, 0, 0, 0, 0, 0]);
    expected[88..96].copy_from_slice(&[2, 0, 0, 0, 0, 0, 0, 0]);
    let id = raw.read_to_vec(ID, 16).unwrap();
    expected[96..112].copy_from_slice(&id);
    expected[128..138].copy_from_slice(b"0123456789");
    assert_eq!(raw.read_to_vec(0, raw.len()).unwrap(), expected);
    assert!(id[..8].iter().any(|b| *b != 0) && id[8..].iter().any(|b| *b != 0));
    assert_eq!(Guarded::<Ten>::SECTION_SIZE, 138);
    assert_eq!(Guarded::<[u8; 64]>::SECTION_SIZE, 192);
    assert_eq!(Guarded::<[u8; 65]>::SECTION_SIZE, 257);
}

/// The Global\ ones say so, since their writers' mutex has to be found by other users too.
#[test]
fn a_global_value_has_its_mutex_in_global() {
    let _limit = limit();
    let name = unique("guarded");
    let global = Guarded::<Ten>::create(&format!("Global\\{name}")).unwrap().object;
    assert_eq!(global.view().load_u32(CONTROL + 12).unwrap(), 2);
    let id = |at| global.view().load_u64(ID + at).unwrap();
    let mutex = format!("transom-guarded-{:016x}{:016x}", id(0), id(8));
    assert_eq!(code(crate::mutex::Mutex::open(&format!("Global\\{mutex}"))), 0);
    assert_eq!(code(crate::mutex::Mutex::open(&mutex)), 2);
    assert_eq!(code(global.store(&[1; 10])), 0);
}

#[test]
fn a_new_value_is_zero_and_an_existing_one_stays() {
    let _limit = limit();
    let name = unique("guarded");
    let one = Guarded::<u64>::create(&name).unwrap();
    assert!(!one.existed);
    assert_eq!(one.object.load().unwrap(), 0);
    one.object.store(&42).unwrap();
    let two = Guarded::<u64>::create(&name).unwrap();
    assert!(two.existed);
    assert_eq!(two.object.load().unwrap(), 42);
    let three = Guarded::<u64>::open(&name).unwrap();
    assert_eq!(three.update(|value| std::mem::replace(value, 43)).unwrap(), 42);
    assert_eq!(one.object.load().unwrap(), 43);
    drop((one, two, three));
    assert_eq!(code(Guarded::<u64>::open(&name)), 2, "M39");
}

#[test]
fn two_sections_have_two_mutexes() {
    let _limit = limit();
    let (one, raw_one) = ten();
    let (two, raw_two) = ten();
    assert_ne!(raw_one.read_to_vec(ID, 16).unwrap(), raw_two.read_to_vec(ID, 16).unwrap());
    // Writing one while the other is being written would wait for ever otherwise.
    one.update(|_| in_thread(|| two.store(&[1; 10]).unwrap())).unwrap();
}

/// G2, G3: all the steps in the drawing, as a dead writer leaves them.
#[test]
fn a_writer_that_dies_leaves_the_old_value_or_the_new_one() {
    let _limit = limit();
    let (old, new, torn) = (*b"old value.", *b"new value!", *b"new value.");
    // (sequence beyond the even one, first place, second place, what a reader gets)
    let steps = [
        (0, old, [0; 10], old), // nothing done yet
        (0, old, torn, old),    // in the middle of the second place
        (0, old, new, old),     // the second place is done
        (1, old, new, new),     // published
        (1, torn, new, new),    // in the middle of the first place
        (1, new, new, new),     // the first place is done
        (2, new, new, new),     // published again
    ];
    for (step, (beyond, first, second, expected)) in steps.into_iter().enumerate() {
        let (guarded, raw) = ten();
        raw.write(0, &first).unwrap();
        raw.write(SECOND, &second).unwrap();
        raw.store_u64(SEQUENCE, 6 + beyond).unwrap();
        assert_eq!(guarded.load().unwrap(), expected, "step {step}");
        assert_eq!(again(&guarded).unwrap().load().unwrap(), expected, "step {step}, opened afterwards");
        // The next writer finds the same value, and repairs what has to be.
        let found = guarded.update(|value| std::mem::replace(value, *b"next value")).unwrap();
        assert_eq!(found, expected, "step {step}");
        assert_eq!(guarded.load().unwrap(), *b"next value");
        assert_eq!(raw.read_to_vec(0, 10).unwrap(), b"next value", "raw readers see it too");
        assert_eq!(raw.load_u64(SEQUENCE).unwrap() % 2, 0);
    }
}

/// The sequence may pass its largest number (a peer may set it there).
#[test]
fn the_sequence_may_wrap() {
    let _limit = limit();
    let (guarded, raw) = ten();
    for start in [u64::MAX - 1, u64::MAX] {
        raw.store_u64(SEQUENCE, start).unwrap();
        guarded.store(&[9; 10]).unwrap();
        assert_eq!(guarded.load().unwrap(), [9; 10]);
        guarded.store(&[8; 10]).unwrap();
        assert_eq!(guarded.load().unwrap(), [8; 10]);
    }
}

#[test]
fn a_panic_in_update_leaves_the_value_and_frees_the_turn() {
    let _limit = limit();
    let (guarded, _) = ten();
    guarded.store(&[5; 10]).unwrap();
    let update = std::panic::AssertUnwindSafe(|| {
        let _ = guarded.update(|value| {
            value[0] = 6;
            // Without the hook's message, which would look like a failure.
            std::panic::resume_unwind(Box::new("the closure gave up"));
        });
    });
    assert!(std::panic::catch_unwind(update).is_err());
    assert_eq!(guarded.load().unwrap(), [5; 10]);
    in_thread(|| guarded.store(&[7; 10]).unwrap());
    assert_eq!(guarded.load().unwrap(), [7; 10]);
}

#[test]
fn a_value_can_be_read_while_it_is_being_changed() {
    let _limit = limit();
    let (guarded, _) = ten();
    guarded.store(&[1; 10]).unwrap();
    guarded
        .update(|value| {
            *value = [2; 10];
            assert_eq!(guarded.load().unwrap(), [1; 10]);
            assert_eq!(in_thread(|| guarded.load().unwrap()), [1; 10]);
        })
        .unwrap();
    assert_eq!(guarded.load().unwrap(), [2; 10]);
}

/// G1: four writers, two readers, a value too large for one access.
#[test]
fn readers_never_see_half_a_value() {
    let _limit = limit();
    let guarded = Guarded::<[u64; 100]>::anonymous().unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (1..=4u64)
            .map(|n| {
                let guarded = &guarded;
                scope.spawn(move || (0..500).for_each(|turn| guarded.store(&[n * 1000 + turn; 100]).unwrap()))
            })
            .collect();
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let value = guarded.load().unwrap();
                    assert!(value.iter().all(|part| *part == value[0]), "{value:?}");
                }
            });
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn updates_are_not_lost() {
    let _limit = limit();
    let guarded = Guarded::<[u32; 9]>::anonymous().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    guarded.update(|value| value.iter_mut().for_each(|part| *part += 1)).unwrap();
                }
            });
        }
    });
    assert_eq!(guarded.load().unwrap(), [1000; 9]);
}

/// Sections that are something else.
#[test]
fn a_section_of_something_else_is_13() {
    let _limit = limit();
    let name = unique("guarded");
    let _mine = Guarded::<[u8; 20]>::create(&name).unwrap();
    assert_eq!(code(Guarded::<[u8; 24]>::open(&name)), 13, "another size");
    assert_eq!(code(Guarded::<[u8; 24]>::create(&name)), 13);

    let name = unique("data");
    let data = Mapping::create(&name, 4096).unwrap().object;
    let view = data.view().unwrap();
    view.fill(0, 4096, 0x55).unwrap();
    assert_eq!(code(Guarded::<Ten>::open(&name)), 13, "not a control block");
    assert_eq!(view.read_to_vec(0, 4096).unwrap(), vec![0x55; 4096], "and it was not touched");

    let name = unique("small");
    let _small = Mapping::create(&name, 4096).unwrap();
    assert_eq!(code(Guarded::<[u8; 4096]>::open(&name)), 5, "too small");
}

#[test]
fn a_control_block_destroyed_later_is_13() {
    let _limit = limit();
    for (at, len) in [(CONTROL, 8), (CONTROL + 8, 4), (CONTROL + 16, 8)] {
        let (guarded, raw) = ten();
        raw.fill(at, len, 0xFF).unwrap();
        assert_eq!(code(guarded.load()), 13);
        assert_eq!(code(guarded.store(&[1; 10])), 13);
        assert_eq!(code(guarded.update(|_| ())), 13);
        assert_eq!(code(again(&guarded)), 13);
    }
}

/// A peer that changes the sequence without end and without the mutex: an error, after a bounded time.
#[test]
fn a_peer_without_manners_cannot_hold_a_reader_for_ever() {
    let _limit = limit();
    let guarded = Guarded::<[u8; 4096]>::anonymous().unwrap();
    let raw = guarded.mapping().view().unwrap();
    let sequence = 4096 + 24;
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let word = raw.atomic_u64(sequence).unwrap();
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                word.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        });
        for _ in 0..20 {
            // A whole value, if a look falls between two changes, or "busy".
            let result = guarded.load();
            assert!(matches!(code(result), 0 | 170));
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    guarded.store(&[1; 4096]).unwrap();
    assert_eq!(guarded.load().unwrap(), [1; 4096]);
}

/// Whoever comes first makes the control block; it may have died at any step of that.
#[test]
fn a_half_made_control_block_is_completed_by_the_next() {
    let _limit = limit();
    let (whole, raw) = ten();
    whole.store(b"0123456789").unwrap();
    let bytes = raw.read_to_vec(0, 138).unwrap();
    // The order in which the words are set: size, version, scope, id, magic.
    let words = [(16, 8), (8, 4), (12, 4), (32, 8), (40, 8)];
    for made in 0..=words.len() {
        let mapping = Mapping::anonymous(Guarded::<Ten>::SECTION_SIZE as u64).unwrap();
        let half = mapping.view().unwrap();
        for (at, len) in &words[..made] {
            half.write(CONTROL + at, &bytes[CONTROL + at..CONTROL + at + len]).unwrap();
        }
        let guarded = Guarded::<Ten>::from_mapping(mapping).unwrap();
        assert_eq!(guarded.load().unwrap(), [0; 10], "{made} words were made");
        guarded.store(&[3; 10]).unwrap();
        assert_eq!(again(&guarded).unwrap().load().unwrap(), [3; 10]);
        if made == words.len() {
            assert_eq!(half.read_to_vec(ID, 16).unwrap(), &bytes[ID..ID + 16], "the id stays");
        }
    }
}

/// All who open at once agree on one mutex.
#[test]
fn many_may_open_a_new_section_at_once() {
    let _limit = limit();
    for _ in 0..20 {
        let name = unique("race");
        let barrier = std::sync::Barrier::new(4);
        let open = || {
            barrier.wait();
            Guarded::<[u32; 3]>::create(&name).unwrap().object
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let ids: Vec<_> = all.iter().map(|guarded| guarded.view().read_to_vec(ID, 16).unwrap()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
        all[3].store(&[1, 2, 3]).unwrap();
        assert!(all.iter().all(|guarded| guarded.load().unwrap() == [1, 2, 3]));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Pair {
    left: u64,
    right: u64,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// G4: whatever a peer writes, every call ends, with an error or with a value that is one of the places.
    #[test]
    fn any_bytes_give_an_error_or_a_whole_value(
        bytes in proptest::collection::vec(any::<u8>(), 144),
        spared in proptest::collection::vec(any::<bool>(), 8),
    ) {
        // Pair: first place 0..16, control block 64..128, second place 128..144.
        let guarded = Guarded::<Pair>::anonymous().unwrap();
        let raw = guarded.mapping().view().unwrap();
        raw.write(0, &bytes[..16]).unwrap();
        raw.write(128, &bytes[128..]).unwrap();
        for (word, spared) in spared.iter().enumerate() {
            if !spared {
                raw.write(64 + 8 * word, &bytes[64 + 8 * word..72 + 8 * word]).unwrap();
            }
        }
        let places = [Pair::read_from_bytes(&bytes[..16]).unwrap(), Pair::read_from_bytes(&bytes[128..]).unwrap()];
        match guarded.load() {
            Ok(value) => prop_assert!(places.contains(&value)),
            Err(error) => prop_assert_eq!(error.code().value(), 13),
        }
        let opened = Guarded::<Pair>::from_mapping(
            Mapping::from_handle(guarded.mapping().as_handle().try_clone().unwrap()).unwrap(),
        );
        match opened {
            Ok(opened) => prop_assert!(places.contains(&opened.load().unwrap())),
            Err(error) => prop_assert_eq!(error.code().value(), 13),
        }
        let value = Pair { left: 1, right: 2 };
        match guarded.store(&value) {
            Ok(()) => prop_assert_eq!(guarded.load().unwrap(), value),
            Err(error) => prop_assert_eq!(error.code().value(), 13),
        }
    }

    /// The same one after the other: a script of stores and updates against a plain value.
    #[test]
    fn a_script_of_stores_and_updates_behaves_as_a_variable(script in proptest::collection::vec((any::<bool>(), any::<u64>()), 0..50)) {
        let guarded = Guarded::<Pair>::anonymous().unwrap();
        let other = Guarded::<Pair>::from_mapping(
            Mapping::from_handle(guarded.mapping().as_handle().try_clone().unwrap()).unwrap(),
        ).unwrap();
        let mut model = Pair { left: 0, right: 0 };
        for (store, number) in script {
            if store {
                model = Pair { left: number, right: !number };
                guarded.store(&model).unwrap();
            } else {
                model.right = model.right.wrapping_add(number);
                other.update(|value| value.right = value.right.wrapping_add(number)).unwrap();
            }
            prop_assert_eq!(guarded.load().unwrap(), model);
            prop_assert_eq!(other.load().unwrap(), model);
        }
    }
}
