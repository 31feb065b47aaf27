//! Which bytes the processes of a desktop agree on.
//!
//! ```text
//!  header        4 KiB   magic, version, cookie; how far each table was ever used; order of windows; turn of the names
//!  index         a word for each thread: process id << 32 | thread id, to find it by
//!  names         16384 × 520 bytes     number 0xC000 + place
//!  windows       65536 × 64 bytes      what is looked at when a window is sought
//!  slots         524288 × 128 bytes    what travels
//!  threads       4096 × 4096 bytes     0 head │ 8 processor │ 12 asleep │ 128 looked │ 136 looking │ 4072 life
//!  pages         65536 × 4096 bytes    a window's title and properties
//!  arenas        4096 × 64 KiB         what the messages of a thread carry
//! ```
//! Everything is little-endian and made of atomics. The file is a hole until it is used. A thread's row is a page of its
//! own, with its robust futex where a private page behind it can hold the list entry (see `record`).

use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Threads that can have a queue at the same time.
pub const THREADS: usize = if cfg!(loom) { 2 } else { 4096 };
/// Windows that can exist at the same time.
pub const WINDOWS: usize = 1 << 16;
/// The first place of [`WINDOWS`] that is used: smaller handles have other meanings.
pub const FIRST_WINDOW: usize = 0x20;
/// Messages on their way at the same time, place 0 not counted.
pub const SLOTS: usize = 1 << 19;
/// Names: 0xC000 to 0xFFFF.
pub const NAMES: usize = 1 << 14;
/// Bytes of an arena.
pub const ARENA: usize = 64 << 10;
/// UTF-16 units of the longest stored title.
pub const TITLE: usize = if cfg!(loom) { 4 } else { 1792 };
/// Properties of a window.
pub const PROPERTIES: usize = if cfg!(loom) { 1 } else { 28 };
/// UTF-16 units of the longest name.
pub const NAME: usize = 255;

/// Where the index of threads begins.
pub const INDEX_AT: usize = 4096;
/// Where the names begin.
pub const NAMES_AT: usize = INDEX_AT + 4096 * 8;
/// Where the rows of windows begin.
pub const WINDOWS_AT: usize = page_up(NAMES_AT + NAMES * 520);
/// Where the slots begin.
pub const SLOTS_AT: usize = WINDOWS_AT + WINDOWS * 64;
/// Where the rows of threads begin.
pub const THREADS_AT: usize = SLOTS_AT + SLOTS * 128;
/// Where the pages of windows begin.
pub const PAGES_AT: usize = THREADS_AT + 4096 * 4096;
/// Where the arenas begin.
pub const ARENAS_AT: usize = PAGES_AT + WINDOWS * 4096;
/// Bytes of the whole file.
pub const LENGTH: u64 = (ARENAS_AT + 4096 * ARENA) as u64;

const fn page_up(at: usize) -> usize {
    at.next_multiple_of(4096)
}

/// First word: `transomW`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"transomW");
/// The layout of this file.
pub const VERSION: u32 = 1;

/// A value on cache lines of its own.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Line<T>(pub T);

/// Page 0. See the module.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    /// [`MAGIC`], written last.
    pub magic: AtomicU64,
    /// [`VERSION`].
    pub version: AtomicU32,
    _1: AtomicU32,
    /// The object's cookie.
    pub cookie: [AtomicU64; 2],
    /// Places ever used.
    pub high: Line<High>,
    /// The next window's place in Z order.
    pub order: Line<AtomicU64>,
    /// Who may add a name: a turn.
    pub naming: Line<AtomicU32>,
    /// Changes whenever a window comes, goes, or gets another title or parent.
    pub changes: Line<AtomicU32>,
}

/// How many places of each table were ever used.
#[derive(Debug)]
#[repr(C)]
pub struct High {
    /// Rows of threads.
    pub threads: AtomicU32,
    /// Windows.
    pub windows: AtomicU32,
    /// Slots.
    pub slots: AtomicU32,
}

/// A thread's row: one page.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(C, align(4096)))]
#[cfg_attr(loom, repr(C))]
pub struct ThreadRow {
    /// Its stack, see [`Head`](super::Head).
    pub head: AtomicU64,
    /// The processor on which the thread was seen last, its number + 1; 0: not yet.
    pub processor: AtomicU32,
    /// 1: who pushes has to wake it.
    pub asleep: AtomicU32,
    _1: [AtomicU64; 14],
    /// When it looked at its queue last: nanoseconds of CLOCK_MONOTONIC.
    pub looked: AtomicU64,
    /// 1: it is looking, and sleeps until there is something.
    pub looking: AtomicU32,
    _2: AtomicU32,
    #[cfg(not(loom))]
    _3: [AtomicU64; 491],
    /// The thread's number while it lives (D1).
    pub life: AtomicU32,
    #[cfg(not(loom))]
    _4: [AtomicU32; 5],
}

/// Something that travels: a message, or an answer.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Slot {
    /// Who uses it (D2); 0 nobody.
    pub holder: AtomicU64,
    /// A [`Phase`](super::Phase).
    pub phase: AtomicU32,
    /// What lies under it on its stack.
    pub next: AtomicU32,
    /// What it is, see [`slots::Kind`](super::slots::Kind), and flags.
    pub kind: AtomicU32,
    /// The message's number.
    pub message: AtomicU32,
    /// For which window.
    pub window: AtomicU32,
    /// When it was pushed, in milliseconds.
    pub time: AtomicU32,
    /// Parameters; of an answer, `lparam` is the result.
    pub wparam: AtomicU64,
    /// See `wparam`.
    pub lparam: AtomicU64,
    /// Who waits for the answer; 0 nobody.
    pub from: AtomicU64,
    /// Which question of that thread's this is.
    pub token: AtomicU64,
    /// A third number of the message's.
    pub tag: AtomicU64,
    /// Where what it carries begins: a place in the arenas, or a descriptor of the sender's process.
    pub data: AtomicU64,
    /// How many bytes.
    pub length: AtomicU64,
    /// The identity of the memory file behind the descriptor.
    pub file: AtomicU64,
}

/// What is looked at when a window is sought.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct WindowRow {
    /// Its thread; 0 = the place is free.
    pub owner: AtomicU64,
    /// Its handle, once it exists.
    pub handle: AtomicU32,
    /// How often the place was used: the upper half of its next handle.
    pub generation: AtomicU32,
    /// 0 = top-level; [`MESSAGE_ROOT`]; or a handle.
    pub parent: AtomicU32,
    /// The number of its class, and [`WIDE`].
    pub class: AtomicU32,
    /// Its place in Z order: who came last is first.
    pub order: AtomicU64,
    /// `WS_`.
    pub style: AtomicU32,
    /// `WS_EX_`.
    pub ex_style: AtomicU32,
    /// `GWLP_USERDATA`.
    pub user_data: AtomicU64,
    /// Its menu, or number.
    pub id: AtomicU64,
}

/// As a window's parent: it is message-only.
pub const MESSAGE_ROOT: u32 = 0xFFFF_FFFD;
/// In a window's class: the window is wide.
pub const WIDE: u32 = 1 << 31;

/// A window's title and properties: one page.
#[derive(Debug)]
#[cfg_attr(not(loom), repr(C, align(4096)))]
#[cfg_attr(loom, repr(C))]
pub struct WindowPage {
    /// Odd while the title is being written.
    pub version: AtomicU32,
    /// Units of the title.
    pub length: AtomicU32,
    /// Two units each.
    pub title: [AtomicU32; TITLE / 2],
    /// Number of the name (0: free), and value.
    pub properties: [[AtomicU64; 2]; PROPERTIES],
}

/// A name of the table.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Name {
    /// 1: the rest stands.
    pub ready: AtomicU32,
    /// Units.
    pub length: AtomicU32,
    /// Two units each.
    pub units: [AtomicU32; 128],
}

#[cfg(not(loom))]
const _: () = {
    assert!(size_of::<Header>() <= 4096);
    assert!(size_of::<ThreadRow>() == 4096);
    assert!(core::mem::offset_of!(ThreadRow, life) == 4072);
    assert!(core::mem::offset_of!(ThreadRow, looked) == 128);
    assert!(size_of::<Slot>() == 128);
    assert!(size_of::<WindowRow>() == 64);
    assert!(size_of::<WindowPage>() == 4096);
    assert!(size_of::<Name>() == 520);
    assert!(
        WINDOWS_AT.is_multiple_of(4096) && SLOTS_AT.is_multiple_of(4096) && THREADS_AT.is_multiple_of(4096)
    );
};

/// Memory as a new file has it.
#[cfg(any(test, loom))]
mod fresh {
    use core::array::from_fn;

    use super::{AtomicU32, AtomicU64, Slot, ThreadRow, WindowPage};

    fn short() -> AtomicU32 {
        AtomicU32::new(0)
    }

    fn long() -> AtomicU64 {
        AtomicU64::new(0)
    }

    impl Default for ThreadRow {
        fn default() -> ThreadRow {
            ThreadRow {
                head: long(),
                processor: short(),
                asleep: short(),
                _1: from_fn(|_| long()),
                looked: long(),
                looking: short(),
                _2: short(),
                #[cfg(not(loom))]
                _3: from_fn(|_| long()),
                life: short(),
                #[cfg(not(loom))]
                _4: from_fn(|_| short()),
            }
        }
    }

    impl Default for Slot {
        fn default() -> Slot {
            Slot {
                holder: long(),
                phase: short(),
                next: short(),
                kind: short(),
                message: short(),
                window: short(),
                time: short(),
                wparam: long(),
                lparam: long(),
                from: long(),
                token: long(),
                tag: long(),
                data: long(),
                length: long(),
                file: long(),
            }
        }
    }

    impl Default for WindowPage {
        fn default() -> WindowPage {
            let properties = from_fn(|_| [long(), long()]);
            WindowPage { version: short(), length: short(), title: from_fn(|_| short()), properties }
        }
    }
}

impl Header {
    /// Describes a new desktop; the magic comes last.
    pub fn describe(&self, cookie: [u64; 2]) {
        self.version.store(VERSION, Ordering::Relaxed);
        self.cookie[0].store(cookie[0], Ordering::Relaxed);
        self.cookie[1].store(cookie[1], Ordering::Relaxed);
        self.high.0.windows.store(FIRST_WINDOW as u32, Ordering::Relaxed);
        self.high.0.slots.store(1, Ordering::Relaxed);
        // Partner: the load in `is_good`.
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// Whether this is a desktop that we know how to use.
    #[must_use]
    pub fn is_good(&self) -> bool {
        // Partner: the store in `describe`.
        self.magic.load(Ordering::Acquire) == MAGIC && self.version.load(Ordering::Relaxed) == VERSION
    }

    /// Something about windows is different now.
    pub fn changed(&self) {
        self.changes.0.fetch_add(1, Ordering::Release);
    }
}

/// Stores UTF-16 units, two in a word.
pub(super) fn store_units(words: &[AtomicU32], units: &[u16]) {
    for (word, pair) in words.iter().zip(units.chunks(2)) {
        let high = pair.get(1).copied().unwrap_or(0);
        word.store(u32::from(high) << 16 | u32::from(pair[0]), Ordering::Relaxed);
    }
}

/// Reads the first `length` units into `units`.
pub(super) fn load_units(words: &[AtomicU32], length: usize, units: &mut alloc::vec::Vec<u16>) {
    units.clear();
    for word in words.iter().take(length.div_ceil(2)) {
        let pair = word.load(Ordering::Relaxed);
        units.extend([pair as u16, (pair >> 16) as u16]);
    }
    units.truncate(length);
}

impl WindowPage {
    /// Stores a title, cut to [`TITLE`] units. Only the window's thread does this.
    pub fn set_title(&self, units: &[u16]) {
        let units = &units[..units.len().min(TITLE)];
        let version = self.version.load(Ordering::Relaxed) | 1;
        self.version.store(version, Ordering::Relaxed);
        // Orders the odd version before the units. Partner: the fence in `title`.
        crate::sync::fence(Ordering::Release);
        store_units(&self.title, units);
        self.length.store(units.len() as u32, Ordering::Relaxed);
        // Partner: the first load in `title`.
        self.version.store(version.wrapping_add(1), Ordering::Release);
    }

    /// Reads the title into `units`; false if it was being written, which lasts a moment unless its thread has died.
    pub fn title(&self, units: &mut alloc::vec::Vec<u16>) -> bool {
        let version = self.version.load(Ordering::Acquire);
        let length = (self.length.load(Ordering::Relaxed) as usize).min(TITLE);
        load_units(&self.title, length, units);
        crate::sync::fence(Ordering::Acquire);
        version & 1 == 0 && self.version.load(Ordering::Relaxed) == version
    }
}
