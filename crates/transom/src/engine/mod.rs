//! Linux only: what the Windows kernel does for us there.
//!
//! | module | what |
//! | --- | --- |
//! | [`errno`] | errno → Win32 code |
//! | [`sync`] | the shared page of an event, mutex, semaphore or thread |
//! | [`owner`] | who this thread is, and the mutexes it owns |
//! | [`signal`] | setting, releasing, and waking whom it concerns |
//! | [`waiter`] | waiting for one, any, all |
//! | [`watcher`] | turning the end of a process into a word to sleep on |
//! | [`section`] | the memory of a file mapping |
//! | [`memory`] | how much memory is left |
//! | [`named`] | creating and opening by name, for all kinds |
//! | [`views`] | where sections are mapped in this process, and what to do when a file shrinks |
//! | [`record`] | a process's record: its handle table, its exit code |
//! | [`table`] | handle values ↔ objects of this process |
//! | [`transfer`] | an object as a row of a handle table, and back |
//! | [`inbox`] | handles that other processes put into this one |
//! | [`process`] | process objects: alive, ended, exit code |
//! | [`spawn`] | starting a child with the handles it is to inherit |

pub(crate) mod errno;
pub(crate) mod inbox;
pub(crate) mod memory;
pub(crate) mod named;
pub(crate) mod owner;
pub(crate) mod process;
pub(crate) mod record;
pub(crate) mod section;
pub(crate) mod signal;
pub(crate) mod spawn;
pub(crate) mod sync;
pub(crate) mod table;
pub(crate) mod transfer;
pub(crate) mod views;
pub(crate) mod waiter;
pub(crate) mod watcher;
