//! Handles: how a process names the objects it uses, and how they reach other processes.
//!
//! A [`Handle`] owns one entry of this process's handle table: a reference to an object, the access
//! rights it was given, and two flags (inherit, protect-from-close). Its number, the [`RawHandle`], is
//! what a child inherits *under the same value* and what is told to another process after a
//! duplication into it. Dropping a `Handle` is `CloseHandle`.
//!
//! The typed objects of this crate ([`Event`](crate::event::Event), [`Mapping`](crate::mapping::Mapping)…)
//! each wrap one `Handle`; [`AsHandle`] gives it back.
//!
//! # The backend contract
//!
//! `linux.rs` and `windows.rs` each export: the type `Resolved` (what a number stands for; empty on
//! Windows), and `resolve`, `close`, `information`, `set_information`, `duplicate`, `close_in`, `kind`,
//! `same_object` and the system's own conversions in `ext`.

use std::fmt;
use std::ops::Deref;

use crate::error::{Code, Error, Result};
use crate::process::Process;

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
pub(crate) mod imp;

#[cfg(test)]
mod tests;

pub use imp::ext;
pub use transom_core::access::Kind;

/// A handle's number in the process that owns it (`HANDLE`).
///
/// Multiples of 4, never 0; the same number means nothing in another process, unless it was
/// inherited there or duplicated into it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RawHandle(usize);

impl RawHandle {
    /// `NULL`: no handle.
    pub const NULL: RawHandle = RawHandle(0);
    /// `INVALID_HANDLE_VALUE`, which is also the pseudo handle of the calling process.
    pub const INVALID: RawHandle = RawHandle(usize::MAX);
    /// `GetCurrentProcess()`.
    pub const CURRENT_PROCESS: RawHandle = RawHandle(usize::MAX);
    /// `GetCurrentThread()`.
    pub const CURRENT_THREAD: RawHandle = RawHandle(usize::MAX - 1);

    /// The handle with this number, as it arrived on a command line or in a message.
    #[must_use]
    pub const fn new(value: usize) -> RawHandle {
        RawHandle(value)
    }

    /// The number, to be told to another process.
    #[must_use]
    pub const fn value(self) -> usize {
        self.0
    }

    /// Whether this is one of the pseudo handles, which every process has and nobody closes.
    #[must_use]
    pub const fn is_pseudo(self) -> bool {
        self.0 >= usize::MAX - 1
    }
}

impl fmt::Debug for RawHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawHandle({:#x})", self.0)
    }
}

impl fmt::Display for RawHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The two flags of a handle (`GetHandleInformation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HandleFlags {
    /// `HANDLE_FLAG_INHERIT` 1: children started with inheritance get the handle (H9).
    pub inherit: bool,
    /// `HANDLE_FLAG_PROTECT_FROM_CLOSE` 2: `CloseHandle` fails with 6 and the handle stays (H7).
    pub protect_from_close: bool,
}

/// How a handle is duplicated (`DuplicateHandle`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateOptions {
    /// Rights of the new handle; `None` = those of the source (`DUPLICATE_SAME_ACCESS`, H27).
    pub access: Option<u32>,
    /// Whether the new handle is inheritable (H35).
    pub inherit: bool,
    /// Close the source, whatever happens (`DUPLICATE_CLOSE_SOURCE`, H31).
    pub close_source: bool,
}

impl Default for DuplicateOptions {
    /// Same access, not inheritable, source stays.
    fn default() -> DuplicateOptions {
        DuplicateOptions { access: None, inherit: false, close_source: false }
    }
}

/// An owned handle; dropping it is `CloseHandle`.
pub struct Handle {
    raw: RawHandle,
    /// Whether dropping closes: false in what [`Handle::borrow`] gives out.
    owned: bool,
    /// What the number stood for when it was looked up.
    pub(crate) resolved: imp::Resolved,
}

impl Handle {
    /// The handle's number in this process.
    #[must_use]
    pub fn as_raw(&self) -> RawHandle {
        self.raw
    }

    /// One of the pseudo handles, which need no closing.
    pub(crate) fn pseudo(raw: RawHandle) -> Handle {
        Handle { raw, owned: false, resolved: imp::Resolved::pseudo(raw) }
    }

    /// Gives up ownership: the entry stays in the table until somebody closes its number.
    #[must_use]
    pub fn into_raw(mut self) -> RawHandle {
        self.owned = false;
        self.raw
    }

    /// Takes ownership of a number: one inherited from the parent, received after a duplication into
    /// this process, or given up by [`Handle::into_raw`].
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): there is no such entry, or it is a pseudo handle.
    ///
    /// # Differs from Windows
    /// Two owners of one number are a mistake there as here; the second close fails with 6 and, if the
    /// number was reused meanwhile, closes somebody else's entry. Nothing worse can come of it.
    pub fn from_raw(raw: RawHandle) -> Result<Handle> {
        if raw.is_pseudo() {
            return Err(Error::new("take handle", Code::INVALID_HANDLE));
        }
        Ok(Handle { raw, owned: true, resolved: imp::resolve(raw)? })
    }

    /// Looks a number up without owning it: what every call with a `HANDLE` argument does.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): there is no such entry. Pseudo handles are accepted.
    #[inline]
    pub fn borrow(raw: RawHandle) -> Result<Borrowed<Handle>> {
        Ok(Borrowed(Handle { raw, owned: false, resolved: imp::resolve(raw)? }))
    }

    /// `CloseHandle`, with its result.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): closed already by number, or protected from closing (H7); a protected
    /// entry stays.
    pub fn close(self) -> Result<()> {
        imp::close(self.into_raw())
    }

    /// What kind of object this is a handle to; `None` where the system does not tell: on Windows for files and
    /// pipes, which are of one type there, and for objects that this library has no type for.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> Option<Kind> {
        imp::kind(self)
    }

    /// `GetHandleInformation`: the two flags.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6).
    pub fn information(&self) -> Result<HandleFlags> {
        imp::information(self)
    }

    /// `SetHandleInformation`: sets both flags (H9, H11).
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6).
    pub fn set_information(&self, flags: HandleFlags) -> Result<()> {
        imp::set_information(self, flags)
    }

    /// A second handle to the same object in this process, with the same rights, not inheritable.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6); `ERROR_TOO_MANY_OPEN_FILES` (4).
    pub fn try_clone(&self) -> Result<Handle> {
        self.duplicate(DuplicateOptions::default())
    }

    /// `DuplicateHandle` within this process.
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): more rights than a file or pipe handle has (H29).
    pub fn duplicate(&self, options: DuplicateOptions) -> Result<Handle> {
        let here = Process::current();
        let raw = duplicate(&here, self.as_raw(), &here, options)?;
        Handle::from_raw(raw)
    }

    /// `DuplicateHandle` into `target`; the number it has there has to be told to it by other means (H34).
    ///
    /// # Errors
    /// `ERROR_ACCESS_DENIED` (5): `target` was not opened with `PROCESS_DUP_HANDLE`.
    /// `ERROR_INVALID_HANDLE` (6): `target` has ended; on Linux also if it has had no handle yet, and was not started
    /// through this library.
    pub fn duplicate_into(&self, target: &Process, options: DuplicateOptions) -> Result<RawHandle> {
        duplicate(&Process::current(), self.as_raw(), target, options)
    }

    /// `DuplicateHandle` out of `source`: the number must be valid there (H34).
    ///
    /// # Errors
    /// As [`Handle::duplicate_into`]; `ERROR_INVALID_HANDLE` (6) also if `source` has no such handle.
    pub fn duplicate_from(source: &Process, raw: RawHandle, options: DuplicateOptions) -> Result<Handle> {
        let raw = duplicate(source, raw, &Process::current(), options)?;
        Handle::from_raw(raw)
    }

    /// Whether both are handles to one object (`CompareObjectHandles`).
    #[must_use]
    pub fn same_object(&self, other: &Handle) -> bool {
        imp::same_object(self, other)
    }
}

impl Drop for Handle {
    #[inline]
    fn drop(&mut self) {
        if self.owned {
            // A failure here means that the entry was closed by number or is protected: nothing to do.
            let _ = imp::close(self.raw);
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("raw", &self.as_raw()).field("kind", &self.kind()).finish()
    }
}

/// `DuplicateHandle` between any two processes; the caller may be either, or a third party (H26–H37).
///
/// Returns the new handle's number in `target`.
///
/// # Errors
/// `ERROR_INVALID_HANDLE` (6): no such handle in `source`, or a process that has ended.
/// `ERROR_ACCESS_DENIED` (5): a process opened without `PROCESS_DUP_HANDLE`; more rights than the source
/// has, for files and pipes (H29).
pub fn duplicate(
    source: &Process,
    raw: RawHandle,
    target: &Process,
    options: DuplicateOptions,
) -> Result<RawHandle> {
    imp::duplicate(source, raw, target, options)
}

/// Closes a handle inside another process (`DuplicateHandle` with `DUPLICATE_CLOSE_SOURCE` and no
/// target, H32).
///
/// # Errors
/// As [`duplicate`].
pub fn close_in(process: &Process, raw: RawHandle) -> Result<()> {
    imp::close_in(process, raw)
}

/// `CloseHandle` by number: for numbers received from elsewhere. A pseudo handle succeeds (H2).
///
/// # Errors
/// `ERROR_INVALID_HANDLE` (6): not in the table (H1), or protected from closing (H7).
pub fn close(raw: RawHandle) -> Result<()> {
    imp::close(raw)
}

/// Anything that holds a handle.
pub trait AsHandle {
    /// The handle.
    fn as_handle(&self) -> &Handle;
}

impl AsHandle for Handle {
    fn as_handle(&self) -> &Handle {
        self
    }
}

/// A typed object over a handle.
pub trait FromHandle: AsHandle + Sized {
    /// Takes a handle of the right kind.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): a handle to another kind of object. On Windows, which does not tell files from
    /// pipes ([`Handle::kind`]), the first call with the wrong one of the two fails instead.
    fn from_handle(handle: Handle) -> Result<Self>;

    /// Gives the handle back, and with it the duty to close it.
    fn into_handle(self) -> Handle;

    /// Takes ownership of a number; see [`Handle::from_raw`].
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): no such entry, or of another kind.
    fn from_raw(raw: RawHandle) -> Result<Self> {
        Self::from_handle(Handle::from_raw(raw)?)
    }

    /// Looks a number up without owning it.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): no such entry, or of another kind.
    fn borrow(raw: RawHandle) -> Result<Borrowed<Self>> {
        Handle::borrow(raw)?.into_typed()
    }

    /// Whether the handle is of the right kind.
    #[doc(hidden)]
    fn check_kind(handle: &Handle) -> Result<()>;
}

/// Checks that `handle` is of `kind`, where the system tells; the check that all typed objects share.
pub(crate) fn expect_kind(handle: &Handle, kind: Kind, operation: &'static str) -> Result<()> {
    match handle.kind() {
        Some(other) if other != kind => Err(Error::new(operation, Code::INVALID_HANDLE)),
        _ => Ok(()),
    }
}

/// An object that somebody else owns: used like the object, never closed by this value.
pub struct Borrowed<T>(T);

impl Borrowed<Handle> {
    /// The same as a typed object, without looking the number up again.
    ///
    /// # Errors
    /// `ERROR_INVALID_HANDLE` (6): of another kind; see [`FromHandle::from_handle`].
    pub fn into_typed<T: FromHandle>(self) -> Result<Borrowed<T>> {
        T::from_handle(self.0).map(Borrowed)
    }
}

impl<T> Deref for Borrowed<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

/// What a creation gave: the object, and whether it existed before (`ERROR_ALREADY_EXISTS`, a result and
/// not a failure: M10, Y39).
#[derive(Debug)]
pub struct Created<T> {
    /// The object.
    pub object: T,
    /// True if the name existed and the call opened it (last error 183), false if it is new (0).
    pub existed: bool,
}

impl<T> Created<T> {
    pub(crate) fn map<U>(self, f: impl FnOnce(T) -> U) -> Created<U> {
        Created { object: f(self.object), existed: self.existed }
    }
}

/// What every Create and Open call of a named object takes besides its own arguments.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    /// UTF-16 of the name, without terminator; `None` = unnamed.
    pub(crate) name: Option<Vec<u16>>,
    /// `SECURITY_ATTRIBUTES.bInheritHandle`.
    pub(crate) inherit: bool,
    /// The security descriptor; `None` = the default, owner only.
    pub(crate) security: Option<transom_core::security::Security>,
    /// Desired access; `None` = everything.
    pub(crate) access: Option<u32>,
}

impl Attributes {
    /// An error of `operation` that carries the name.
    pub(crate) fn error(&self, operation: &'static str, code: Code) -> Error {
        let error = Error::new(operation, code);
        match &self.name {
            Some(name) => error.with_name(String::from_utf16_lossy(name)),
            None => error,
        }
    }
}

/// The builder methods that all named objects share.
macro_rules! attribute_methods {
    () => {
        /// The object's name: unprefixed or `Local\` (this user), or `Global\` (the machine). See M32–M41.
        #[must_use]
        pub fn name(mut self, name: &str) -> Self {
            self.attributes.name = Some(name.encode_utf16().collect());
            self
        }

        /// The name in UTF-16, as the W functions take it, without terminator.
        #[must_use]
        pub fn name_utf16(mut self, name: &[u16]) -> Self {
            self.attributes.name = Some(name.to_vec());
            self
        }

        /// Whether children started with inheritance get the handle (`bInheritHandle`, H9). Default false.
        #[must_use]
        pub fn inherit(mut self, inherit: bool) -> Self {
            self.attributes.inherit = inherit;
            self
        }

        /// Who else may open the name (`lpSecurityDescriptor`). Default: only this user.
        #[must_use]
        pub fn security(mut self, security: $crate::security::Security) -> Self {
            self.attributes.security = Some(security);
            self
        }

        /// The access rights wanted (`dwDesiredAccess` of the Ex and Open forms). Default: all.
        #[must_use]
        pub fn access(mut self, access: u32) -> Self {
            self.attributes.access = Some(access);
            self
        }
    };
}
pub(crate) use attribute_methods;

/// The trait impls that every typed object over one handle has.
macro_rules! object_impls {
    ($type:ident, $kind:expr, $operation:literal) => {
        impl $crate::handle::AsHandle for $type {
            fn as_handle(&self) -> &$crate::handle::Handle {
                &self.0
            }
        }

        impl $crate::handle::FromHandle for $type {
            fn from_handle(handle: $crate::handle::Handle) -> $crate::error::Result<$type> {
                Self::check_kind(&handle)?;
                Ok($type(handle))
            }

            fn into_handle(self) -> $crate::handle::Handle {
                self.0
            }

            fn check_kind(handle: &$crate::handle::Handle) -> $crate::error::Result<()> {
                $crate::handle::expect_kind(handle, $kind, $operation)
            }
        }
    };
}
pub(crate) use object_impls;
