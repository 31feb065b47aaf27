//! What all tests of this crate share: names nobody else uses, a limit on every test's time, other
//! processes to test with, and what is known to differ under Wine.
//!
//! The library's unit tests include this file as well, under the same name.
#![allow(dead_code, unused_imports)] // Each test program uses a part of it.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use transom::event::{Event, EventOptions};
use transom::handle::RawHandle;
use transom::process::{Child, Command, Inherit};
use transom::wait::{self, Timeout, Wait};

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

pub use system::{HARMLESS, ON_LINUX, set_end_of_file, under_wine};

/// How long a test may take. A hang is a failure, and a loud one.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a test waits for what has to come. Long, since a busy machine is not a bug.
pub const PATIENCE: Timeout = Timeout::millis(20_000);

/// Looks until it gives what is expected. What a killed process had can be there a moment longer: its own children die
/// after it, and those that other tests start have what this process had when they were forked, until they run.
pub fn eventually<T: PartialEq + Debug>(expected: T, what: &str, mut look: impl FnMut() -> T) {
    let until = Instant::now() + Duration::from_secs(10);
    let mut seen = look();
    while seen != expected && Instant::now() < until {
        std::thread::yield_now();
        seen = look();
    }
    assert_eq!(seen, expected, "{what}");
}

/// How long a test waits for what must *not* come: a wrong program is caught nearly always, a right one
/// never fails.
pub const A_MOMENT: Timeout = Timeout::millis(50);

/// Whether a call that waits inside the system and began at `began` has waited so long. Windows ends some such waits a tick of
/// its clock (1/64 s) early by other clocks.
#[must_use]
pub fn has_waited(began: Instant, long: Duration) -> bool {
    let tick = if ON_LINUX { Duration::ZERO } else { Duration::from_millis(16) };
    began.elapsed() + tick >= long
}

/// A number no handle has: no process here has half a billion of them.
pub const NEVER_ISSUED: RawHandle = RawHandle::new(0x7FFF_FFF0);

/// The variable that makes a test program play a role instead of testing.
pub const ROLE: &str = "TRANSOM_TEST_ROLE";

/// A name that no other test, process or run uses.
pub fn unique(what: &str) -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    format!("transom-test-{what}-{}-{}", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed))
}

/// Ends the program, loudly, if the value lives longer than [`LIMIT`]: the first line of every test.
///
/// A process that plays a role runs no tests. One that was started with arguments which select them, by mistake
/// or by a test of arguments, would start itself again and again; they all fail here instead.
#[must_use]
pub fn limit() -> Limit {
    assert!(std::env::var_os(ROLE).is_none(), "a process with a role runs no tests");
    watched()
}

fn watched() -> Limit {
    let (alive, watched) = channel();
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    std::thread::spawn(move || watch(&watched, &test));
    Limit { _alive: alive }
}

/// As [`limit`], and alone among the tests of this program that call it: those that have inheritable handles or
/// start children that inherit everything. A child of one would hold what belongs to another.
#[must_use = "the turn ends with the value"]
pub fn alone() -> (Limit, MutexGuard<'static, ()>) {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (limit(), turn)
}

/// See [`limit`].
pub struct Limit {
    _alive: Sender<()>,
}

fn watch(watched: &Receiver<()>, test: &str) {
    if watched.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        eprintln!("{test}: not done after {LIMIT:?}; the test program ends here");
        std::process::abort();
    }
}

/// The Win32 code of a failure; 0 if it is none.
pub fn code<T>(result: transom::Result<T>) -> u32 {
    result.err().map_or(0, |error| error.code().value())
}

/// The Win32 code inside an I/O error; 0 if it carries none of ours.
pub fn io_code(error: &std::io::Error) -> u32 {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<transom::Error>());
    inner.map_or(0, |error| error.code().value())
}

/// Whether a wait of no time finds the object signalled (and takes it, if it is of that kind).
pub fn signalled(object: &impl transom::handle::AsHandle) -> bool {
    wait::one(object, Timeout::ZERO).expect("the handle can be waited for").is_signalled()
}

/// Waits for what has to come.
pub fn expect_signal(object: &impl transom::handle::AsHandle) {
    assert_eq!(wait::one(object, PATIENCE).expect("the handle can be waited for"), Wait::Object(0));
}

/// A manual-reset event named `name`, new or not.
pub fn named_event(name: &str) -> Event {
    EventOptions::new().name(name).manual_reset(true).create().expect("an event").object
}

/// Checks a behaviour that Wine is known to get wrong: under Wine it must fail as long as
/// conformance/deviations.toml has a row with this id and test, everywhere else it must hold.
#[macro_export]
macro_rules! differs_under_wine {
    ($id:literal, $holds:expr) => {{
        fn here() {}
        let path = std::any::type_name_of_val(&here);
        $crate::support::check_deviation($id, path.trim_end_matches("::here"), $holds, stringify!($holds))
    }};
}

/// See [`differs_under_wine`]; `test` is the path of the test function.
pub fn check_deviation(id: &str, test: &str, holds: bool, what: &str) {
    let listed = is_deviation(DEVIATIONS, id, test);
    if listed && under_wine() {
        assert!(!holds, "{id}: `{what}` holds under Wine now: remove the row of {test}");
    } else {
        assert!(holds, "{id}: `{what}` does not hold (test {test})");
    }
}

const DEVIATIONS: &str = include_str!("../../../../conformance/deviations.toml");

/// Whether `list` has a row with this id for this test. A row is a `[[deviation]]` (or any other) table with
/// the keys `id` and `test`, the latter being the end of the test's path.
fn is_deviation(list: &str, id: &str, test: &str) -> bool {
    list.split("[[").any(|row| {
        let value = |key: &str| {
            let line = row.lines().find(|line| line.split('=').next().is_some_and(|k| k.trim() == key))?;
            Some(line.split_once('=')?.1.trim().trim_matches('"'))
        };
        value("id") == Some(id) && value("test").is_some_and(|listed| test.ends_with(listed))
    })
}

/// This test program again, as the process that plays `role`. `entry` is the path of the test that calls
/// [`child`], `"child_entry"` in programs below `tests/`.
pub fn role_at(entry: &str, role: &str) -> Command {
    let program = std::env::current_exe().expect("the test program has a path");
    Command::new(program).args([entry, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role)
}

/// [`role_at`] for programs below `tests/`.
pub fn role(role: &str) -> Command {
    role_at("child_entry", role)
}

/// Passes an argument to a role, which reads it with [`argument`].
pub trait With {
    /// Adds the argument.
    #[must_use]
    fn with(self, name: &str, value: impl ToString) -> Self;

    /// Lets the child have every inheritable handle.
    #[must_use]
    fn inheriting(self) -> Self;

    /// Starts the child.
    fn start(&self) -> Child;

    /// Starts the child and gives its exit code.
    fn run(&self) -> u32;
}

impl With for Command {
    fn with(self, name: &str, value: impl ToString) -> Command {
        self.env(format!("TRANSOM_TEST_{name}"), value.to_string())
    }

    fn inheriting(self) -> Command {
        self.inherit(Inherit::All)
    }

    fn start(&self) -> Child {
        self.spawn().expect("the child starts")
    }

    fn run(&self) -> u32 {
        exit_code(&self.start())
    }
}

/// Waits for a child and gives its exit code.
pub fn exit_code(child: &Child) -> u32 {
    expect_signal(&child.process);
    child.process.exit_code().expect("the exit code").expect("a code, since it has ended")
}

/// An argument of this role.
pub fn argument(name: &str) -> String {
    std::env::var(format!("TRANSOM_TEST_{name}")).unwrap_or_else(|_| panic!("the role needs {name}"))
}

/// An argument of this role that is a number.
pub fn number(name: &str) -> usize {
    argument(name).parse().unwrap_or_else(|_| panic!("{name} is no number"))
}

/// A handle whose number was told to this role.
pub fn handle(name: &str) -> RawHandle {
    RawHandle::new(number(name))
}

/// A role's name and what it does; the result is the exit code.
pub type Role<'a> = (&'a str, fn() -> u32);

/// Plays the role this process was started for and ends it with the role's result as exit code; returns at
/// once in a process that tests.
pub fn child(roles: &[Role<'_>]) {
    let Some(wanted) = std::env::var_os(ROLE) else { return };
    let _limit = watched();
    let play = roles.iter().find(|(name, _)| OsStr::new(name) == wanted);
    let (_, play) = play.unwrap_or_else(|| panic!("no role {wanted:?}"));
    transom::process::exit(play())
}

/// Tells the test that this role has come where it should: sets the event named in the argument `READY`.
pub fn ready() {
    Event::open(&argument("READY")).expect("the test's event").set().expect("to set it");
}

/// Waits until the end of time, or until the test kills this process, or its limit comes.
pub fn wait_to_be_killed() -> u32 {
    let never = Event::new(true).expect("an event");
    let _ = wait::one(&never, Timeout::INFINITE);
    0
}

/// All that comes out of a pipe until its last writer closes.
pub fn read_all(mut pipe: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("the pipe ends without an error");
    bytes
}

/// Runs `body` in a thread of its own and gives its value, with panics passed on.
pub fn in_thread<T: Send + Debug>(body: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(body).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# rows\n[[deviation]]\nid = \"H43\"\ntest = \"handle::tests::zero\"\nreason = \"x\"\n\
        [[deviation]]\nid = \"M24\"\ntest = \"unmap\"\nreason = \"y\"\n";

    #[test]
    fn rows_of_the_list_are_found_by_id_and_end_of_path() {
        assert!(is_deviation(LIST, "H43", "transom::handle::tests::zero"));
        assert!(is_deviation(LIST, "M24", "transom::mapping::tests::unmap"));
        assert!(!is_deviation(LIST, "M24", "transom::handle::tests::zero"));
        assert!(!is_deviation(LIST, "H4", "transom::handle::tests::zero"));
        assert!(!is_deviation("", "H43", "transom::handle::tests::zero"));
    }
}
