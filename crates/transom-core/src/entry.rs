//! The file that a name is on Linux: what the object is, and who holds it.
//!
//! Many processes write it, some of them may be hostile and any may be killed in the middle of a write. So
//! everything read from it is checked here, and whatever the bytes are, there is an answer: an entry, or
//! `ERROR_FILE_CORRUPT`.
//!
//! # Layout (all numbers little-endian)
//! ```text
//!     0  magic u64 │ version u32 │ kind u32        see `access::Kind`
//!    16  cookie, 16 bytes                          drawn anew for each object
//!    32  security, 4 × u32                         see `Security::to_words`
//!    48  size u64                                  bytes of a section
//!    56  protect u32 │ flags u32                   a section's `flProtect`; see `flags`
//!    64  device u64 │ inode u64                    which file the memory is
//!    80  created u64                               nanoseconds since 1970
//!    88  name length u32 │ scope u32               0 Local, 1 Global
//!    96  check u64                                 over bytes 0 to 95 and the name
//!   104  zeroes
//!   128  name without prefix, in the form of `text`, then zeroes up to a multiple of 64
//!     T  slots of 64 bytes, to the end of the file
//!
//! slot
//!     0  check u64                                 over bytes 8 to 63; 0 = struck out
//!     8  process u32 │ descriptor i32              whose memory can be opened, under which number
//!    16  pid namespace u64                         in which that process number counts
//!    24  access u32                                the holder's rights
//!    28  keeper u32 │ descriptor i32              who has the memory while the holder has not picked it up
//!    36  zeroes
//! ```
//! A slot says how to reach a holder; whether the holder still lives is not written anywhere. Each holds a
//! lock on one byte, [`LOCKS`] + the slot's number, which the kernel drops when it dies. Those bytes lie far
//! behind the end of the file, so that a damaged header cannot make anybody look at the wrong lock.
//!
//! A *visitor* holds the object without a slot: which byte it has locked says who it is, see [`Visitor`]. Only
//! an object's maker, and who has a handle from another process, need a slot.
//!
//! # Invariants
//! 1. Slots are given out, and an empty file is filled, only under the file's exclusive `flock`. A file that has no
//!    name of an entry is filled anew only by who has all bytes from [`LOCKS`] on locked.
//! 2. Header and name are written once, before anybody else can have found a valid check in them.
//! 3. A slot is written only by who holds its lock, and struck out only by that holder.
//! 4. A slot without a valid check, or without a lock, is free.
//! 5. A holder says in its slot that it is [leaving](Holder::LEAVING) before it gives its lock up, unless it has
//!    all bytes from [`LOCKS`] on locked and removes the entry.

use alloc::vec::Vec;

use crate::access::Kind;
use crate::code::Code;
use crate::name::{MAX_UNITS, Scope};

/// Magic number: `"tranname"` read as a little-endian number.
pub const MAGIC: u64 = u64::from_le_bytes(*b"tranname");
/// Version of the layout.
pub const VERSION: u32 = 1;
/// Bytes of the header, without the name.
pub const HEADER_SIZE: usize = 128;
/// Bytes of a slot.
pub const SLOT_SIZE: usize = 64;
/// As many slots as handles that a process can have; it only bounds what a hostile length can cost.
pub const MAX_SLOTS: usize = 65_536;
/// The longest name in bytes: each of its 16-bit units takes up to three.
pub const MAX_NAME: usize = 3 * MAX_UNITS;
/// A file longer than this is no entry.
pub const MAX_SIZE: usize = table_offset(MAX_NAME) + MAX_SLOTS * SLOT_SIZE;
/// The byte that the holder of slot 0 locks.
pub const LOCKS: u64 = 1 << 40;

/// Where the bytes of visitors begin.
pub const VISITORS: u64 = 1 << 61;
/// Where they end.
pub const VISITORS_END: u64 = 1 << 62;

/// Bits of a process number and of a descriptor in a visitor's byte.
const NUMBER_BITS: u32 = 22;

const CHECKED: usize = 96;

/// Bits of [`Header::flags`].
pub mod flags {
    /// The memory is a file of the namespace, beside the entry.
    pub const PATH_BACKED: u32 = 1;
    /// The memory is a disk file that a user brought.
    pub const OVER_FILE: u32 = 2;
}

/// What the entry says about the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// What kind of object it is.
    pub kind: Kind,
    /// Where the name lies.
    pub scope: Scope,
    /// 16 random bytes of this object.
    pub cookie: [u8; 16],
    /// See [`Security::to_words`](crate::security::Security::to_words).
    pub security: [u32; 4],
    /// Bytes of a section.
    pub size: u64,
    /// The `flProtect` word of a section.
    pub protect: u32,
    /// See [`flags`].
    pub flags: u32,
    /// Device of the memory's file.
    pub device: u64,
    /// Inode of the memory's file.
    pub inode: u64,
    /// When the object was made, in nanoseconds since 1970.
    pub created: u64,
    /// The name without prefix.
    pub name: &'a [u8],
}

/// How to reach a holder, and its rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Process number; 0 while it is not known yet (a child that is being started).
    pub process: u32,
    /// The holder's descriptor of the memory; -1 while it is not known.
    pub descriptor: i32,
    /// Inode of the PID namespace in which `process` counts; 0 if unknown.
    pub namespace: u64,
    /// Access rights it opened the object with.
    pub access: u32,
    /// While the handle is on its way: the process that sent it, and its descriptor of the memory. 0 = nobody.
    pub kept: (u32, i32),
}

/// A holder without a slot, as the number of its byte says it.
///
/// ```text
/// bit 61  1 │ 44 to 60  the low bits of the PID namespace │ 22 to 43  process │ 0 to 21  descriptor of the memory
/// ```
/// Namespaces have numbers in a row, so their low bits tell them apart; process numbers have no more than 22 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// Process number.
    pub process: u32,
    /// Its descriptor of the memory.
    pub descriptor: i32,
    /// 17 bits of the inode of the PID namespace in which `process` counts.
    pub namespace: u32,
}

impl Visitor {
    /// A visitor; `None` if its numbers are too large for a byte's, or not known.
    #[must_use]
    pub fn new(process: u32, descriptor: i32, namespace: u64) -> Option<Visitor> {
        let fits = |number: u32| number < 1 << NUMBER_BITS;
        let known = process != 0 && namespace != 0;
        let descriptor_fits = u32::try_from(descriptor).is_ok_and(fits);
        (known && fits(process) && descriptor_fits).then(|| Visitor {
            process,
            descriptor,
            namespace: Visitor::short(namespace),
        })
    }

    /// The bits of a PID namespace that a byte has.
    #[must_use]
    pub const fn short(namespace: u64) -> u32 {
        namespace as u32 & 0x1_FFFF
    }

    /// The byte that it locks.
    #[must_use]
    pub fn byte(&self) -> u64 {
        let descriptor = u64::from(self.descriptor.cast_unsigned());
        let process = u64::from(self.process) << NUMBER_BITS;
        VISITORS | u64::from(self.namespace) << (2 * NUMBER_BITS) | process | descriptor
    }

    /// Who locks a byte; `None` if it is not one of a visitor.
    #[must_use]
    pub fn of_byte(byte: u64) -> Option<Visitor> {
        let part = |shift: u32| (byte >> shift) as u32 & ((1 << NUMBER_BITS) - 1);
        (VISITORS..VISITORS_END).contains(&byte).then(|| Visitor {
            process: part(NUMBER_BITS),
            descriptor: part(0).cast_signed(),
            namespace: Visitor::short(byte >> (2 * NUMBER_BITS)),
        })
    }
}

/// An entry as read from its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The object.
    pub header: Header<'a>,
    slots: &'a [u8],
}

/// Where the slots begin, for a name of this many bytes.
#[must_use]
pub const fn table_offset(name_length: usize) -> usize {
    HEADER_SIZE + name_length.next_multiple_of(SLOT_SIZE)
}

impl Header<'_> {
    /// Where the slots begin.
    #[must_use]
    pub const fn table_offset(&self) -> usize {
        table_offset(self.name.len())
    }

    /// The file of a new object: header, name, and its first holder in slot 0.
    ///
    /// # Errors
    /// `ERROR_FILENAME_EXCED_RANGE` if the name is longer than [`MAX_NAME`].
    pub fn encode(&self, first: &Holder) -> Result<Vec<u8>, Code> {
        if self.name.len() > MAX_NAME {
            return Err(Code::FILENAME_EXCED_RANGE);
        }
        let table = self.table_offset();
        let mut file = Vec::with_capacity(table + SLOT_SIZE);
        file.extend_from_slice(&MAGIC.to_le_bytes());
        file.extend_from_slice(&VERSION.to_le_bytes());
        file.extend_from_slice(&self.kind.as_u32().to_le_bytes());
        file.extend_from_slice(&self.cookie);
        for word in self.security {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&self.size.to_le_bytes());
        file.extend_from_slice(&self.protect.to_le_bytes());
        file.extend_from_slice(&self.flags.to_le_bytes());
        file.extend_from_slice(&self.device.to_le_bytes());
        file.extend_from_slice(&self.inode.to_le_bytes());
        file.extend_from_slice(&self.created.to_le_bytes());
        file.extend_from_slice(&(self.name.len() as u32).to_le_bytes());
        file.extend_from_slice(&scope_number(self.scope).to_le_bytes());
        let check = check(&[&file, self.name]);
        file.extend_from_slice(&check.to_le_bytes());
        file.resize(HEADER_SIZE, 0);
        file.extend_from_slice(self.name);
        file.resize(table, 0);
        file.extend_from_slice(&first.encode());
        Ok(file)
    }
}

impl Holder {
    /// What a holder writes into its slot when it is about to give the name up: from then on the slot leads
    /// nowhere, and its lock will be gone in a moment.
    pub const LEAVING: Holder =
        Holder { process: 0, descriptor: i32::MIN, namespace: 0, access: 0, kept: (0, 0) };

    /// The slot of this holder.
    #[must_use]
    pub fn encode(&self) -> [u8; SLOT_SIZE] {
        let mut slot = [0; SLOT_SIZE];
        slot[8..12].copy_from_slice(&self.process.to_le_bytes());
        slot[12..16].copy_from_slice(&self.descriptor.to_le_bytes());
        slot[16..24].copy_from_slice(&self.namespace.to_le_bytes());
        slot[24..28].copy_from_slice(&self.access.to_le_bytes());
        slot[28..32].copy_from_slice(&self.kept.0.to_le_bytes());
        slot[32..36].copy_from_slice(&self.kept.1.to_le_bytes());
        let check = check(&[&slot[8..]]);
        slot[..8].copy_from_slice(&check.to_le_bytes());
        slot
    }

    /// The holder in a slot; `None` if it is struck out, half-written or was never used.
    #[must_use]
    pub fn decode(slot: &[u8]) -> Option<Holder> {
        let slot: &[u8; SLOT_SIZE] = slot.try_into().ok()?;
        if u64_at(slot, 0) != check(&[&slot[8..]]) {
            return None;
        }
        Some(Holder {
            process: u32_at(slot, 8),
            descriptor: u32_at(slot, 12).cast_signed(),
            namespace: u64_at(slot, 16),
            access: u32_at(slot, 24),
            kept: (u32_at(slot, 28), u32_at(slot, 32).cast_signed()),
        })
    }
}

impl<'a> Entry<'a> {
    /// Reads a whole file.
    ///
    /// # Errors
    /// `ERROR_FILE_CORRUPT`: it is no entry of this version, or not all of one.
    pub fn parse(file: &'a [u8]) -> Result<Entry<'a>, Code> {
        let (header, rest) = file.split_first_chunk::<HEADER_SIZE>().ok_or(Code::FILE_CORRUPT)?;
        if u64_at(header, 0) != MAGIC || u32_at(header, 8) != VERSION || file.len() > MAX_SIZE {
            return Err(Code::FILE_CORRUPT);
        }
        let kind = Kind::from_u32(u32_at(header, 12)).ok_or(Code::FILE_CORRUPT)?;
        let scope = match u32_at(header, 92) {
            0 => Scope::Local,
            1 => Scope::Global,
            _ => return Err(Code::FILE_CORRUPT),
        };
        let length = u32_at(header, 88) as usize;
        if length > MAX_NAME {
            return Err(Code::FILE_CORRUPT);
        }
        let name = rest.get(..length).ok_or(Code::FILE_CORRUPT)?;
        if u64_at(header, CHECKED) != check(&[&header[..CHECKED], name]) {
            return Err(Code::FILE_CORRUPT);
        }
        let mut cookie = [0; 16];
        cookie.copy_from_slice(&header[16..32]);
        let header = Header {
            kind,
            scope,
            cookie,
            security: [32, 36, 40, 44].map(|at| u32_at(header, at)),
            size: u64_at(header, 48),
            protect: u32_at(header, 56),
            flags: u32_at(header, 60),
            device: u64_at(header, 64),
            inode: u64_at(header, 72),
            created: u64_at(header, 80),
            name,
        };
        let slots = file.get(header.table_offset()..).unwrap_or_default();
        let slots = &slots[..slots.len().min(MAX_SLOTS * SLOT_SIZE)];
        Ok(Entry { header, slots })
    }

    /// How many whole slots the file has.
    #[must_use]
    pub fn slot_count(&self) -> usize {
        self.slots.len() / SLOT_SIZE
    }

    /// The slots in order; `None` for those that say nothing.
    pub fn slots(&self) -> impl Iterator<Item = Option<Holder>> + use<'a> {
        self.slots.chunks_exact(SLOT_SIZE).map(Holder::decode)
    }

    /// The slots that say something, with their numbers.
    pub fn holders(&self) -> impl Iterator<Item = (usize, Holder)> + use<'a> {
        self.slots().enumerate().filter_map(|(index, holder)| Some((index, holder?)))
    }
}

const fn scope_number(scope: Scope) -> u32 {
    match scope {
        Scope::Local => 0,
        Scope::Global => 1,
    }
}

/// A number that a torn write does not leave behind by chance; it protects against accidents, not against
/// forgers, who could as well compute it. Never 0, which an empty slot has.
///
/// Words of eight bytes (each part's end filled up with zeroes) are mixed in by exclusive-or and the
/// multiplication of FNV-1a, whose weak low bits a shift makes up for.
fn check(parts: &[&[u8]]) -> u64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut hash = BASIS;
    for part in parts {
        for chunk in part.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash ^ u64::from_le_bytes(word)).wrapping_mul(PRIME);
            hash ^= hash >> 29;
        }
    }
    hash.max(1)
}

/// The number at `at`; 0 beyond the end, where no caller looks.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

/// As [`u32_at`].
fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
}

const _: () = {
    assert!(HEADER_SIZE.is_multiple_of(SLOT_SIZE) && CHECKED + 8 <= HEADER_SIZE);
    assert!(LOCKS > MAX_SIZE as u64 && LOCKS + (MAX_SLOTS as u64) < VISITORS);
};
