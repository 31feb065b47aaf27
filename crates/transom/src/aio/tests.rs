//! What both systems show about pipes in tasks. Rules of pipes are tested where those are; here is who waits, and what
//! is left when nobody waits any more.

mod mailslot;
mod window;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};

use super::pipe::{Client, Listener, Server};
use crate::error::Result;
use crate::pipe::{self, ClientOptions, Connected, InstanceWait, ServerOptions};
use crate::support::{PATIENCE, code, io_code, limit, unique};
use crate::wait::Timeout;

fn name() -> String {
    format!(r"\\.\pipe\{}", unique("aio"))
}

/// One thread: whoever keeps it keeps everybody.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// A server of a new name, and its client; both in message read mode if `message`.
fn pair(message: bool, quota: u32) -> (Server, Client) {
    let options = ServerOptions::new(&name()).message(message).in_size(quota).out_size(quota);
    let server = Server::create(&options).unwrap();
    let client = ClientOptions::new_utf16(&options.name).message_read(message).open().unwrap();
    (server, Client::new(client).unwrap())
}

async fn take(client: &Client, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let count = client.receive(&mut buffer).await.unwrap();
    buffer.truncate(count);
    buffer
}

async fn take_at_server(server: &Server, most: usize) -> Vec<u8> {
    let mut buffer = vec![0; most];
    let count = server.receive(&mut buffer).await.unwrap();
    buffer.truncate(count);
    buffer
}

/// The future has to wait: polled once, it is not ready. Then it is given up.
fn begin_and_give_up<F: Future>(future: F)
where
    F::Output: std::fmt::Debug,
{
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
        panic!("it did not wait: {output:?}");
    }
}

/// Returns when so many bytes are unread at the server.
async fn until_available(end: &crate::pipe::Pipe, bytes: usize) {
    while end.peek(&mut []).unwrap().available != bytes {
        tokio::task::yield_now().await;
    }
}

/// All on one thread: nobody keeps it.
#[test]
fn client_and_server_share_one_thread() {
    let _limit = limit();
    runtime().block_on(async {
        let name = name();
        let server = Server::create(&ServerOptions::new(&name)).unwrap();
        let serving = async {
            assert_eq!(server.connect().await.unwrap(), Connected::During);
            let question = take_at_server(&server, 100).await;
            server.send(&question.to_ascii_uppercase()).await.unwrap();
            assert_eq!(code(server.receive(&mut [0]).await), 109);
        };
        let asking = async {
            let client = Client::open(&ClientOptions::new(&name)).await.unwrap();
            client.send(b"question").await.unwrap();
            assert_eq!(take(&client, 100).await, b"QUESTION");
        };
        tokio::join!(serving, asking);
        server.disconnect().unwrap();
        assert_eq!(code(server.receive(&mut [0]).await), 233);
    });
}

/// P15, P16: one instance, one client after the other, by a connection of its own each time.
#[test]
fn a_server_serves_one_client_after_the_other() {
    let _limit = limit();
    runtime().block_on(async {
        let name = name();
        let server = Server::create(&ServerOptions::new(&name)).unwrap();
        let asking = tokio::spawn(async move {
            for round in 0..10_u8 {
                let client = Client::open(&ClientOptions::new(&name).wait(PATIENCE)).await.unwrap();
                client.send(&[round]).await.unwrap();
                assert_eq!(take(&client, 9).await, [round + 100]);
            }
        });
        for _ in 0..10 {
            server.connect().await.unwrap();
            let request = take_at_server(&server, 9).await;
            server.send(&[request[0] + 100]).await.unwrap();
            assert!(matches!(code(server.receive(&mut [0]).await), 109));
            server.disconnect().unwrap();
        }
        asking.await.unwrap();
    });
}

/// P26 to P28.
#[test]
fn messages_keep_their_borders() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(true, 10_000);
        server.send(b"first").await.unwrap();
        server.send(b"").await.unwrap();
        server.send(&[7; 6000]).await.unwrap();
        let mut buffer = [0; 5000];
        let message = client.receive_message(&mut buffer[..3]).await.unwrap();
        assert_eq!((message.len, message.complete), (3, false));
        let message = client.receive_message(&mut buffer).await.unwrap();
        assert_eq!((message.len, message.complete), (2, true));
        let message = client.receive_message(&mut buffer).await.unwrap();
        assert_eq!((message.len, message.complete), (0, true));
        let message = client.receive_message(&mut buffer).await.unwrap();
        assert_eq!((message.len, message.complete), (5000, false));
        let message = client.receive_message(&mut buffer).await.unwrap();
        assert_eq!((message.len, message.complete), (1000, true));
    });
}

/// P34, P35: a write beyond the quota waits, and everybody else goes on.
#[test]
fn a_write_waits_without_keeping_the_thread() {
    let _limit = limit();
    runtime().block_on(async {
        for size in [5000, 300_000, 3_000_000] {
            for message in [false, true] {
                let (server, client) = pair(message, 1000);
                let bytes: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                let writing = async {
                    assert_eq!(client.send(&bytes).await.unwrap(), size);
                    drop(client);
                };
                let reading = async {
                    let mut received = Vec::new();
                    let mut buffer = vec![0; 10_007];
                    while let Ok(count) = server.receive(&mut buffer).await {
                        received.extend_from_slice(&buffer[..count]);
                    }
                    received
                };
                let ((), received) = tokio::join!(writing, reading);
                assert!(received == bytes, "{size} {message}");
            }
        }
    });
}

/// Cancel safety of a read: given up while it waits, it takes nothing.
#[test]
fn a_read_that_is_given_up_loses_nothing() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(true, 1000);
        for round in 0..50_u8 {
            begin_and_give_up(client.receive(&mut [0; 100]));
            server.send(&[round; 20]).await.unwrap();
            begin_and_give_up(server.receive(&mut [0; 100]));
            assert_eq!(take(&client, 100).await, [round; 20]);
        }
    });
}

/// The same where data comes in the very moment of giving up.
#[test]
fn reads_raced_against_a_clock_lose_nothing() {
    let _limit = limit();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (server, client) = pair(false, 1000);
        const COUNT: u32 = 2000;
        let writing = tokio::spawn(async move {
            for number in 0..COUNT {
                server.send(&number.to_le_bytes()).await.unwrap();
                if number % 16 == 0 {
                    tokio::time::sleep(Duration::from_micros(300)).await;
                }
            }
            // Until everything is read: what it has is lost to nobody when it goes.
            assert_eq!(code(server.receive(&mut [0]).await), 109);
        });
        let mut received = Vec::new();
        let mut buffer = [0; 7];
        while received.len() < 4 * COUNT as usize {
            let patience = Duration::from_micros(received.len() as u64 % 400);
            if let Ok(count) = tokio::time::timeout(patience, client.receive(&mut buffer)).await {
                received.extend_from_slice(&buffer[..count.unwrap()]);
            }
        }
        let expected: Vec<u8> = (0..COUNT).flat_map(u32::to_le_bytes).collect();
        assert!(received == expected);
        drop(client);
        writing.await.unwrap();
    });
}

/// P38: cancel safety of a write: what was not read is taken back.
#[test]
fn a_write_that_is_given_up_is_taken_back() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(true, 10);
        client.send(b"before").await.unwrap();
        begin_and_give_up(client.send(b"given up"));
        until_available(server.pipe(), 6).await;
        assert_eq!(client.send(b"next").await.unwrap(), 4);
        assert_eq!(take_at_server(&server, 100).await, b"before");
        assert_eq!(take_at_server(&server, 100).await, b"next");
    });
}

/// Cancel safety of a connect: the client is found by the next call.
#[test]
fn a_connect_that_is_given_up_goes_on_listening() {
    let _limit = limit();
    runtime().block_on(async {
        let name = name();
        let server = Server::create(&ServerOptions::new(&name)).unwrap();
        begin_and_give_up(server.connect());
        begin_and_give_up(server.connect());
        let client = Client::open(&ClientOptions::new(&name)).await.unwrap();
        assert_eq!(server.connect().await.unwrap(), Connected::Already);
        client.send(b"x").await.unwrap();
        assert_eq!(take_at_server(&server, 9).await, b"x");
    });
}

/// P63 to P65; cancel safety: the request stays sent.
#[test]
fn transactions_wait_as_tasks() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(true, 1000);
        let answering = async {
            let request = take_at_server(&server, 100).await;
            server.send(&request.to_ascii_uppercase()).await.unwrap();
        };
        let mut reply = [0; 4];
        let (message, ()) = tokio::join!(client.transact(b"abcdef", &mut reply), answering);
        let message = message.unwrap();
        assert_eq!((message.len, message.complete, &reply), (4, false, b"ABCD"));
        assert_eq!(code(client.transact(b"x", &mut [0; 9]).await), 231);
        assert_eq!(take(&client, 9).await, b"EF");
        begin_and_give_up(client.transact(b"request", &mut [0; 9]));
        assert_eq!(take_at_server(&server, 100).await, b"request");
        server.send(b"late").await.unwrap();
        assert_eq!(take(&client, 9).await, b"late");
    });
}

/// Reading and writing one end at the same time, by two tasks.
#[test]
fn both_directions_wait_at_once() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(false, 100);
        let echo = async {
            let mut total = 0;
            let mut buffer = [0; 64];
            while let Ok(count) = server.receive(&mut buffer).await {
                server.send(&buffer[..count]).await.unwrap();
                total += count;
            }
            total
        };
        let talk = async {
            let writing = async {
                for number in 0..200_u8 {
                    client.send(&[number; 50]).await.unwrap();
                }
            };
            let reading = async {
                let mut received = Vec::new();
                while received.len() < 10_000 {
                    received.extend(take(&client, 77).await);
                }
                received
            };
            let ((), received) = tokio::join!(writing, reading);
            assert!(
                received.chunks(50).enumerate().all(|(at, part)| part.iter().all(|b| usize::from(*b) == at))
            );
            drop(client);
        };
        let (total, ()) = tokio::join!(echo, talk);
        assert_eq!(total, 10_000);
    });
}

/// Waiting calls end as those that keep a thread do: 109, 233, 995.
#[test]
fn waiting_calls_end_when_things_change() {
    let _limit = limit();
    runtime().block_on(async {
        let (server, client) = pair(false, 100);
        let (result, ()) = tokio::join!(async { code(client.receive(&mut [0]).await) }, async {
            tokio::task::yield_now().await;
            drop(server);
        });
        assert_eq!(result, 109);
        let (server, client) = pair(false, 100);
        let (result, ()) = tokio::join!(async { code(client.receive(&mut [0]).await) }, async {
            tokio::task::yield_now().await;
            server.disconnect().unwrap();
        });
        assert_eq!(result, 233);
        let (server, client) = pair(false, 2);
        let (result, ()) = tokio::join!(async { code(client.send(b"abcd").await) }, async {
            until_available(server.pipe(), 4).await;
            drop(server);
        });
        assert_eq!(result, 109);
    });
}

/// P4, P10: a listener for many clients at once.
#[test]
fn a_listener_serves_many_clients() {
    let _limit = limit();
    const CLIENTS: u8 = 40;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let name = name();
        let listener = Listener::bind(ServerOptions::new(&name).first_instance(true)).unwrap();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let options = ClientOptions::new(&name).wait(PATIENCE);
                tokio::spawn(async move {
                    let client = Client::open(&options).await.unwrap();
                    client.send(&[number]).await.unwrap();
                    assert_eq!(take(&client, 9).await, [number]);
                })
            })
            .collect();
        let mut seen = Vec::new();
        for _ in 0..CLIENTS {
            let server = listener.accept().await.unwrap();
            let request = take_at_server(&server, 9).await;
            server.send(&request).await.unwrap();
            assert_eq!(code(server.receive(&mut [0]).await), 109, "the client has its answer");
            seen.extend(request);
        }
        for client in clients {
            client.await.unwrap();
        }
        seen.sort_unstable();
        assert!(seen.iter().copied().eq(0..CLIENTS));
        begin_and_give_up(listener.accept());
        let client = Client::open(&ClientOptions::new(&name)).await.unwrap();
        client.send(b"late").await.unwrap();
        assert_eq!(take_at_server(&listener.accept().await.unwrap(), 9).await, b"late");
    });
}

/// P66, P68, P69: opening waits for an instance without keeping the thread.
#[test]
fn opening_waits_for_an_instance() {
    let _limit = limit();
    runtime().block_on(async {
        let name = name();
        let open = |wait: InstanceWait| {
            let options = ClientOptions::new(&name).wait(wait);
            async move { Client::open(&options).await }
        };
        assert_eq!(code(open(Timeout::INFINITE.into()).await), 2);
        let server = Server::create(&ServerOptions::new(&name)).unwrap();
        let first = open(Timeout::ZERO.into()).await.unwrap();
        assert_eq!(code(open(Timeout::ZERO.into()).await), 231);
        assert_eq!(code(open(Timeout::millis(20).into()).await), 121);
        assert_eq!(code(open(InstanceWait::Default).await), 121);
        let (second, ()) = tokio::join!(open(PATIENCE.into()), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            drop(first);
            server.disconnect().unwrap();
            server.connect().await.unwrap();
        });
        second.unwrap().send(b"x").await.unwrap();
        assert_eq!(take_at_server(&server, 9).await, b"x");
    });
}

/// The traits: streams over bytes and over messages, split in two.
#[test]
fn ends_are_asynchronous_streams() {
    let _limit = limit();
    runtime().block_on(async {
        for message in [false, true] {
            let (server, client) = pair(message, 500);
            let bytes: Vec<u8> = (0..100_000_u32).map(|n| (n % 247) as u8).collect();
            let (mut from_server, mut to_server) = tokio::io::split(client);
            let (mut from_client, mut to_client) = tokio::io::split(server);
            let sending = async {
                for part in bytes.chunks(1999) {
                    to_server.write_all(part).await.unwrap();
                }
                to_server.shutdown().await.unwrap();
            };
            let echoing = async {
                let mut buffer = [0; 777];
                let mut left = bytes.len();
                while left > 0 {
                    let count = from_client.read(&mut buffer).await.unwrap();
                    to_client.write_all(&buffer[..count]).await.unwrap();
                    left -= count;
                }
                to_client.flush().await.unwrap();
            };
            let mut received = vec![0; bytes.len()];
            let receiving = async { from_server.read_exact(&mut received).await.unwrap() };
            tokio::join!(sending, echoing, receiving);
            assert!(received == bytes);
            drop((from_client, to_client));
            assert_eq!(from_server.read(&mut [0; 9]).await.unwrap(), 0, "the end");
            assert_eq!(io_code(&to_server.write_all(b"x").await.unwrap_err()), 232);
        }
    });
}

/// A write of the stream that has not been read is not lost if it is flushed; a given-up read is not either.
#[test]
fn streams_and_single_calls_mix() {
    let _limit = limit();
    runtime().block_on(async {
        let (mut server, mut client) = pair(false, 4);
        begin_and_give_up(client.read(&mut [0; 9]));
        server.write_all(b"more than four").await.unwrap();
        assert_eq!(take(&client, 4).await, b"more");
        let (sent, rest) = tokio::join!(async { server.send(b"!").await.unwrap() }, async {
            let mut rest = Vec::new();
            while rest.len() < 11 {
                rest.extend(take(&client, 3).await);
            }
            rest
        });
        assert_eq!((sent, rest.as_slice()), (1, &b" than four!"[..]));
        server.write_all(b"last").await.unwrap();
        server.flush().await.unwrap();
        drop(server);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "last");
    });
}

/// From a thread's end to a task's and back.
#[test]
fn ends_change_between_threads_and_tasks() {
    let _limit = limit();
    let name = name();
    let server = pipe::Server::create(&name).unwrap();
    let client = pipe::Client::open(&name).unwrap();
    let (server, client) = runtime()
        .block_on(async {
            let (server, client) = (Server::new(server)?, Client::new(client)?);
            server.send(b"in a task").await?;
            assert_eq!(take(&client, 100).await, b"in a task");
            begin_and_give_up(client.receive(&mut [0; 9]));
            Result::Ok((server.into_inner(), client.into_inner()))
        })
        .unwrap();
    server.pipe().send(b"in a thread").unwrap();
    let mut buffer = [0; 100];
    assert_eq!(client.pipe().receive(&mut buffer).unwrap(), 11);
}

/// P41, P5: rights and modes hold as anywhere.
#[test]
fn modes_and_rights_hold_for_tasks() {
    let _limit = limit();
    runtime().block_on(async {
        let name = name();
        let server = Server::create(&ServerOptions::new(&name).inbound()).unwrap();
        let client = Client::open(&ClientOptions::new(&name).read(false)).await.unwrap();
        assert_eq!(code(server.send(b"x").await), 5);
        assert_eq!(code(client.receive(&mut [0]).await), 5);
        client.send(b"in").await.unwrap();
        assert_eq!(take_at_server(&server, 9).await, b"in");
        let (server, _client) = pair(false, 10);
        server.pipe().set_nowait(true).unwrap();
        assert_eq!(code(server.receive(&mut [0]).await), 232);
        assert_eq!(server.send(&[0; 11]).await.unwrap(), 0, "P42");
    });
}
