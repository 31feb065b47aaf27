//! The second process of a case, and how the two begin together.
//!
//! Worker and partner share a memory file without a name: the worker makes it and tells the number of its
//! descriptor, the partner opens it through the worker's entry in /proc.
//!
//! ```text
//!   0      go      u32   the request's number; the worker raises it, the partner sleeps on it
//!   64     ready   u32   1: the partner is set up; then the number of the request it begins with
//!   128    count   u64   operations of the request
//!   192    …             words of the role, a cache line apart
//!   4096   …             room for the role
//! ```

use std::io::Read as _;
use std::os::fd::AsRawFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{futex, memfd, procfs};

use super::{Stage, pin};
use crate::error::{Error, Result};

const GO: usize = 0;
const READY: usize = 64;
const COUNT: usize = 128;
const WORDS: usize = 192;
/// Where a role's room begins.
pub(super) const ROOM: usize = 4096;

/// How long the partner may take to be set up, or to begin, in nanoseconds.
const PATIENCE: u64 = 10_000_000_000;
/// How often the worker looks whether the partner is still there.
const LOOK: u64 = 100_000_000;

/// What a partner does for each request.
pub(super) type Work = Box<dyn FnMut(u64) -> Result<()>>;

/// How a partner sets itself up.
pub(super) type Play = fn(Shared, &[String]) -> Result<Work>;

/// The memory that both have.
pub(super) struct Shared(SharedPages);

impl Shared {
    /// The role's word number `index`, in a cache line of its own.
    pub(super) fn word(&self, index: usize) -> &AtomicU32 {
        self.0.u32(WORDS + 64 * index)
    }

    /// All pages; those from [`ROOM`] on are the role's.
    pub(super) fn pages(&self) -> &SharedPages {
        &self.0
    }
}

/// The partner as its worker sees it. Killed when dropped.
pub(super) struct Partner {
    child: Child,
    shared: Shared,
    request: u32,
}

impl Partner {
    /// Starts the partner that plays `role`, with `room` bytes to share beside the words.
    pub(super) fn start(stage: &Stage<'_>, role: &str, arguments: &[String], room: usize) -> Result<Partner> {
        let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
        let length = ROOM + room;
        memfd::set_size(&file, length as u64).map_err(Error::of("size memory"))?;
        let shared = Shared(SharedPages::map(&file, length).map_err(Error::of("map memory"))?);
        shared.0.u32(GO).store(1, Ordering::Relaxed);
        let program = std::env::current_exe().map_err(Error::of("find this program"))?;
        let child = Command::new(program)
            .args(&stage.prefix)
            .args(["partner", role])
            .args([stage.partner_cpu.to_string(), std::process::id().to_string()])
            .args([file.as_raw_fd().to_string(), length.to_string()])
            .args(arguments)
            // The worker's streams are between it and who asks it.
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Error::of("start the partner"))?;
        let mut partner = Partner { child, shared, request: 1 };
        partner.await_ready()?;
        Ok(partner)
    }

    /// The memory that both have.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Has the partner do `count` operations; returns when it begins.
    pub(super) fn begin(&mut self, count: u64) -> Result<()> {
        self.request += 1;
        self.shared.0.u64(COUNT).store(count, Ordering::Relaxed);
        // Partner: the acquire load in `run`, which sees the count and what the role prepared.
        self.shared.0.u32(GO).store(self.request, Ordering::Release);
        futex::wake(self.shared.0.u32(GO), 1);
        self.await_ready()
    }

    /// An error if it has ended, with what it said last.
    pub(super) fn is_there(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(Some(status)) => {
                let words = last_words(&mut self.child);
                Err(Error::new(format!("the partner ended, {status}: {words}")))
            }
            _ => Ok(()),
        }
    }

    fn await_ready(&mut self) -> Result<()> {
        let end = futex::now() + PATIENCE;
        loop {
            let ready = self.shared.0.u32(READY);
            let seen = ready.load(Ordering::Acquire);
            if seen == self.request {
                return Ok(());
            }
            // Woken, late or interrupted: what counts is the word.
            let _ = futex::wait(ready, seen, Some(futex::now() + LOOK));
            self.is_there()?;
            if futex::now() > end {
                return Err(Error::new("the partner does not begin"));
            }
        }
    }
}

/// The last line of a process that has ended.
fn last_words(child: &mut Child) -> String {
    let mut said = String::new();
    // What cannot be read is no reason to hide that it ended.
    let _ = child.stderr.take().map(|mut words| words.read_to_string(&mut said));
    said.lines().last().unwrap_or("without a word").to_owned()
}

impl Drop for Partner {
    fn drop(&mut self) {
        // It waits for requests and holds nothing that would need tidying up.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The partner's life, `CPU PARENT DESCRIPTOR LENGTH …`: until the worker ends it.
pub(super) fn run(arguments: &[String], play: Play) -> Result<()> {
    let [cpu, parent, descriptor, length, rest @ ..] = arguments else {
        return Err(Error::new("a partner lacks arguments"));
    };
    pin(cpu)?;
    let parent: u32 = parent.parse().map_err(Error::of("read the worker's id"))?;
    let descriptor = descriptor.parse().map_err(Error::of("read a descriptor"))?;
    let length = length.parse().map_err(Error::of("read a length"))?;
    let file = procfs::open_descriptor(parent, descriptor, true, true)
        .map_err(Error::of("open the worker's memory"))?;
    let map = || SharedPages::map(&file, length).map(Shared).map_err(Error::of("map the worker's memory"));
    let control = map()?;
    let mut work = play(map()?, rest)?;
    let (go, ready) = (control.0.u32(GO), control.0.u32(READY));
    let mut request = 1;
    loop {
        // Partner: the acquire load in `await_ready`, which sees what the role's last request did.
        ready.store(request, Ordering::Release);
        futex::wake(ready, 1);
        while go.load(Ordering::Acquire) == request {
            // The worker's end is this process's (`end_with_parent`), so there is no deadline; unless it
            // ended before that was arranged.
            let _ = futex::wait(go, request, Some(futex::now() + PATIENCE));
            if std::os::unix::process::parent_id() != parent {
                return Ok(());
            }
        }
        // The request's work begins when the worker has seen the next word, written below.
        request = go.load(Ordering::Acquire);
        ready.store(request, Ordering::Release);
        futex::wake(ready, 1);
        work(control.0.u64(COUNT).load(Ordering::Relaxed))?;
    }
}
