//! The Linux side of the tests' support.

use std::fs::File;

use transom::handle::ext;

/// Whether the native build runs, and not the one over Win32.
pub const ON_LINUX: bool = true;

/// A program that ends at once, whatever its arguments. (This test program with arguments it does not expect
/// would run all tests, which start it again.)
pub const HARMLESS: &str = "/bin/true";

/// Never on Linux.
pub fn under_wine() -> bool {
    false
}

/// `SetEndOfFile` at `length`; gives the Win32 code.
pub fn set_end_of_file(file: &File, length: u64) -> u32 {
    let copy = file.try_clone().expect("a second descriptor");
    let handle = ext::adopt_file(copy, false).expect("a handle to the file");
    super::code(ext::set_file_length(&handle, length))
}
