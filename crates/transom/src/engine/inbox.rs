//! Handles that other processes put into this one (`DuplicateHandle` into a running process).
//!
//! The sender reserves a row in the target's record, tells nobody, and leaves a message with the row's
//! content and its descriptors in the target's inbox: a listening socket whose queue the kernel keeps. The
//! target takes the message out when it first meets a value whose row is reserved.

use std::os::fd::{BorrowedFd, OwnedFd};

use transom_core::code::Code;
use transom_core::delivery;
use transom_core::record::Slot;
use transom_sys::linux::socket::MOST_DESCRIPTORS;
use transom_sys::linux::{Errno, fd, inbox};

use super::errno::{code, with_room};
use super::record::ProcessRecord;

/// A handle on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) index: usize,
    pub(crate) slot: Slot,
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// The abstract address that belongs to a record's cookie.
pub(crate) fn name(cookie: &[u8; 16]) -> Vec<u8> {
    let mut name = b"transom/".to_vec();
    for byte in cookie {
        name.extend_from_slice(format!("{byte:02x}").as_bytes());
    }
    name
}

/// The inbox of a record's process.
pub(crate) fn create(record: &ProcessRecord) -> Result<OwnedFd, Code> {
    let name = record.inbox_name();
    with_room(|| inbox::listen(&name))
}

/// Leaves a handle in the inbox of another process.
pub(crate) fn deliver(
    target: &ProcessRecord,
    index: usize,
    slot: &Slot,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Code> {
    let name = target.inbox_name();
    let message = delivery::encode(index, slot);
    let send = || inbox::deliver(&name, &message, descriptors);
    let sent = match send() {
        Err(Errno::MFILE) if fd::raise_limit() => send(),
        result => result,
    };
    sent.map_err(|error| match error {
        // Nobody listens: the process has ended, or is no process of this library's.
        Errno::CONNREFUSED => Code::INVALID_HANDLE,
        // It has thousands of handles that it never looked at.
        Errno::AGAIN | Errno::TOOMANYREFS | Errno::NOBUFS => Code::NO_SYSTEM_RESOURCES,
        other => code(other),
    })
}

/// The next handle of this process's inbox; messages that are none are thrown away.
///
/// # Errors
/// 4: there is no room for what comes with it. It stays in the inbox then.
pub(crate) fn next(inbox: &OwnedFd) -> Result<Option<Delivery>, Code> {
    let mut message = [0; delivery::SIZE + 1];
    loop {
        // A message whose descriptors find no room arrives without them, and does not come again.
        with_room(|| fd::probe(inbox, 1 + MOST_DESCRIPTORS))?;
        let received = with_room(|| inbox::receive(inbox, &mut message))?;
        let Some((length, descriptors)) = received else { return Ok(None) };
        if let Some((index, slot)) = message.get(..length).and_then(delivery::decode) {
            return Ok(Some(Delivery { index, slot, descriptors }));
        }
    }
}
