//! What both systems show about mailslots and broadcast in tasks.

use super::{begin_and_give_up, runtime};
use crate::aio::mailslot::{Server, Subscriber};
use crate::mailslot::{Broadcast, Options, Received, Writer};
use crate::support::{code, limit, under_wine, unique};
use crate::wait::Timeout;

fn slot(timeout: Timeout) -> (Server, Writer) {
    let name = format!(r"\\.\mailslot\{}", unique("aio"));
    let server = Server::create(&Options::new(&name).read_timeout(timeout)).unwrap();
    (server, Writer::open(&name).unwrap())
}

/// S25: under Wine the call that begins a read waits for its end; the tests that need it to go on are not for Wine.
#[test]
fn a_read_that_has_to_wait_is_under_way_and_no_more() {
    let _limit = limit();
    let begun = runtime().block_on(async {
        let (server, _writer) = slot(Timeout::millis(50));
        let mut buffer = [0; 4];
        let mut read = std::pin::pin!(server.receive(&mut buffer));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::future::Future::poll(read.as_mut(), &mut context).is_pending()
    });
    crate::differs_under_wine!("S25", begun);
}

/// S21: one thread, which nobody keeps.
#[test]
fn a_task_that_waits_for_a_message_lets_others_run() {
    let _limit = limit();
    if under_wine() {
        return;
    }
    runtime().block_on(async {
        let (server, writer) = slot(Timeout::INFINITE);
        let mut buffer = [0; 16];
        for round in 0..50_u8 {
            let write = async {
                for _ in 0..round % 5 {
                    tokio::task::yield_now().await;
                }
                writer.send(&[round; 3]).unwrap();
            };
            let (received, ()) = tokio::join!(server.receive(&mut buffer), write);
            assert_eq!((received.unwrap(), buffer[0]), (3, round));
        }
    });
}

/// S22: the time-out is the mailslot's.
#[test]
fn a_task_waits_as_long_as_the_mailslot_says() {
    let _limit = limit();
    runtime().block_on(async {
        for millis in [0, 20] {
            let (server, writer) = slot(Timeout::millis(millis));
            assert_eq!(code(server.receive(&mut [0; 4]).await), 121);
            writer.send(b"12345").unwrap();
            let mut buffer = [0; 5];
            assert_eq!(server.receive(&mut buffer).await.unwrap(), 5);
        }
    });
}

/// What is given up loses no message: neither one that comes later nor one that comes just then.
#[test]
fn a_receive_that_is_given_up_takes_nothing() {
    let _limit = limit();
    if under_wine() {
        return;
    }
    runtime().block_on(async {
        let (server, writer) = slot(Timeout::INFINITE);
        for next in 0..100_u32 {
            begin_and_give_up(server.receive(&mut [0; 8]));
            let mut buffer = [0; 8];
            tokio::select! {
                biased;
                received = server.receive(&mut buffer) => panic!("nothing was sent: {received:?}"),
                () = async { writer.send(&next.to_le_bytes()).unwrap() } => {}
            }
            assert_eq!(server.receive(&mut buffer).await.unwrap(), 4);
            assert_eq!(buffer[..4], next.to_le_bytes());
        }
    });
}

/// S27: each message goes to one of those who wait.
#[test]
fn tasks_that_wait_for_one_mailslot_get_a_message_each() {
    let _limit = limit();
    if under_wine() {
        return;
    }
    runtime().block_on(async {
        let (server, writer) = slot(Timeout::INFINITE);
        let (mut one, mut two) = ([0; 4], [0; 4]);
        let write = async {
            tokio::task::yield_now().await;
            writer.send(b"a").unwrap();
            writer.send(b"a").unwrap();
        };
        let (first, second, ()) = tokio::join!(server.receive(&mut one), server.receive(&mut two), write);
        assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
        assert_eq!((one[0], two[0]), (b'a', b'a'));
    });
}

#[test]
fn a_runtime_ends_though_a_task_waits() {
    let _limit = limit();
    let (server, _writer) = slot(Timeout::INFINITE);
    let name = unique("aio-cast");
    let _publisher = Broadcast::create(&name, 4096).unwrap();
    let mut subscriber = Subscriber::open(&name).unwrap();
    let runtime = runtime();
    if !under_wine() {
        runtime.spawn(async move { server.receive(&mut [0; 4]).await.map(drop) });
    }
    runtime.spawn(async move { subscriber.receive(&mut [0; 4]).await.map(drop) });
    runtime.block_on(tokio::task::yield_now());
    drop(runtime);
}

#[test]
fn a_task_that_subscribes_gets_everything_whatever_it_gives_up() {
    let _limit = limit();
    let name = unique("aio-cast");
    let publisher = Broadcast::create(&name, 4096).unwrap();
    runtime().block_on(async {
        let mut subscriber = Subscriber::open(&name).unwrap();
        let mut buffer = [0; 8];
        for number in 0..100_u32 {
            begin_and_give_up(subscriber.receive(&mut buffer));
            let publish = async { publisher.publish(&number.to_le_bytes()).unwrap() };
            let (received, ()) = tokio::join!(subscriber.receive(&mut buffer), publish);
            assert_eq!(received.unwrap(), Received { len: 4, lost: 0 });
            assert_eq!(buffer[..4], number.to_le_bytes());
        }
    });
}
