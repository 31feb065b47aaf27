//! A line over an end that the test drives: order, cancelling, arming.

use super::*;
use crate::ffi::tests::{given, taken};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// An end of a pipe as the test says it is.
#[derive(Default)]
struct Fake {
    /// What can be read, or why nothing can.
    incoming: RefCell<VecDeque<Result<Vec<u8>, Code>>>,
    client: Cell<bool>,
    peer_gone: Cell<bool>,
    /// Whether that was known when it was last read.
    asked: Cell<bool>,
    /// Room for writes that end at once, in bytes.
    room: Cell<usize>,
    /// Writes in the pipe, by number: what has become of them.
    written: RefCell<Vec<Option<Result<usize, Code>>>>,
    apart: RefCell<Vec<u64>>,
    apart_cancelled: Cell<bool>,
    armed: RefCell<[bool; INTERESTS]>,
    demand: Cell<usize>,
    epoch: Cell<u64>,
}

/// Longer writes have to be made apart.
const MEMORY: usize = 100;
/// So many writes may be in the pipe.
const PLACES: usize = 3;

impl Side for Fake {
    type Sending = usize;

    fn poll_connect(&self) -> Result<bool, Code> {
        Ok(self.client.get())
    }

    fn try_receive(&self, buffer: &mut [u8], _message: bool) -> Result<Option<Done>, Code> {
        match self.incoming.borrow_mut().pop_front() {
            None if self.asked.replace(self.peer_gone.get()) => Err(Code::BROKEN_PIPE),
            None => Ok(None),
            Some(Err(code)) => Err(code),
            Some(Ok(bytes)) => {
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                let code = if count < bytes.len() { Code::MORE_DATA } else { Code::SUCCESS };
                Ok(Some(Done { code, count }))
            }
        }
    }

    fn is_peer_gone(&self) -> bool {
        self.peer_gone.get()
    }

    fn begin_send(&self, bytes: &[u8]) -> Result<Sent<usize>, Code> {
        let mut written = self.written.borrow_mut();
        if bytes.len() <= self.room.get() {
            self.room.set(self.room.get() - bytes.len());
            return Ok(Sent::Done(bytes.len()));
        }
        if bytes.len() > MEMORY {
            return Ok(Sent::TooLarge);
        }
        if written.iter().filter(|write| write.is_none()).count() == PLACES {
            return Ok(Sent::NoRoom);
        }
        written.push(None);
        Ok(Sent::InPipe(written.len() - 1))
    }

    fn poll_send(&self, sending: &mut usize) -> Result<Option<usize>, Code> {
        self.written.borrow()[*sending].transpose()
    }

    fn cancel_send(&self, sending: usize) -> bool {
        let mut written = self.written.borrow_mut();
        let cancelled = written[sending].is_none();
        written[sending] = Some(Err(Code::OPERATION_ABORTED));
        cancelled
    }

    fn send_apart(&self, _bytes: In<u8>, _length: usize, key: u64) -> Result<(), Code> {
        self.apart.borrow_mut().push(key);
        Ok(())
    }

    fn cancel_apart(&self) {
        self.apart_cancelled.set(true);
    }

    fn arm(&self, interest: usize, demand: usize) {
        self.armed.borrow_mut()[interest] = true;
        if interest == DATA {
            self.demand.set(demand);
        }
    }

    fn epoch(&self) -> u64 {
        self.epoch.get()
    }

    fn disarm(&self, interest: usize) {
        self.armed.borrow_mut()[interest] = false;
    }
}

/// What the operations were told, in the order in which they were.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<(u64, Done)>>>);

impl Told {
    fn operation(&self, key: u64, thread: u32) -> Operation {
        let told = self.clone();
        let told = move |done| told.0.lock().expect("no test panics here").push((key, done));
        Operation { key, overlapped: key as usize * 8, thread, told: Box::new(told) }
    }

    fn take(&self) -> Vec<(u64, Done)> {
        std::mem::take(&mut self.0.lock().expect("no test panics here"))
    }
}

fn moved(key: u64, count: usize) -> (u64, Done) {
    (key, Done::moved(count))
}

fn failed(key: u64, code: Code) -> (u64, Done) {
    (key, Done::failed(code))
}

fn begin(line: &mut Line<Fake>, side: &Fake, request: Request, operation: Operation) {
    line.begin(side, request, operation, &mut Vec::new()).expect("nothing fails at once in this test");
}

fn write(length: usize) -> Request {
    static BYTES: [u8; 200] = [b'x'; 200];
    Request::Write { bytes: given(&BYTES), length }
}

/// P52: waiting reads are served in their order, and a later read does not overtake.
#[test]
fn reads_are_served_first_come_first_served() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    let mut buffers = [[0_u8; 4]; 3];
    for (key, buffer) in (1..).zip(&mut buffers) {
        let request = Request::Read { buffer: taken(buffer), length: 4, message: false };
        begin(&mut line, &side, request, told.operation(key, 1));
    }
    side.incoming.borrow_mut().extend([Ok(b"one".to_vec()), Ok(b"second".to_vec())]);
    let mut ended = Vec::new();
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [moved(1, 3), (2, Done { code: Code::MORE_DATA, count: 4 })]);
    assert_eq!(ended.len(), 2);
    assert_eq!((&buffers[0][..3], &buffers[1][..]), (&b"one"[..], &b"seco"[..]));
    // A fourth that comes while the third waits stays behind it, though there is something to read now.
    side.incoming.borrow_mut().push_back(Ok(b"3".to_vec()));
    let mut fourth = [0; 4];
    let request = Request::Read { buffer: taken(&mut fourth), length: 4, message: false };
    begin(&mut line, &side, request, told.operation(4, 1));
    assert_eq!(told.take(), []);
    side.incoming.borrow_mut().push_back(Err(Code::BROKEN_PIPE));
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [moved(3, 1), failed(4, Code::BROKEN_PIPE)]);
    assert!(line.is_empty());
}

/// P49: what fails at once was never begun and tells nobody.
#[test]
fn a_failure_at_once_tells_nobody() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::<Fake>::default());
    side.incoming.borrow_mut().push_back(Err(Code::BROKEN_PIPE));
    let mut buffer = [0; 4];
    let request = Request::Read { buffer: taken(&mut buffer), length: 4, message: false };
    let begun = line.begin(&side, request, told.operation(1, 1), &mut Vec::new());
    assert_eq!(begun, crate::ffi::fail(Code::BROKEN_PIPE));
    assert!(line.is_empty() && told.take().is_empty());
}

/// P25, P49: a read of an empty pipe whose other side was killed fails at once.
#[test]
fn a_dead_peer_is_noticed_before_a_read_waits() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::<Fake>::default());
    side.peer_gone.set(true);
    let mut buffer = [0; 4];
    let request = Request::Read { buffer: taken(&mut buffer), length: 4, message: false };
    let begun = line.begin(&side, request, told.operation(1, 1), &mut Vec::new());
    assert_eq!(begun, crate::ffi::fail(Code::BROKEN_PIPE));
    assert!(line.is_empty() && told.take().is_empty());
}

/// P53: cancelling the second of two waiting reads leaves the first; by thread; by OVERLAPPED.
#[test]
fn cancelling_ends_what_is_meant_and_nothing_else() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    let mut buffer = [0; 4];
    for (key, thread) in [(1, 7), (2, 8), (3, 7)] {
        let request = Request::Read { buffer: taken(&mut buffer), length: 4, message: false };
        begin(&mut line, &side, request, told.operation(key, thread));
    }
    begin(&mut line, &side, Request::Connect, told.operation(4, 8));
    let mut ended = Vec::new();
    assert_eq!(line.cancel(&side, |operation| operation.overlapped == 16, &mut ended), 1);
    assert_eq!(told.take(), [failed(2, Code::OPERATION_ABORTED)]);
    assert_eq!(line.cancel(&side, |operation| operation.overlapped == 16, &mut ended), 0);
    assert_eq!(line.cancel(&side, |operation| operation.thread == 7, &mut ended), 2);
    assert_eq!(told.take(), [failed(1, Code::OPERATION_ABORTED), failed(3, Code::OPERATION_ABORTED)]);
    side.client.set(true);
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [moved(4, 0)]);
}

/// P38, P53: a write that had enough read of it when it was cancelled has succeeded.
#[test]
fn a_write_is_cancelled_only_if_it_still_waits() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    begin(&mut line, &side, write(10), told.operation(1, 1));
    begin(&mut line, &side, write(20), told.operation(2, 1));
    side.written.borrow_mut()[0] = Some(Ok(10));
    let mut ended = Vec::new();
    assert_eq!(line.cancel(&side, |_| true, &mut ended), 2);
    assert_eq!(told.take(), [moved(1, 10), failed(2, Code::OPERATION_ABORTED)]);
}

/// P34, P39: writes that found no place, and one that is larger than the pipe, keep their order.
#[test]
fn writes_begin_in_their_order() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    for key in 1..=4 {
        begin(&mut line, &side, write(10), told.operation(key, 1));
    }
    begin(&mut line, &side, write(150), told.operation(5, 1));
    // Would fit at once, if it could overtake.
    side.room.set(10);
    begin(&mut line, &side, write(5), told.operation(6, 1));
    assert_eq!((side.written.borrow().len(), side.apart.borrow().len()), (3, 0));
    side.room.set(0);
    side.written.borrow_mut()[0] = Some(Ok(10));
    let mut ended = Vec::new();
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [moved(1, 10)]);
    assert_eq!((side.written.borrow().len(), side.apart.borrow().as_slice()), (4, &[5][..]));
    side.room.set(10);
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [], "the last one waits for the large one");
    line.sent_apart(5, Ok(150), &mut ended);
    line.step(&side, &mut ended);
    assert_eq!(told.take(), [moved(5, 150), moved(6, 5)]);
    assert_eq!(line.cancel(&side, |_| true, &mut ended), 3);
}

/// P53: the thread of a large write is told, and tells.
#[test]
fn a_large_write_is_cancelled_in_its_thread() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    begin(&mut line, &side, write(150), told.operation(1, 1));
    let mut ended = Vec::new();
    assert_eq!(line.cancel(&side, |_| true, &mut ended), 1);
    assert!(side.apart_cancelled.get() && told.take().is_empty() && !line.is_empty());
    line.sent_apart(1, Err(Code::OPERATION_ABORTED), &mut ended);
    assert_eq!(told.take(), [failed(1, Code::OPERATION_ABORTED)]);
    assert!(line.is_empty());
}

#[test]
fn the_bell_is_armed_for_what_waits_and_only_for_that() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    let mut buffer = [0; 4];
    assert!(!line.arm(&side));
    let request = Request::Read { buffer: taken(&mut buffer), length: 4, message: false };
    begin(&mut line, &side, request, told.operation(1, 1));
    assert!(line.arm(&side));
    assert!(!line.arm(&side), "armed already");
    assert_eq!(*side.armed.borrow(), [false, true, false]);
    assert_eq!(side.demand.get(), 4);
    begin(&mut line, &side, write(10), told.operation(2, 1));
    begin(&mut line, &side, Request::Connect, told.operation(3, 1));
    assert!(line.arm(&side));
    assert_eq!(*side.armed.borrow(), [true; 3]);
    // A ring takes them all back.
    assert!(line.take_armed());
    assert!(!line.take_armed());
    assert!(line.arm(&side));
    // Another connection has another bell.
    *side.armed.borrow_mut() = [false; 3];
    side.epoch.set(1);
    assert!(line.arm(&side));
    assert_eq!(*side.armed.borrow(), [true; 3]);
    // What waits on is armed again behind what is taken back.
    line.cancel(&side, |operation| operation.key == 1, &mut Vec::new());
    assert!(line.arm(&side));
    assert_eq!(*side.armed.borrow(), [true, false, true]);
    line.cancel(&side, |_| true, &mut Vec::new());
    assert!(!line.arm(&side));
    assert_eq!(*side.armed.borrow(), [false; 3]);
}

#[test]
fn an_operation_that_could_not_be_begun_after_all_tells_nobody() {
    let (side, told, mut line) = (Fake::default(), Told::default(), Line::default());
    begin(&mut line, &side, write(10), told.operation(1, 1));
    begin(&mut line, &side, write(10), told.operation(2, 1));
    assert!(line.take_back(&side, 1));
    assert!(!line.take_back(&side, 1));
    assert_eq!(side.written.borrow().as_slice(), [Some(Err(Code::OPERATION_ABORTED)), None]);
    assert!(told.take().is_empty() && !line.is_empty());
}
