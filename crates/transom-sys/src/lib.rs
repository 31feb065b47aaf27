//! The operating system as transom uses it, and nothing else.
//!
//! The only crate that names the system's own libraries. One function is one call: it takes plain
//! values, gives back what the call returned or the number the system failed with, and knows no
//! rule of Windows' sharing. Which number means what is for its caller to say.

#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(windows)]
pub mod windows;
