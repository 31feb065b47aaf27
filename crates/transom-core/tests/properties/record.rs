//! Rows of a handle table and messages about them, as a hostile process writes them.

use proptest::collection::vec;
use proptest::prelude::*;
use transom_core::delivery;
use transom_core::record::{SLOT_WORDS, Slot, SlotState, believable, handle_value, process, slot_index};

/// Numbers that clash often, with some that no descriptor has.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![8 => -2..12, 1 => any::<i32>()]
}

fn slot() -> impl Strategy<Value = Slot> {
    (number(), number(), number(), any::<[u32; 6]>(), any::<u64>(), [number(), number()]).prop_map(
        |(descriptor, hold, record, [kind, access, flags, hold_slot, detail, bits], size, bells)| Slot {
            kind,
            access,
            flags,
            descriptor,
            hold,
            hold_slot,
            record,
            detail,
            size,
            bits,
            bells,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever rows there are: of those believed, no descriptor is closed twice, and none is anybody else's.
    #[test]
    fn believed_slots_share_no_descriptor(slots in vec(slot(), 0..20), taken in vec(number(), 0..4)) {
        let rows: Vec<(usize, Slot)> = slots.into_iter().enumerate().collect();
        let believed = believable(rows.clone(), &taken);
        let mut seen = taken;
        for (_, slot) in &believed {
            prop_assert!(slot.descriptors().next().is_some());
            for number in slot.descriptors() {
                prop_assert!(number >= 0);
                if number > 2 {
                    prop_assert!(!seen.contains(&number), "{number} twice");
                    seen.push(number);
                }
            }
        }
        // They are the same rows, in the same order; and one alone is missing only for a reason of its own.
        prop_assert!(believed.iter().all(|row| rows.contains(row)));
        prop_assert!(believed.windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert_eq!(&believable(believed.clone(), &[]), &believed);
    }

    #[test]
    fn every_slot_and_message_survives_encoding(slot in slot(), index in 0..process::SLOT_COUNT) {
        prop_assert_eq!(Slot::decode(slot.kind, slot.body()), slot);
        prop_assert_eq!(delivery::decode(&delivery::encode(index, &slot)), Some((index, slot)));
    }

    /// Any words are a slot, and any first word a state.
    #[test]
    fn any_words_are_a_slot(kind: u32, body: [u64; SLOT_WORDS - 1], head: u64) {
        let slot = Slot::decode(kind, body);
        prop_assert_eq!(Slot::decode(slot.kind, slot.body()), slot);
        let (kind, state) = Slot::split_head(head);
        let back = Slot::head(kind, state);
        prop_assert!(back == head || state == SlotState::Free);
    }

    /// Whatever a peer sends is a row of the table or nothing.
    #[test]
    fn any_bytes_are_a_row_or_nothing(bytes in vec(any::<u8>(), 0..200)) {
        let row = delivery::decode(&bytes);
        prop_assert!(row.is_none() || bytes.len() == delivery::SIZE);
        if let Some((index, slot)) = row {
            prop_assert!(index < process::SLOT_COUNT);
            prop_assert_eq!(slot_index(handle_value(index)), Some(index));
            let again = delivery::encode(index, &slot);
            prop_assert_eq!(delivery::decode(&again), row);
        }
    }

    /// A message of the right length with any content.
    #[test]
    fn a_message_of_the_right_length_is_a_row_of_the_table_or_nothing(bytes in vec(any::<u8>(), delivery::SIZE), low: bool) {
        let mut bytes = bytes;
        if low {
            bytes[2..4].fill(0);
        }
        let index = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        prop_assert_eq!(delivery::decode(&bytes).map(|row| row.0), (index < process::SLOT_COUNT).then_some(index));
    }
}
