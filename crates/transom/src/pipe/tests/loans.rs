//! Writing and reading in place: the same calls everywhere, with copies where nothing lies in place.

use super::{
    Waiting, available, connected, message_pair, name, pair, pattern, take, take_message, until_available,
};
use crate::pipe::{Loan, PipeOptions, ServerOptions};
use crate::support::{A_MOMENT, code, limit};
use crate::wait::Timeout;

/// P26: a loan is one message, written in any order.
#[test]
fn a_committed_loan_is_a_message() {
    let _limit = limit();
    let (server, client) = message_pair();
    for round in 0..50 {
        let content = pattern(300 + round, round);
        let mut loan = server.pipe().loan(content.len()).unwrap();
        assert_eq!((loan.len(), loan.is_empty()), (content.len(), false));
        loan.write_at(100, &content[100..]).unwrap();
        loan.write_at(0, &content[..100]).unwrap();
        assert_eq!(loan.commit().unwrap(), content.len());
        assert_eq!(take_message(client.pipe(), 1000), (content, true));
    }
}

/// P26, P27: what is borrowed is a message, whatever read mode; it is gone afterwards.
#[test]
fn a_borrowed_message_is_consumed() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"first").unwrap();
    server.pipe().send(b"second").unwrap();
    let borrowed = client.pipe().borrow_message().unwrap();
    assert_eq!((borrowed.len(), borrowed.is_complete(), borrowed.is_empty()), (5, true, false));
    let mut middle = [0; 3];
    borrowed.read_at(1, &mut middle).unwrap();
    assert_eq!((&middle, borrowed.to_vec()), (b"irs", b"first".to_vec()));
    assert_eq!(borrowed.parts().iter().map(|part| part.1).sum::<usize>(), 5);
    assert!(borrowed.consume().unwrap());
    drop(client.pipe().borrow_message().unwrap());
    assert_eq!(available(client.pipe()), 0);
}

/// P28
#[test]
fn an_empty_message_is_lent_and_borrowed() {
    let _limit = limit();
    let (server, client) = message_pair();
    assert_eq!(server.pipe().loan(0).unwrap().commit().unwrap(), 0);
    server.pipe().send(b"x").unwrap();
    let empty = client.pipe().borrow_message().unwrap();
    assert!(empty.is_empty() && empty.is_complete());
    drop(empty);
    assert_eq!(client.pipe().borrow_message().unwrap().to_vec(), b"x");
}

#[test]
fn a_loan_that_is_given_up_was_never_written() {
    let _limit = limit();
    let (server, client) = message_pair();
    let mut loan = server.pipe().loan(20).unwrap();
    loan.write_at(0, b"never").unwrap();
    drop(loan);
    assert_eq!(available(client.pipe()), 0);
    server.pipe().send(b"next").unwrap();
    assert_eq!(take(client.pipe(), 100), b"next");
}

#[test]
fn a_loan_may_be_cut() {
    let _limit = limit();
    let (server, client) = message_pair();
    let mut loan = server.pipe().loan(20).unwrap();
    loan.write_at(0, b"short and the rest").unwrap();
    loan.truncate(5);
    loan.truncate(500);
    assert_eq!(loan.len(), 5);
    assert_eq!(code(loan.write_at(4, b"xy")), 87, "that is cut off");
    assert_eq!(loan.commit().unwrap(), 5);
    assert_eq!(take_message(client.pipe(), 100), (b"short".to_vec(), true));
}

#[test]
fn nothing_outside_a_loan_or_a_borrowed_message_is_reached() {
    let _limit = limit();
    let (server, client) = message_pair();
    let mut loan = server.pipe().loan(4).unwrap();
    assert_eq!(code(loan.write_at(0, b"12345")), 87);
    assert_eq!(code(loan.write_at(5, b"")), 87);
    assert_eq!(code(loan.write_at(usize::MAX, b"12")), 87);
    loan.write_at(4, b"").unwrap();
    loan.write_at(0, b"1234").unwrap();
    loan.commit().unwrap();
    let borrowed = client.pipe().borrow_message().unwrap();
    assert_eq!(code(borrowed.read_at(1, &mut [0; 4])), 87);
    assert_eq!(code(borrowed.read_at(usize::MAX, &mut [0; 2])), 87);
    borrowed.read_at(4, &mut []).unwrap();
}

/// P22: without borders, what is there.
#[test]
fn bytes_are_lent_and_borrowed() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).out_size(100_000));
    let (mut written, mut read) = (Vec::new(), Vec::new());
    for round in 0..40 {
        let content = pattern(9_000, round);
        let mut loan = server.pipe().loan(content.len()).unwrap();
        loan.write_at(0, &content).unwrap();
        assert_eq!(loan.commit().unwrap(), content.len());
        written.extend(content);
        while read.len() < written.len() {
            let borrowed = client.pipe().borrow_message().unwrap();
            assert!(borrowed.is_complete());
            read.extend(borrowed.to_vec());
        }
    }
    assert!(read == written);
}

/// P30: longer than the pipe has room for, it is copied, and comes in parts.
#[test]
fn a_loan_may_be_longer_than_the_pipe() {
    let _limit = limit();
    let (server, client) = message_pair();
    let content = pattern(1 << 20, 3);
    let mut loan = server.pipe().loan(content.len()).unwrap();
    assert!(!loan.is_in_place());
    loan.write_at(0, &content).unwrap();
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = Vec::new();
            loop {
                let borrowed = client.pipe().borrow_message().unwrap();
                read.extend(borrowed.to_vec());
                if borrowed.is_complete() {
                    return read;
                }
            }
        });
        assert_eq!(loan.commit().unwrap(), content.len());
        reader.join().unwrap()
    });
    assert!(read == content);
}

/// P34: a loan beyond the quota waits, and can be read meanwhile (P35).
#[test]
fn a_commit_beyond_the_quota_waits() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(100));
    client.pipe().set_message_read(true).unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || {
            let mut loan = server.pipe().loan(150).unwrap();
            loan.write_at(0, &pattern(150, 1)).unwrap();
            loan.commit()
        });
        until_available(client.pipe(), 150);
        assert_eq!(take_message(client.pipe(), 40), (pattern(150, 1)[..40].to_vec(), false));
        waiting.still();
        assert_eq!(take_message(client.pipe(), 200), (pattern(150, 1)[40..].to_vec(), true));
        assert_eq!(waiting.end().unwrap(), 150);
    });
}

/// P38: what ran out of time is taken back.
#[test]
fn a_commit_that_runs_out_of_time_was_never_written() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(100));
    client.pipe().set_message_read(true).unwrap();
    let loan = server.pipe().loan(101).unwrap();
    assert_eq!(code(loan.commit_timeout(A_MOMENT)), 121);
    assert_eq!(available(client.pipe()), 0);
    server.pipe().send(b"next").unwrap();
    assert_eq!(take(client.pipe(), 100), b"next");
}

/// P42: all or nothing.
#[test]
fn a_commit_that_may_not_wait_writes_all_or_nothing() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).message(true).out_size(100));
    server.pipe().set_mode(3).unwrap();
    assert_eq!(server.pipe().loan(101).unwrap().commit().unwrap(), 0);
    assert_eq!(available(client.pipe()), 0);
    assert_eq!(server.pipe().loan(100).unwrap().commit().unwrap(), 100);
    assert_eq!(server.pipe().loan(1).unwrap().commit().unwrap(), 0);
    assert_eq!(take(client.pipe(), 200).len(), 100);
}

/// P41, P62: borrowing waits as reading does.
#[test]
fn borrowing_waits_as_reading_does() {
    let _limit = limit();
    let (server, client) = message_pair();
    assert_eq!(code(client.pipe().borrow_message_timeout(Timeout::ZERO)), 121);
    assert_eq!(code(client.pipe().borrow_message_timeout(A_MOMENT)), 121);
    client.pipe().set_nowait(true).unwrap();
    assert_eq!(code(client.pipe().borrow_message()), 232);
    client.pipe().set_nowait(false).unwrap();
    std::thread::scope(|scope| {
        let waiting = Waiting::begin(scope, || client.pipe().borrow_message().map(|it| it.to_vec()));
        server.pipe().send(b"came").unwrap();
        assert_eq!(waiting.end().unwrap(), b"came");
        let waiting = Waiting::begin(scope, || client.pipe().borrow_message().map(|it| it.to_vec()));
        assert_eq!(code(waiting.end_by(|| drop(client.pipe().cancel()))), 995);
        let waiting = Waiting::begin(scope, || client.pipe().borrow_message().map(|it| it.to_vec()));
        server.pipe().send(b"last").unwrap();
        assert_eq!(waiting.end().unwrap(), b"last");
    });
    server.pipe().send(b"rest").unwrap();
    drop(server);
    assert_eq!(client.pipe().borrow_message().unwrap().to_vec(), b"rest", "P25");
    assert_eq!(code(client.pipe().borrow_message()), 109);
    assert_eq!(code(client.pipe().loan(5).and_then(Loan::commit)), 232);
}

/// Section 2.
#[test]
fn states_and_rights_are_those_of_reading_and_writing() {
    let _limit = limit();
    let server = ServerOptions::new(&name()).inbound().create().unwrap();
    assert_eq!(code(server.pipe().borrow_message()), 536, "it listens");
    assert_eq!(code(server.pipe().loan(1).and_then(Loan::commit)), 5, "it is inbound");
    let (server, client) = pair();
    let loan = server.pipe().loan(5).unwrap();
    client.pipe().send(b"abc").unwrap();
    let borrowed = server.pipe().borrow_message().unwrap();
    server.disconnect().unwrap();
    assert_eq!(code(loan.commit()), 233);
    drop(borrowed);
    assert_eq!(code(server.pipe().borrow_message()), 233);
    assert_eq!(code(client.pipe().borrow_message()), 233);
}

/// A pipe(2) has no memory to lend: everything works with copies.
#[test]
fn anonymous_pipes_lend_copies() {
    let _limit = limit();
    let (reader, writer) = PipeOptions::new().create().unwrap();
    let mut loan = writer.pipe().loan(10).unwrap();
    assert!(!loan.is_in_place());
    loan.write_at(0, b"0123456789").unwrap();
    assert_eq!(loan.commit().unwrap(), 10);
    let borrowed = reader.pipe().borrow_message().unwrap();
    assert!(!borrowed.is_in_place() && borrowed.is_complete());
    assert_eq!(borrowed.to_vec(), b"0123456789");
    drop((borrowed, writer));
    assert_eq!(code(reader.pipe().borrow_message()), 109);
}

/// Both ends at once, from one pipe into another: what a program does that forwards.
#[test]
fn a_borrowed_message_is_passed_on_by_a_loan() {
    let _limit = limit();
    let ((first, middle), (other, last)) = (message_pair(), message_pair());
    for round in 0..20 {
        let content = pattern(3_000, round);
        first.pipe().send(&content).unwrap();
        let message = middle.pipe().borrow_message().unwrap();
        let mut loan = other.pipe().loan(message.len()).unwrap();
        loan.write_at(0, &message.to_vec()).unwrap();
        loan.commit().unwrap();
        drop(message);
        assert_eq!(take(last.pipe(), 4_000), content);
    }
}
