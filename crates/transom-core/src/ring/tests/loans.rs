//! Writing in place.

use super::*;

fn loan(pipe: &Pipe, len: usize) -> Loaned {
    pipe.writer().loan(len).unwrap()
}

/// Fills a loan and commits `len` bytes of it.
fn lend(pipe: &Pipe, len: usize, fill: u8) -> Written {
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(len).unwrap() else { panic!("no loan of {len}") };
    assert_eq!(loan.len, len);
    pipe.data.0.borrow_mut()[loan.offset..loan.offset + len].fill(fill);
    let written = writer.commit(&loan, len, Limit::Quota, ROW).unwrap();
    writer.publish();
    written
}

#[test]
fn a_loan_becomes_a_write_when_it_is_committed() {
    for pipe in [Pipe::bytes(100), Pipe::messages(100)] {
        assert!(matches!(lend(&pipe, 50, 7), Written::Done));
        assert_eq!(pipe.message(99), [7; 50]);
    }
}

#[test]
fn a_dropped_loan_was_never_written() {
    let pipe = Pipe::messages(100);
    drop(loan(&pipe, 50));
    assert_eq!(pipe.read(9, Mode::Message).0, Read::Empty);
    pipe.done(b"abc");
    assert_eq!(pipe.message(9), b"abc");
}

#[test]
fn a_loan_may_be_committed_shorter() {
    let pipe = Pipe::messages(100);
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(50).unwrap() else { panic!("it fits") };
    pipe.data.0.borrow_mut()[loan.offset..loan.offset + 50].fill(7);
    assert!(matches!(writer.commit(&loan, 3, Limit::Quota, ROW), Ok(Written::Done)));
    writer.publish();
    pipe.done(b"next");
    assert_eq!((pipe.message(99), pipe.message(99)), (vec![7; 3], b"next".to_vec()));
}

/// A message's loan never lies across the ring's end: it is padded up to it.
#[test]
fn loans_lie_in_one_piece() {
    let pipe = Pipe::new(true, 64, 128);
    for round in 0..40 {
        let len = 1 + usize::from(round) * 5 % 56;
        assert!(matches!(lend(&pipe, len, round), Written::Done));
        assert_eq!(pipe.message(99), vec![round; len]);
        assert_eq!(pipe.queue().is_drained(), Ok(true));
    }
}

/// P34: more than the quota waits, here too, and P38: can be cancelled, padding and all.
#[test]
fn a_loan_beyond_the_quota_waits() {
    let mut pipe = Pipe::new(true, 10, 128);
    pipe.done(&[1; 10]);
    let _ = pipe.message(10);
    pipe.shape = Shape::new(true, 80, 128).unwrap();
    pipe.done(&[1; 80]);
    pipe.message(80);
    pipe.shape = Shape::new(true, 10, 128).unwrap();
    // 112 of 128: the record does not fit before the end.
    let Written::Waiting(ticket) = lend(&pipe, 20, 2) else { panic!("it does not wait") };
    assert_eq!(pipe.unread(), 20);
    assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn);
    assert_eq!((pipe.unread(), pipe.read(9, Mode::Message).0), (0, Read::Empty));
    pipe.done(b"next");
    assert_eq!(pipe.message(9), b"next");
}

/// P42.
#[test]
fn a_loan_is_refused_without_waiting() {
    let pipe = Pipe::messages(10);
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(11).unwrap() else { panic!("there is room") };
    assert!(matches!(writer.commit(&loan, 11, Limit::NoWait, ROW), Ok(Written::Refused)));
    assert_eq!(pipe.unread(), 0);
}

#[test]
fn a_loan_waits_for_room_or_is_unfit() {
    let pipe = Pipe::new(true, 64, 64);
    pipe.done(&[1; 40]);
    assert!(matches!(loan(&pipe, 20), Loaned::NoRoom | Loaned::Unfit));
    assert!(matches!(loan(&pipe, 57), Loaned::Unfit), "with its header it is longer than the ring");
    assert!(matches!(loan(&pipe, 0), Loaned::Unfit));
    pipe.message(40);
    // 48 of 64: 16 of padding, and 40 bytes are free behind it.
    assert!(matches!(loan(&pipe, 40), Loaned::Ready(_)));
    assert!(matches!(loan(&pipe, 48), Loaned::Unfit));
}

/// A byte-type queue knows no padding.
#[test]
fn a_byte_loan_across_the_rings_end_is_unfit() {
    let pipe = Pipe::new(false, 64, 64);
    pipe.done(&[1; 50]);
    pipe.some(50);
    let mut writer = pipe.writer();
    assert!(matches!(writer.loan(15), Ok(Loaned::Unfit)));
    let Loaned::Ready(loan) = writer.loan(14).unwrap() else { panic!("there is room") };
    assert_eq!((loan.offset, loan.len), (50, 14));
    assert!(matches!(writer.commit(&loan, 15, Limit::Quota, ROW), Ok(Written::Refused)), "that is too much");
    assert!(matches!(writer.commit(&loan, 14, Limit::Quota, ROW), Ok(Written::Done)));
    writer.publish();
    assert!(matches!(writer.loan(51), Ok(Loaned::NoRoom)), "14 of 64 are unread");
    assert!(matches!(writer.loan(50), Ok(Loaned::Ready(_))));
}

/// P42, P34: refused for want of quota, committed when there is some.
#[test]
fn a_loan_that_was_refused_can_be_committed_later() {
    let pipe = Pipe::bytes(10);
    pipe.done(&[1; 6]);
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(5).unwrap() else { panic!("there is room") };
    assert!(matches!(writer.commit(&loan, 5, Limit::NoWait, ROW), Ok(Written::Refused)));
    pipe.some(6);
    assert!(matches!(writer.commit(&loan, 5, Limit::NoWait, ROW), Ok(Written::Done)));
}

/// What was written since is not overwritten.
#[test]
fn a_loan_made_before_another_write_is_refused() {
    let pipe = Pipe::bytes(100);
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(5).unwrap() else { panic!("there is room") };
    assert!(matches!(writer.write(b"abc", Limit::Quota, ROW), Ok(Written::Done)));
    assert!(matches!(writer.commit(&loan, 5, Limit::Quota, ROW), Ok(Written::Refused)));
}
