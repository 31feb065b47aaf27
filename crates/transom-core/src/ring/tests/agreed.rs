//! What two builds must agree on.

use super::*;
use core::mem::offset_of;

/// Golden bytes: two builds meet in the data of a message-type queue.
#[test]
fn records_are_laid_out_for_ever() {
    let pipe = Pipe::messages(100);
    pipe.done(b"abc");
    pipe.done(b"");
    let golden = [
        3, 0, 0, 0, b'd', b'a', b't', b'a', b'a', b'b', b'c', 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, //
        0, 0, 0, 0, b'd', b'a', b't', b'a', 0xEE,
    ];
    assert_eq!(pipe.data.0.borrow()[..golden.len()], golden);
}

/// Golden bytes: padding in front of a loan that must not wrap.
#[test]
fn padding_is_laid_out_for_ever() {
    let pipe = Pipe::new(true, 64, 64);
    pipe.done(&[1; 32]);
    pipe.message(32);
    let mut writer = pipe.writer();
    let Loaned::Ready(loan) = writer.loan(24).unwrap() else { panic!("it fits") };
    assert!(matches!(writer.commit(&loan, 24, Limit::Quota, ROW), Ok(Written::Done)));
    assert_eq!(pipe.data.0.borrow()[40..48], [16, 0, 0, 0, b'p', b'a', b'd', b' ']);
}

/// The drawing in `layout`, each number of it.
#[test]
fn every_field_stays_in_its_place() {
    macro_rules! at {
        ($type:ty: $($field:ident $offset:literal),* $(,)?) => {
            $(assert_eq!(offset_of!($type, $field), $offset, stringify!($field));)*
        };
    }
    at!(SegmentHeader: magic 0, version 8, flags 12, cookie 16, quota_in 32, quota_out 36, capacity_in 40,
        capacity_out 48, disconnected 128, closed_by_server 132, closed_by_client 136, holders_server 140,
        holders_client 144, client_mode 148, client_pid 152, server_pid 156, connect_asleep 160, parked 164,
        processor_server 168, processor_client 172, bell_to_sleep 176, bell_to_ring 180, holders 256, queue_in 768);
    at!(Control: written 0, write_turn 128, written_mirror 136, consumed 256, read_turn 384, messages_read 392,
        consumed_mirror 400, asleep_data 512, asleep_space 516, demand 520, pending 524, fills 576, filled 584, slots 640);
    at!(Slot: state 0, holder 4, start 8, payload_start 16, length 24, ring 28);
    assert_eq!(&layout::MAGIC.to_le_bytes(), b"transomP");
}

fn description() -> Description {
    Description {
        cookie: [11, 12],
        message: true,
        quota_in: 4096,
        quota_out: 70_000,
        capacity_in: 64 << 10,
        capacity_out: 1 << 20,
    }
}

#[test]
fn a_header_says_what_was_written_down() {
    let header = SegmentHeader::new();
    assert_eq!(header.check(), Err(Corrupt), "not described yet");
    header.describe(&description());
    assert_eq!(header.check(), Ok(description()));
    let (inward, outward) = (64 << 10, 1 << 20);
    assert_eq!(description().queue_out_at(), Some(4096 + inward));
    assert_eq!(description().data_out_at(), Some(4096 + inward + 1664));
    assert_eq!(description().segment_len(), Some(8192 + inward + outward));
    let endless = Description { capacity_in: u64::MAX - 4096, ..description() };
    assert_eq!((endless.queue_out_at(), endless.segment_len()), (None, None));
}

#[test]
fn a_header_with_other_sizes_is_refused() {
    let header = SegmentHeader::new();
    for wrong in [
        Description { capacity_in: 128 << 10, ..description() },
        Description { capacity_out: 0, ..description() },
        Description { quota_in: u32::MAX, ..description() },
    ] {
        header.describe(&wrong);
        assert_eq!(header.check(), Err(Corrupt));
    }
    header.describe(&description());
    header.flags.store(2, Ordering::Relaxed);
    assert_eq!(header.check(), Err(Corrupt));
    header.describe(&description());
    header.version.store(layout::VERSION - 1, Ordering::Relaxed);
    assert_eq!(header.check(), Err(Corrupt));
}

/// Room for the quota twice, and for the headers of small messages.
#[test]
fn a_queue_has_room_for_its_quota_twice() {
    for quota in [0, 1, 4096, 32_768, 32_769, 1 << 20, (1 << 20) + 64, u32::MAX] {
        for message in [false, true] {
            let capacity = capacity_for(message, quota);
            assert!(capacity >= 2 * u64::from(quota) && capacity >= 64 << 10);
            assert!(Shape::new(message, quota, capacity).is_some());
        }
    }
    assert_eq!(capacity_for(false, 4096), 64 << 10);
    assert_eq!(capacity_for(true, 8192), 128 << 10);
    assert_eq!(capacity_for(true, 200_000), 1 << 20);
}

#[test]
fn a_capacity_that_is_no_power_of_two_makes_no_queue() {
    for wrong in [0, 32, 96, 65_537, u64::MAX] {
        assert_eq!(Shape::new(false, 10, wrong), None);
    }
}

#[test]
fn totals_count_what_went_through() {
    let pipe = Pipe::messages(4);
    pipe.done(b"abc");
    pipe.done(b"");
    let ticket = pipe.waiting(b"cancelled");
    pipe.message(9);
    assert_eq!(pipe.queue().withdraw(ticket), Withdrawal::Withdrawn);
    pipe.message(9);
    let _ = pipe.read(9, Mode::Message);
    let expected = Totals { bytes_written: 12, bytes_read: 12, writes: 3, messages_read: 2 };
    assert_eq!(pipe.control.totals(), Ok(expected));
}

/// A parked segment begins again as a fresh one.
#[test]
fn a_reset_segment_is_empty_and_open() {
    let header = SegmentHeader::new();
    header.describe(&description());
    let data = Bytes(RefCell::new(vec![0; 64 << 10]));
    let shape = Shape::new(true, 4096, 64 << 10).unwrap();
    let queue = Queue::new(&header.queue_in, &data, shape);
    let (heads, tails) = (HeadCache::new(), TailCache::new());
    let mut writer = queue.writer(&heads).unwrap();
    let waits = writer.write(&[1; 5000], Limit::Quota, ROW).unwrap();
    assert!(matches!(waits, Written::Waiting(_)));
    header.disconnected.store(1, Ordering::Relaxed);
    header.holders[1].store(77, Ordering::Relaxed);
    header.reset();
    heads.reset();
    tails.reset();
    assert_eq!(header.check(), Ok(description()), "it is still the same segment");
    assert_eq!((header.disconnected.load(Ordering::Relaxed), queue.is_drained()), (0, Ok(true)));
    assert_eq!(header.holders[1].load(Ordering::Relaxed), 0);
    assert_eq!(queue.reader(&tails).unwrap().read(&mut [0; 9], 0, Mode::Message, |_| false), Ok(Read::Empty));
}
