//! What both systems show about pipes. One file for each topic of the rules (pipes.md); rows in
//! conformance/deviations.toml say what a system is known to do differently.

use std::thread::{Scope, ScopedJoinHandle};

use transom_core::access::{GENERIC_READ, GENERIC_WRITE};

use crate::error::Result;
use crate::event::Event;
use crate::pipe::{Client, ClientOptions, Pipe, Server, ServerOptions};
use crate::support::{A_MOMENT, expect_signal, unique};
use crate::wait::{self, Timeout, Wait};

mod anonymous;
mod bytes;
mod connecting;
mod create;
mod ids;
mod listener;
mod loans;
mod messages;
mod names;
mod nowait;
mod open;
mod peek;
mod quota;
mod states;
mod streams;
mod transact;
mod wait_for;
mod waiting;

/// A pipe name nobody else uses.
pub(super) fn name() -> String {
    format!(r"\\.\pipe\{}", unique("pipe"))
}

/// A server of a new name, and its client.
fn pair() -> (Server, Client) {
    connected(&ServerOptions::new(&name()))
}

/// As [`pair`], for messages, with both ends in message read mode.
pub(super) fn message_pair() -> (Server, Client) {
    let (server, client) = connected(&ServerOptions::new(&name()).message(true));
    client.pipe().set_message_read(true).unwrap();
    (server, client)
}

/// A new instance, and a client that is connected to it; the only instance of its name.
pub(super) fn connected(options: &ServerOptions) -> (Server, Client) {
    let server = options.create().unwrap();
    let client = client_of(options).unwrap();
    (server, client)
}

/// A client with the rights that the pipe's direction allows.
fn client_of(options: &ServerOptions) -> Result<Client> {
    let access = match options.open_mode & 3 {
        1 => GENERIC_WRITE,
        2 => GENERIC_READ,
        _ => GENERIC_READ | GENERIC_WRITE,
    };
    ClientOptions::new_utf16(&options.name).access(access).open()
}

/// What one read of at most `most` bytes brings.
pub(super) fn take(pipe: &Pipe, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let count = pipe.receive(&mut buffer).unwrap();
    buffer.truncate(count);
    buffer
}

/// Bytes that are not all the same.
pub(super) fn pattern(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|index| (index * 31 + seed * 7) as u8).collect()
}

/// What one read of at most `most` bytes brings, and whether that is the message's end.
fn take_message(pipe: &Pipe, most: usize) -> (Vec<u8>, bool) {
    let mut buffer = vec![0; most];
    let message = pipe.receive_message(&mut buffer).unwrap();
    buffer.truncate(message.len);
    (buffer, message.complete)
}

/// Everything unread.
pub(super) fn available(pipe: &Pipe) -> usize {
    pipe.peek(&mut []).unwrap().available
}

/// Returns when so many bytes are unread: that is how others see a write that waits (P35).
pub(super) fn until_available(pipe: &Pipe, bytes: usize) {
    while available(pipe) != bytes {
        std::thread::yield_now();
    }
}

/// A call in a thread of its own.
pub(super) struct Waiting<'scope, T> {
    thread: ScopedJoinHandle<'scope, T>,
    done: Event,
}

impl<'scope, T: Send + 'scope> Waiting<'scope, T> {
    /// Begins a call that has to wait, and sees that it does.
    pub(super) fn begin<'env>(
        scope: &'scope Scope<'scope, 'env>,
        call: impl FnOnce() -> T + Send + 'scope,
    ) -> Waiting<'scope, T> {
        let started = Event::new(true).unwrap();
        let done = Event::new(true).unwrap();
        let (begin, end) = (clone(&started), clone(&done));
        let thread = scope.spawn(move || {
            begin.set().unwrap();
            let result = call();
            end.set().unwrap();
            result
        });
        expect_signal(&started);
        let waiting = Waiting { thread, done };
        waiting.still();
        waiting
    }

    /// The call has not ended yet.
    pub(super) fn still(&self) {
        assert_eq!(wait::one(&self.done, A_MOMENT).unwrap(), Wait::Timeout, "the call waits");
    }

    /// The call ends now.
    pub(super) fn end(self) -> T {
        expect_signal(&self.done);
        self.thread.join().unwrap()
    }

    /// Does something again and again until it has made the call end: for what must find the call waiting, and may
    /// come before that.
    pub(super) fn end_by(self, mut action: impl FnMut()) -> T {
        while wait::one(&self.done, Timeout::millis(5)).unwrap() == Wait::Timeout {
            action();
        }
        self.end()
    }
}

fn clone(event: &Event) -> Event {
    use crate::handle::{AsHandle, FromHandle};
    Event::from_handle(event.as_handle().try_clone().unwrap()).unwrap()
}
