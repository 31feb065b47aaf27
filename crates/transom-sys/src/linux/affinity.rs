//! What this thread is tied to: processors, sched_setaffinity(2), and its parent's life, prctl(2).

use rustix::io::Result;
use rustix::process::Signal;
use rustix::thread::CpuSet;

/// sched_getaffinity(2): the processors this thread may run on.
pub fn allowed() -> Result<Vec<usize>> {
    let set = rustix::thread::sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|cpu| set.is_set(*cpu)).collect())
}

/// getcpu(2), without a system call: the processor this thread runs on just now.
#[must_use]
#[inline]
pub fn current() -> usize {
    rustix::thread::sched_getcpu()
}

/// sched_setaffinity(2): from now on this thread, and those it starts, run on these processors only.
pub fn pin(cpus: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for cpu in cpus.iter().copied().filter(|cpu| *cpu < CpuSet::MAX_CPU) {
        set.set(cpu);
    }
    rustix::thread::sched_setaffinity(None, &set)
}

/// PR_SET_PDEATHSIG: this process is killed when the thread that started it ends, in whatever way.
///
/// A parent that ended before the call goes unnoticed: compare its id with the one expected, afterwards.
pub fn end_with_parent() -> Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
}
