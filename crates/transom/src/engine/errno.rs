//! errno → Win32 code. The one place where the kernel's numbers become Windows'.

use transom_core::code::Code;
use transom_sys::linux::Errno;

/// The code that Windows gives for what `errno` means, where an operation has no meaning of its own for it.
pub(crate) fn code(errno: Errno) -> Code {
    match errno {
        Errno::NOENT => Code::FILE_NOT_FOUND,
        Errno::NOTDIR => Code::PATH_NOT_FOUND,
        Errno::MFILE | Errno::NFILE => Code::TOO_MANY_OPEN_FILES,
        Errno::ACCESS | Errno::PERM | Errno::ROFS | Errno::LOOP | Errno::TXTBSY | Errno::ISDIR => {
            Code::ACCESS_DENIED
        }
        Errno::BADF => Code::INVALID_HANDLE,
        Errno::NOMEM => Code::NOT_ENOUGH_MEMORY,
        Errno::NOLCK | Errno::NOBUFS | Errno::TOOMANYREFS => Code::NO_SYSTEM_RESOURCES,
        Errno::NOSPC | Errno::DQUOT | Errno::FBIG => Code::DISK_FULL,
        Errno::EXIST => Code::ALREADY_EXISTS,
        Errno::NAMETOOLONG => Code::FILENAME_EXCED_RANGE,
        Errno::PIPE => Code::NO_DATA,
        Errno::AGAIN | Errno::BUSY => Code::BUSY,
        Errno::NOSYS | Errno::OPNOTSUPP => Code::NOT_SUPPORTED,
        Errno::SRCH | Errno::INVAL | Errno::FAULT => Code::INVALID_PARAMETER,
        Errno::NOEXEC => Code::BAD_EXE_FORMAT,
        Errno::IO => Code::IO_DEVICE,
        _ => Code::GEN_FAILURE,
    }
}

/// As [`code`], for `map_err`.
pub(crate) fn to_code<T>(result: Result<T, Errno>) -> Result<T, Code> {
    result.map_err(code)
}

/// Runs a call that makes a descriptor; if the soft limit of open files stops it, raises that to the hard
/// one and tries again. Windows programs hold thousands of handles, and the usual soft limit is 1024.
pub(crate) fn with_room<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Code> {
    match call() {
        Err(Errno::MFILE) if transom_sys::linux::fd::raise_limit() => to_code(call()),
        result => to_code(result),
    }
}
