//! The real binary in a fresh folder with a namespace of its own.

// Each test file uses a part of this.
#![allow(dead_code)]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

/// No test of a command takes longer; one that hangs shall say so.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where the names of a test live: alone in its own folder (Linux), or told apart by their names (Windows,
/// whose namespace cannot be replaced).
pub struct Place {
    folder: tempfile::TempDir,
    number: u32,
}

impl Place {
    pub fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().expect("a folder for the test");
        Place { folder, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// A name that no other test uses.
    pub fn name(&self, what: &str) -> String {
        format!("cli-test-{}-{}-{what}", std::process::id(), self.number)
    }

    /// A path in the test's folder.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// A file with content.
    pub fn file(&self, file: &str, content: &[u8]) -> PathBuf {
        let path = self.path(file);
        std::fs::write(&path, content).expect("a file for the test");
        path
    }

    /// The command, not started yet.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(binary());
        command.args(arguments).current_dir(self.folder.path());
        command.env("TRANSOM_DIR", self.namespace()).env_remove("TRANSOM_BACKING").env_remove("NO_COLOR");
        command
    }

    /// Where the names of this test are (Linux).
    pub fn namespace(&self) -> PathBuf {
        self.folder.path().join("names")
    }

    /// Runs the command to its end with an empty standard input.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ended {
        Ended::of(self.command(arguments), b"")
    }

    /// The same with input.
    pub fn run_with_input<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Ended {
        Ended::of(self.command(arguments), input)
    }

    /// Starts a command that prints a line when it is ready and then stays until its input closes.
    pub fn hold<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Holder {
        Holder::start(self.command(arguments))
    }
}

/// The binary under test.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    // Absolute, since commands run in other folders, on Windows perhaps of another drive.
    BINARY.get_or_init(|| std::path::absolute(env!("CARGO_BIN_EXE_transom")).expect("a path of the binary"))
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: Vec<u8>,
    pub err: String,
}

impl Ended {
    pub fn of(mut command: Command, input: &[u8]) -> Ended {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().expect("the command starts");
        finish(child, input)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("the output is text")
    }

    /// The one JSON object of the output.
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.text().lines().count(), 1, "one object on one line: {}", self.text());
        serde_json::from_slice(&self.out).expect("the output is JSON")
    }

    /// Fails the test unless the command ended with `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Ended {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", String::from_utf8_lossy(&self.out), self.err);
        self
    }
}

/// Waits for a started command, watched.
pub fn finish(mut child: Child, input: &[u8]) -> Ended {
    let (ended, watch) = mpsc::channel();
    let mut stdin = child.stdin.take();
    let id = child.id();
    let worker = std::thread::spawn(move || {
        let output = child.wait_with_output().expect("the command can be waited for");
        let _ = ended.send(());
        output
    });
    if let Some(stdin) = &mut stdin {
        // A command that ends without reading its input closes the pipe, which is its right.
        let _ = stdin.write_all(input);
    }
    drop(stdin);
    let in_time = watch.recv_timeout(PATIENCE).is_ok();
    assert!(in_time, "process {id} did not end");
    let output = worker.join().expect("the output was collected");
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: output.stdout,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A command that keeps something until its input closes.
pub struct Holder {
    child: Child,
    input: Option<ChildStdin>,
    /// The line it printed when it was ready.
    pub ready: String,
}

impl Holder {
    pub fn start(mut command: Command) -> Holder {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the command starts");
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut ready = String::new();
        output.read_line(&mut ready).expect("a line when it is ready");
        assert!(!ready.is_empty(), "the command ended before it was ready");
        Holder { child, input, ready }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Closes its input and gives its exit code.
    pub fn release(mut self) -> i32 {
        drop(self.input.take());
        self.child.wait().expect("the holder ends").code().unwrap_or(-1)
    }

    /// Ends it as SIGKILL and TerminateProcess do, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("the holder can be killed");
        self.child.wait().expect("the holder ends");
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A started command whose output is read line by line.
pub struct Lines {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Lines {
    pub fn start(mut command: Command) -> Lines {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the command starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Lines { child, lines }
    }

    /// The next line; fails the test if none comes.
    pub fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("another line")
    }

    /// A line that is there already.
    pub fn try_next(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }

    pub fn code(mut self) -> i32 {
        self.child.wait().expect("the command ends").code().unwrap_or(-1)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether this is Linux, where names can be listed; Windows has no documented call for it.
pub fn can_list() -> bool {
    std::env::consts::OS == "linux"
}

/// Reads to the end, for pipes that a test made itself.
pub fn rest(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).expect("text to its end");
    text
}
