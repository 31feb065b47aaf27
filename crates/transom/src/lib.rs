//! Windows' ways of sharing data between processes, with the same names, semantics and error codes:
//! native on Linux, a thin layer over the real Win32 API on Windows.
//!
//! | Win32 | here |
//! | --- | --- |
//! | `CreateFileMapping`, `MapViewOfFile` | [`mapping`] |
//! | `CreateEvent`, `SetEvent` | [`event`] |
//! | `CreateMutex`, `ReleaseMutex` | [`mutex`] |
//! | `CreateSemaphore`, `ReleaseSemaphore` | [`semaphore`] |
//! | `WaitForSingleObject`, `WaitForMultipleObjects` | [`wait`] |
//! | `CreateProcess`, `OpenProcess` | [`process`] |
//! | `CreateThread`, `OpenThread` | [`thread`] |
//! | `CreatePipe`, `CreateNamedPipe` | [`pipe`] |
//! | `CreateMailslot` | [`mailslot`] |
//! | `CreateWindowEx`, `SendMessage`, `WM_COPYDATA` | [`window`] |
//! | a named mutex, `FindWindow` and `WM_COPYDATA` for one instance at a time | [`instance`] |
//! | `DuplicateHandle`, inheritance | [`handle`] |
//!
//! # What it does, and what not
//! Names vanish with their last holder, also after `SIGKILL`; no daemon runs, nothing needs cleaning up.
//! With the feature `tokio`, `aio` has pipes and windows for asynchronous programs. The clipboard and DDE are not here
//! yet.
//!
//! # Example
//! ```
//! use transom::mapping::Mapping;
//! # fn main() -> Result<(), transom::Error> {
//! # let name = format!("doc-example-{}", std::process::id());
//! let created = Mapping::create(&name, 4096)?;
//! assert!(!created.existed);
//! let view = created.object.view()?;
//! view.write(0, b"hello")?;
//!
//! // Another process, or this one, opens it by name and sees the same bytes.
//! let mut bytes = [0; 5];
//! Mapping::open(&name)?.view()?.read(0, &mut bytes)?;
//! assert_eq!(&bytes, b"hello");
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "tokio")]
pub mod aio;
#[cfg(target_os = "linux")]
mod engine;
pub mod error;
pub mod event;
pub mod handle;
pub mod instance;
pub mod mailslot;
pub mod mapping;
pub mod mutex;
pub mod namespace;
pub mod net;
pub mod pipe;
pub mod process;
pub mod security;
pub mod semaphore;
pub mod thread;
pub mod wait;
pub mod window;

#[cfg(test)]
extern crate self as transom; // The support code names the library as its users do.
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;

pub use error::{Code, Error, Result};
mod racing;
