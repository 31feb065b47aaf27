//! Locks beside those that keep a name: instances of pipes, writers of mailslots, and who is removing an entry.

use transom_core::board::INSTANCE_LOCKS;

use super::super::{backing, is_held, is_kept};
use super::*;

fn pipe(scratch: &Scratch, name: &ObjectName) -> Opened {
    let (kind, security) = (Kind::Pipe, Security::owner_only());
    let request = Request { folder: Folder::Pipes, ..request(name, kind, kind.all_access()) };
    scratch
        .namespace
        .create(&request, &security, false, false, &mut |place, cookie| make(place, cookie, kind, &security))
        .unwrap()
}

fn pipe_name() -> ObjectName {
    ObjectName::from_pipe_parts(Scope::Local, b"p").unwrap()
}

fn look_up(scratch: &Scratch, folder: Folder, name: &ObjectName, kind: Kind) -> Result<OwnedFd, Code> {
    let request = Request { folder, ..request(name, kind, 0) };
    scratch.namespace.look_up(&request).map(|(memory, entry)| {
        assert_eq!(fd::identity(&memory.fd).unwrap().2, SIZE);
        entry
    })
}

/// P4, S8: who has looked a name up keeps nothing of it, nor does a lock that it takes as a writer does.
#[test]
fn a_name_that_was_looked_up_goes_with_its_holder() {
    let _limit = limit();
    let scratch = Scratch::new();
    let name = pipe_name();
    let server = pipe(&scratch, &name);
    let entry = look_up(&scratch, Folder::Pipes, &name, Kind::Pipe).unwrap();
    assert!(lock::lock_byte(&entry, 1 << 38).unwrap());
    assert!(is_held(entry.as_fd()));
    drop(server);
    assert!(!is_held(entry.as_fd()));
    assert_eq!(
        look_up(&scratch, Folder::Pipes, &name, Kind::Pipe).map(drop).unwrap_err(),
        Code::FILE_NOT_FOUND
    );
    let files = std::fs::read_dir(scratch.base.path().join("local/pipe")).unwrap().count();
    assert_eq!(files, 0);
}

/// P4: the maker may have left; then a visitor's memory is found.
#[test]
fn looking_up_finds_the_memory_of_a_visitor_and_visits_nothing() {
    let _limit = limit();
    let scratch = Scratch::new();
    let name = parsed("x");
    let maker = scratch.create("x").unwrap();
    let visitor = scratch.open("x").unwrap();
    assert_eq!(visitor.hold.slot(), u32::MAX);
    drop(maker);
    let entry = look_up(&scratch, Folder::Objects, &name, Kind::Mapping).unwrap();
    assert!(is_held(entry.as_fd()));
    drop(visitor);
    assert!(!is_held(entry.as_fd()));
    assert_eq!(scratch.files(), [""; 0]);
}

/// P4: a child between fork and exec shares the locks of an open file; the instances of a server that leaves are
/// given up all the same, and its name stays that of the other server alone.
#[test]
fn a_server_that_leaves_takes_its_instances_along() {
    let _limit = limit();
    let scratch = Scratch::new();
    let name = pipe_name();
    let (first, second) = (pipe(&scratch, &name), pipe(&scratch, &name));
    assert!(second.existed);
    first.hold.keep_instance(0).unwrap();
    second.hold.keep_instance(0).unwrap();
    second.hold.keep_instance(3).unwrap();
    let view = first.hold.view().unwrap();
    let forked = transom_sys::linux::host::duplicate_number(second.hold.raw_fd()).unwrap();
    drop(second);
    assert!(is_kept(view.as_fd(), INSTANCE_LOCKS) && !is_kept(view.as_fd(), INSTANCE_LOCKS + 3));
    assert!(is_held(view.as_fd()));
    drop(first);
    assert!(!is_held(view.as_fd()) && !is_kept(view.as_fd(), INSTANCE_LOCKS));
    drop(forked);
}

/// A lock of an instance keeps no name, and who has locked all bytes to remove the entry neither holds the name nor
/// keeps an instance.
#[test]
fn only_slots_and_visitors_hold_a_name() {
    let _limit = limit();
    let scratch = Scratch::new();
    let server = pipe(&scratch, &pipe_name());
    let (remover, view) = (server.hold.view().unwrap(), server.hold.view().unwrap());
    assert!(backing::is_held(view.as_fd()));
    drop(server);
    assert!(lock::share_byte(&remover, INSTANCE_LOCKS).unwrap());
    assert!(is_kept(view.as_fd(), INSTANCE_LOCKS) && !backing::is_held(view.as_fd()));
    assert!(lock::lock_from(&remover, LOCKS).unwrap());
    assert!(!is_kept(view.as_fd(), INSTANCE_LOCKS) && !backing::is_held(view.as_fd()));
}
