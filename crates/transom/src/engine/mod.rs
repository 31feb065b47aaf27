//! Linux only: what the Windows kernel does for us there.
//!
//! | module | what |
//! | --- | --- |
//! | [`errno`] | errno → Win32 code |
//! | [`cookie`] | 16 random bytes that tell objects apart, as bytes and as words |
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
//! | [`post`] | the memory of a mailslot, and its ends |
//! | [`process`] | process objects: alive, ended, exit code |
//! | [`area`] | a stretch of memory that others write |
//! | [`bell`] | where the threads of this process sleep for one end of a pipe |
//! | [`doze`] | sleeping on shared words until something is published |
//! | [`latch`] | a lock of this process that is a barrier for nothing |
//! | [`turn`] | who may write into a queue, and who may read from it |
//! | [`spin`] | looking for a moment before sleeping |
//! | [`burst`] | many writes close together |
//! | [`segment`] | the memory of one connection |
//! | [`channel`] | one end of a connection: reading, writing, waiting, ending |
//! | [`board`] | where the instances of a pipe's name stand |
//! | [`served`], [`known`] | the names of pipes that this process serves, and those it has opened |
//! | [`gate`] | where clients of other users ask for a connection |
//! | [`instance`], [`visit`] | the server end and the client end of an instance |
//! | [`parked`] | connections that are over and may be used again |
//! | [`desktop`] | windows, names and threads in the memory that all processes of a user share |
//! | [`queue`] | what came for this thread; sleeping, sending, serving |
//! | [`marshal`] | messages whose parameters are pointers, on their way to another thread |
//! | [`procedures`] | the window classes of this process, and what its windows call |
//! | [`overview`] | what the pipes of this machine are doing |
//! | [`current`] | a value that is used without a lock and replaced now and then |
//! | [`spawn`] | starting a child with the handles it is to inherit |

pub(crate) mod area;
pub(crate) mod bell;
pub(crate) mod board;
pub(crate) mod burst;
pub(crate) mod channel;
pub(crate) mod cookie;
pub(crate) mod current;
pub(crate) mod desktop;
pub(crate) mod doze;
pub(crate) mod errno;
pub(crate) mod gate;
pub(crate) mod inbox;
pub(crate) mod instance;
pub(crate) mod known;
pub(crate) mod latch;
pub(crate) mod marshal;
pub(crate) mod memory;
pub(crate) mod named;
pub(crate) mod overview;
pub(crate) mod owner;
pub(crate) mod parked;
pub(crate) mod post;
pub(crate) mod procedures;
pub(crate) mod process;
pub(crate) mod queue;
pub(crate) mod record;
pub(crate) mod section;
pub(crate) mod segment;
pub(crate) mod served;
pub(crate) mod signal;
pub(crate) mod spawn;
pub(crate) mod spin;
pub(crate) mod sync;
pub(crate) mod table;
pub(crate) mod transfer;
pub(crate) mod turn;
pub(crate) mod views;
pub(crate) mod visit;
pub(crate) mod waiter;
pub(crate) mod watcher;
