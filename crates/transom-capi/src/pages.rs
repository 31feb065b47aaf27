//! Which pages of this process came from `VirtualAlloc` and which from `MapViewOfFile`, and what is allowed
//! on them. Linux has no notion of a reservation that is partly committed, and does not tell where a view
//! begins, so this is kept here.
//!
//! ```text
//!   region   base                                                    base + length
//!            ├──────────────┬───────────────────────────┬──────────────────┤
//!   runs     │ reserved     │ committed, PAGE_READWRITE │ reserved         │
//! ```
//!
//! # Safety
//! G1. Regions do not overlap. G2. A region of kind [`Kind::Private`] is a mapping that [`os::reserve`] made
//! for it, and is released only when it leaves the table. G3. Everything happens under the table's lock.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom::Code;
use transom::mapping::Protection;
use transom_core::mapping::{GRANULARITY, ViewAccess, ViewMode, view_mode};

use crate::ffi::{Failure, Outcome, fail};
use crate::os::{self, Rights};

/// Bytes of a page.
pub(crate) const PAGE: usize = 4096;
/// `PAGE_NOACCESS` and the other protections.
pub(crate) const NOACCESS: u32 = 0x01;
pub(crate) const READONLY: u32 = 0x02;
pub(crate) const READWRITE: u32 = 0x04;
pub(crate) const WRITECOPY: u32 = 0x08;
pub(crate) const EXECUTE: u32 = 0x10;
pub(crate) const EXECUTE_READ: u32 = 0x20;
pub(crate) const EXECUTE_READWRITE: u32 = 0x40;
pub(crate) const EXECUTE_WRITECOPY: u32 = 0x80;
/// `PAGE_GUARD`, `PAGE_NOCACHE`, `PAGE_WRITECOMBINE`.
const GUARD: u32 = 0x100;
const MODIFIERS: u32 = 0x700;

/// What a protection lets a program do; `None` for what is none. A guarded page faults like one without
/// access.
pub(crate) fn rights(protect: u32) -> Option<Rights> {
    let (read, write, execute) = match protect & !MODIFIERS {
        NOACCESS if protect & MODIFIERS == 0 => (false, false, false),
        READONLY => (true, false, false),
        READWRITE | WRITECOPY => (true, true, false),
        EXECUTE => (false, false, true),
        EXECUTE_READ => (true, false, true),
        EXECUTE_READWRITE | EXECUTE_WRITECOPY => (true, true, true),
        _ => return None,
    };
    if protect & GUARD != 0 { Some(Rights::NONE) } else { Some(Rights { read, write, execute }) }
}

/// What a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From `VirtualAlloc`.
    Private,
    /// From `MapViewOfFile`.
    View(ViewMode),
}

/// A reservation or a view.
#[derive(Debug)]
struct Region {
    length: usize,
    kind: Kind,
    /// `AllocationProtect`.
    protect: u32,
    /// Offset of the first byte of each run, and its protection; `None` is reserved only. The first run
    /// starts at 0, neighbours differ.
    runs: Vec<(usize, Option<u32>)>,
}

impl Region {
    fn new(length: usize, kind: Kind, protect: u32, state: Option<u32>) -> Region {
        Region { length, kind, protect, runs: vec![(0, state)] }
    }

    /// The run that `offset` lies in.
    fn run(&self, offset: usize) -> (Range<usize>, Option<u32>) {
        let index = self.runs.partition_point(|(start, _)| *start <= offset).saturating_sub(1);
        let end = self.runs.get(index + 1).map_or(self.length, |(start, _)| *start);
        (self.runs[index].0..end, self.runs[index].1)
    }

    /// Gives a range another state.
    fn set(&mut self, range: Range<usize>, state: Option<u32>) {
        let behind = (range.end < self.length).then(|| (range.end, self.run(range.end).1));
        let mut runs: Vec<_> =
            self.runs.iter().copied().take_while(|(start, _)| *start < range.start).collect();
        runs.push((range.start, state));
        runs.extend(behind);
        runs.extend(self.runs.iter().copied().filter(|(start, _)| *start > range.end));
        runs.dedup_by(|later, earlier| later.1 == earlier.1);
        self.runs = runs;
    }

    /// Whether every page of a range is committed.
    fn committed(&self, range: &Range<usize>) -> bool {
        let mut at = range.start;
        while at < range.end {
            let (run, state) = self.run(at);
            if state.is_none() {
                return false;
            }
            at = run.end;
        }
        true
    }
}

type Regions = BTreeMap<usize, Region>;

static REGIONS: Mutex<Regions> = Mutex::new(Regions::new());

fn regions() -> MutexGuard<'static, Regions> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The region that `address` lies in, and its base.
fn region_at(regions: &mut Regions, address: usize) -> Option<(usize, &mut Region)> {
    let (base, region) = regions.range_mut(..=address).next_back()?;
    (address - *base < region.length).then_some((*base, region))
}

/// The whole pages that a range touches.
pub(crate) fn whole_pages(address: usize, size: usize) -> Outcome<Range<usize>> {
    let end = address.checked_add(size).and_then(|end| end.checked_next_multiple_of(PAGE));
    let start = address - address % PAGE;
    end.filter(|_| size > 0).map(|end| start..end).ok_or(Failure(Code::INVALID_PARAMETER))
}

/// A view was mapped at `base`.
pub(crate) fn view_mapped(base: usize, length: usize, access: u32) {
    // The system has accepted the access; this only tells what it meant.
    let Ok(mode) = view_mode(Protection::ExecuteReadWrite, u32::MAX, access) else { return };
    let protect = match (mode.access, mode.execute) {
        (ViewAccess::None, _) => NOACCESS,
        (ViewAccess::Read, false) => READONLY,
        (ViewAccess::Read, true) => EXECUTE_READ,
        (ViewAccess::Write, false) => READWRITE,
        (ViewAccess::Write, true) => EXECUTE_READWRITE,
        (ViewAccess::Copy, false) => WRITECOPY,
        (ViewAccess::Copy, true) => EXECUTE_WRITECOPY,
    };
    let region = Region::new(length.next_multiple_of(PAGE), Kind::View(mode), protect, Some(protect));
    regions().insert(base, region);
}

/// Unmaps the view at `base` by `unmap`, and forgets it.
pub(crate) fn view_unmapped<E>(base: usize, unmap: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
    // Under the lock, so that a view that another thread maps there at once is not the one forgotten.
    let mut regions = regions();
    unmap()?;
    regions.remove(&base);
    Ok(())
}

/// Reserves address space, and commits it if `commit`. `address` 0 is anywhere.
pub(crate) fn reserve(address: usize, size: usize, protect: u32, commit: bool) -> Outcome<usize> {
    let granularity = GRANULARITY as usize;
    let wanted = whole_pages(address, size)?;
    let start = wanted.start - wanted.start % granularity;
    let length = wanted.end - start;
    let mut regions = regions();
    let base = if address == 0 {
        aligned(length, granularity)?
    } else {
        os::reserve(start, length).map_err(|error| match os::code(&error) {
            Code::NOT_ENOUGH_MEMORY => Failure(Code::NOT_ENOUGH_MEMORY),
            _ => Failure(Code::INVALID_ADDRESS),
        })?
    };
    if commit {
        let granted = rights(protect).ok_or(Failure(Code::INVALID_PARAMETER))?;
        // SAFETY: the reservation made just now.
        if let Err(error) = unsafe { os::protect(base, length, granted) } {
            // SAFETY: as above; nobody has seen it.
            unsafe { os::release(base, length) };
            return Err(error.into());
        }
    }
    regions.insert(base, Region::new(length, Kind::Private, protect, commit.then_some(protect)));
    Ok(base)
}

/// A reservation at a multiple of `alignment`.
fn aligned(length: usize, alignment: usize) -> Outcome<usize> {
    let memory = |_: io::Error| Failure(Code::NOT_ENOUGH_MEMORY);
    let room = length.checked_add(alignment).ok_or(Failure(Code::NOT_ENOUGH_MEMORY))?;
    let start = os::reserve(0, room).map_err(memory)?;
    let base = start.next_multiple_of(alignment);
    // SAFETY: the two parts of the reservation around what is wanted.
    unsafe {
        if base > start {
            os::release(start, base - start);
        }
        if start + room > base + length {
            os::release(base + length, start + room - base - length);
        }
    }
    Ok(base)
}

/// Commits pages of a reservation, or changes the protection of committed ones. Pages of a view are
/// committed already (M12).
pub(crate) fn commit(address: usize, size: usize, protect: u32) -> Outcome<usize> {
    let wanted = whole_pages(address, size)?;
    let granted = rights(protect).ok_or(Failure(Code::INVALID_PARAMETER))?;
    let mut regions = regions();
    let Some((base, region)) = region_at(&mut regions, wanted.start) else {
        return fail(Code::INVALID_ADDRESS);
    };
    if wanted.end > base + region.length {
        return fail(Code::INVALID_ADDRESS);
    }
    if region.kind == Kind::Private {
        // SAFETY: a part of a reservation of ours (G2).
        unsafe { os::protect(wanted.start, wanted.len(), granted) }?;
        region.set(wanted.start - base..wanted.end - base, Some(protect));
    }
    Ok(wanted.start)
}

/// Ends the reservation that begins at `base`.
pub(crate) fn release(base: usize) -> Outcome<()> {
    let mut regions = regions();
    match regions.get(&base).map(|region| (region.kind, region.length)) {
        Some((Kind::Private, length)) => {
            regions.remove(&base);
            // SAFETY: a reservation of ours (G2), which the program has given up.
            unsafe { os::release(base, length) };
            Ok(())
        }
        Some((Kind::View(_), _)) => fail(Code::INVALID_PARAMETER),
        None => fail(Code::INVALID_ADDRESS),
    }
}

/// Drops the contents of committed pages; `size` 0 is the whole reservation that begins at `address`.
pub(crate) fn decommit(address: usize, size: usize) -> Outcome<()> {
    let mut regions = regions();
    let Some((base, region)) = region_at(&mut regions, address) else { return fail(Code::INVALID_ADDRESS) };
    if region.kind != Kind::Private {
        return fail(Code::INVALID_PARAMETER);
    }
    let wanted = match size {
        0 if address == base => base..base + region.length,
        0 => return fail(Code::INVALID_ADDRESS),
        _ => whole_pages(address, size)?,
    };
    if wanted.end > base + region.length {
        return fail(Code::INVALID_PARAMETER);
    }
    // SAFETY: a part of a reservation of ours (G2), whose contents the program has given up.
    unsafe { os::clear(wanted.start, wanted.len()) }?;
    region.set(wanted.start - base..wanted.end - base, None);
    Ok(())
}

/// Changes the protection of pages; the first page's old one. `None` if they are in no region.
pub(crate) fn protect(wanted: &Range<usize>, protect: u32) -> Outcome<Option<u32>> {
    let granted = rights(protect).ok_or(Failure(Code::INVALID_PARAMETER))?;
    let mut regions = regions();
    let Some((base, region)) = region_at(&mut regions, wanted.start) else { return Ok(None) };
    let range = wanted.start - base..wanted.end - base;
    if range.end > region.length || !region.committed(&range) {
        return fail(Code::INVALID_ADDRESS);
    }
    if !allowed(region.kind, protect) {
        return fail(Code::INVALID_PARAMETER);
    }
    // SAFETY: committed pages of a reservation (G2), or of a view of this program, which asks for it.
    unsafe { os::protect(wanted.start, wanted.len(), granted) }?;
    let before = region.run(range.start).1;
    region.set(range, Some(protect));
    Ok(before)
}

/// Whether pages of a kind may have a protection: private ones anything but copy-on-write, those of a view
/// what its access allows.
fn allowed(kind: Kind, protect: u32) -> bool {
    let base = protect & !MODIFIERS;
    match kind {
        Kind::Private => !matches!(base, WRITECOPY | EXECUTE_WRITECOPY),
        Kind::View(mode) => {
            let executes = base & (EXECUTE | EXECUTE_READ | EXECUTE_READWRITE | EXECUTE_WRITECOPY) != 0;
            let data = match base {
                NOACCESS | EXECUTE => true,
                READONLY | EXECUTE_READ => mode.access != ViewAccess::None,
                READWRITE | EXECUTE_READWRITE => mode.access == ViewAccess::Write,
                WRITECOPY | EXECUTE_WRITECOPY => mode.access == ViewAccess::Copy,
                _ => false,
            };
            data && (mode.execute || !executes)
        }
    }
}

/// What is known of a page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) base: usize,
    pub(crate) allocation_protect: u32,
    pub(crate) kind: Kind,
    /// Where the pages of the same state end.
    pub(crate) end: usize,
    /// `None`: reserved.
    pub(crate) protect: Option<u32>,
}

/// The region that a page lies in.
pub(crate) fn query(page: usize) -> Option<Known> {
    let mut regions = regions();
    let (base, region) = region_at(&mut regions, page)?;
    let (run, protect) = region.run(page - base);
    Some(Known { base, allocation_protect: region.protect, kind: region.kind, end: base + run.end, protect })
}

/// The lowest region above an address.
pub(crate) fn next_base(address: usize) -> Option<usize> {
    regions().range(address + 1..).next().map(|(base, _)| *base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_split_and_joined() {
        let mut region = Region::new(10, Kind::Private, READWRITE, None);
        region.set(2..5, Some(READWRITE));
        region.set(5..7, Some(READONLY));
        assert_eq!(region.runs, [(0, None), (2, Some(READWRITE)), (5, Some(READONLY)), (7, None)]);
        assert_eq!(region.run(6), (5..7, Some(READONLY)));
        assert!(region.committed(&(2..7)));
        assert!(!region.committed(&(2..8)));
        region.set(3..6, None);
        assert_eq!(region.runs, [(0, None), (2, Some(READWRITE)), (3, None), (6, Some(READONLY)), (7, None)]);
        region.set(0..10, None);
        assert_eq!(region.runs, [(0, None)]);
        region.set(9..10, Some(READONLY));
        assert_eq!(region.run(9), (9..10, Some(READONLY)));
    }

    #[test]
    fn a_reservation_is_committed_in_parts_and_ends_as_a_whole() {
        let base = reserve(0, 100 * PAGE + 1, READWRITE, false).expect("address space");
        assert_eq!(base % GRANULARITY as usize, 0);
        assert_eq!(query(base).map(|known| (known.end - base, known.protect)), Some((101 * PAGE, None)));
        assert_eq!(commit(base + PAGE + 5, PAGE, READWRITE), Ok(base + PAGE));
        let word = std::ptr::with_exposed_provenance_mut::<u8>(base + 2 * PAGE);
        // SAFETY: the page was committed for writing just now, and nobody else knows it.
        let read = unsafe {
            word.write_volatile(7);
            word.read_volatile()
        };
        assert_eq!(read, 7);
        assert_eq!(protect(&(base + PAGE..base + 3 * PAGE), READONLY), Ok(Some(READWRITE)));
        assert_eq!(protect(&(base + PAGE..base + 4 * PAGE), READONLY), fail(Code::INVALID_ADDRESS));
        assert_eq!(decommit(base + PAGE, PAGE), Ok(()));
        assert_eq!(release(base + PAGE), fail(Code::INVALID_ADDRESS));
        assert_eq!(reserve(base + PAGE, 1, READWRITE, false), fail(Code::INVALID_ADDRESS));
        assert_eq!(release(base), Ok(()));
        assert_eq!(query(base), None);
        assert_eq!(reserve(base, PAGE, READWRITE, true), Ok(base));
        assert_eq!(release(base), Ok(()));
    }
}
