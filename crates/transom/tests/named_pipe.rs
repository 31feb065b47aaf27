//! Named pipes between processes (pipes.md).

mod support;

#[path = "named_pipe/conversation.rs"]
mod conversation;
#[path = "named_pipe/instances.rs"]
mod instances;
#[path = "named_pipe/killed.rs"]
mod killed;
#[path = "named_pipe/moved.rs"]
mod moved;

use support::{PATIENCE, argument, unique};
use transom::pipe::{Client, ClientOptions, Pipe};

#[test]
fn child_entry() {
    support::child(&[
        ("echo-client", conversation::echo_client),
        ("caller", conversation::caller),
        ("bulk-reader", conversation::bulk_reader),
        ("ids", conversation::ids),
        ("numbered-client", conversation::numbered_client),
        ("event-receiver", conversation::event_receiver),
        ("server-that-stays", instances::server_that_stays),
        ("creator", instances::creator),
        ("waiter", instances::waiter),
        ("racing-server", instances::racing_server),
        ("client-that-writes", killed::client_that_writes),
        ("client-that-waits", killed::client_that_waits),
        ("client-that-lends", killed::client_that_lends),
        ("client-that-waits-to-write", killed::client_that_waits_to_write),
        ("client-that-flushes", killed::client_that_flushes),
        ("server-that-writes", killed::server_that_writes),
        ("server-that-echoes", killed::server_that_echoes),
        ("babbler", killed::babbler),
        ("reader-of-shared-end", killed::reader_of_shared_end),
        ("inheriting-client", moved::inheriting_client),
        ("inheriting-server", moved::inheriting_server),
        ("receiving-server", moved::receiving_server),
        ("given-end", moved::given_end),
    ]);
}

/// A pipe name nobody else uses.
fn pipe_name(what: &str) -> String {
    format!(r"\\.\pipe\{}", unique(what))
}

/// A client of the pipe whose name the role was told.
fn client() -> Client {
    ClientOptions::new(&argument("PIPE")).wait(PATIENCE).open().unwrap()
}

/// As [`client`], in message read mode.
fn message_client() -> Client {
    ClientOptions::new(&argument("PIPE")).wait(PATIENCE).message_read(true).open().unwrap()
}

/// What one read of at most `most` bytes brings.
fn take(pipe: &Pipe, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let count = pipe.receive(&mut buffer).unwrap();
    buffer.truncate(count);
    buffer
}

/// Returns when so many bytes are unread.
fn until_available(pipe: &Pipe, bytes: usize) {
    while pipe.peek(&mut []).unwrap().available != bytes {
        std::thread::yield_now();
    }
}
