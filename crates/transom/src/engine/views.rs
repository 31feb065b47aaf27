//! Where sections are mapped in this process.
//!
//! `UnmapViewOfFile` and `FlushViewOfFile` get an address and nothing else, so there is a list of views.
//! The SIGBUS handler has an address too: a view over a file that a peer may cut short (a disk file, or
//! path-backed memory) must not kill the process when it happens. The handler may not lock or allocate, so
//! such views are also in a fixed array of atomics; there the handler finds the view, replaces it from the
//! faulting page to its end by zeroes (a file is cut at its end, so all behind that page is gone as well) and
//! marks it as broken, which the safe accesses report as an error. The pages of synchronisation objects in
//! files are kept in the same way.
//!
//! # Safety
//! Mapping is safe: it changes no memory in use. Unmapping is what its caller must be entitled to.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use transom_core::code::Code;
use transom_core::mapping::GRANULARITY;
use transom_sys::linux::{Errno, map, signal};

use super::errno::code;

/// A view's entry in the list.
#[derive(Debug)]
struct Entry {
    length: usize,
    /// The file to write back to; `None` for memory.
    file: Option<Arc<OwnedFd>>,
    offset: u64,
    guard: Option<Guard>,
}

/// Tells whether the file was cut short under the view.
#[derive(Debug, Clone)]
pub(crate) struct Intact(Option<Arc<AtomicBool>>);

impl Intact {
    /// False once an access met a page that is no longer backed.
    pub(crate) fn intact(&self) -> bool {
        self.0.as_ref().is_none_or(|broken| !broken.load(Ordering::Acquire))
    }
}

/// What to map where.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) access: map::Access,
    pub(crate) offset: u64,
    /// Bytes to be mapped, whole pages or the rest of the section.
    pub(crate) length: usize,
    /// The wanted address, or 0.
    pub(crate) base: usize,
    /// Whether a peer may cut the file short.
    pub(crate) guarded: bool,
    /// Whether `FlushViewOfFile` writes back.
    pub(crate) write_back: bool,
}

static VIEWS: Mutex<BTreeMap<usize, Entry>> = Mutex::new(BTreeMap::new());
/// Where the last view began or would have begun: the next one is tried there first.
static HINT: AtomicUsize = AtomicUsize::new(0);

/// Keeps the list as it is.
pub(crate) struct Still(
    #[expect(dead_code, reason = "held, not used")] MutexGuard<'static, BTreeMap<usize, Entry>>,
);

/// Waits until no other thread is changing the list, and lets none begin.
pub(crate) fn hold_still() -> Still {
    Still(views())
}

fn views() -> MutexGuard<'static, BTreeMap<usize, Entry>> {
    VIEWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// MapViewOfFileEx: the address.
pub(crate) fn map(plan: &Plan, file: &Arc<OwnedFd>) -> Result<(usize, Intact), Code> {
    let step = plan.length.next_multiple_of(GRANULARITY as usize);
    let base = if plan.base != 0 {
        map::map_at(plan.base, plan.length, plan.access, file, plan.offset).map_err(|error| match error {
            Errno::EXIST | Errno::INVAL | Errno::PERM => Code::INVALID_ADDRESS,
            Errno::NOMEM => Code::INVALID_ADDRESS,
            other => map_code(other),
        })?
    } else {
        let hint = HINT.load(Ordering::Relaxed);
        let at_hint = if hint == 0 {
            Err(Errno::EXIST)
        } else {
            map::map_at(hint, plan.length, plan.access, file, plan.offset)
        };
        let base = match at_hint {
            Ok(base) => base,
            Err(Errno::EXIST | Errno::INVAL | Errno::NOMEM | Errno::PERM) => {
                map::map_aligned(plan.length, GRANULARITY as usize, plan.access, file, plan.offset)
                    .map_err(map_code)?
            }
            Err(other) => return Err(map_code(other)),
        };
        // Downwards, as the kernel does it itself: there the next view finds room.
        HINT.store(base.saturating_sub(step), Ordering::Relaxed);
        base
    };
    let guard = if plan.guarded {
        match guard(base, plan.length, plan.access.write) {
            Ok(guard) => Some(guard),
            Err(error) => {
                // SAFETY: the view was made a moment ago and nobody knows it.
                unsafe { map::unmap(base, plan.length) };
                return Err(error);
            }
        }
    } else {
        None
    };
    let intact = Intact(guard.as_ref().map(|guard| Arc::clone(&guard.broken)));
    let entry = Entry {
        length: plan.length,
        file: plan.write_back.then(|| Arc::clone(file)),
        offset: plan.offset,
        guard,
    };
    views().insert(base, entry);
    Ok((base, intact))
}

fn map_code(error: Errno) -> Code {
    match error {
        Errno::NOMEM | Errno::OVERFLOW => Code::NOT_ENOUGH_MEMORY,
        Errno::ACCESS | Errno::PERM => Code::ACCESS_DENIED,
        Errno::NODEV | Errno::INVAL => Code::INVALID_PARAMETER,
        other => code(other),
    }
}

/// UnmapViewOfFile: only the exact base will do (M24).
///
/// # Safety
/// Nothing uses the view's memory any more.
pub(crate) unsafe fn unmap(base: usize) -> Result<(), Code> {
    let entry = views().remove(&base).ok_or(Code::INVALID_ADDRESS)?;
    // The guard first: the handler must not touch what may be somebody else's in a moment.
    drop(entry.guard);
    // SAFETY: the range was mapped by `map` and is unmapped once, since its entry is gone; the caller vouches
    // for the rest.
    unsafe { map::unmap(base, entry.length) };
    HINT.store(base, Ordering::Relaxed);
    Ok(())
}

/// FlushViewOfFile: starts writing back; `bytes` 0 = to the end of the view (M49).
pub(crate) fn flush(address: usize, bytes: usize) -> Result<(), Code> {
    let views = views();
    let (&base, entry) = views.range(..=address).next_back().ok_or(Code::INVALID_ADDRESS)?;
    let end = base + entry.length.next_multiple_of(4096);
    if address >= end {
        return Err(Code::INVALID_ADDRESS);
    }
    let stop = if bytes == 0 { end } else { address.checked_add(bytes).ok_or(Code::INVALID_ADDRESS)? };
    if stop > end {
        return Err(Code::INVALID_ADDRESS);
    }
    let Some(file) = &entry.file else { return Ok(()) };
    let start = address & !4095;
    let offset = entry.offset + (start - base) as u64;
    map::start_write_back(start, stop - start, file, offset).map_err(|error| match error {
        Errno::NOSPC => Code::DISK_FULL,
        other => code(other),
    })
}

/// How many views that a peer can break there can be at once; more are refused with 8.
const GUARDS: usize = 4096;

struct Cell {
    /// 0 = free; else the first address. Set last, cleared first.
    base: AtomicUsize,
    end: AtomicUsize,
    /// Bit 0: writable. Bit 1: taken.
    flags: AtomicU32,
    broken: AtomicUsize,
    /// How many handlers are looking at the cell.
    readers: AtomicU32,
}

static CELLS: [Cell; GUARDS] = [const {
    Cell {
        base: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        flags: AtomicU32::new(0),
        broken: AtomicUsize::new(0),
        readers: AtomicU32::new(0),
    }
}; GUARDS];

/// A cell in the array that the handler reads: as long as this lives, no fault in its range ends the process.
#[derive(Debug)]
pub(crate) struct Guard {
    index: usize,
    broken: Arc<AtomicBool>,
}

/// Guards a mapping of a file that a peer may cut short; to be dropped before it is unmapped.
pub(crate) fn guard(base: usize, length: usize, writable: bool) -> Result<Guard, Code> {
    install()?;
    for (index, cell) in CELLS.iter().enumerate() {
        let taken = 2 | u32::from(writable);
        if cell.flags.load(Ordering::Relaxed) == 0
            && cell.flags.compare_exchange(0, taken, Ordering::Acquire, Ordering::Relaxed).is_ok()
        {
            let broken = Arc::new(AtomicBool::new(false));
            cell.broken.store(Arc::as_ptr(&broken) as usize, Ordering::Relaxed);
            cell.end.store(base + length.next_multiple_of(4096), Ordering::Relaxed);
            // Partner: the acquire in `mend`.
            cell.base.store(base, Ordering::Release);
            return Ok(Guard { index, broken });
        }
    }
    Err(Code::NOT_ENOUGH_MEMORY)
}

impl Guard {
    /// False once an access met a page that is no longer backed.
    pub(crate) fn intact(&self) -> bool {
        !self.broken.load(Ordering::Acquire)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let cell = &CELLS[self.index];
        cell.base.store(0, Ordering::SeqCst);
        // A handler of another thread may just be using the flag: it is done in a moment.
        while cell.readers.load(Ordering::SeqCst) != 0 {
            std::thread::yield_now();
        }
        cell.flags.store(0, Ordering::Release);
    }
}

fn install() -> Result<(), Code> {
    static INSTALLED: OnceLock<Result<(), Errno>> = OnceLock::new();
    INSTALLED.get_or_init(|| signal::handle_bus_errors(mend)).map_err(code)
}

/// Runs in the signal handler: atomics and one mmap only.
fn mend(address: usize) -> bool {
    for cell in &CELLS {
        let base = cell.base.load(Ordering::Acquire);
        if base == 0 || address < base || address >= cell.end.load(Ordering::Relaxed) {
            continue;
        }
        cell.readers.fetch_add(1, Ordering::SeqCst);
        let still = cell.base.load(Ordering::SeqCst) == base;
        let mended = still && {
            // SAFETY: `broken` points into an Arc that the guard holds; the guard cannot go while `readers`
            // is not 0 and `base` was still set after that was raised.
            let broken = unsafe { &*(cell.broken.load(Ordering::Relaxed) as *const AtomicBool) };
            broken.store(true, Ordering::Release);
            let (end, flags) = (cell.end.load(Ordering::Relaxed), cell.flags.load(Ordering::Relaxed));
            // SAFETY: the pages lie in a mapping of ours whose file no longer backs them.
            unsafe { map::replace_with_zeroes(address & !4095, end, flags & 1 != 0) }
        };
        cell.readers.fetch_sub(1, Ordering::SeqCst);
        return mended;
    }
    false
}
