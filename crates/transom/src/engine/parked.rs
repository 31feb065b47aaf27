//! Connections that are over and may be used again: between the same two processes, without opening, mapping or
//! touching anything for the first time.
//!
//! ```text
//!  server's process                    segment's word `parked`              client's process
//!  end closed, nobody inside ──► free (1)                                    end closed, nobody inside
//!                                  │ ◄── claim, by one compare-and-swap ──── opens a pipe of that process again
//!                                claimed (2)
//!  takes it out, revives it ◄──── in use (0) ◄────────────────────────────── revives it, puts its cookie on the board
//! ```
//! What was claimed the server keeps until it is used or the client is gone. An end that other processes have or had
//! is marked (`NEVER`) and not parked. Each process keeps at most [`MOST`] ends of each kind.
//!
//! A server also keeps the segments that it offered and nobody used, since a client brought its own: the next
//! listening takes them.

use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use transom_core::pipe::Role;
use transom_sys::linux::bell;

use super::channel::End;
use super::record;
use super::segment::Shape;
use super::served;

/// So many ends of each kind.
const MOST: usize = 16;

/// The connection is in use.
pub(crate) const IN_USE: u32 = 0;
/// The server has it parked.
const FREE: u32 = 1;
/// The client will use it, or has died.
const CLAIMED: u32 = 2;
/// Other processes have or had an end.
const NEVER: u32 = u32::MAX;

/// An end that is kept.
#[derive(Debug)]
struct Parked {
    end: End,
    /// Whose pipe it was: the board's cookie, and the server's process.
    board: [u8; 16],
    maker: u32,
}

impl Parked {
    fn is_gone(&self) -> bool {
        is_gone(&self.end)
    }
}

/// What this process keeps.
#[derive(Debug)]
pub(crate) struct Lot {
    servers: Vec<Parked>,
    clients: Vec<Parked>,
    /// Offered and not used.
    spares: Vec<Parked>,
}

static LOT: Mutex<Lot> = Mutex::new(Lot { servers: Vec::new(), clients: Vec::new(), spares: Vec::new() });

fn lot() -> MutexGuard<'static, Lot> {
    LOT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn word(end: &End) -> &AtomicU32 {
    &end.words().parked
}

/// Other processes have this end: it is not parked when it is over.
pub(crate) fn never(end: &End) {
    word(end).store(NEVER, Ordering::SeqCst);
}

/// Whether nobody is at the other side who could use it.
fn is_gone(end: &End) -> bool {
    bell::is_gone(end.descriptors().own)
}

/// Whether an end was closed in good order, by the only process that had it.
fn is_good(end: &End) -> bool {
    let closed = match end.role() {
        Role::Server => &end.words().closed_by_server,
        Role::Client => &end.words().closed_by_client,
    };
    end.is_closed()
        && !end.is_listening()
        && closed.load(Ordering::SeqCst) != 0
        && word(end).load(Ordering::SeqCst) != NEVER
        && !record::is_forked()
}

/// Keeps an end that nobody here uses any more, if it may be used again; else it ends now.
pub(crate) fn park(end: End, board: &[u8; 16], maker: u32) {
    end.close();
    let nobody = match end.role() {
        Role::Server => !served::serves(board),
        // Its name may be forgotten already, and with it what is kept of it.
        Role::Client => is_gone(&end),
    };
    if nobody || !is_good(&end) {
        return;
    }
    let mut dropped = Vec::new();
    let mut lot = lot();
    match end.role() {
        Role::Server => {
            if lot.servers.len() >= MOST {
                // The oldest, unless its client is just taking it.
                let may_go = |parked: &Parked| take_back(&parked.end) || parked.is_gone();
                let at = lot.servers.iter().position(may_go);
                dropped.extend(at.map(|at| lot.servers.remove(at)));
            }
            if lot.servers.len() < MOST {
                // Partner: the swap in `claim`. From here on the client may have it.
                word(&end).store(FREE, Ordering::SeqCst);
                lot.servers.push(Parked { end, board: *board, maker });
            }
        }
        Role::Client => {
            if lot.clients.len() >= MOST {
                dropped.push(lot.clients.remove(0));
            }
            lot.clients.push(Parked { end, board: *board, maker });
        }
    }
    // Descriptors are closed outside.
    drop(lot);
    drop(dropped);
}

/// Takes a parked server end back from the client, if that has not claimed it.
fn take_back(end: &End) -> bool {
    word(end).compare_exchange(FREE, IN_USE, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}

/// For a client: a connection to this server process that both have parked, of this shape, made as new. The server
/// takes its end by the cookie.
pub(crate) fn claim(board: &[u8; 16], maker: u32, fits: impl Fn(&Shape) -> bool) -> Option<End> {
    let mut found = {
        let mut lot = lot();
        let at = lot.clients.iter().rposition(|parked| {
            parked.maker == maker
                && parked.board == *board
                && fits(&parked.end.segment().shape())
                && word(&parked.end)
                    .compare_exchange(FREE, CLAIMED, Ordering::SeqCst, Ordering::SeqCst)
                    .is_ok()
        })?;
        lot.clients.remove(at).end
    };
    let server = found.words().server_pid.load(Ordering::Relaxed);
    found.segment().reset();
    found.words().server_pid.store(server, Ordering::Relaxed);
    // It may be a process of the same number.
    found.revive().then_some(found)
}

/// For a server: its end of the connection that a client has put on the board.
pub(crate) fn take(cookie: &[u8; 16]) -> Option<End> {
    let mut end = {
        let mut lot = lot();
        let at = lot.servers.iter().position(|parked| parked.end.segment().cookie() == *cookie)?;
        lot.servers.remove(at).end
    };
    word(&end).store(IN_USE, Ordering::SeqCst);
    end.revive();
    Some(end)
}

/// Keeps a segment that was offered and not used.
pub(crate) fn keep_spare(end: End, board: &[u8; 16]) {
    let mut lot = lot();
    if lot.spares.len() < MOST && !record::is_forked() {
        lot.spares.push(Parked { end, board: *board, maker: 0 });
        return;
    }
    drop(lot);
    drop(end);
}

/// A segment of this shape that was offered and not used.
pub(crate) fn spare(shape: &Shape, board: &[u8; 16]) -> Option<End> {
    let mut lot = lot();
    let fits = |parked: &Parked| parked.board == *board && parked.end.segment().shape() == *shape;
    let at = lot.spares.iter().rposition(fits)?;
    Some(lot.spares.remove(at).end)
}

/// A pipe is over: nobody will use what is kept of it.
pub(crate) fn forget(board: &[u8; 16]) {
    let mut lot = lot();
    let mut dropped = Vec::new();
    let Lot { servers, clients, spares } = &mut *lot;
    for list in [servers, clients, spares] {
        dropped.extend(list.extract_if(.., |parked| parked.board == *board));
    }
    drop(lot);
    drop(dropped);
}

/// What a fork must not find half changed.
pub(crate) fn hold_still() -> MutexGuard<'static, Lot> {
    lot()
}

impl Lot {
    /// Each descriptor of what is kept.
    pub(crate) fn each_descriptor(&self, mut see: impl FnMut(RawFd)) {
        for parked in self.servers.iter().chain(&self.spares).chain(&self.clients) {
            let descriptors = parked.end.descriptors();
            for descriptor in [descriptors.segment, descriptors.own, descriptors.peer] {
                see(descriptor.as_raw_fd());
            }
            parked.end.each_spare(|spare| see(spare.as_raw_fd()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::table::Object;
    use crate::handle::AsHandle;
    use crate::pipe::{Client, ClientOptions, Server, ServerOptions};
    use crate::support::{code, limit, unique};

    fn name() -> String {
        format!(r"\\.\pipe\{}", unique("parked"))
    }

    /// Which memory the client's connection has.
    fn memory(client: &Client) -> [u8; 16] {
        match &client.as_handle().resolved.0.object {
            Object::Client(visit) => visit.end().segment().cookie(),
            other => panic!("{other:?} is no client end"),
        }
    }

    /// Ends a conversation and lets the server listen again.
    fn next(server: &Server) {
        server.disconnect().unwrap();
        assert_eq!(code(server.connect_timeout(crate::wait::Timeout::ZERO)), 121);
    }

    #[test]
    fn a_client_that_comes_again_gets_the_same_memory_and_finds_it_empty() {
        let _limit = limit();
        let name = name();
        let server = ServerOptions::new(&name).message(true).create().unwrap();
        let mut seen = Vec::new();
        for round in 0..20 {
            let client = ClientOptions::new(&name).open().unwrap();
            seen.push(memory(&client));
            // P17, P21: neither data nor modes of the one before.
            assert_eq!(client.pipe().peek(&mut []).unwrap().available, 0, "{round}");
            assert_eq!(server.pipe().peek(&mut []).unwrap().available, 0, "{round}");
            assert_eq!(client.pipe().state().unwrap().mode(), 0, "{round}");
            assert_eq!(client.pipe().client_process_id().unwrap(), std::process::id());
            assert_eq!(client.pipe().server_process_id().unwrap(), std::process::id());
            client.pipe().set_mode(2).unwrap();
            client.pipe().send(b"never read").unwrap();
            server.pipe().send(b"nor this").unwrap();
            if round % 2 == 0 {
                drop(client);
                next(&server);
            } else {
                // The other way round: cut off first.
                next(&server);
                assert_eq!(code(client.pipe().send(b"x")), 233);
                drop(client);
            }
        }
        // Not every time: other tests park ends in the same lot, and push these out.
        assert!(seen.windows(2).any(|pair| pair[0] == pair[1]), "{seen:?}");
    }

    #[test]
    fn many_conversations_over_one_connection_keep_their_bytes_apart() {
        let _limit = limit();
        let name = name();
        let server = ServerOptions::new(&name).in_size(64).create().unwrap();
        let mut buffer = [0; 256];
        for round in 0..200u8 {
            let client = Client::open(&name).unwrap();
            client.pipe().send(&[round; 60]).unwrap();
            assert_eq!(server.pipe().receive(&mut buffer[..50]).unwrap(), 50);
            assert!(buffer[..50].iter().all(|byte| *byte == round));
            server.pipe().send(&[!round; 100]).unwrap();
            assert_eq!(client.pipe().receive(&mut buffer).unwrap(), 100);
            assert!(buffer[..100].iter().all(|byte| *byte == !round));
            drop(client);
            assert_eq!(server.pipe().receive(&mut buffer).unwrap(), 10, "P20: the rest");
            assert_eq!(code(server.pipe().receive(&mut buffer)), 109);
            next(&server);
        }
    }

    #[test]
    fn an_instance_with_other_quotas_gets_other_memory() {
        let _limit = limit();
        let name = name();
        let small = ServerOptions::new(&name).in_size(100).out_size(100).create().unwrap();
        let first = Client::open(&name).unwrap();
        let known = memory(&first);
        drop(first);
        small.disconnect().unwrap();
        let large = ServerOptions::new(&name).in_size(200_000).out_size(100).create().unwrap();
        let second = Client::open(&name).unwrap();
        assert_ne!(memory(&second), known);
        assert_eq!(second.pipe().info().unwrap().in_size, 200_000);
        next_again(&small);
        let third = Client::open(&name).unwrap();
        assert_eq!(third.pipe().info().unwrap().in_size, 100);
        drop(large);
    }

    /// The second listening of an instance that is disconnected already.
    fn next_again(server: &Server) {
        assert_eq!(code(server.connect_timeout(crate::wait::Timeout::ZERO)), 121);
    }

    #[test]
    fn a_pipe_of_the_same_name_that_is_another_one_gets_other_memory() {
        let _limit = limit();
        let name = name();
        let server = Server::create(&name).unwrap();
        let client = Client::open(&name).unwrap();
        let known = memory(&client);
        drop((client, server));
        let _server = Server::create(&name).unwrap();
        assert_ne!(memory(&Client::open(&name).unwrap()), known);
    }

    #[test]
    fn more_connections_than_are_kept_work_all_the_same() {
        let _limit = limit();
        let name = name();
        for _ in 0..3 {
            let servers: Vec<Server> = (0..40).map(|_| Server::create(&name).unwrap()).collect();
            for _ in 0..2 {
                let clients: Vec<Client> = (0..40).map(|_| Client::open(&name).unwrap()).collect();
                for (number, client) in clients.iter().enumerate() {
                    client.pipe().send(&[number as u8; 3]).unwrap();
                }
                for (number, server) in servers.iter().enumerate() {
                    let mut buffer = [0; 8];
                    assert_eq!(server.pipe().receive(&mut buffer).unwrap(), 3);
                    assert_eq!(buffer[..3], [number as u8; 3]);
                }
                drop(clients);
                servers.iter().for_each(next);
            }
        }
    }
}
