//! The operations that wait on one end: in which order they are served, and what cancelling does to them. Pure;
//! the end is whatever is a [`Side`].

use std::collections::VecDeque;

use transom::Code;
use transom::pipe::Message;

use crate::ffi::{In, Out, Outcome};

/// How many kinds of waiting there are: for a client, for data, for room.
pub(crate) const INTERESTS: usize = 3;
const CONNECT: usize = 0;
const DATA: usize = 1;
const SPACE: usize = 2;

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Done {
    /// `ERROR_SUCCESS`, `ERROR_MORE_DATA` (there are bytes nevertheless), or why it failed.
    pub(crate) code: Code,
    /// Bytes moved.
    pub(crate) count: usize,
}

impl Done {
    pub(crate) fn moved(count: usize) -> Done {
        Done { code: Code::SUCCESS, count }
    }

    pub(crate) fn failed(code: Code) -> Done {
        Done { code, count: 0 }
    }

    pub(crate) fn received(message: Message) -> Done {
        Done { code: if message.complete { Code::SUCCESS } else { Code::MORE_DATA }, count: message.len }
    }
}

/// Who began an operation, and whom to tell.
pub(crate) struct Operation {
    /// Its own number.
    pub(crate) key: u64,
    /// The address of its OVERLAPPED; 0 if it has none.
    pub(crate) overlapped: usize,
    /// The thread that began it.
    pub(crate) thread: u32,
    pub(crate) told: Box<dyn FnOnce(Done) + Send>,
}

/// What is to be done.
pub(crate) enum Request {
    Connect,
    Read {
        buffer: Out<u8>,
        length: usize,
        /// Message by message, whatever the handle's mode.
        message: bool,
    },
    Write {
        bytes: In<u8>,
        length: usize,
    },
}

/// How a write began.
pub(crate) enum Sent<S> {
    Done(usize),
    /// All of it can be read; it ends when enough of it has been.
    InPipe(S),
    NoRoom,
    /// Longer than the pipe's memory.
    TooLarge,
}

/// An end of a pipe as a line uses it. Nothing here waits.
pub(crate) trait Side {
    type Sending: Send;

    /// Whether a client has come.
    fn poll_connect(&self) -> Result<bool, Code>;
    /// `None`: nothing to read.
    fn try_receive(&self, buffer: &mut [u8], message: bool) -> Result<Option<Done>, Code>;
    /// Whether nobody will ever write again. Asks the system.
    fn is_peer_gone(&self) -> bool;
    fn begin_send(&self, bytes: &[u8]) -> Result<Sent<Self::Sending>, Code>;
    fn poll_send(&self, sending: &mut Self::Sending) -> Result<Option<usize>, Code>;
    /// False if it had succeeded.
    fn cancel_send(&self, sending: Self::Sending) -> bool;
    /// Writes in a thread of its own, which calls [`Line::sent_apart`] at the end.
    fn send_apart(&self, bytes: In<u8>, length: usize, key: u64) -> Result<(), Code>;
    fn cancel_apart(&self);
    /// Lets the end's bell ring for one of the [`INTERESTS`]; `demand` is how many bytes waiting reads will take.
    fn arm(&self, interest: usize, demand: usize);
    /// Takes it back; others that are armed may have to be armed again.
    fn disarm(&self, interest: usize);
    /// Which connection's bell it is.
    fn epoch(&self) -> u64;
}

struct Read {
    operation: Operation,
    buffer: Out<u8>,
    length: usize,
    message: bool,
}

struct Write<S> {
    operation: Operation,
    bytes: In<u8>,
    length: usize,
    stage: Stage<S>,
}

enum Stage<S> {
    /// Nothing of it is in the pipe.
    Queued,
    InPipe(S),
    Apart,
}

/// The line of one end.
pub(crate) struct Line<S: Side> {
    connects: VecDeque<Operation>,
    reads: VecDeque<Read>,
    writes: VecDeque<Write<S::Sending>>,
    armed: [bool; INTERESTS],
    epoch: u64,
}

impl<S: Side> Default for Line<S> {
    fn default() -> Line<S> {
        Line {
            connects: VecDeque::new(),
            reads: VecDeque::new(),
            writes: VecDeque::new(),
            armed: [false; INTERESTS],
            epoch: 0,
        }
    }
}

/// Operations that ended, by their keys.
type Ended = Vec<(u64, Done)>;

fn tell(operation: Operation, done: Done, ended: &mut Ended) {
    ended.push((operation.key, done));
    (operation.told)(done);
}

impl<S: Side> Line<S> {
    /// Does what can be done at once, or queues the operation behind those of its kind (P52).
    ///
    /// # Errors
    /// It failed at once.
    pub(crate) fn begin(
        &mut self,
        side: &S,
        request: Request,
        operation: Operation,
        ended: &mut Ended,
    ) -> Outcome<()> {
        match request {
            Request::Connect => self.connects.push_back(operation),
            Request::Read { mut buffer, length, message } => {
                let place = buffer.bytes(length)?;
                if self.reads.is_empty() {
                    let mut received = side.try_receive(place, message)?;
                    if received.is_none() && side.is_peer_gone() {
                        // Now it is known, and so is what was written before.
                        received = side.try_receive(place, message)?;
                    }
                    if let Some(done) = received {
                        tell(operation, done, ended);
                        return Ok(());
                    }
                }
                self.reads.push_back(Read { operation, buffer, length, message });
            }
            Request::Write { bytes, length } => {
                let whole = bytes.bytes(length)?;
                let stage = if self.writes.iter().any(|write| !matches!(write.stage, Stage::InPipe(_))) {
                    Stage::Queued
                } else {
                    match side.begin_send(whole)? {
                        Sent::Done(count) => {
                            tell(operation, Done::moved(count), ended);
                            return Ok(());
                        }
                        Sent::InPipe(sending) => Stage::InPipe(sending),
                        Sent::NoRoom => Stage::Queued,
                        Sent::TooLarge => {
                            side.send_apart(bytes, length, operation.key)?;
                            Stage::Apart
                        }
                    }
                };
                self.writes.push_back(Write { operation, bytes, length, stage });
            }
        }
        Ok(())
    }

    /// Lets go on what can.
    pub(crate) fn step(&mut self, side: &S, ended: &mut Ended) {
        self.step_connects(side, ended);
        self.step_reads(side, ended);
        self.step_writes(side, ended);
    }

    fn step_connects(&mut self, side: &S, ended: &mut Ended) {
        if self.connects.is_empty() {
            return;
        }
        let done = match side.poll_connect() {
            Ok(false) => return,
            Ok(true) => Done::moved(0),
            Err(code) => Done::failed(code),
        };
        for operation in self.connects.drain(..) {
            tell(operation, done, ended);
        }
    }

    fn step_reads(&mut self, side: &S, ended: &mut Ended) {
        while let Some(read) = self.reads.front_mut() {
            let received = match read.buffer.bytes(read.length) {
                Ok(place) => side.try_receive(place, read.message),
                Err(failure) => Err(failure.0),
            };
            let done = match received {
                Ok(None) => return,
                Ok(Some(done)) => done,
                Err(code) => Done::failed(code),
            };
            if let Some(read) = self.reads.pop_front() {
                tell(read.operation, done, ended);
            }
        }
    }

    fn step_writes(&mut self, side: &S, ended: &mut Ended) {
        let mut index = 0;
        while let Some(write) = self.writes.get_mut(index) {
            let done = match &mut write.stage {
                Stage::InPipe(sending) => match side.poll_send(sending) {
                    Ok(None) => None,
                    Ok(Some(count)) => Some(Done::moved(count)),
                    Err(code) => Some(Done::failed(code)),
                },
                // Those behind it wait for it, since they come after it in the pipe.
                Stage::Apart => return,
                Stage::Queued => {
                    let sent = write.bytes.bytes(write.length).map_err(|failure| failure.0);
                    match sent.and_then(|bytes| side.begin_send(bytes)) {
                        Ok(Sent::Done(count)) => Some(Done::moved(count)),
                        Ok(Sent::InPipe(sending)) => {
                            write.stage = Stage::InPipe(sending);
                            None
                        }
                        Ok(Sent::NoRoom) => return,
                        Ok(Sent::TooLarge) => {
                            match side.send_apart(write.bytes, write.length, write.operation.key) {
                                Ok(()) => {
                                    write.stage = Stage::Apart;
                                    return;
                                }
                                Err(code) => Some(Done::failed(code)),
                            }
                        }
                        Err(code) => Some(Done::failed(code)),
                    }
                }
            };
            match done {
                None => index += 1,
                Some(done) => {
                    if let Some(write) = self.writes.remove(index) {
                        tell(write.operation, done, ended);
                    }
                }
            }
        }
    }

    /// The thread of a write that was too large has ended it.
    pub(crate) fn sent_apart(&mut self, key: u64, sent: Result<usize, Code>, ended: &mut Ended) {
        let place = self.writes.iter().position(|write| write.operation.key == key);
        if let Some(write) = place.and_then(|place| self.writes.remove(place)) {
            tell(write.operation, sent.map_or_else(Done::failed, Done::moved), ended);
        }
    }

    /// Ends the operations that are meant with `ERROR_OPERATION_ABORTED`; how many there were (P53). What is left in
    /// the pipe of a write goes (P38).
    pub(crate) fn cancel(
        &mut self,
        side: &S,
        wanted: impl Fn(&Operation) -> bool,
        ended: &mut Ended,
    ) -> usize {
        let aborted = Done::failed(Code::OPERATION_ABORTED);
        let mut count = 0;
        for operation in take(&mut self.connects, &wanted) {
            tell(operation, aborted, ended);
            count += 1;
        }
        for read in take(&mut self.reads, |read| wanted(&read.operation)) {
            tell(read.operation, aborted, ended);
            count += 1;
        }
        if self.writes.iter().any(|write| matches!(write.stage, Stage::Apart) && wanted(&write.operation)) {
            // Its thread tells.
            side.cancel_apart();
            count += 1;
        }
        let in_line =
            |write: &Write<S::Sending>| !matches!(write.stage, Stage::Apart) && wanted(&write.operation);
        for write in take(&mut self.writes, in_line) {
            let done = match write.stage {
                Stage::InPipe(sending) => {
                    // False: too late, enough had been read.
                    if side.cancel_send(sending) { aborted } else { Done::moved(write.length) }
                }
                Stage::Queued | Stage::Apart => aborted,
            };
            tell(write.operation, done, ended);
            count += 1;
        }
        count
    }

    /// Takes an operation out that could not be begun properly after all, without telling anybody; false if it is
    /// not here.
    pub(crate) fn take_back(&mut self, side: &S, key: u64) -> bool {
        let before = self.connects.len() + self.reads.len() + self.writes.len();
        self.connects.retain(|operation| operation.key != key);
        self.reads.retain(|read| read.operation.key != key);
        for write in take(&mut self.writes, |write| write.operation.key == key) {
            if let Stage::InPipe(sending) = write.stage {
                side.cancel_send(sending);
            }
        }
        self.connects.len() + self.reads.len() + self.writes.len() < before
    }

    /// Arms the bell for what waits and disarms it for what does not; true if it was armed for something new.
    pub(crate) fn arm(&mut self, side: &S) -> bool {
        let epoch = side.epoch();
        if self.epoch != epoch {
            // What was armed was armed at a bell that nobody rings any more.
            self.armed = [false; INTERESTS];
            self.epoch = epoch;
        }
        let mut needed = [false; INTERESTS];
        needed[CONNECT] = !self.connects.is_empty();
        needed[DATA] = !self.reads.is_empty();
        needed[SPACE] = self.writes.iter().any(|write| !matches!(write.stage, Stage::Apart));
        for (interest, armed) in self.armed.iter().enumerate() {
            if *armed && !needed[interest] {
                side.disarm(interest);
            }
        }
        if self.armed.iter().zip(needed).any(|(armed, needed)| *armed && !needed) {
            self.armed = [false; INTERESTS];
        }
        let mut new = false;
        for (interest, needed) in needed.into_iter().enumerate() {
            if needed && !self.armed[interest] {
                let demand = self.reads.iter().map(|read| read.length).fold(0, usize::saturating_add);
                side.arm(interest, if interest == DATA { demand } else { 0 });
                self.armed[interest] = true;
                new = true;
            }
        }
        new
    }

    /// The bell has rung, which takes back all that it was armed for; false if it was not armed.
    pub(crate) fn take_armed(&mut self) -> bool {
        std::mem::take(&mut self.armed).contains(&true)
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.connects.is_empty() && self.reads.is_empty() && self.writes.is_empty()
    }

    /// Whether a read waits.
    pub(crate) fn is_read(&self) -> bool {
        !self.reads.is_empty()
    }
}

/// Takes out of a queue what is wanted, in its order.
fn take<T>(queue: &mut VecDeque<T>, wanted: impl Fn(&T) -> bool) -> Vec<T> {
    let mut taken = Vec::new();
    for item in std::mem::take(queue) {
        if wanted(&item) {
            taken.push(item);
        } else {
            queue.push_back(item);
        }
    }
    taken
}

#[cfg(test)]
mod tests;
