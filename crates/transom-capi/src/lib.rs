//! `libtransom`: the Win32 names for C and C++ programs on Linux.
//!
//! On Windows this crate is empty, since the system offers those names itself.
//!
//! # Where to look
//!
//! | what | where |
//! | --- | --- |
//! | what a function promises | beside its declaration in `include/transom/*.h` |
//! | every export, with its first version | `symbols.txt` |
//! | pointers, strings, the panic guard | `ffi` |
//! | the few system calls that are not in `transom` | `os` |
//! | everything else | a module per noun: `file`, `mapping`, `event`, `process` … |
//!
//! # The three steps
//! A function of this crate checks pointers and lengths, calls the safe API of `transom`, and sets the last
//! error. It holds no rule of its own; where it seems to, the rule is about C: a buffer that is too small,
//! a NULL where the header does not allow one, a flag that only C can misspell.
//!
//! # The last error
//! A failing call sets it. A succeeding one leaves it alone, except those that make or open a named object by
//! a Create function, which set 0 or 183, and those whose header says so. The wait functions set it for
//! `WAIT_FAILED` only.
//!
//! # Safety
//! A program in C can pass any pointer. The types of `ffi` carry its promise that a pointer is what the
//! header asks for; C makes their values, Rust cannot. No panic leaves a function of this crate but those of
//! `window` that run procedures of the program, which must let `ExitThread` unwind.
#![cfg(target_os = "linux")]
// The names are Microsoft's.
#![allow(non_snake_case, non_camel_case_types, clippy::upper_case_acronyms)]

mod apc;
mod console;
mod critical_section;
mod date;
mod environment;
mod event;
mod ffi;
mod file;
mod file_locks;
mod file_moves;
mod file_names;
mod handle;
mod heap;
mod io;
mod last_error;
mod mailslot;
mod mapping;
mod memory;
mod message;
mod module;
mod mutex;
mod named_pipe;
mod os;
mod overlapped;
mod pages;
mod pending;
mod pipe;
mod process;
mod process_memory;
mod process_state;
mod security;
mod semaphore;
mod slim_locks;
mod startup;
mod status;
mod system;
mod text;
mod thread;
mod thread_values;
mod virtual_memory;
mod wait;
mod window;
