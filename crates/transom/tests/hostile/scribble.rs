//! Random bytes over entry files and over the pages of events, mutexes and semaphores.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

use transom::event::{Event, EventOptions};
use transom::mapping::Mapping;
use transom::mutex::{Mutex, MutexOptions};
use transom::namespace;
use transom::semaphore::{Semaphore, SemaphoreOptions};
use transom::wait::{self, Timeout, Wait};
use transom_core::record::page;

use crate::peer::{Random, descriptors, entry_path, page_of, pages, write_u32, write_u64};
use crate::support::{PATIENCE, With, argument, code, exit_code, expect_signal, limit, number, role, unique};

/// Until it is killed.
pub fn scribbler_of_entry() -> u32 {
    let path = entry_path(&argument("NAME"));
    let mut random = Random::new(number("SEED") as u64);
    loop {
        // Nobody may have made it just now.
        let Ok(file) = OpenOptions::new().read(true).write(true).open(&path) else { continue };
        let length = file.metadata().map_or(0, |data| data.len()).max(64);
        let _ = match random.below(12) {
            0 => file.set_len(0),
            1 => file.set_len(random.below(length)),
            2 => file.set_len(length + random.below(5000)),
            3 => std::fs::remove_file(&path),
            _ => {
                let count = 1 + random.below(64) as usize;
                file.write_all_at(&random.bytes(count), random.below(length))
            }
        };
        for _ in 0..random.below(200) {
            std::thread::yield_now();
        }
    }
}

/// What an operation on a name may answer while somebody scribbles over its entry.
const SCRIBBLED: [u32; 8] = [0, 2, 5, 6, 170, 1006, 1392, 1450];

/// Uses a name that somebody scribbles over, and one that nobody does.
pub fn honest_by_name() -> u32 {
    let name = argument("NAME");
    let own = unique("unharmed");
    let expect = |what: &str, code: u32| {
        assert!(SCRIBBLED.contains(&code), "{what} gives {code}");
    };
    let mut before = 0;
    // Made first, so that its entry is a file of its own. Later ones would be spare files (ADR 0007) of the name that is
    // scribbled over, which a scribbler of this user may still have open.
    let unharmed = EventOptions::new().name(&own).create().unwrap();
    assert!(!unharmed.existed);
    for round in 0..300 {
        let created = EventOptions::new().name(&name).create();
        expect("create", code(created.as_ref().map(|_| ()).map_err(Clone::clone)));
        let opened = Event::open(&name);
        expect("open", code(opened.as_ref().map(|_| ()).map_err(Clone::clone)));
        expect("create another kind", code(Mapping::create(&name, 4096)));
        if let Ok(created) = &created {
            assert_eq!(code(created.object.set()), 0, "the object is not its entry");
            assert!(wait::one(&created.object, Timeout::ZERO).is_ok());
        }
        drop((created, opened));
        expect("find", code(namespace::find(&name)));
        // Nothing of this concerns other names.
        unharmed.object.set().unwrap();
        assert_eq!(wait::one(&Event::open(&own).unwrap(), PATIENCE).unwrap(), Wait::Object(0));
        assert!(namespace::find(&own).unwrap().is_some());
        if round == 10 {
            before = descriptors();
        }
    }
    // It keeps up to three of a folder for later, or has just lost them to the damage.
    let after = descriptors();
    assert!(after <= before + 3, "descriptors were lost: {before}, then {after}");
    0
}

#[test]
fn random_bytes_over_an_entry_harm_nobody_who_does_not_use_that_name() {
    let _limit = limit();
    let name = unique("scribbled");
    let scribblers: Vec<_> = (1..=2)
        .map(|seed| role("scribbler-of-entry").with("NAME", &name).with("SEED", seed).start())
        .collect();
    let honest: Vec<_> = (0..2).map(|_| role("honest-by-name").with("NAME", &name).start()).collect();
    for child in &honest {
        assert_eq!(exit_code(child), 0);
    }
    for child in &scribblers {
        child.process.terminate(1).unwrap();
        exit_code(child);
    }
    // And the name itself is usable again.
    let created = EventOptions::new().name(&name).create().unwrap();
    assert!(!created.existed);
    assert_eq!(code(Event::open(&name)), 0);
}

/// Scribbles over the pages of the objects named in the arguments, until it is killed.
pub fn scribbler_of_page() -> u32 {
    let name = argument("NAME");
    let _objects = (
        Event::open(&format!("{name}-event")).unwrap(),
        Mutex::open(&format!("{name}-mutex")).unwrap(),
        Semaphore::open(&format!("{name}-semaphore")).unwrap(),
    );
    let pages = pages(std::process::id());
    assert_eq!(pages.len(), 3);
    let mut random = Random::new(number("SEED") as u64);
    loop {
        let page = &pages[random.below(3) as usize];
        match random.below(8) {
            0 => page.write_all_at(&random.bytes(4096), 0).unwrap(),
            1 => write_u64(page, page::WORD, random.next()),
            2 | 3 => write_u64(page, page::WORD, 0),
            4 => write_u64(page, page::WORD, (random.next() & 3) << 30),
            5 => write_u64(page, page::OWNER_KEY, random.next()),
            6 => write_u32(page, page::DEPTH, random.below(3) as u32),
            _ => write_u32(page, page::PROCESS_ID, random.below(100_000) as u32),
        }
        for _ in 0..random.below(30) {
            std::thread::yield_now();
        }
    }
}

/// Uses objects whose pages somebody scribbles over. What they answer is anybody's guess; that they answer, is not.
pub fn honest_with_page() -> u32 {
    let name = argument("NAME");
    let event = Event::open(&format!("{name}-event")).unwrap();
    let mutex = Mutex::open(&format!("{name}-mutex")).unwrap();
    let semaphore = Semaphore::open(&format!("{name}-semaphore")).unwrap();
    let own = (Event::new(false).unwrap(), Mutex::new().unwrap(), Semaphore::new(0, 5).unwrap());
    let short = Timeout::millis(2);
    let mut before = 0;
    // Whoever comes later finds no object there any more.
    Semaphore::open(&format!("{name}-ready")).unwrap().release(1).unwrap();
    for round in 0..60 {
        let _ = event.set();
        let _ = wait::one(&event, short);
        let _ = event.reset();
        let _ = event.pulse();
        let _ = semaphore.release(1);
        let _ = wait::one(&semaphore, short);
        let _ = wait::one(&mutex, short);
        let _ = mutex.release();
        let _ = wait::any(&[&event, &mutex, &semaphore], short);
        let _ = mutex.release();
        let _ = wait::all(&[&event, &mutex, &semaphore], short);
        let _ = mutex.release();
        let _ = wait::signal_and_wait(&event, &semaphore, short);
        // What is this process's own behaves, also beside the others.
        own.0.set().unwrap();
        assert_eq!(wait::any(&[&own.0, &event], PATIENCE).unwrap(), Wait::Object(0));
        assert_eq!(wait::one(&own.1, Timeout::ZERO).unwrap(), Wait::Object(0));
        own.1.release().unwrap();
        assert_eq!(own.2.release(2).unwrap(), 0);
        assert_eq!(wait::all(&[&own.1, &own.2], PATIENCE).unwrap(), Wait::Object(0));
        assert_eq!(wait::one(&own.2, PATIENCE).unwrap(), Wait::Object(0));
        own.1.release().unwrap();
        if round == 20 {
            before = descriptors();
        }
    }
    // Owners that the pages named may still be watched: so many, and no more.
    assert!(descriptors() < before + 70, "{before} descriptors have become {}", descriptors());
    0
}

#[test]
fn random_bytes_over_an_objects_page_harm_nobody_who_does_not_use_it() {
    let _limit = limit();
    let name = unique("page");
    let _event = EventOptions::new().name(&format!("{name}-event")).create().unwrap();
    let _mutex = MutexOptions::new().name(&format!("{name}-mutex")).create().unwrap();
    let _semaphore = SemaphoreOptions::new(0, 9).name(&format!("{name}-semaphore")).create().unwrap();
    let ready = SemaphoreOptions::new(0, 9).name(&format!("{name}-ready")).create().unwrap().object;
    let honest: Vec<_> = (0..2).map(|_| role("honest-with-page").with("NAME", &name).start()).collect();
    honest.iter().for_each(|_| expect_signal(&ready));
    let scribbler = role("scribbler-of-page").with("NAME", &name).with("SEED", 5).start();
    for child in &honest {
        assert_eq!(exit_code(child), 0);
    }
    scribbler.process.terminate(1).unwrap();
    exit_code(&scribbler);
}

/// An event that a thread which does not exist has locked for ever: calls without a time-out come back, and those
/// with one too.
#[test]
fn a_lock_that_nobody_holds_is_undone() {
    let _limit = limit();
    let name = unique("locked");
    let event = EventOptions::new().name(&name).create().unwrap().object;
    let page = &page_of(&name);
    const NOBODY: u64 = 0x3FFF_FFF0;
    write_u64(page, page::WORD, NOBODY);
    assert_eq!(wait::one(&event, Timeout::ZERO).unwrap(), Wait::Timeout);
    write_u64(page, page::WORD, NOBODY);
    assert_eq!(wait::one(&event, Timeout::millis(20)).unwrap(), Wait::Timeout);
    let other = Event::new(false).unwrap();
    assert_eq!(wait::any(&[&other, &event], Timeout::millis(20)).unwrap(), Wait::Timeout);
    assert_eq!(wait::all(&[&other, &event], Timeout::millis(20)).unwrap(), Wait::Timeout);
    event.set().unwrap();
    assert_eq!(wait::one(&event, PATIENCE).unwrap(), Wait::Object(0));
    write_u64(page, page::WORD, NOBODY);
    // What the dead thread was about to take goes back: the signal that it must have seen.
    assert_eq!(wait::one(&event, Timeout::INFINITE).unwrap(), Wait::Object(0));
}
