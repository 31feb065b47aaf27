//! `Shared<T>`: the shape of `CAtlFileMapping<T>` (atl.md).

use std::mem::offset_of;
use std::sync::atomic::Ordering;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::handle::{AsHandle, FromHandle};
use crate::mapping::{Mapping, Shared};
use crate::support::{code, limit, unique};

#[derive(Debug, PartialEq, Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Counter {
    hits: u32,
    last: [u8; 36],
    total: u64,
}

const SAMPLE: Counter = Counter { hits: 3, last: [b'x'; 36], total: 1 << 40 };

/// A6, A11: the first is new and zero, the second sees what the first stored, at another address.
#[test]
fn two_objects_on_one_name_are_one_value() {
    let _limit = limit();
    let name = unique("shared");
    let one = Shared::<Counter>::create(&name).unwrap();
    assert!(!one.existed);
    assert_eq!(one.object.load().unwrap(), Counter { hits: 0, last: [0; 36], total: 0 });
    one.object.store(&SAMPLE).unwrap();
    let two = Shared::<Counter>::create(&name).unwrap();
    assert!(two.existed);
    assert_eq!(two.object.load().unwrap(), SAMPLE);
    assert_ne!(one.object.view().as_ptr(), two.object.view().as_ptr());
    let read = Shared::<Counter>::open_read_only(&name).unwrap();
    assert_eq!(read.load().unwrap(), SAMPLE);
    assert_eq!(code(read.store(&SAMPLE)), 5);
    assert_eq!(code(read.update(|value| value.hits = 0)), 5);
}

/// A11: a C program's struct lies where ours does, byte for byte.
#[test]
fn the_values_bytes_lie_at_the_beginning_as_they_are() {
    let _limit = limit();
    let name = unique("raw");
    let shared = Shared::<Counter>::create(&name).unwrap().object;
    shared.store(&SAMPLE).unwrap();
    let raw = Mapping::open(&name).unwrap().view().unwrap();
    let mut expected = Vec::new();
    expected.extend(3u32.to_ne_bytes());
    expected.extend([b'x'; 36]);
    expected.extend((1u64 << 40).to_ne_bytes());
    assert_eq!(raw.read_to_vec(0, 48).unwrap(), expected);
    raw.store_u32(0, 77).unwrap();
    assert_eq!(shared.load().unwrap().hits, 77);
}

/// A6: a value larger than the section that has the name.
#[test]
fn a_section_too_small_for_the_value_is_5() {
    let _limit = limit();
    let name = unique("small");
    let _small = Mapping::create(&name, 4096).unwrap();
    assert_eq!(code(Shared::<[u8; 4097]>::create(&name)), 5);
    assert_eq!(code(Shared::<[u8; 4097]>::open(&name)), 5);
    assert_eq!(code(Shared::<[u8; 4096]>::open(&name)), 0);
}

/// A7, A9: copies of the handle share the memory and outlive the original.
#[test]
fn a_copy_of_an_unnamed_value_outlives_the_original() {
    let _limit = limit();
    let one = Shared::<Counter>::anonymous().unwrap();
    let other = Shared::<Counter>::anonymous().unwrap();
    let handle = one.mapping().as_handle().try_clone().unwrap();
    let copy = Shared::<Counter>::from_mapping(Mapping::from_handle(handle).unwrap()).unwrap();
    one.store(&SAMPLE).unwrap();
    drop(one);
    assert_eq!(copy.load().unwrap(), SAMPLE);
    assert_eq!(other.load().unwrap().hits, 0);
}

/// A8: the name lives as long as any of them.
#[test]
fn the_name_lives_as_long_as_one_of_them() {
    let _limit = limit();
    let name = unique("lives");
    let one = Shared::<u32>::create(&name).unwrap().object;
    let two = Shared::<u32>::open(&name).unwrap();
    one.store(&9).unwrap();
    drop(one);
    assert_eq!(Shared::<u32>::open(&name).unwrap().load().unwrap(), 9);
    drop(two);
    assert_eq!(code(Shared::<u32>::open(&name)), 2);
    assert!(!Shared::<u32>::create(&name).unwrap().existed);
}

/// A2, A3: the value at the beginning of a file, which grows as needed and keeps what was stored.
#[test]
fn a_value_in_a_file_stays_there() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("value");
    std::fs::write(&path, [1, 0, 0, 0]).unwrap();
    let file = std::fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let shared = Shared::<Counter>::of_file(&file).unwrap();
    drop(file);
    assert_eq!(shared.load().unwrap(), Counter { hits: 1, last: [0; 36], total: 0 });
    shared.store(&SAMPLE).unwrap();
    drop(shared);
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(Counter::read_from_bytes(&bytes).unwrap(), SAMPLE);
}

/// Fields by their offset, at once for all; the whole value by update.
#[test]
fn fields_can_be_counted_atomically() {
    let _limit = limit();
    let shared = Shared::<Counter>::anonymous().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..1000 {
                    shared.atomic_u32(offset_of!(Counter, hits)).unwrap().fetch_add(1, Ordering::Relaxed);
                    shared.atomic_u64(offset_of!(Counter, total)).unwrap().fetch_add(2, Ordering::Relaxed);
                    shared.atomic_u8(offset_of!(Counter, last)).unwrap().store(5, Ordering::Relaxed);
                }
            });
        }
    });
    let before = shared.update(|value| std::mem::replace(&mut value.hits, 1)).unwrap();
    assert_eq!(before, 4000);
    let value = shared.load().unwrap();
    assert_eq!((value.hits, value.total, value.last[0]), (1, 8000, 5));
    assert_eq!(code(shared.atomic_u32(size_of::<Counter>())), 87);
}

/// M41 holds for these as well: a handle that can only read gives a value that can only be read.
#[test]
fn a_read_only_handle_gives_a_read_only_value() {
    let _limit = limit();
    let name = unique("read-only");
    let _creator = Shared::<u64>::create(&name).unwrap();
    assert_eq!(code(Shared::<u64>::from_mapping(Mapping::open_read_only(&name).unwrap())), 5);
    let value = Shared::<u64>::from_mapping_read_only(Mapping::open_read_only(&name).unwrap()).unwrap();
    assert_eq!(value.load().unwrap(), 0);
}
