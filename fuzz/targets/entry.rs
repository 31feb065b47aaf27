//! Entry files: any bytes are an entry within its bounds, or ERROR_FILE_CORRUPT.
//!
//! The check over the header keeps nearly all random bytes out. So an entry is also made of the input and then
//! patched by the rest of it, which gets behind the check where the patches leave the header alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::entry::{Entry, Header, Holder, SLOT_SIZE};
use transom_core::name::Scope;

fuzz_target!(|bytes: &[u8]| {
    parse(bytes);
    let mut input = Input(bytes);
    let length = usize::from(input.byte());
    let name = input.take(length);
    let header = Header {
        kind: Kind::ALL[usize::from(input.byte()) % Kind::ALL.len()],
        scope: if input.byte() & 1 == 0 { Scope::Local } else { Scope::Global },
        cookie: input.array(),
        security: [0; 4].map(|_: u32| input.u32()),
        size: input.u64(),
        protect: input.u32(),
        flags: input.u32(),
        device: input.u64(),
        inode: input.u64(),
        created: input.u64(),
        name,
    };
    let mut holder = || Holder {
        process: input.u32(),
        descriptor: input.u32() as i32,
        namespace: input.u64(),
        access: input.u32(),
        kept: (input.u32(), input.u32() as i32),
    };
    let first = holder();
    let mut file = header.encode(&first).expect("a name of at most 255 bytes");
    for _ in 0..4 {
        file.extend_from_slice(&holder().encode());
    }
    let whole = Entry::parse(&file).expect("an entry of our own making");
    assert_eq!(whole.header, header);
    assert_eq!(whole.holders().next(), Some((0, first)));
    for patch in input.0.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([patch[0], patch[1]])) % file.len();
        file[at] ^= patch[2];
    }
    parse(&file);
});

const NOBODY: Holder = Holder { process: 0, descriptor: -1, namespace: 0, access: 0, kept: (0, 0) };

fn parse(bytes: &[u8]) {
    match Entry::parse(bytes) {
        Ok(entry) => {
            let table = entry.header.table_offset();
            assert!(entry.slot_count() == 0 || table + entry.slot_count() * SLOT_SIZE <= bytes.len());
            assert!(
                entry.holders().all(|(slot, holder)| slot < entry.slot_count()
                    && entry.slots().nth(slot) == Some(Some(holder)))
            );
            let file = entry.header.encode(&NOBODY).expect("a name that was short enough");
            assert_eq!(Entry::parse(&file).map(|again| again.header), Ok(entry.header));
        }
        Err(code) => assert_eq!(code, Code::FILE_CORRUPT),
    }
    for slot in bytes.chunks_exact(SLOT_SIZE) {
        if let Some(holder) = Holder::decode(slot) {
            assert_eq!(Holder::decode(&holder.encode()), Some(holder));
        }
    }
}

/// Takes an input apart; zeroes when it is used up.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}
