//! Rows of a process's handle table, as its creator or a peer may have written them: of those that are believed no
//! descriptor belongs to two, and none to somebody else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::record::{SLOT_SIZE, SLOT_WORDS, Slot, SlotState, believable};

fuzz_target!(|bytes: &[u8]| {
    let word = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
    let mut slots = Vec::new();
    for (index, row) in bytes.chunks_exact(SLOT_SIZE).enumerate() {
        let (kind, state) = Slot::split_head(word(&row[..8]));
        let mut body = [0; SLOT_WORDS - 1];
        for (word_of, bytes) in body.iter_mut().zip(row[8..].chunks_exact(8)) {
            *word_of = word(bytes);
        }
        let slot = Slot::decode(kind, body);
        assert_eq!(Slot::decode(kind, slot.body()), slot);
        assert_eq!(Slot::split_head(Slot::head(kind, state)), (kind, state));
        if state == SlotState::Open {
            slots.push((index, slot));
        }
    }
    // The creator's own descriptors are small numbers, so that the fuzzer meets them.
    let taken = [3, 4, 5];
    let believed = believable(slots.iter().copied(), &taken);
    let mut seen = taken.to_vec();
    for (index, slot) in &believed {
        assert!(slots.contains(&(*index, *slot)));
        assert!(slot.descriptors().next().is_some());
        for number in slot.descriptors().filter(|number| *number > 2) {
            assert!(!seen.contains(&number));
            seen.push(number);
        }
    }
    assert_eq!(believable(believed.iter().copied(), &[]), believed);
});
