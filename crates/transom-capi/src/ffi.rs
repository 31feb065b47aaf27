//! Where C meets Rust: pointers, strings, results, panics.
//!
//! # How a pointer is trusted
//! A parameter that points somewhere has the type [`In`] (read) or [`Out`] (written, or read and written).
//! Both are a bare pointer to C. Their fields are private and there is no safe way to make one, so each
//! value comes from a C program, and with it comes the promise of the header: NULL, or valid for the call.
//! That is why their methods are safe, and why functions of the other modules, which only pass them on, need
//! no unsafe block.
//!
//! # Safety
//! F1. An [`In`] is NULL or may be read: one value, the number of values the caller tells beside it, or up
//!     to a zero. F2. An [`Out`] is NULL or may also be written. F3. Nobody else writes there during the
//!     call, as with every C function. Neither needs to be aligned.
//! F4. What an operation with an OVERLAPPED was given stays so until the operation has ended, in whichever
//!     thread; until then the program at most looks at the OVERLAPPED.
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString, c_void};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

use transom::handle::RawHandle;
use transom::{Code, Error};
use transom_core::text;

use crate::{last_error, os};

/// `BOOL`.
pub(crate) type Bool = i32;
/// `TRUE`.
pub(crate) const TRUE: Bool = 1;
/// `FALSE`.
pub(crate) const FALSE: Bool = 0;
/// Names for A functions are shorter than this.
pub(crate) const MAX_PATH: usize = 260;

/// Why a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure(pub(crate) Code);

impl From<Code> for Failure {
    fn from(code: Code) -> Failure {
        Failure(code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure(error.code())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure(os::code(&error))
    }
}

/// What a call gives before it is turned into C's way of telling.
pub(crate) type Outcome<T> = Result<T, Failure>;

/// A failure with this code.
pub(crate) fn fail<T>(code: Code) -> Outcome<T> {
    Err(Failure(code))
}

/// Runs a call's body; a failure, or a panic, sets the last error and gives `failure`.
pub(crate) fn guard<T>(failure: T, body: impl FnOnce() -> Outcome<T>) -> T {
    // Whatever a panic leaves behind is behind a lock that knows of it, or was local to the body.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(Failure(code))) => {
            last_error::set(code);
            failure
        }
        Err(payload) => {
            // Dropping it could panic again.
            std::mem::forget(payload);
            last_error::set(Code::INTERNAL_ERROR);
            failure
        }
    }
}

/// A call that answers TRUE or FALSE.
pub(crate) fn truth(body: impl FnOnce() -> Outcome<()>) -> Bool {
    guard(FALSE, || body().map(|()| TRUE))
}

/// A call that answers with a handle, or NULL.
pub(crate) fn opened(body: impl FnOnce() -> Outcome<RawHandle>) -> HANDLE {
    guard(HANDLE::NULL, || body().map(HANDLE::of))
}

/// A call that makes a named object: the last error tells whether it existed (M10, M11).
pub(crate) fn created(body: impl FnOnce() -> Outcome<(RawHandle, bool)>) -> HANDLE {
    guard(HANDLE::NULL, || {
        let (raw, existed) = body()?;
        last_error::set(if existed { Code::ALREADY_EXISTS } else { Code::SUCCESS });
        Ok(HANDLE::of(raw))
    })
}

/// `HANDLE`: a value, never a pointer to anything.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HANDLE(*mut c_void);

impl HANDLE {
    /// `NULL`.
    pub(crate) const NULL: HANDLE = HANDLE(std::ptr::null_mut());
    /// `INVALID_HANDLE_VALUE`.
    pub(crate) const INVALID: HANDLE = HANDLE(std::ptr::without_provenance_mut(usize::MAX));

    /// The handle as the library knows it.
    pub(crate) fn raw(self) -> RawHandle {
        RawHandle::new(self.0.addr())
    }

    /// The handle as C knows it.
    pub(crate) fn of(raw: RawHandle) -> HANDLE {
        HANDLE(std::ptr::without_provenance_mut(raw.value()))
    }

    /// Whether it is NULL or `INVALID_HANDLE_VALUE`.
    pub(crate) fn is_none(self) -> bool {
        self == HANDLE::NULL || self == HANDLE::INVALID
    }
}

/// Plain data as C lays it out: every bit pattern is a value.
///
/// # Safety
/// The type is `repr(C)`, `repr(transparent)` or primitive, and no bit pattern of it is invalid.
pub(crate) unsafe trait Plain: Copy {}

macro_rules! plain {
    ($($type:ty)*) => {
        // SAFETY: integers, and records of integers and pointers.
        $( unsafe impl Plain for $type {} )*
    };
}
plain! { u8 u16 u32 i32 u64 i64 usize HANDLE *mut c_void }

// SAFETY: bare pointers of the program's, to which F1 to F4 apply in every thread alike.
unsafe impl<T: Plain> Send for In<T> {}
// SAFETY: as above.
unsafe impl<T: Plain> Send for Out<T> {}

// SAFETY: bare pointers.
unsafe impl<T: Plain> Plain for In<T> {}
// SAFETY: as above.
unsafe impl<T: Plain> Plain for Out<T> {}

/// A pointer to what a call reads (F1).
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct In<T>(*const T);

impl<T: Plain> In<T> {
    /// Whether the pointer is NULL.
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// The value; `None` for NULL.
    pub(crate) fn get(self) -> Option<T> {
        // SAFETY: not NULL, so readable (F1).
        (!self.is_null()).then(|| unsafe { self.0.read_unaligned() })
    }

    /// The value of a pointer that must not be NULL.
    pub(crate) fn required(self) -> Outcome<T> {
        self.get().ok_or(Failure(Code::NOACCESS))
    }

    /// A copy of the `count` values there.
    pub(crate) fn values(self, count: usize) -> Outcome<Vec<T>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        if self.is_null() {
            return fail(Code::NOACCESS);
        }
        // SAFETY: the caller tells how many values may be read (F1).
        Ok((0..count).map(|index| unsafe { self.0.wrapping_add(index).read_unaligned() }).collect())
    }

    /// The number, where C passes a small number instead of a pointer (`MAKEINTATOM`).
    pub(crate) fn number(self) -> Option<u16> {
        u16::try_from(self.0.addr()).ok()
    }

    /// The pointer as a number, to be passed on in a parameter of a message.
    pub(crate) fn value(self) -> usize {
        self.0.expose_provenance()
    }

    /// The same place, read as values of another type.
    pub(crate) fn cast<U: Plain>(self) -> In<U> {
        In(self.0.cast())
    }

    /// The place so many bytes further on.
    pub(crate) fn offset<U: Plain>(self, bytes: usize) -> In<U> {
        In(self.0.cast::<u8>().wrapping_add(bytes).cast())
    }
}

impl In<u8> {
    /// The `length` bytes there, not copied.
    pub(crate) fn bytes(&self, length: usize) -> Outcome<&[u8]> {
        if length == 0 {
            return Ok(&[]);
        }
        if self.is_null() || length > isize::MAX as usize {
            return fail(Code::NOACCESS);
        }
        // SAFETY: the caller tells how many bytes may be read (F1), and nobody writes them (F3).
        Ok(unsafe { std::slice::from_raw_parts(self.0, length) })
    }
}

/// A pointer to what a call writes (F2).
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Out<T>(*mut T);

impl<T: Plain> Out<T> {
    /// Whether the pointer is NULL.
    pub(crate) fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// NULL, for a pointer that C is given.
    pub(crate) const fn null() -> Out<T> {
        Out(std::ptr::null_mut())
    }

    /// The pointer itself, to be given back to C.
    pub(crate) fn pointer(self) -> *mut T {
        self.0
    }

    /// Stores the value, unless the pointer is NULL.
    pub(crate) fn put(self, value: T) {
        if !self.is_null() {
            // SAFETY: not NULL, so writable (F2).
            unsafe { self.0.write_unaligned(value) };
        }
    }

    /// Stores the values one behind the other.
    pub(crate) fn put_all(self, values: &[T]) {
        if self.is_null() {
            return;
        }
        for (index, value) in values.iter().enumerate() {
            // SAFETY: the caller told that there is room (F2), and the function stores no more than that.
            unsafe { self.0.wrapping_add(index).write_unaligned(*value) };
        }
    }

    /// The pointer, which must not be NULL.
    pub(crate) fn required(self) -> Outcome<Out<T>> {
        if self.is_null() { fail(Code::NOACCESS) } else { Ok(self) }
    }

    /// The same place, to be read.
    pub(crate) fn reader(self) -> In<T> {
        In(self.0)
    }

    /// The same place, as values of another type.
    pub(crate) fn cast<U: Plain>(self) -> Out<U> {
        Out(self.0.cast())
    }

    /// The place so many bytes further on.
    pub(crate) fn offset<U: Plain>(self, bytes: usize) -> Out<U> {
        Out(self.0.cast::<u8>().wrapping_add(bytes).cast())
    }
}

impl Out<usize> {
    /// Stores a value that other threads look at meanwhile; who sees it sees all that was stored before.
    pub(crate) fn publish(self, value: usize) {
        if self.0.is_aligned() && !self.is_null() {
            // SAFETY: not NULL, aligned, and writable until the operation has ended (F4).
            unsafe { AtomicUsize::from_ptr(self.0) }.store(value, Ordering::Release);
        } else {
            fence(Ordering::Release);
            self.put(value);
        }
    }

    /// What [`Out::publish`] stored last.
    pub(crate) fn observe(self) -> usize {
        if self.0.is_aligned() && !self.is_null() {
            // SAFETY: as in `publish`.
            return unsafe { AtomicUsize::from_ptr(self.0) }.load(Ordering::Acquire);
        }
        let value = self.reader().get().unwrap_or(0);
        fence(Ordering::Acquire);
        value
    }
}

impl Out<u8> {
    /// The `length` bytes there, to be filled.
    pub(crate) fn bytes(&mut self, length: usize) -> Outcome<&mut [u8]> {
        if length == 0 {
            return Ok(&mut []);
        }
        if self.is_null() || length > isize::MAX as usize {
            return fail(Code::NOACCESS);
        }
        // SAFETY: the caller tells how many bytes may be written (F2), and nobody else uses them (F3). They
        // are C's, for whom bytes always have a value.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.0, length) })
    }
}

/// A character of a C string: `u8` in A functions, where strings are UTF-8, and `u16` in W functions.
pub(crate) trait Unit: Plain + Eq + Default + 'static {
    /// The characters of a text, without terminator.
    fn from_text(text: &[u8]) -> Vec<Self>;

    /// The text of characters: UTF-8, with lone halves of surrogate pairs as in [`transom_core::text`].
    fn to_text(units: &[Self]) -> Vec<u8>;

    /// The characters as an object's name.
    ///
    /// # Errors
    /// `ERROR_FILENAME_EXCED_RANGE` (206): too long for an A function (M37).
    fn to_name(units: &[Self]) -> Outcome<Vec<u16>>;

    /// The bytes of characters as they lie in memory.
    fn to_bytes(units: &[Self]) -> Vec<u8>;
}

impl Unit for u8 {
    fn from_text(text: &[u8]) -> Vec<u8> {
        text.to_vec()
    }

    fn to_text(units: &[u8]) -> Vec<u8> {
        units.to_vec()
    }

    fn to_name(units: &[u8]) -> Outcome<Vec<u16>> {
        let name = text::to_utf16(units);
        if name.len() >= MAX_PATH { fail(Code::FILENAME_EXCED_RANGE) } else { Ok(name) }
    }

    fn to_bytes(units: &[u8]) -> Vec<u8> {
        units.to_vec()
    }
}

impl Unit for u16 {
    fn from_text(text: &[u8]) -> Vec<u16> {
        text::to_utf16(text)
    }

    fn to_text(units: &[u16]) -> Vec<u8> {
        text::from_utf16(units)
    }

    fn to_name(units: &[u16]) -> Outcome<Vec<u16>> {
        Ok(units.to_vec())
    }

    fn to_bytes(units: &[u16]) -> Vec<u8> {
        units.iter().flat_map(|unit| unit.to_ne_bytes()).collect()
    }
}

impl<U: Unit> In<U> {
    /// The string's characters, without terminator; `None` for NULL.
    pub(crate) fn units(self) -> Option<Vec<U>> {
        if self.is_null() {
            return None;
        }
        let mut units = Vec::new();
        loop {
            // SAFETY: a string may be read up to its terminator (F1), and none has been seen yet.
            let unit = unsafe { self.0.wrapping_add(units.len()).read_unaligned() };
            if unit == U::default() {
                return Some(units);
            }
            units.push(unit);
        }
    }

    /// As [`In::units`], at most `limit` of them, so that the terminator may be missing.
    pub(crate) fn units_up_to(self, limit: usize) -> Option<Vec<U>> {
        if self.is_null() {
            return None;
        }
        let mut units = Vec::new();
        while units.len() < limit {
            // SAFETY: the caller tells how far the string may be read (F1).
            let unit = unsafe { self.0.wrapping_add(units.len()).read_unaligned() };
            if unit == U::default() {
                break;
            }
            units.push(unit);
        }
        Some(units)
    }

    /// The characters of strings one behind the other, up to an empty one, with their terminators.
    pub(crate) fn block(self) -> Option<Vec<U>> {
        if self.is_null() {
            return None;
        }
        let mut units = Vec::new();
        loop {
            let at: In<U> = self.offset(units.len() * size_of::<U>());
            let mut string = at.units().unwrap_or_default();
            let end = string.is_empty();
            units.append(&mut string);
            units.push(U::default());
            if end {
                return Some(units);
            }
        }
    }

    /// The string as text; `None` for NULL.
    pub(crate) fn text(self) -> Option<Vec<u8>> {
        self.units().map(|units| U::to_text(&units))
    }

    /// The string as text for the standard library; `None` for NULL.
    pub(crate) fn os_text(self) -> Option<OsString> {
        self.text().map(OsString::from_vec)
    }

    /// The string as the name of an object; `None` for NULL.
    pub(crate) fn name(self) -> Outcome<Option<Vec<u16>>> {
        self.units().map(|units| U::to_name(&units)).transpose()
    }

    /// The string as a path, with slashes for backslashes.
    ///
    /// # Errors
    /// `ERROR_PATH_NOT_FOUND` (3): NULL, or nothing.
    pub(crate) fn path(self) -> Outcome<PathBuf> {
        let text = self.text().unwrap_or_default();
        if text.is_empty() { fail(Code::PATH_NOT_FOUND) } else { Ok(path_of(text)) }
    }
}

/// A path of Windows' spelling: a backslash separates as a slash does.
pub(crate) fn path_of(mut text: Vec<u8>) -> PathBuf {
    for byte in &mut text {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
    PathBuf::from(OsString::from_vec(text))
}

impl<U: Unit> Out<U> {
    /// Stores a text and its terminator if the buffer of `size` characters has room, and gives the length
    /// without terminator; else stores nothing and gives the size needed, terminator included.
    pub(crate) fn put_text(self, size: u32, text: &OsStr) -> u32 {
        let mut units = U::from_text(text.as_bytes());
        let length = length(units.len());
        if self.is_null() || length >= size {
            return length.saturating_add(1);
        }
        units.push(U::default());
        self.put_all(&units);
        length
    }
}

/// A count as C is told it.
pub(crate) fn length(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A string with its terminator that lives as long as the process, as some functions give away.
pub(crate) fn forever<U: Unit>(text: &OsStr) -> *mut U {
    let mut units = U::from_text(text.as_bytes());
    units.push(U::default());
    Box::into_raw(units.into_boxed_slice()).cast()
}

/// A string of [`forever`] that threads share.
pub(crate) struct Text<U>(pub(crate) *mut U);

// SAFETY: the characters live as long as the process; C says who may write them.
unsafe impl<U> Send for Text<U> {}
// SAFETY: as above.
unsafe impl<U> Sync for Text<U> {}

/// Pointers for tests, which have no C to get them from.
#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A pointer to read through.
    pub(crate) fn given<T: Plain>(values: &[T]) -> In<T> {
        In(values.as_ptr())
    }

    /// A pointer to write through.
    pub(crate) fn taken<T: Plain>(values: &mut [T]) -> Out<T> {
        Out(values.as_mut_ptr())
    }

    #[test]
    fn a_text_that_does_not_fit_is_not_written_at_all() {
        let mut buffer = [7_u16; 5];
        assert_eq!(taken(&mut buffer).put_text(5, OsStr::new("abcde")), 6);
        assert_eq!(buffer, [7; 5]);
        assert_eq!(taken(&mut buffer).put_text(5, OsStr::new("abcd")), 4);
        assert_eq!(buffer, [97, 98, 99, 100, 0]);
        assert_eq!(Out::<u8>(std::ptr::null_mut()).put_text(5, OsStr::new("abcd")), 5);
    }

    #[test]
    fn a_block_ends_at_its_empty_string() {
        assert_eq!(given(b"A=1\0B=2\0\0rest\0").block(), Some(b"A=1\0B=2\0\0".to_vec()));
        assert_eq!(given(b"\0rest\0").block(), Some(b"\0".to_vec()));
    }

    /// M37
    #[test]
    fn only_narrow_names_are_limited() {
        let long = [b'x'; 260];
        assert_eq!(u8::to_name(&long), fail(Code::FILENAME_EXCED_RANGE));
        assert_eq!(u8::to_name(&long[1..]).map(|name| name.len()), Ok(259));
        assert_eq!(u16::to_name(&[120; 300]).map(|name| name.len()), Ok(300));
        // 200 characters of three bytes each are 200 characters.
        assert_eq!(u8::to_name("\u{20AC}".repeat(200).as_bytes()).map(|name| name.len()), Ok(200));
    }

    #[test]
    fn a_panic_becomes_the_failure_value_and_an_error() {
        assert_eq!(guard(7, || panic!("on purpose")), 7);
        assert_eq!(last_error::GetLastError(), Code::INTERNAL_ERROR.value());
    }
}
