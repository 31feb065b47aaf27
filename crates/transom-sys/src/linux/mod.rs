//! Linux: one function per system call, the kernel's own error numbers, no rules.
//!
//! # Safety
//! This module tree is where system calls are made; files that need `unsafe` say why at each block.
#![allow(unsafe_code)]

pub mod affinity;
pub mod barrier;
pub mod bell;
pub mod dirs;
pub mod fault;
pub mod fd;
pub mod file;
pub mod futex;
pub mod host;
pub mod inbox;
pub mod lock;
pub mod map;
pub mod memfd;
pub mod pipe;
pub mod poller;
pub mod process;
pub mod procfs;
pub mod random;
pub mod robust;
pub mod shm;
pub mod signal;
pub mod socket;
pub mod thread;

pub use rustix::io::Errno;
