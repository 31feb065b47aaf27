//! Writing and reading in place, at an end of a named pipe.

use std::sync::Arc;

use transom_core::code::Code;
use transom_core::pipe::Operation;

use super::end::{NamedEnd, code_of, verdict_code};
use crate::engine::channel::loan::{self, Borrowed as InQueue};
use crate::engine::channel::{End, Trouble, Waiting};
use crate::engine::instance::Attached;
use crate::engine::named::error;
use crate::engine::table::{Entry, Object};
use crate::error::Result;
use crate::wait::Timeout;

type Coded<T> = std::result::Result<T, Code>;

/// A piece of the queue to be written.
pub(in super::super) type Loan<'a> = loan::Loan<Keeper<'a>>;

/// A piece of the queue to be read.
#[derive(Debug)]
pub(in super::super) struct Borrowed<'a> {
    lent: InQueue<Keeper<'a>>,
    /// Whether its end sees messages.
    message_read: bool,
}

/// What keeps the connection of a loan. A client's is its handle's. A server end can have another one before this is
/// over, and would keep all between the two as long as somebody is inside; so it is counted apart.
#[derive(Debug)]
pub(in super::super) enum Keeper<'a> {
    Server(Arc<Attached>),
    Client(&'a End),
}

impl AsRef<End> for Keeper<'_> {
    #[inline]
    fn as_ref(&self) -> &End {
        match self {
            Keeper::Server(attached) => attached.end(),
            Keeper::Client(end) => end,
        }
    }
}

/// The connection of a named end that may do the operation, and how that waits; `None` for an anonymous one.
#[inline]
fn keep(entry: &Entry, operation: Operation, timeout: Timeout) -> Coded<Option<(Keeper<'_>, Waiting)>> {
    entry.check(operation.right())?;
    let (keeper, end) = match &entry.object {
        Object::Server(instance) => {
            let attached = instance.connection(operation).map_err(verdict_code)?;
            (Keeper::Server(attached.share()), NamedEnd::Server(instance))
        }
        Object::Client(visit) => (Keeper::Client(visit.end()), NamedEnd::Client(visit)),
        Object::Pipe(_) => return Ok(None),
        _ => return Err(Code::INVALID_HANDLE),
    };
    Ok(Some((keeper, end.waiting_by_mode(timeout))))
}

fn is_nowait(entry: &Entry) -> bool {
    NamedEnd::of(entry).is_some_and(|end| end.modes().nowait)
}

#[inline]
pub(super) fn lend(entry: &Entry, len: usize, timeout: Timeout) -> Coded<Option<Loan<'_>>> {
    let Some((keeper, waiting)) = keep(entry, Operation::Write, timeout)? else { return Ok(None) };
    let role = keeper.as_ref().role();
    match Loan::make(keeper, len, &waiting) {
        // It is for the commit to say that it does not fit (P42).
        Err(Trouble::WouldBlock) if is_nowait(entry) => Ok(None),
        Err(Trouble::WouldBlock) => Err(Code::SEM_TIMEOUT),
        result => result.map_err(|trouble| code_of(Operation::Write, trouble, role)),
    }
}

#[inline]
pub(super) fn commit(entry: &Entry, loan: Loan<'_>, len: usize, timeout: Timeout) -> Coded<usize> {
    let end = NamedEnd::of(entry).ok_or(Code::INVALID_HANDLE)?;
    let role = loan.role();
    match loan.commit(len, &end.waiting_by_mode(timeout)) {
        Err(Trouble::WouldBlock) if end.modes().nowait => Ok(0),
        Err(Trouble::WouldBlock) => Err(Code::SEM_TIMEOUT),
        result => result.map_err(|trouble| code_of(Operation::Write, trouble, role)),
    }
}

#[inline]
pub(super) fn borrow_next(entry: &Entry, timeout: Timeout) -> Coded<Option<Borrowed<'_>>> {
    let Some((keeper, waiting)) = keep(entry, Operation::Read, timeout)? else { return Ok(None) };
    let message_read = NamedEnd::of(entry).is_some_and(|end| end.modes().message_read);
    let role = keeper.as_ref().role();
    match InQueue::next(keeper, &waiting) {
        Ok(lent) => Ok(Some(Borrowed { lent, message_read })),
        Err(Trouble::WouldBlock) if !is_nowait(entry) => Err(Code::SEM_TIMEOUT),
        Err(trouble) => Err(code_of(Operation::Read, trouble, role)),
    }
}

impl Borrowed<'_> {
    #[inline]
    pub(in super::super) fn len(&self) -> usize {
        self.lent.len()
    }

    #[inline]
    pub(in super::super) fn is_complete(&self) -> bool {
        !self.message_read || self.lent.is_complete()
    }

    pub(in super::super) fn parts(&self) -> [(*const u8, usize); 2] {
        self.lent.parts()
    }

    #[inline]
    pub(in super::super) fn read(&self, at: usize, buffer: &mut [u8]) -> bool {
        self.lent.read(at, buffer)
    }

    #[inline]
    pub(in super::super) fn consume(self) -> Result<bool> {
        let role = self.lent.role();
        let code = |trouble| error("read pipe")(code_of(Operation::Read, trouble, role));
        self.lent.consume().map_err(code)
    }
}

#[cfg(test)]
mod tests {
    use crate::pipe::ServerOptions;
    use crate::pipe::tests::{Waiting, available, connected, message_pair, name, pattern, take};
    use crate::support::{A_MOMENT, code, limit};
    use crate::wait::Timeout;

    /// The point of it all.
    #[test]
    fn messages_lie_in_place() {
        let _limit = limit();
        let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(1 << 20));
        for round in 0..9 {
            let mut loan = server.pipe().loan(1 << 20).unwrap();
            assert!(loan.is_in_place());
            let content = pattern(1 << 20, round);
            loan.write_at(0, &content).unwrap();
            loan.commit().unwrap();
            let borrowed = client.pipe().borrow_message().unwrap();
            assert!(borrowed.is_in_place());
            assert_eq!(borrowed.parts()[1].1, 0, "in one piece");
            assert!(borrowed.to_vec() == content);
        }
    }

    /// A loan waits for room in the pipe.
    #[test]
    fn a_loan_waits_for_room() {
        const M: usize = 1 << 20;
        let _limit = limit();
        let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(M as u32));
        server.pipe().send(&vec![1; M]).unwrap();
        std::thread::scope(|scope| {
            let sending = Waiting::begin(scope, || server.pipe().send(&vec![2; M - 100]));
            let codes = [Timeout::ZERO, A_MOMENT].map(|time| code(server.pipe().loan_timeout(M - 100, time)));
            let waiting =
                Waiting::begin(scope, || server.pipe().loan(M - 100).map(|loan| loan.is_in_place()));
            assert_eq!(take(client.pipe(), 3 * M).len(), 2 * M - 100);
            assert!(waiting.end().unwrap());
            assert_eq!(sending.end().unwrap(), M - 100);
            assert_eq!(codes, [121, 121]);
        });
    }

    /// 1131, and not a wait for itself.
    #[test]
    fn a_thread_does_not_wait_for_its_own_loan() {
        let _limit = limit();
        let (server, client) = message_pair();
        let loan = server.pipe().loan(5).unwrap();
        assert_eq!(code(server.pipe().loan(5)), 1131);
        assert_eq!(code(server.pipe().send(b"x")), 1131);
        assert_eq!(code(server.pipe().send_timeout(b"x", Timeout::ZERO)), 1131);
        client.pipe().send(b"question").unwrap();
        let borrowed = server.pipe().borrow_message().unwrap();
        assert_eq!(code(server.pipe().receive(&mut [0; 9])), 1131);
        assert_eq!(server.pipe().peek(&mut []).unwrap().available, 8);
        drop(borrowed);
        loan.commit().unwrap();
        server.pipe().send(b"x").unwrap();
    }

    /// Others wait meanwhile, in their order.
    #[test]
    fn others_wait_until_a_loan_is_committed() {
        let _limit = limit();
        let (server, client) = message_pair();
        let mut loan = server.pipe().loan(5).unwrap();
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || server.pipe().send(b"after"));
            loan.write_at(0, b"first").unwrap();
            loan.commit().unwrap();
            assert_eq!(waiting.end().unwrap(), 5);
        });
        assert_eq!((take(client.pipe(), 9), take(client.pipe(), 9)), (b"first".to_vec(), b"after".to_vec()));
    }

    /// P38: its writer may take a message back that somebody is looking at.
    #[test]
    fn a_message_that_was_taken_back_does_not_count() {
        let _limit = limit();
        let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(10));
        std::thread::scope(|scope| {
            let waiting = Waiting::begin(scope, || server.pipe().send(&[7; 20]));
            let borrowed = client.pipe().borrow_message().unwrap();
            assert_eq!(borrowed.len(), 20);
            assert_eq!(code(waiting.end_by(|| drop(server.pipe().cancel()))), 995);
            assert!(!borrowed.consume().unwrap());
        });
        assert_eq!(available(client.pipe()), 0);
    }
}
