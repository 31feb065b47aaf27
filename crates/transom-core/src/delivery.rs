//! The message that a handle is on its way to a running process (`DuplicateHandle` into another one). Its
//! descriptors travel beside it; what it says about them is a row of a handle table. Any process of the same
//! user can send any bytes, so everything is checked by who receives it.
//!
//! # Layout (all numbers little-endian)
//! ```text
//!   0  index u32 │ kind u32      which row of the receiver's table; see `access::Kind`
//!   8  words 1 to 7 of the row   see `record::Slot`; a descriptor number ≥ 0 only says that one travels along
//! ```

use crate::record::{SLOT_WORDS, Slot, process};

/// Bytes of a message.
pub const SIZE: usize = 8 + 8 * (SLOT_WORDS - 1);

/// The message that row `index` is to become `slot`.
#[must_use]
pub fn encode(index: usize, slot: &Slot) -> [u8; SIZE] {
    let mut message = [0; SIZE];
    message[..4].copy_from_slice(&(index as u32).to_le_bytes());
    message[4..8].copy_from_slice(&slot.kind.to_le_bytes());
    for (bytes, word) in message[8..].chunks_exact_mut(8).zip(slot.body()) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    message
}

/// Index and row of a message; `None` if the bytes are none, or name a row beyond the table.
#[must_use]
pub fn decode(message: &[u8]) -> Option<(usize, Slot)> {
    let message: &[u8; SIZE] = message.try_into().ok()?;
    let (head, words) = message.split_at(8);
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_le_bytes).ok();
    let index = usize::try_from(number(&head[..4])?).ok()?;
    let kind = number(&head[4..])?;
    let mut body = [0; SLOT_WORDS - 1];
    for (word, bytes) in body.iter_mut().zip(words.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().ok()?);
    }
    (index < process::SLOT_COUNT).then(|| (index, Slot::decode(kind, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_was_put_in() {
        let slot = Slot { kind: 4, access: 6, flags: 1, descriptor: 0, size: 4096, detail: 4, ..Slot::EMPTY };
        assert_eq!(decode(&encode(17, &slot)), Some((17, slot)));
        assert_eq!(decode(&encode(process::SLOT_COUNT, &slot)), None);
        assert_eq!(decode(&encode(17, &slot)[..SIZE - 1]), None);
    }

    /// Golden bytes: two builds of transom meet in this message.
    #[test]
    fn the_layout_is_fixed() {
        let slot = Slot { kind: 1, access: 2, flags: 3, descriptor: 4, hold: 5, record: 6, ..Slot::EMPTY };
        let message = encode(0x0102, &slot);
        assert_eq!(message.len(), 64);
        assert_eq!(message[..8], [2, 1, 0, 0, 1, 0, 0, 0]);
        assert_eq!(message[8..24], [2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(message[24..32], [6, 0, 0, 0, 0, 0, 0, 0]);
    }
}
