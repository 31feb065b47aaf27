//! Windows in tasks.

use super::super::window::{Incoming, Receiver, What};
use super::{limit, runtime, unique};
use crate::support::PATIENCE;
use crate::window::message::{WM_APP, WM_NULL, WM_USER};
use crate::window::{Class, Sender, WindowHandle};

fn receiver() -> Receiver {
    Receiver::spawn(&Class::register(&unique("aio")).unwrap(), "receiver").unwrap()
}

/// Sends from a thread beside.
fn sending(
    to: Sender,
    send: impl FnOnce(Sender) -> isize + Send + 'static,
) -> std::thread::JoinHandle<isize> {
    std::thread::spawn(move || send(to))
}

/// W24, W20.
#[test]
fn what_is_sent_is_received_and_answered() {
    let _limit = limit();
    runtime().block_on(async {
        let mut receiver = receiver();
        let to = receiver.sender();
        assert_eq!(
            Sender::find(to.class_name().unwrap().as_str(), "receiver").unwrap().handle(),
            receiver.handle()
        );
        let one = sending(to, |to| to.copydata(5, b"bytes", PATIENCE).unwrap());
        let incoming = receiver.recv().await.unwrap();
        let expected = What::Copydata { from: WindowHandle::NULL, tag: 5, bytes: b"bytes".to_vec() };
        assert_eq!(*incoming.what(), expected);
        assert!(incoming.is_sent());
        incoming.answer(-4);
        assert_eq!(one.join().unwrap(), -4);
        let two = sending(to, |to| to.send(WM_USER, 1, -2, PATIENCE).unwrap());
        let incoming = receiver.recv().await.unwrap();
        assert_eq!(*incoming.what(), What::Message { number: WM_USER, wparam: 1, lparam: -2 });
        assert_eq!(incoming.bytes(), None);
        drop(incoming);
        assert_eq!(two.join().unwrap(), 0, "dropped");
        assert_eq!(to.send(WM_NULL, 0, 0, PATIENCE).unwrap(), 0, "the system's own does not come here");
        to.post(WM_APP, 7, 8).unwrap();
        let incoming = receiver.recv().await.unwrap();
        assert_eq!(*incoming.what(), What::Message { number: WM_APP, wparam: 7, lparam: 8 });
        assert!(!incoming.is_sent());
        incoming.answer(1);
    });
}

/// W28: one after the other, each with its own answer.
#[test]
fn several_senders_wait_for_their_own_answers() {
    let _limit = limit();
    runtime().block_on(async {
        let mut receiver = receiver();
        let to = receiver.sender();
        let senders: Vec<_> = (0..4_usize)
            .map(|tag| {
                sending(to, move |to| {
                    (0..50_usize).map(|at| to.copydata(tag * 1000 + at, &[], PATIENCE).unwrap()).sum()
                })
            })
            .collect();
        for _ in 0..200 {
            let incoming = receiver.recv().await.unwrap();
            let What::Copydata { tag, .. } = *incoming.what() else { panic!("nothing else is sent") };
            incoming.answer(tag as isize);
        }
        for (tag, sender) in senders.into_iter().enumerate() {
            assert_eq!(sender.join().unwrap(), (tag * 50_000 + 49 * 50 / 2) as isize);
        }
    });
}

#[test]
fn a_dropped_receiver_answers_whoever_waits() {
    let _limit = limit();
    runtime().block_on(async {
        let mut receiver = receiver();
        let to = receiver.sender();
        let waiting = sending(to, |to| to.copydata(1, b"x", PATIENCE).unwrap());
        let kept: Incoming = receiver.recv().await.unwrap();
        drop(receiver);
        assert_eq!(waiting.join().unwrap(), 0, "although a task has it");
        assert!(!to.is_alive());
        kept.answer(9);
    });
    let receiver = receiver();
    let to = receiver.sender();
    to.post(WM_USER, 0, 0).unwrap();
    let waiting = sending(to, |to| to.copydata(1, b"x", PATIENCE).unwrap_or(0));
    drop(receiver);
    assert_eq!(waiting.join().unwrap(), 0, "nor was it received");
}
