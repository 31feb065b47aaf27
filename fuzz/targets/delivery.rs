//! Messages in an inbox: any bytes are a row of the table, or nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::delivery;
use transom_core::record::{handle_value, process, slot_index};

fuzz_target!(|bytes: &[u8]| {
    match delivery::decode(bytes) {
        Some((index, slot)) => {
            assert_eq!(bytes.len(), delivery::SIZE);
            assert!(index < process::SLOT_COUNT);
            assert_eq!(slot_index(handle_value(index)), Some(index));
            assert_eq!(delivery::decode(&delivery::encode(index, &slot)), Some((index, slot)));
        }
        None => {
            let index = bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes) as usize);
            assert!(bytes.len() != delivery::SIZE || index.is_some_and(|index| index >= process::SLOT_COUNT));
        }
    }
});
