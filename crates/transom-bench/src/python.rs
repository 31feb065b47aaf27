//! Python's `multiprocessing.shared_memory`, measured by a script of its own that answers as
//! [`crate::sample`] says.

use std::ffi::OsString;

use crate::plan::{Case, Side, Unit};

/// The helper process that Python starts for shared memory is started before this one is pinned, so that
/// it runs beside the measured process and not in its place.
const SCRIPT: &str = r#"
import os, sys, time
from multiprocessing import resource_tracker, shared_memory
resource_tracker.ensure_running()
os.sched_setaffinity(0, {int(sys.argv[2])})
name = "transom-bench-python-%d" % os.getpid()
now = time.perf_counter_ns

def create():
    memory = shared_memory.SharedMemory(name=name, create=True, size=65536)
    memory.close()
    memory.unlink()

def attach():
    shared_memory.SharedMemory(name=name).close()

work = create
if sys.argv[1] == "open":
    held = shared_memory.SharedMemory(name=name, create=True, size=65536)
    work = attach
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = now()
        work()
        times.append(now() - start)
    print("each", *times, flush=True)
if work is attach:
    held.close()
    held.unlink()
"#;

/// Creating and opening, as far as there is a Python to ask.
pub(crate) fn cases() -> [Case; 2] {
    let case = |id, mode: &str, what| {
        let arguments = ["-c", SCRIPT, mode].map(OsString::from).to_vec();
        Case::program(Side::Peer, id, "python3", arguments, Unit::Microseconds, what)
    };
    [
        case("python-create", "create", "Python shared_memory: create, close, unlink"),
        case("python-open", "open", "Python shared_memory: open, close"),
    ]
}
