//! What a process is told when it starts: `STARTUPINFO`, and the attributes that go with it.
//!
//! An attribute list lies in memory of the program, whose size it asks for first:
//! ```text
//!   "attr" u32 │ room u32 │ used u32 │ 0 │ room × { attribute usize │ value │ bytes usize }
//! ```
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::sync::OnceLock;

use transom::Code;
use transom::handle::RawHandle;
use transom::process::{self, Command, StartupInfo};

use crate::ffi::{Bool, HANDLE, In, Out, Outcome, Plain, Text, Unit, fail, forever, guard, truth};

/// `STARTF_USESTDHANDLES`.
const USE_STANDARD_HANDLES: u32 = 0x0000_0100;
/// `PROC_THREAD_ATTRIBUTE_HANDLE_LIST`.
const HANDLE_LIST: usize = 0x0002_0002;
/// `ERROR_OBJECT_NAME_EXISTS`.
const OBJECT_NAME_EXISTS: Code = Code::new(698);

/// `STARTUPINFOA` and `STARTUPINFOW`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct STARTUPINFO<U> {
    size: u32,
    reserved: In<U>,
    desktop: In<U>,
    title: In<U>,
    place: [u32; 6],
    fill: u32,
    flags: u32,
    show_window: u16,
    reserved_size: u16,
    reserved_2: usize,
    standard: [HANDLE; 3],
}

// SAFETY: integers, pointers and handles, laid out as C does.
unsafe impl<U: Unit> Plain for STARTUPINFO<U> {}

/// `STARTUPINFOEXA` and `STARTUPINFOEXW`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct STARTUPINFOEX<U> {
    startup: STARTUPINFO<U>,
    attributes: In<u8>,
}

// SAFETY: as above.
unsafe impl<U: Unit> Plain for STARTUPINFOEX<U> {}

impl<U: Unit> STARTUPINFO<U> {
    /// Whether the record says that it is the larger one.
    pub(crate) fn is_extended(&self) -> bool {
        self.size as usize == size_of::<STARTUPINFOEX<U>>()
    }

    /// Tells the command what this record says.
    pub(crate) fn apply(&self, command: Command, inherit: bool) -> Command {
        let command = command.startup_info(StartupInfo {
            title: self.title.os_text(),
            flags: self.flags,
            show_window: self.show_window,
        });
        if self.flags & USE_STANDARD_HANDLES == 0 {
            return command;
        }
        // Handles that are not inherited cannot be the child's (H22): it has none then.
        let given = |which: usize| if inherit { self.standard[which].raw() } else { RawHandle::INVALID };
        command.stdin(given(0)).stdout(given(1)).stderr(given(2))
    }
}

/// Where the parts of an attribute list are.
const MAGIC: u32 = u32::from_le_bytes(*b"attr");
const ROOM: usize = 4;
const USED: usize = 8;
const ENTRIES: usize = 16;
const ENTRY_SIZE: usize = 24;

/// Bytes of a list with room for so many attributes.
fn size_of_list(room: u32) -> usize {
    ENTRIES + ENTRY_SIZE * room as usize
}

/// Room and use of a list.
fn counts(list: In<u8>) -> Outcome<(u32, u32)> {
    if list.cast::<u32>().required()? != MAGIC {
        return fail(Code::INVALID_PARAMETER);
    }
    let room = list.offset::<u32>(ROOM).required()?;
    Ok((room, list.offset::<u32>(USED).required()?.min(room)))
}

/// The handles that a child's inheritance is limited to, if the record's list names some.
pub(crate) fn handle_list<U: Unit>(startup: STARTUPINFOEX<U>) -> Outcome<Option<Vec<HANDLE>>> {
    let list = startup.attributes;
    if list.is_null() {
        return Ok(None);
    }
    let (_, used) = counts(list)?;
    for index in 0..used as usize {
        let entry = ENTRIES + ENTRY_SIZE * index;
        if list.offset::<usize>(entry).required()? == HANDLE_LIST {
            let handles = list.offset::<In<HANDLE>>(entry + 8).required()?;
            let bytes = list.offset::<usize>(entry + 16).required()?;
            return Ok(Some(handles.values(bytes / size_of::<HANDLE>())?));
        }
    }
    Ok(None)
}

#[unsafe(no_mangle)]
pub extern "C" fn InitializeProcThreadAttributeList(
    list: Out<u8>,
    room: u32,
    flags: u32,
    size: Out<usize>,
) -> Bool {
    truth(|| {
        if flags != 0 || room > 0xFFFF {
            return fail(Code::INVALID_PARAMETER);
        }
        let given = size.reader().required()?;
        let needed = size_of_list(room);
        size.put(needed);
        if list.is_null() || given < needed {
            return fail(Code::INSUFFICIENT_BUFFER);
        }
        list.put_all(&vec![0; needed]);
        list.cast::<u32>().put(MAGIC);
        list.offset::<u32>(ROOM).put(room);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn UpdateProcThreadAttribute(
    list: Out<u8>,
    flags: u32,
    attribute: usize,
    value: In<HANDLE>,
    bytes: usize,
    previous: In<u8>,
    returned: In<usize>,
) -> Bool {
    truth(|| {
        let (room, used) = counts(list.reader())?;
        if flags != 0 || !previous.is_null() || !returned.is_null() {
            return fail(Code::INVALID_PARAMETER);
        }
        if attribute != HANDLE_LIST {
            return fail(Code::NOT_SUPPORTED);
        }
        if bytes == 0 || !bytes.is_multiple_of(size_of::<HANDLE>()) {
            return fail(Code::BAD_LENGTH);
        }
        let known = |index: u32| {
            let place = ENTRIES + ENTRY_SIZE * index as usize;
            list.reader().offset::<usize>(place).get() == Some(attribute)
        };
        if (0..used).any(known) {
            return fail(OBJECT_NAME_EXISTS);
        }
        if used == room {
            return fail(Code::GEN_FAILURE);
        }
        let entry = ENTRIES + ENTRY_SIZE * used as usize;
        list.offset::<usize>(entry).put(attribute);
        list.offset::<In<HANDLE>>(entry + 8).put(value);
        list.offset::<usize>(entry + 16).put(bytes);
        list.offset::<u32>(USED).put(used + 1);
        Ok(())
    })
}

/// The list holds nothing of the library's; what is left in it is not to be taken for a list.
#[unsafe(no_mangle)]
pub extern "C" fn DeleteProcThreadAttributeList(list: Out<u8>) {
    if counts(list.reader()).is_ok() {
        list.cast::<u32>().put(0);
    }
}

/// What this process's creator told it; `title` lives as long as the process.
fn started<U: Unit>(result: Out<STARTUPINFO<U>>, title: *mut U) {
    guard((), || {
        let told = process::startup_info();
        let standard = |which: usize| match process::standard_handle(which) {
            Ok(raw) if told.flags & USE_STANDARD_HANDLES != 0 => HANDLE::of(raw),
            _ => HANDLE::NULL,
        };
        let record = Told {
            size: size_of::<Told>() as u32,
            texts: [std::ptr::null_mut(), std::ptr::null_mut(), title.cast()],
            place: [0; 6],
            fill: 0,
            flags: told.flags,
            show_window: told.show_window,
            reserved_size: 0,
            reserved_2: 0,
            standard: [standard(0), standard(1), standard(2)],
        };
        result.cast::<Told>().put(record);
        Ok(())
    });
}

/// [`STARTUPINFO`] as it is filled: with pointers that are the library's own.
#[repr(C)]
#[derive(Clone, Copy)]
struct Told {
    size: u32,
    /// `lpReserved`, `lpDesktop`, `lpTitle`.
    texts: [*mut c_void; 3],
    place: [u32; 6],
    fill: u32,
    flags: u32,
    show_window: u16,
    reserved_size: u16,
    reserved_2: usize,
    standard: [HANDLE; 3],
}

// SAFETY: integers, pointers and handles, laid out as C does.
unsafe impl Plain for Told {}

const _: () = assert!(size_of::<Told>() == size_of::<STARTUPINFO<u8>>());

/// The title in the library's own memory; NULL if there is none.
fn title<U: Unit>(known: &OnceLock<Text<U>>) -> *mut U {
    let read = || process::startup_info().title.map_or(std::ptr::null_mut(), |title| forever(&title));
    guard(std::ptr::null_mut(), || Ok(known.get_or_init(|| Text(read())).0))
}

#[unsafe(no_mangle)]
pub extern "C" fn GetStartupInfoA(result: Out<STARTUPINFO<u8>>) {
    static TITLE: OnceLock<Text<u8>> = OnceLock::new();
    started(result, title(&TITLE));
}

#[unsafe(no_mangle)]
pub extern "C" fn GetStartupInfoW(result: Out<STARTUPINFO<u16>>) {
    static TITLE: OnceLock<Text<u16>> = OnceLock::new();
    started(result, title(&TITLE));
}
