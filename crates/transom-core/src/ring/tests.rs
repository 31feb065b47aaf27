//! The steps of one queue, called one after the other in one thread: behaviours by their ids in the pipe rules.

mod agreed;
mod death;
mod early;
mod hostile;
mod loans;
mod reading;
mod streams;
mod swift;
mod turns;
mod writing;

use super::*;
use core::cell::RefCell;
use std::vec;
use std::vec::Vec;

/// Data bytes of a test.
pub struct Bytes(RefCell<Vec<u8>>);

impl Memory for Bytes {
    fn copy_in(&self, offset: usize, from: &[u8]) {
        self.0.borrow_mut()[offset..offset + from.len()].copy_from_slice(from);
    }
    fn copy_out(&self, offset: usize, to: &mut [u8]) {
        to.copy_from_slice(&self.0.borrow()[offset..offset + to.len()]);
    }
}

/// A queue with both of its ends in this thread.
pub struct Pipe {
    control: Control,
    data: Bytes,
    shape: Shape,
    heads: HeadCache,
    tails: TailCache,
}

/// The row that the tests' writers say they have.
pub const ROW: u32 = 3;

impl Pipe {
    pub fn new(message: bool, quota: u32, capacity: usize) -> Pipe {
        Pipe {
            control: Control::new(),
            data: Bytes(RefCell::new(vec![0xEE; capacity])),
            shape: Shape::new(message, quota, capacity as u64).unwrap(),
            heads: HeadCache::new(),
            tails: TailCache::new(),
        }
    }

    pub fn bytes(quota: u32) -> Pipe {
        Pipe::new(false, quota, 256)
    }

    pub fn messages(quota: u32) -> Pipe {
        Pipe::new(true, quota, 256)
    }

    pub fn queue(&self) -> Queue<'_, Bytes> {
        Queue::new(&self.control, &self.data, self.shape)
    }

    pub fn writer(&self) -> Writer<'_, Bytes> {
        self.queue().writer(&self.heads).unwrap()
    }

    pub fn reader(&self) -> Reader<'_, Bytes> {
        self.queue().reader(&self.tails).unwrap()
    }

    pub fn write(&self, bytes: &[u8], limit: Limit) -> Written {
        let mut writer = self.writer();
        let written = writer.write(bytes, limit, ROW).unwrap();
        writer.publish();
        written
    }

    /// A write that is complete at once.
    pub fn done(&self, bytes: &[u8]) {
        assert!(matches!(self.write(bytes, Limit::Quota), Written::Done), "the write waits");
    }

    /// A write that waits.
    pub fn waiting(&self, bytes: &[u8]) -> Ticket {
        match self.write(bytes, Limit::Quota) {
            Written::Waiting(ticket) => ticket,
            other => panic!("the write does not wait: {other:?}"),
        }
    }

    /// A write that has no room.
    pub fn streaming(&self, bytes: &[u8]) -> Stream {
        match self.write(bytes, Limit::Quota) {
            Written::Streaming(stream) => stream,
            other => panic!("the write does not stream: {other:?}"),
        }
    }

    pub fn progress(&self, ticket: &Ticket) -> Progress {
        self.queue().poll(ticket).unwrap()
    }

    /// One read of up to `len` bytes, and what it got.
    pub fn read(&self, len: usize, mode: Mode) -> (Read, Vec<u8>) {
        self.read_asking(len, mode, |_| false)
    }

    pub fn read_asking(&self, len: usize, mode: Mode, dead: impl FnMut(u32) -> bool) -> (Read, Vec<u8>) {
        let mut buffer = vec![0; len];
        let mut reader = self.reader();
        let read = reader.read(&mut buffer, 0, mode, dead).unwrap();
        reader.publish();
        let got = match read {
            Read::Got { len, .. } | Read::Part { taken: len } => len,
            Read::Empty | Read::Recover { .. } => 0,
        };
        buffer.truncate(got);
        (read, buffer)
    }

    /// A read in message mode that must find a whole message.
    pub fn message(&self, len: usize) -> Vec<u8> {
        let (read, bytes) = self.read(len, Mode::Message);
        assert_eq!(read, whole(bytes.len()));
        bytes
    }

    /// A read in byte mode that must find something.
    pub fn some(&self, len: usize) -> Vec<u8> {
        let (read, bytes) = self.read(len, Mode::Bytes);
        assert_eq!(read, whole(bytes.len()));
        bytes
    }

    pub fn peek(&self, len: usize) -> (Peek, Vec<u8>) {
        let mut buffer = vec![0; len];
        let Peeked::Seen(peek) = self.queue().peek(&mut buffer, |_| false).unwrap() else {
            panic!("nobody else is here");
        };
        buffer.truncate(peek.copied);
        (peek, buffer)
    }

    pub fn unread(&self) -> u64 {
        self.queue().unread().unwrap()
    }
}

pub fn whole(len: usize) -> Read {
    Read::Got { len, complete: true }
}

pub fn part(len: usize) -> Read {
    Read::Got { len, complete: false }
}

/// Bytes that tell their place.
pub fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + 1) as u8).collect()
}
