//! Sections of disk files (mapping.md, section 8).

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::mapping::{FILE_MAP_READ, Guarded, Mapping, MappingOptions, Protection, Shared, ViewOptions};
use crate::support::{ON_LINUX, code, limit, set_end_of_file, unique};

/// A file in a folder of its own.
struct Scratch {
    folder: TempDir,
}

impl Scratch {
    fn with(content: &[u8]) -> Scratch {
        let scratch = Scratch { folder: tempfile::tempdir().unwrap() };
        std::fs::write(scratch.path(), content).unwrap();
        scratch
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("file")
    }

    fn open(&self) -> File {
        OpenOptions::new().read(true).write(true).open(self.path()).unwrap()
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(self.path()).unwrap()
    }
}

fn map(file: &File, size: u64) -> Mapping {
    MappingOptions::of_file(file, size).create().unwrap().object
}

/// M9: exact to the byte, and what lies behind the end in the last page never reaches the file.
#[test]
fn the_size_of_a_files_section_is_exact() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let mapping = map(&scratch.open(), 0);
    assert_eq!(mapping.size().unwrap(), 4);
    assert_eq!(code(ViewOptions::new().length(5).map(&mapping)), 5);
    let view = mapping.view().unwrap();
    assert_eq!(view.len(), 4);
    view.write(0, b"WXYZ").unwrap();
    drop((view, mapping));
    assert_eq!(scratch.content(), b"WXYZ");
}

/// M43.
#[test]
fn size_0_is_the_files_length_of_that_moment() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let mut file = scratch.open();
    let mapping = map(&file, 0);
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(&[7; 10_000]).unwrap();
    assert_eq!(mapping.size().unwrap(), 4);
    assert_eq!(code(ViewOptions::new().length(5).map(&mapping)), 5);
}

/// Mapping.md, section 2.
#[test]
fn an_empty_file_needs_a_size() {
    let _limit = limit();
    let scratch = Scratch::with(b"");
    assert_eq!(code(MappingOptions::of_file(&scratch.open(), 0).create()), 1006);
    assert_eq!(scratch.content(), b"");
    let view = map(&scratch.open(), 3).view().unwrap();
    view.write(0, b"now").unwrap();
    drop(view);
    assert_eq!(scratch.content(), b"now");
}

/// M44: at creation, exactly, with zeroes.
#[test]
fn a_writable_section_extends_its_file_at_once() {
    let _limit = limit();
    for protection in [Protection::ReadWrite, Protection::ExecuteReadWrite] {
        let scratch = Scratch::with(b"abcd");
        let file = OpenOptions::new().read(true).write(true).open(scratch.path()).unwrap();
        let options = MappingOptions::of_file(&file, 5001).protection(protection);
        // Windows wants a file opened for execution for the second.
        let mapping = match options.create() {
            Ok(created) => created.object,
            Err(error) if protection == Protection::ExecuteReadWrite && !ON_LINUX => {
                assert_eq!(error.code().value(), 5);
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(file.metadata().unwrap().len(), 5001);
        let view = mapping.view_read_only().unwrap();
        assert_eq!(view.read_to_vec(0, 4).unwrap(), b"abcd");
        assert!(view.read_to_vec(4, 4997).unwrap().iter().all(|b| *b == 0));
    }
}

/// M45.
#[test]
fn a_read_only_section_never_extends_its_file() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    for protection in [Protection::ReadOnly, Protection::WriteCopy] {
        let result = MappingOptions::of_file(&scratch.open(), 5).protection(protection).create();
        assert_eq!(code(result), 8, "{protection:?}");
    }
    assert_eq!(scratch.content(), b"abcd");
}

/// M46.
#[test]
fn the_file_may_be_closed_once_the_section_exists() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let file = scratch.open();
    let mapping = map(&file, 0);
    drop(file);
    let view = mapping.view().unwrap();
    drop(mapping);
    view.store_u8(0, b'A').unwrap();
    drop(view);
    assert_eq!(scratch.content(), b"Abcd");
}

/// M47: same handle, another handle, another section.
#[test]
fn two_sections_of_one_file_agree() {
    let _limit = limit();
    let scratch = Scratch::with(&[0; 9000]);
    let file = scratch.open();
    let sections = [map(&file, 0), map(&file, 0), map(&scratch.open(), 0)];
    let views = sections.map(|section| section.view().unwrap());
    for (n, view) in views.iter().enumerate() {
        view.store_u8(8999 - n, n as u8 + 1).unwrap();
    }
    for view in &views {
        assert_eq!(view.read_to_vec(8997, 3).unwrap(), [3, 2, 1]);
    }
}

/// M48, M49: after flushing, reading the file gives what was stored; the range may be part of the view.
#[test]
fn what_was_flushed_can_be_read_from_the_file() {
    let _limit = limit();
    let scratch = Scratch::with(&[0; 20_000]);
    let mapping = map(&scratch.open(), 0);
    let view = mapping.view().unwrap();
    view.write(0, b"first").unwrap();
    view.write(15_000, b"far").unwrap();
    view.flush(0, 5).unwrap();
    view.flush(15_000, 3).unwrap();
    view.flush(19_999, 0).unwrap();
    let mut file = scratch.open();
    let mut bytes = [0; 5];
    file.read_exact(&mut bytes).unwrap();
    assert_eq!(&bytes, b"first");
    file.seek(SeekFrom::Start(15_000)).unwrap();
    file.read_exact(&mut bytes[..3]).unwrap();
    assert_eq!(&bytes[..3], b"far");
}

/// M50.
#[test]
fn a_mapped_file_cannot_be_cut_until_it_is_free() {
    let _limit = limit();
    let scratch = Scratch::with(&[1; 4096]);
    let file = scratch.open();
    let mapping = map(&file, 0);
    let view = mapping.view().unwrap();
    assert_eq!(set_end_of_file(&file, 1), 1224, "section and view");
    drop(mapping);
    assert_eq!(set_end_of_file(&file, 1), 1224, "a view alone");
    assert_eq!(file.metadata().unwrap().len(), 4096);
    assert_eq!(set_end_of_file(&file, 5000), 0, "growing is no harm");
    drop(view);
    assert_eq!(set_end_of_file(&file, 1), 0);
    assert_eq!(file.metadata().unwrap().len(), 1);
}

/// M50 binds those who ask this library. On Linux a stranger can cut the file all the same: that is an error to
/// whoever copies, and never the end of the process.
#[test]
fn a_file_cut_short_by_a_stranger_is_1006() {
    let _limit = limit();
    let scratch = Scratch::with(&[7; 3 * 4096]);
    let file = scratch.open();
    let view = map(&file, 0).view().unwrap();
    assert!(view.is_intact());
    if let Err(error) = scratch.open().set_len(10) {
        assert_eq!((ON_LINUX, error.raw_os_error()), (false, Some(1224)));
        return;
    }
    assert_eq!(view.read_to_vec(0, 10).unwrap(), [7; 10], "what is still there can be read");
    assert_eq!(code(view.read(5000, &mut [0; 100])), 1006);
    assert!(!view.is_intact());
    assert_eq!(code(view.read_to_vec(4000, 8000)), 1006);
    assert_eq!(code(view.write(9000, b"lost")), 1006);
    assert_eq!(code(view.fill(0, 12_288, 1)), 1006);
    assert_eq!(code(view.read_value::<u64>(5000)), 1006);
    assert_eq!(view.load_u32(8192).unwrap() & 0xFF, 1, "words are those of private pages now");
    assert_eq!(scratch.content().len(), 10);
    let fresh = map(&file, 0).view().unwrap();
    assert!(fresh.is_intact(), "another view is not touched by it");
}

/// The same for a typed and a guarded value.
#[test]
fn values_in_a_file_cut_short_are_1006() {
    let _limit = limit();
    let scratch = Scratch::with(b"");
    let file = scratch.open();
    let shared = Shared::<[u64; 1024]>::of_file(&file).unwrap();
    let other = Scratch::with(b"");
    let section = map(&other.open(), Guarded::<[u64; 1024]>::SECTION_SIZE as u64);
    let guarded = Guarded::<[u64; 1024]>::from_mapping(section).unwrap();
    guarded.store(&[3; 1024]).unwrap();
    if !ON_LINUX {
        assert_eq!(set_end_of_file(&file, 0), 1224);
        return;
    }
    std::fs::File::create(scratch.path()).unwrap();
    assert_eq!(code(shared.load()), 1006);
    assert_eq!(code(shared.store(&[1; 1024])), 1006);
    std::fs::File::create(other.path()).unwrap();
    assert_eq!(code(guarded.load()), 1006);
    assert_eq!(code(guarded.store(&[1; 1024])), 1006);
}

/// M51, a promise on Linux alone: the mapping keeps its bytes.
#[test]
fn deleting_a_mapped_file_leaves_the_mapping() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let mapping = map(&scratch.open(), 0);
    let view = mapping.view().unwrap();
    let deleted = std::fs::remove_file(scratch.path()).is_ok();
    if ON_LINUX {
        assert!(deleted);
    } else {
        crate::differs_under_wine!("M51", !deleted);
    }
    assert_eq!(view.read_to_vec(0, 4).unwrap(), b"abcd");
}

/// M52.
#[test]
fn a_named_section_of_a_file_is_opened_by_its_name_alone() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let name = unique("file");
    let created = MappingOptions::of_file(&scratch.open(), 4096).name(&name).create().unwrap();
    let other = Mapping::open(&name).unwrap();
    assert_eq!(other.size().unwrap(), 4096);
    created.object.view().unwrap().store_u8(4095, b'z').unwrap();
    assert_eq!(other.view_read_only().unwrap().load_u8(4095).unwrap(), b'z');
    let again = MappingOptions::new(1).name(&name).create().unwrap();
    assert!(again.existed, "M10: what the call says about the file does not count");
    drop((created, other, again));
    assert_eq!(code(Mapping::open(&name)), 2);
    assert_eq!(scratch.content()[4095], b'z');
}

/// M53: what the file handle may decides, whoever owns the file.
#[test]
fn the_file_handles_rights_decide() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let only_reads = File::open(scratch.path()).unwrap();
    let only_writes = OpenOptions::new().write(true).open(scratch.path()).unwrap();
    let with = |file, protection| code(MappingOptions::of_file(file, 0).protection(protection).create());
    assert_eq!(with(&only_reads, Protection::ReadWrite), 5);
    assert_eq!(with(&only_reads, Protection::ReadOnly), 0);
    assert_eq!(with(&only_reads, Protection::WriteCopy), 0);
    assert_eq!(with(&only_writes, Protection::ReadOnly), 5);
    assert_eq!(with(&only_writes, Protection::ReadWrite), 5);
}

/// M1 for files: the section's protection decides what views there are.
#[test]
fn a_read_only_section_of_a_file_has_no_write_views() {
    let _limit = limit();
    let scratch = Scratch::with(b"abcd");
    let options = MappingOptions::of_file(&scratch.open(), 0).protection(Protection::ReadOnly).create();
    let mapping = options.unwrap().object;
    assert_eq!(code(mapping.view()), 5);
    let view = ViewOptions::new().access(FILE_MAP_READ).map(&mapping).unwrap();
    assert_eq!(view.read_to_vec(0, 4).unwrap(), b"abcd");
}
