//! Handles that other processes put into this one (`DuplicateHandle` into a running process).
//!
//! The sender reserves a row in the target's record, tells nobody, and leaves a message with the row's
//! content and its descriptors in the target's inbox: a listening socket whose queue the kernel keeps. The
//! target takes the message out when it first meets a value whose row is reserved.

use std::os::fd::{BorrowedFd, OwnedFd};

use transom_core::code::Code;
use transom_core::record::{SLOT_WORDS, Slot, process as layout};
use transom_sys::linux::{Errno, socket};

use super::errno::{code, with_room};
use super::record::ProcessRecord;

/// A handle on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) index: usize,
    pub(crate) slot: Slot,
    pub(crate) descriptors: Vec<OwnedFd>,
}

/// Bytes of a message: index, kind, and words 1 to 7 of the row.
const LENGTH: usize = 8 + 8 * (SLOT_WORDS - 1);

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
    with_room(|| socket::listen(&name))
}

/// Leaves a handle in the inbox of another process.
pub(crate) fn deliver(
    target: &ProcessRecord,
    index: usize,
    slot: &Slot,
    descriptors: &[BorrowedFd<'_>],
) -> Result<(), Code> {
    socket::deliver(&target.inbox_name(), &encode(index, slot), descriptors).map_err(|error| match error {
        // Nobody listens: the process has ended, or is no process of this library's.
        Errno::CONNREFUSED => Code::INVALID_HANDLE,
        // It has thousands of handles that it never looked at.
        Errno::AGAIN => Code::NO_SYSTEM_RESOURCES,
        other => code(other),
    })
}

/// The next handle of this process's inbox; messages that are none are thrown away.
pub(crate) fn next(inbox: &OwnedFd) -> Option<Delivery> {
    let mut message = [0; LENGTH + 1];
    loop {
        let (length, descriptors) = socket::receive(inbox, &mut message).ok()??;
        if let Some((index, slot)) = decode(message.get(..length)?) {
            return Some(Delivery { index, slot, descriptors });
        }
    }
}

fn encode(index: usize, slot: &Slot) -> [u8; LENGTH] {
    let mut message = [0; LENGTH];
    message[..4].copy_from_slice(&(index as u32).to_le_bytes());
    message[4..8].copy_from_slice(&slot.kind.to_le_bytes());
    for (bytes, word) in message[8..].chunks_exact_mut(8).zip(slot.body()) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    message
}

fn decode(message: &[u8]) -> Option<(usize, Slot)> {
    if message.len() != LENGTH {
        return None;
    }
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).ok();
    let index = number(&message[..4])? as usize;
    let kind = number(&message[4..8])?;
    let mut body = [0; SLOT_WORDS - 1];
    for (word, bytes) in body.iter_mut().zip(message[8..].chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    (index < layout::SLOT_COUNT).then(|| (index, Slot::decode(kind, body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_message_says_what_was_put_in() {
        let slot = Slot { kind: 4, access: 6, flags: 1, descriptor: 0, size: 4096, detail: 4, ..Slot::EMPTY };
        assert_eq!(decode(&encode(17, &slot)), Some((17, slot)));
        assert_eq!(decode(&encode(layout::SLOT_COUNT, &slot)), None);
    }

    proptest! {
        /// Whatever a peer sends is a row or nothing, never a panic.
        #[test]
        fn any_bytes_are_a_row_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            let decoded = decode(&bytes);
            prop_assert_eq!(decoded.is_some(), bytes.len() == LENGTH && decoded.is_some_and(|(index, _)| index < layout::SLOT_COUNT));
        }
    }
}
