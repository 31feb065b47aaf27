//! Handles over the real calls, and what the backends of all named objects share.

use transom_sys::windows::{self as sys, security};

use super::{Attributes, Created, DuplicateOptions, Handle, HandleFlags, Kind, RawHandle};
use crate::error::{Code, Error, Result};
use crate::process::Process;

/// Nothing: the kernel looks a handle up at each call.
#[derive(Clone)]
pub(crate) struct Resolved;

impl Resolved {
    pub(crate) fn pseudo(_raw: RawHandle) -> Resolved {
        Resolved
    }
}

/// Whether there is such an entry; the pseudo handles always are.
pub(crate) fn resolve(raw: RawHandle) -> Result<Resolved> {
    if !raw.is_pseudo() {
        sys::handle::information(raw.value()).map_err(failed("look up handle"))?;
    }
    Ok(Resolved)
}

pub(crate) fn close(raw: RawHandle) -> Result<()> {
    sys::handle::close(raw.value()).map_err(failed("close handle"))
}

/// The object's type, as the system calls it. Files and pipes are of one type there.
pub(crate) fn kind(handle: &Handle) -> Option<Kind> {
    sys::handle::type_name(value(handle), |name| match String::from_utf16_lossy(name).as_str() {
        "Event" => Some(Kind::Event),
        "Mutant" => Some(Kind::Mutex),
        "Semaphore" => Some(Kind::Semaphore),
        "Section" => Some(Kind::Mapping),
        "Process" => Some(Kind::Process),
        "Thread" => Some(Kind::Thread),
        _ => None,
    })
    .ok()
    .flatten()
}

pub(crate) fn information(handle: &Handle) -> Result<HandleFlags> {
    let flags = sys::handle::information(value(handle)).map_err(failed("get handle information"))?;
    Ok(HandleFlags {
        inherit: flags & sys::handle::INHERIT != 0,
        protect_from_close: flags & sys::handle::PROTECT_FROM_CLOSE != 0,
    })
}

pub(crate) fn set_information(handle: &Handle, flags: HandleFlags) -> Result<()> {
    let inherit = if flags.inherit { sys::handle::INHERIT } else { 0 };
    let protect = if flags.protect_from_close { sys::handle::PROTECT_FROM_CLOSE } else { 0 };
    let mask = sys::handle::INHERIT | sys::handle::PROTECT_FROM_CLOSE;
    sys::handle::set_information(value(handle), mask, inherit | protect)
        .map_err(failed("set handle information"))
}

pub(crate) fn duplicate(
    source: &Process,
    raw: RawHandle,
    target: &Process,
    options: DuplicateOptions,
) -> Result<RawHandle> {
    let same_access = if options.access.is_none() { sys::handle::SAME_ACCESS } else { 0 };
    let close_source = if options.close_source { sys::handle::CLOSE_SOURCE } else { 0 };
    sys::handle::duplicate(
        value(&source.0),
        raw.value(),
        value(&target.0),
        options.access.unwrap_or(0),
        options.inherit,
        same_access | close_source,
    )
    .map(RawHandle::new)
    .map_err(failed("duplicate handle"))
}

pub(crate) fn close_in(process: &Process, raw: RawHandle) -> Result<()> {
    sys::handle::close_in(value(&process.0), raw.value()).map_err(failed("close handle of another process"))
}

pub(crate) fn same_object(first: &Handle, second: &Handle) -> bool {
    sys::handle::same_object(value(first), value(second))
}

/// The number that the calls take.
pub(crate) fn value(handle: &Handle) -> sys::Handle {
    // Here a handle stands for nothing but its number.
    let Resolved = handle.resolved;
    handle.as_raw().value()
}

/// The owner of a number that a call has just made.
pub(crate) fn adopt(handle: sys::Handle) -> Handle {
    Handle { raw: RawHandle::new(handle), owned: true, resolved: Resolved }
}

/// An error of `operation` with the code that a call left.
pub(crate) fn failed(operation: &'static str) -> impl FnOnce(u32) -> Error {
    move |code| Error::new(operation, Code::new(code))
}

/// Creates a named object: `create` gets its security attributes and name.
pub(crate) fn create_object(
    operation: &'static str,
    attributes: &Attributes,
    create: impl FnOnce(&security::Attributes<'_>, Option<&[u16]>) -> sys::Result<sys::Created>,
) -> Result<Created<Handle>> {
    let error = |code| attributes.error(operation, Code::new(code));
    let descriptor = match &attributes.security {
        Some(security) => Some(security::Descriptor::from_sddl(&security.to_sddl()).map_err(error)?),
        None => None,
    };
    let security = security::Attributes::new(descriptor.as_ref(), attributes.inherit);
    let created = create(&security, attributes.name.as_deref()).map_err(error)?;
    Ok(Created { object: adopt(created.handle), existed: created.existed })
}

/// Opens a named object: `open` gets the access, `all_access` by default, whether the handle is
/// inheritable, and the name.
pub(crate) fn open_object(
    operation: &'static str,
    attributes: &Attributes,
    all_access: u32,
    open: impl FnOnce(u32, bool, Option<&[u16]>) -> sys::Result<sys::Handle>,
) -> Result<Handle> {
    open(attributes.access.unwrap_or(all_access), attributes.inherit, attributes.name.as_deref())
        .map(adopt)
        .map_err(|code| attributes.error(operation, Code::new(code)))
}

/// Conversions from and to the standard library's handles.
///
/// # Safety
/// A [`Handle`] is the owner of its number, and hands over just that.
#[allow(unsafe_code)]
pub mod ext {
    use std::os::windows::io::{AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};

    use super::{Handle, RawHandle, adopt};

    impl From<OwnedHandle> for Handle {
        fn from(handle: OwnedHandle) -> Handle {
            adopt(handle.into_raw_handle().expose_provenance())
        }
    }

    impl From<Handle> for OwnedHandle {
        fn from(handle: Handle) -> OwnedHandle {
            let raw = std::ptr::with_exposed_provenance_mut(handle.into_raw().value());
            // SAFETY: the number was this value's to close, and has just been given up.
            unsafe { OwnedHandle::from_raw_handle(raw) }
        }
    }

    impl AsRawHandle for Handle {
        fn as_raw_handle(&self) -> std::os::windows::io::RawHandle {
            std::ptr::without_provenance_mut(self.as_raw().value())
        }
    }

    impl From<std::os::windows::io::RawHandle> for RawHandle {
        fn from(raw: std::os::windows::io::RawHandle) -> RawHandle {
            RawHandle::new(raw.addr())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::windows::io::{AsRawHandle, OwnedHandle};

    use super::{Handle, RawHandle};
    use crate::event::Event;
    use crate::handle::{AsHandle, FromHandle, Kind};
    use crate::pipe::{Pipe, PipeReader};
    use crate::support::limit;

    #[test]
    fn handles_of_the_standard_library_become_ours_and_back() {
        let _limit = limit();
        let (theirs, mut writer) = std::io::pipe().unwrap();
        let number = theirs.as_raw_handle();
        let handle = Handle::from(OwnedHandle::from(theirs));
        assert_eq!(handle.as_raw(), RawHandle::from(number));
        assert_eq!(handle.as_raw_handle(), number);
        let mut ours = PipeReader::new(Pipe::from_handle(handle).unwrap());
        writer.write_all(b"abc").unwrap();
        let mut bytes = [0; 3];
        ours.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"abc");

        let event = Event::new(true).unwrap().as_handle().try_clone().unwrap();
        let number = event.as_raw();
        let theirs = OwnedHandle::from(event);
        assert_eq!(RawHandle::from(theirs.as_raw_handle()), number);
        drop(theirs);
        assert!(Handle::borrow(number).is_err_and(|error| error.code().value() == 6) || reused(number));
    }

    /// Whether another test's thread got the number meanwhile.
    fn reused(number: RawHandle) -> bool {
        Handle::borrow(number).is_ok()
    }

    /// The kernel has one type for both.
    #[test]
    fn pipes_and_files_do_not_tell_their_kind() {
        let _limit = limit();
        let (reader, writer) = crate::pipe::anonymous().unwrap();
        let file = Handle::from(OwnedHandle::from(tempfile::tempfile().unwrap()));
        let kinds = [reader.as_handle().kind(), writer.as_handle().kind(), file.kind()];
        assert_eq!(kinds, [None; 3]);
        assert_eq!(Event::new(true).unwrap().as_handle().kind(), Some(Kind::Event));
    }

    /// The reason why `kind` does not ask `GetFileType`: it would wait for the read.
    #[test]
    fn a_pipe_that_is_being_read_can_be_taken_over_meanwhile() {
        let _limit = limit();
        let (reader, writer) = crate::pipe::anonymous().unwrap();
        let number = reader.as_handle().as_raw();
        std::thread::scope(|scope| {
            let reading = scope.spawn(|| reader.pipe().receive(&mut [0; 8]).unwrap());
            let _borrowed = Pipe::borrow(number).unwrap();
            writer.pipe().send(b"done").unwrap();
            assert_eq!(reading.join().unwrap(), 4);
        });
    }
}
