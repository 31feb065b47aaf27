//! The desktop: windows, the queues of their threads, and the table of names, in memory that all processes of a user
//! share.
//!
//! ```text
//!  sender's thread                     shared                          receiver's thread
//!  takes a free slot, fills it ──►  slot ──push──► stack of the row ──drain──► its own lists: sent, posted
//!                                                                              runs the procedure
//!  its own lists ◄──drain── stack of its row ◄──push── the same slot, with the result
//! ```
//! Everything that travels, a posted message, a sent one, an answer, is a slot that is pushed onto the stack of the
//! thread it concerns, by one compare-and-swap, and taken off by that thread alone, all at once. So a process that is
//! killed anywhere has pushed or has not, and nobody waits for anybody's lock.
//!
//! # Invariants
//! D1. A row belongs to the thread whose number is in its `life`, a robust futex: the kernel marks it when the thread
//!     ends without having given it up. A generation, 24 bits in the stack's head, tells its owners apart. A row whose
//!     head is closed takes nothing more.
//! D2. A slot is used by its holder alone, from taking it free (holder 0 → who) until it is pushed; then by nobody until
//!     the receiver has drained it and is its holder. Phase [`Phase::Pushed`] is set before the push, so a slot of a dead
//!     holder that may be on somebody's stack is left alone.
//! D3. Whoever has a dead row's `life` takes it apart: closes the head, frees what is on the stack, what the dead held,
//!     and its windows; then the row is free. Killed meanwhile, it leaves the row as dead as before.
//! D4. A window exists while its handle stands in its row and its thread lives (D1). There is no list of windows:
//!     order is a number in each.
//!
//! Every value read from here may have been written by a hostile process: indexes are checked, walks are bounded.

pub mod find;
pub mod layout;
pub mod names;
pub mod rules;
pub mod slots;
pub mod stack;

pub use layout::{Header, Name, Slot, ThreadRow, WindowPage, WindowRow};
pub use stack::{Head, Refused};

/// A thread of the desktop: its row, and the generation that tells it from the row's other owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Who(u64);

impl Who {
    /// The thread that has `row` in this generation.
    #[must_use]
    pub const fn new(row: usize, generation: u32) -> Who {
        Who((generation as u64) << 16 | row as u64 & 0xFFFF)
    }

    /// As it stands in shared memory; 0 is nobody.
    #[must_use]
    pub const fn from_word(word: u64) -> Option<Who> {
        let who = Who(word);
        if who.generation() == 0 || who.row() >= layout::THREADS || word >> 40 != 0 {
            None
        } else {
            Some(who)
        }
    }

    /// The word for shared memory.
    #[must_use]
    pub const fn word(self) -> u64 {
        self.0
    }

    /// Its row.
    #[must_use]
    pub const fn row(self) -> usize {
        (self.0 & 0xFFFF) as usize
    }

    /// Its generation.
    #[must_use]
    pub const fn generation(self) -> u32 {
        (self.0 >> 16) as u32 & stack::GENERATIONS
    }
}

/// What a slot is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Nothing.
    Free = 0,
    /// Its holder has it for itself.
    Held = 1,
    /// It is, or is about to be, on a stack (D2).
    Pushed = 2,
}
