//! Messages whose parameters are pointers, on their way to another thread (rules 20 to 27).
//!
//! What a pointer points to is copied into the sender's arena, or into a memory file that is sealed against any change
//! when it is large; the receiver copies it out, or maps the file as memory of its own, before its procedure sees it. So
//! nobody can change it under the procedure's eyes, and what the procedure writes there the sender does not see. Text
//! travels as UTF-16.
//!
//! # Safety
//! Q1. The parameters of a call are what Windows documents for its message: the caller of a `send` promises that.
//! Q2. A block lives in the list of messages that are being handled until its procedure has returned.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;

use transom_core::code::Code;
use transom_core::desktop::layout::ARENA;
use transom_core::desktop::slots::{self, IN_ARENA, IN_FILE};
use transom_core::desktop::{Slot, Who};
use transom_core::text;
use transom_sys::linux::map::PrivateCopy;
use transom_sys::linux::{fd, memfd, procfs};

use super::desktop::Desktop;
use super::errno::with_room;
use super::procedures;
use super::queue::{Call, Part};
use crate::window::message::{WM_COPYDATA, WM_GETTEXT, WM_SETTEXT};
use crate::window::raw::{Charset, CopyData};

/// What is longer goes into a memory file.
const MOST_IN_ARENA: usize = ARENA / 2;
/// Characters of the longest text that is asked for.
const MOST_ASKED: usize = MOST_IN_ARENA / 2;

/// What a message carries, ready to be pushed.
#[derive(Debug, Default)]
pub(crate) struct Packed {
    pub(crate) flags: u32,
    pub(crate) wparam: u64,
    pub(crate) tag: u64,
    pub(crate) data: u64,
    pub(crate) length: u64,
    pub(crate) identity: u64,
    pub(crate) part: Option<Part>,
    /// Stays open until the receiver is done.
    pub(crate) file: Option<OwnedFd>,
}

/// Packs what the parameters point to. `place` puts bytes into the arena, with room for an answer.
///
/// # Errors
/// 8: no room.
pub(crate) fn pack(call: &Call, place: impl Fn(&[u8], usize) -> Option<Part>) -> Result<Packed, Code> {
    let plain = Packed { wparam: call.wparam as u64, ..Packed::default() };
    match call.message {
        WM_COPYDATA if call.lparam != 0 => {
            // SAFETY: Q1: it points to a COPYDATASTRUCT.
            let data = unsafe { (call.lparam as *const CopyData).read_unaligned() };
            let length = if data.bytes.is_null() { 0 } else { data.length as usize };
            let bytes = if length == 0 {
                &[]
            } else {
                // SAFETY: Q1: it points to so many bytes, which nobody writes during the call.
                unsafe { std::slice::from_raw_parts(data.bytes, length) }
            };
            carry(Packed { tag: data.tag as u64, ..plain }, bytes, place)
        }
        WM_SETTEXT => {
            // SAFETY: Q1.
            let units = unsafe { read_text(call.lparam, call.charset) };
            carry(plain, &to_bytes(&units), place)
        }
        WM_GETTEXT if call.wparam != 0 => {
            let asked = call.wparam.min(MOST_ASKED);
            let part = place(&[], 2 * asked).ok_or(Code::NOT_ENOUGH_MEMORY)?;
            let (data, length) = (part.at as u64, 2 * asked as u64);
            let wparam = asked as u64;
            Ok(Packed { flags: IN_ARENA, wparam, data, length, part: Some(part), ..plain })
        }
        _ => Ok(plain),
    }
}

fn carry(packed: Packed, bytes: &[u8], place: impl Fn(&[u8], usize) -> Option<Part>) -> Result<Packed, Code> {
    if bytes.is_empty() {
        return Ok(packed);
    }
    let length = bytes.len() as u64;
    let part = if bytes.len() <= MOST_IN_ARENA { place(bytes, 0) } else { None };
    if let Some(part) = part {
        return Ok(Packed { flags: IN_ARENA, data: part.at as u64, length, part: Some(part), ..packed });
    }
    let (file, identity) = with_room(|| memfd::sealed("transom-copydata", bytes))?;
    let data = file.as_raw_fd() as u64;
    Ok(Packed { flags: IN_FILE, data, length, identity, file: Some(file), ..packed })
}

/// What pointers in a message point to while it is being handled.
#[derive(Debug, Default)]
pub(crate) struct Served {
    message: u32,
    block: Vec<u64>,
    _copy: Option<PrivateCopy>,
    /// Of WM_GETTEXT: characters that were asked for, in the window's form.
    asked: usize,
    charset: Option<Charset>,
}

/// Unpacks a message: the call of the procedure and what it needs. `None`: what it carried cannot be had any more, or
/// never made sense.
pub(crate) fn unpack(desktop: &Desktop, slot: &Slot, from: Option<Who>) -> Option<(Call, Served)> {
    let flags = slot.kind.load(Ordering::Relaxed);
    let charset = if flags & slots::WIDE != 0 { Charset::Wide } else { Charset::Narrow };
    let mut call = Call {
        window: slot.window.load(Ordering::Relaxed),
        message: slot.message.load(Ordering::Relaxed),
        wparam: slot.wparam.load(Ordering::Relaxed) as usize,
        lparam: slot.lparam.load(Ordering::Relaxed) as isize,
        charset,
    };
    let mut served = Served { message: call.message, ..Served::default() };
    match call.message {
        WM_COPYDATA if call.lparam != 0 => {
            let header = size_of::<CopyData>().div_ceil(8) + 1;
            let (at, length) = bring(desktop, slot, from, header, &mut served)?;
            let tag = slot.tag.load(Ordering::Relaxed) as usize;
            let length = u32::try_from(length).ok()?;
            let bytes = if length == 0 { std::ptr::null() } else { at as *const u8 };
            let place = served.block.as_mut_ptr();
            // SAFETY: the block has room for it at its beginning, and is aligned to 8 bytes.
            unsafe { place.cast::<CopyData>().write(CopyData { tag, length, bytes }) };
            call.lparam = place as isize;
        }
        WM_SETTEXT => {
            let (at, length) = bring(desktop, slot, from, 0, &mut served)?;
            // SAFETY: `bring` put so many bytes there, which are this thread's own.
            let bytes = unsafe { std::slice::from_raw_parts(at as *const u8, length) };
            served.block = text_block(&to_units(bytes), procedures::charset(call.window));
            call.lparam = served.block.as_ptr() as isize;
        }
        WM_GETTEXT => {
            let asked = call.wparam.min(MOST_ASKED);
            let charset = procedures::charset(call.window);
            let size = if charset == Charset::Wide { 2 } else { 1 };
            served.block = vec![0; (asked * size).div_ceil(8) + 1];
            (served.asked, served.charset) = (asked, Some(charset));
            (call.wparam, call.lparam) = (asked, served.block.as_mut_ptr() as isize);
        }
        _ => {}
    }
    Some((call, served))
}

/// Brings what a message carries into memory of this thread: where it lies, and how long it is. `header`: words that
/// are left free before it.
fn bring(
    desktop: &Desktop,
    slot: &Slot,
    from: Option<Who>,
    header: usize,
    served: &mut Served,
) -> Option<(usize, usize)> {
    let flags = slot.kind.load(Ordering::Relaxed);
    let length = usize::try_from(slot.length.load(Ordering::Relaxed)).ok()?;
    let data = slot.data.load(Ordering::Relaxed);
    if flags & IN_FILE != 0 {
        served.block = vec![0; header];
        let copy = open_copy(desktop, slot, from?, data, length)?;
        let at = copy.address();
        served._copy = Some(copy);
        return Some((at, length));
    }
    if flags & IN_ARENA == 0 {
        served.block = vec![0; header.max(1)];
        return Some((served.block.as_ptr() as usize, 0));
    }
    if length > ARENA {
        return None;
    }
    served.block = vec![0; header + length.div_ceil(8)];
    let at = served.block[header..].as_mut_ptr().cast::<u8>();
    // SAFETY: the words behind the header, which are this thread's own; all bytes are good.
    let bytes = unsafe { std::slice::from_raw_parts_mut(at, length) };
    let from = from?;
    let good = desktop.copy_out(data, bytes);
    // The sender may have ended, and its arena have been emptied, or have passed to another thread meanwhile.
    std::sync::atomic::fence(Ordering::Acquire);
    (good && desktop.is_open(from)).then_some((at as usize, length))
}

/// The memory file of a large message, as memory of this process.
fn open_copy(desktop: &Desktop, slot: &Slot, from: Who, number: u64, length: usize) -> Option<PrivateCopy> {
    let process = desktop.ids(from).0;
    let number = RawFd::try_from(number).ok()?;
    let file = procfs::open_descriptor(process, number, true, false).ok()?;
    let (_, inode, size) = fd::identity(&file).ok()?;
    let is_it = inode == slot.file.load(Ordering::Relaxed)
        && size == length as u64
        && memfd::is_content_sealed(file.as_fd());
    if is_it { PrivateCopy::map(&file, length).ok() } else { None }
}

impl Served {
    /// Writes what the answer carries into the sender's arena: how many bytes.
    pub(crate) fn write_answer(&self, desktop: &Desktop, slot: &Slot, result: isize) -> u64 {
        let (WM_GETTEXT, Some(charset), 1..) = (self.message, self.charset, result) else { return 0 };
        let room = usize::try_from(slot.length.load(Ordering::Relaxed)).unwrap_or(0);
        let at = usize::try_from(slot.data.load(Ordering::Relaxed)).unwrap_or(usize::MAX);
        let count = (result as usize).min(self.asked.saturating_sub(1));
        let bytes = to_bytes(&block_text(&self.block, charset, count));
        if bytes.len() > room || !desktop.has_arena(at, bytes.len()) {
            return 0;
        }
        desktop.copy_in(at, &bytes);
        bytes.len() as u64
    }
}

/// Gives an answer to who asked: the text of WM_GETTEXT goes where the caller wanted it.
pub(crate) fn unpack_answer(call: &Call, value: isize, bytes: &[u8]) -> isize {
    if call.message != WM_GETTEXT || call.wparam == 0 {
        return value;
    }
    // SAFETY: Q1: room for wParam characters of the caller's form.
    unsafe { write_text(call.lparam, call.wparam, call.charset, &to_units(bytes)) }
}

/// Text as it travels.
fn to_bytes(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

fn to_units(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Text up to its terminator.
///
/// # Safety
/// `at` is 0, or points to text of this form with a terminator.
pub(crate) unsafe fn read_text(at: isize, charset: Charset) -> Vec<u16> {
    if at == 0 {
        return Vec::new();
    }
    match charset {
        Charset::Wide => {
            let mut units = Vec::new();
            let mut place = at as *const u16;
            // SAFETY: the caller's promise: up to the terminator it can be read.
            unsafe {
                while place.read_unaligned() != 0 {
                    units.push(place.read_unaligned());
                    place = place.add(1);
                }
            }
            units
        }
        // SAFETY: as above.
        Charset::Narrow => text::to_utf16(unsafe { std::ffi::CStr::from_ptr(at as *const _) }.to_bytes()),
    }
}

/// Writes text of at most `room` characters, terminator included; how many without it.
///
/// # Safety
/// `at` points to room for so many characters of this form.
pub(crate) unsafe fn write_text(at: isize, room: usize, charset: Charset, units: &[u16]) -> isize {
    if room == 0 || at == 0 {
        return 0;
    }
    match charset {
        Charset::Wide => {
            let count = units.len().min(room - 1);
            for (index, unit) in units[..count].iter().chain([&0]).enumerate() {
                // SAFETY: the caller's promise; `index` < `room`.
                unsafe { (at as *mut u16).add(index).write_unaligned(*unit) };
            }
            count as isize
        }
        Charset::Narrow => {
            let bytes = text::from_utf16(units);
            let count = bytes.len().min(room - 1);
            // SAFETY: as above; the two are different memory.
            unsafe {
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), at as *mut u8, count);
                (at as *mut u8).add(count).write(0);
            }
            count as isize
        }
    }
}

/// Text with its terminator, in memory aligned for anything.
pub(crate) fn text_block(units: &[u16], charset: Charset) -> Vec<u64> {
    let bytes: Vec<u8> = match charset {
        Charset::Wide => units.iter().chain([&0]).flat_map(|unit| unit.to_ne_bytes()).collect(),
        Charset::Narrow => {
            let mut bytes = text::from_utf16(units);
            bytes.push(0);
            bytes
        }
    };
    let word = |piece: &[u8]| {
        let mut word = [0; 8];
        word[..piece.len()].copy_from_slice(piece);
        u64::from_ne_bytes(word)
    };
    bytes.chunks(8).map(word).collect()
}

/// The first `count` characters of a block.
pub(crate) fn block_text(block: &[u64], charset: Charset, count: usize) -> Vec<u16> {
    let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_ne_bytes()).collect();
    match charset {
        Charset::Wide => {
            bytes.chunks_exact(2).take(count).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect()
        }
        Charset::Narrow => text::to_utf16(&bytes[..count.min(bytes.len())]),
    }
}
