//! The desktop in this process: its memory, who lives, and what is found there ([`transom_core::desktop`] has the rules).
//!
//! The memory is that of one entry in the namespace. A process maps it whole when it first makes a window or looks for
//! one, and holds the name until it ends; with the last of them the desktop goes.
//!
//! # Safety
//! P1. `pages` maps the whole file, whose size was checked and is sealed; it lives as long as the process, in a static.
//! P2. What is made of its address are atomics, for which every bit pattern is good, and bytes of the arenas that are
//!     only reached by copies that may race.
//! P3. The robust list has the second mapping of a row's page, with a private page behind it, while this thread owns the
//!     row and keeps the mapping.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::desktop::find::{self, Seen};
use transom_core::desktop::layout::{
    ARENA, ARENAS_AT, INDEX_AT, LENGTH, MESSAGE_ROOT, NAMES, NAMES_AT, PAGES_AT, SLOTS, SLOTS_AT, THREADS,
    THREADS_AT, WINDOWS, WINDOWS_AT,
};
use transom_core::desktop::names::{self, Place as NamePlace};
use transom_core::desktop::{Header, Name, Slot, ThreadRow, Who, WindowPage, WindowRow, slots, stack};
use transom_core::name::{ObjectName, Scope};
use transom_core::ring::Memory as _;
use transom_core::security::Security;
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, futex, memfd, robust};

use super::area::Area;
use super::cookie;
use super::errno::{to_code, with_room};
use super::owner::me;
use super::record;
use super::turn::{Go, Turn};
use crate::namespace::imp::{self as namespace, Facts, Folder, Hold, Memory, Place, Request};

/// The name that the desktop has in its folder.
const NAME: &str = "desktop";

/// A thread that has not looked at its queue for so long is hung (rule 40).
const HUNG: u64 = 5_000_000_000;

/// How often a title is looked at while it is being written.
const LOOKS: usize = 1000;
/// Nanoseconds for which the turn of who adds a name is waited for: adding takes less than a microsecond.
const PATIENCE: u64 = 5_000_000_000;

/// Of a robust futex: the owner's number, the mark of a dead one, somebody sleeps.
const ID: u32 = 0x3FFF_FFFF;
const DIED: u32 = 1 << 30;
const WAITERS: u32 = 1 << 31;

/// Whether a life says that its thread is dead. It does until the row is taken apart, also while somebody is at that.
pub(crate) fn has_died(life: &AtomicU32) -> bool {
    life.load(Ordering::Acquire) & DIED != 0
}

/// The desktop, mapped.
#[derive(Debug)]
pub(crate) struct Desktop {
    /// What messages carry.
    arenas: Area,
    pages: SharedPages,
    file: OwnedFd,
    _hold: Hold,
}

/// This process's desktop; made or opened when first asked for.
///
/// # Errors
/// Those of opening a name; 8: no room for the mapping.
pub(crate) fn desktop() -> Result<&'static Desktop, Code> {
    static DESKTOP: OnceLock<Desktop> = OnceLock::new();
    static OPENING: Mutex<()> = Mutex::new(());
    // A plain fork has no handles, and must not use its parent's row.
    record::own()?;
    if let Some(desktop) = DESKTOP.get() {
        return Ok(desktop);
    }
    let _opening = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    match DESKTOP.get() {
        Some(desktop) => Ok(desktop),
        None => {
            let desktop = Desktop::open()?;
            Ok(DESKTOP.get_or_init(|| desktop))
        }
    }
}

impl Desktop {
    fn open() -> Result<Desktop, Code> {
        let name = ObjectName::from_parts(Scope::Local, NAME.as_bytes())?;
        let request = Request {
            folder: Folder::Windows,
            name: &name,
            kind: Kind::Desktop,
            access: Kind::Desktop.all_access(),
            for_reading_only: false,
        };
        let mut made = None;
        let security = Security::owner_only();
        let opened = namespace::create(&request, security.clone(), false, &mut |place, cookie| {
            let (file, seal) = match place {
                Place::Anonymous => (with_room(|| memfd::create("transom-desktop"))?, true),
                Place::File(file) => (file, false),
            };
            to_code(memfd::set_size(&file, LENGTH))?;
            if seal {
                to_code(memfd::seal_size(&file))?;
            }
            let pages = Desktop::map(&file)?;
            header(&pages).describe(cookie::words(cookie));
            step("desktop-described");
            let fd = with_room(|| fd::duplicate(&file))?;
            made = Some((pages, file));
            Ok(Memory { fd, facts: Facts::plain(Kind::Desktop, &security, false, *cookie) })
        })?;
        let (pages, file) = match made {
            Some(made) if !opened.existed => made,
            _ => {
                let file = opened.memory.fd;
                let (_, _, size) = to_code(fd::identity(&file))?;
                if size != LENGTH || !memfd::is_size_sealed(file.as_fd()) {
                    return Err(Code::FILE_CORRUPT);
                }
                let pages = Desktop::map(&file)?;
                if !header(&pages).is_good() {
                    return Err(Code::FILE_CORRUPT);
                }
                (pages, file)
            }
        };
        opened.hold.set_memory_fd(file.as_raw_fd());
        // SAFETY: P1: the arenas are the last part of the mapping, which lives as long as the value.
        let arenas = unsafe { Area::new(pages.address() + ARENAS_AT, THREADS * ARENA) };
        Ok(Desktop { arenas, pages, file, _hold: opened.hold })
    }

    fn map(file: &OwnedFd) -> Result<SharedPages, Code> {
        let length = usize::try_from(LENGTH).map_err(|_| Code::NOT_ENOUGH_MEMORY)?;
        to_code(SharedPages::map(file, length))
    }

    fn part<T>(&self, at: usize, count: usize) -> &[T] {
        assert!(at + count * size_of::<T>() <= self.pages.len(), "the part lies in the mapping");
        // SAFETY: P1, P2: inside the mapping, as just checked; the parts begin at multiples of their alignment (layout
        // asserts that), and each T here is made of atomics only.
        unsafe { std::slice::from_raw_parts((self.pages.address() + at) as *const T, count) }
    }

    pub(crate) fn header(&self) -> &Header {
        header(&self.pages)
    }

    /// Process id << 32 | thread id, by row.
    fn index(&self) -> &[AtomicU64] {
        self.part(INDEX_AT, THREADS)
    }

    pub(crate) fn names(&self) -> &[Name] {
        self.part(NAMES_AT, NAMES)
    }

    pub(crate) fn windows(&self) -> &[WindowRow] {
        self.part(WINDOWS_AT, WINDOWS)
    }

    #[inline]
    pub(crate) fn slots(&self) -> &[Slot] {
        self.part(SLOTS_AT, SLOTS)
    }

    #[inline]
    pub(crate) fn threads(&self) -> &[ThreadRow] {
        self.part(THREADS_AT, THREADS)
    }

    pub(crate) fn pages(&self) -> &[WindowPage] {
        self.part(PAGES_AT, WINDOWS)
    }

    pub(crate) fn slot(&self, index: u32) -> &Slot {
        &self.slots()[index as usize]
    }

    pub(crate) fn thread(&self, who: Who) -> &ThreadRow {
        &self.threads()[who.row()]
    }

    /// Copies bytes of an arena in; `at` counts from the first arena.
    pub(crate) fn copy_in(&self, at: usize, from: &[u8]) {
        self.arenas.copy_in(at, from);
    }

    /// Copies bytes of the arenas out; false if they do not lie there.
    pub(crate) fn copy_out(&self, at: u64, to: &mut [u8]) -> bool {
        let Ok(at) = usize::try_from(at) else { return false };
        if !self.has_arena(at, to.len()) {
            return false;
        }
        self.arenas.copy_out(at, to);
        true
    }

    /// Whether these bytes lie in the arenas.
    pub(crate) fn has_arena(&self, at: usize, length: usize) -> bool {
        length <= THREADS * ARENA && at <= THREADS * ARENA - length
    }

    // Who lives.

    /// Whether the row is still this thread's, and not being taken apart: until then its arena is as the thread left it.
    #[inline]
    pub(crate) fn is_open(&self, who: Who) -> bool {
        let head = stack::Head::from_word(self.thread(who).head.load(Ordering::Acquire));
        head.generation() == who.generation() && !head.is_closed()
    }

    /// Whether the thread lives (D1).
    #[inline]
    pub(crate) fn lives(&self, who: Who) -> bool {
        // The row was this thread's before the caller knew of it. If it still is, the life that was read was this thread's.
        let life = self.thread(who).life.load(Ordering::Acquire);
        life & ID != 0 && life & DIED == 0 && self.is_open(who)
    }

    /// What to sleep on until the thread ends: its life's value, with the mark that somebody does. `None`: it has ended.
    pub(crate) fn watch(&self, who: Who) -> Option<(&AtomicU32, u32)> {
        let life = &self.thread(who).life;
        loop {
            let now = life.load(Ordering::Acquire);
            if !self.lives(who) {
                return None;
            }
            if now & WAITERS != 0
                || life.compare_exchange(now, now | WAITERS, Ordering::AcqRel, Ordering::Relaxed).is_ok()
            {
                return Some((life, now | WAITERS));
            }
        }
    }

    /// The thread's process and number, as it said.
    pub(crate) fn ids(&self, who: Who) -> (u32, u32) {
        let both = self.index()[who.row()].load(Ordering::Relaxed);
        ((both >> 32) as u32, both as u32)
    }

    /// The living thread with this number.
    pub(crate) fn by_thread_id(&self, id: u32) -> Option<Who> {
        let used = (self.header().high.0.threads.load(Ordering::Acquire) as usize).min(THREADS);
        let rows = self.index()[..used].iter().enumerate();
        rows.filter(|(_, both)| id != 0 && both.load(Ordering::Acquire) as u32 == id)
            .filter_map(|(row, _)| self.living(row))
            .next()
    }

    fn living(&self, row: usize) -> Option<Who> {
        let head = stack::Head::from_word(self.threads()[row].head.load(Ordering::Acquire));
        let who = Who::from_word(Who::new(row, head.generation()).word())?;
        self.lives(who).then_some(who)
    }

    /// Whether the thread has not looked at its queue for 5 seconds (rule 40).
    pub(crate) fn is_hung(&self, who: Who) -> bool {
        let row = self.thread(who);
        self.lives(who)
            && row.looking.load(Ordering::Relaxed) == 0
            && futex::now().saturating_sub(row.looked.load(Ordering::Relaxed)) > HUNG
    }

    /// A row for the calling thread.
    ///
    /// # Errors
    /// 1450: all are in use. 8: no room for a mapping.
    pub(crate) fn claim(&self) -> Result<(Who, SharedPages), Code> {
        let high = &self.header().high.0.threads;
        self.reap_dead();
        let used = (high.load(Ordering::Relaxed) as usize).min(THREADS);
        for row in 0..used {
            if let Some(claimed) = self.try_claim(row)? {
                return Ok(claimed);
            }
        }
        loop {
            let fresh = high.fetch_add(1, Ordering::AcqRel) as usize;
            if fresh >= THREADS {
                high.store(THREADS as u32, Ordering::Relaxed);
                return Err(Code::NO_SYSTEM_RESOURCES);
            }
            if let Some(claimed) = self.try_claim(fresh)? {
                return Ok(claimed);
            }
        }
    }

    fn try_claim(&self, row: usize) -> Result<Option<(Who, SharedPages)>, Code> {
        let place = &self.threads()[row];
        if place.life.load(Ordering::Relaxed) & !WAITERS != 0 {
            return Ok(None);
        }
        let offset = (THREADS_AT + row * size_of::<ThreadRow>()) as u64;
        let page =
            to_code(SharedPages::map_part_with_private_page(&self.file, offset, size_of::<ThreadRow>()))?;
        robust::set_pending(place.life.as_ptr() as usize);
        if place.life.compare_exchange(0, me().id, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            robust::clear_pending();
            return Ok(None);
        }
        step("row-claimed");
        // SAFETY: P3: the second mapping's futex is 24 bytes before a private page that nobody else knows.
        unsafe { robust::link(Desktop::life_in(&page)) };
        let generation = stack::begin(place);
        let both = u64::from(me().process) << 32 | u64::from(me().id);
        self.index()[row].store(both, Ordering::Release);
        place.looked.store(futex::now(), Ordering::Relaxed);
        robust::clear_pending();
        step("row-begun");
        Ok(Some((Who::new(row, generation), page)))
    }

    fn life_in(page: &SharedPages) -> usize {
        page.address() + std::mem::offset_of!(ThreadRow, life)
    }

    /// The calling thread gives its row up; it has closed its stack and has nothing any more.
    pub(crate) fn release(&self, who: Who, page: SharedPages) {
        let life = &self.thread(who).life;
        robust::set_pending(life.as_ptr() as usize);
        // SAFETY: as in `try_claim`.
        unsafe { robust::unlink(Desktop::life_in(&page)) };
        self.free_row(who.row());
        robust::clear_pending();
        drop(page);
    }

    /// The row is nobody's any more, and who watches its life is told.
    fn free_row(&self, row: usize) {
        self.index()[row].store(0, Ordering::Relaxed);
        let life = &self.threads()[row].life;
        if life.swap(0, Ordering::AcqRel) & WAITERS != 0 {
            futex::wake(life, u32::MAX);
        }
    }

    /// Takes apart what dead threads left.
    fn reap_dead(&self) {
        let used = (self.header().high.0.threads.load(Ordering::Acquire) as usize).min(THREADS);
        for row in 0..used {
            if has_died(&self.threads()[row].life) {
                self.reap(row);
            }
        }
    }

    /// Takes a dead thread's row apart (D3). Whoever is at it already does all of it.
    pub(crate) fn reap(&self, row: usize) {
        let Some(place) = self.threads().get(row) else { return };
        let life = &place.life;
        let dead = life.load(Ordering::Acquire);
        if dead & DIED == 0 || dead & ID != 0 {
            return;
        }
        robust::set_pending(life.as_ptr() as usize);
        // It stays dead for everybody who looks meanwhile, and the kernel takes our number out if we die too.
        if life.compare_exchange(dead, dead | me().id, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            robust::clear_pending();
            return;
        }
        step("reap-begun");
        let generation = stack::Head::from_word(place.head.load(Ordering::Acquire)).generation();
        let who = Who::new(row, generation);
        let mut left = Vec::new();
        stack::close(place, self.slots(), &mut left);
        for index in left {
            slots::free(self.slot(index));
        }
        step("reap-stack");
        // Killed before its first generation began, it never had anything.
        if generation != 0 {
            slots::free_all_of(self.header(), self.slots(), who);
            self.free_windows_of(who);
        }
        step("reap-windows");
        self.give_back_arena(who);
        self.free_row(row);
        robust::clear_pending();
    }

    /// Gives the memory of a thread's arena back to the system.
    pub(crate) fn give_back_arena(&self, who: Who) {
        // What cannot be given back is used again.
        let _ = memfd::give_back(&self.file, (ARENAS_AT + who.row() * ARENA) as u64, ARENA as u64);
    }

    /// Takes away a thread's windows.
    pub(crate) fn free_windows_of(&self, who: Who) {
        let used = (self.header().high.0.windows.load(Ordering::Relaxed) as usize).min(WINDOWS);
        for row in &self.windows()[..used] {
            if row.owner.load(Ordering::Relaxed) == who.word() {
                find::free(row);
            }
        }
        self.header().changed();
    }

    // Windows.

    /// The window, if it exists: its thread lives, and so do the windows above it (rule 3).
    pub(crate) fn window(&self, handle: u32) -> Option<Seen> {
        let seen = find::see(self.windows(), handle)?;
        (self.lives(seen.owner) && self.has_parents(&seen)).then_some(seen)
    }

    fn has_parents(&self, seen: &Seen) -> bool {
        let mut parent = seen.parent;
        // Deeper nesting is damage.
        for _ in 0..100 {
            if parent == 0 || parent == MESSAGE_ROOT {
                return true;
            }
            match find::see(self.windows(), parent) {
                Some(above) if self.lives(above.owner) => parent = above.parent,
                _ => return false,
            }
        }
        false
    }

    /// All windows that exist and are wanted, topmost first.
    pub(crate) fn all_windows(&self, mut wanted: impl FnMut(&Seen) -> bool) -> Vec<Seen> {
        let mut found = find::all(self.header(), self.windows(), |seen| wanted(seen));
        found.retain(|seen| self.lives(seen.owner) && self.has_parents(seen));
        found
    }

    /// The stored title.
    pub(crate) fn title(&self, seen: &Seen) -> Vec<u16> {
        let mut units = Vec::new();
        for _ in 0..LOOKS {
            if self.pages()[seen.place].title(&mut units) {
                return units;
            }
            if !self.lives(seen.owner) {
                break;
            }
            std::thread::yield_now();
        }
        // Its thread died while it wrote, or is stopped, or others write what is not theirs.
        Vec::new()
    }

    // Names.

    /// The number of a name of the table, which gets one if it has none.
    ///
    /// # Errors
    /// 8: the table is full. 1460: a process that is stopped while it adds one keeps others from it.
    pub(crate) fn add_name(&self, units: &[u16]) -> Result<u16, Code> {
        if let NamePlace::Known(number) = names::look_up(self.names(), units) {
            return Ok(number);
        }
        let word = &self.header().naming.0;
        let limit = futex::now() + PATIENCE;
        let turn = Turn::try_take(word).or_else(|| Turn::wait(word, || Go::On(Some(limit))));
        let Some(turn) = turn else { return Err(Code::TIMEOUT) };
        let number = match names::look_up(self.names(), units) {
            NamePlace::Known(number) => Ok(number),
            NamePlace::Free(place) => Ok(names::add(self.names(), place, units)),
            NamePlace::Full => Err(Code::NOT_ENOUGH_MEMORY),
        };
        drop(turn);
        number
    }
}

fn header(pages: &SharedPages) -> &Header {
    // SAFETY: P1, P2: the first page of the mapping, which is made of atomics.
    unsafe { &*(pages.address() as *const Header) }
}
