use super::*;
use crate::access::{GENERIC_ALL, GENERIC_READ, GENERIC_WRITE};
use Operation::{
    ClientProcess, Connect, Disconnect, Flush, Peek, Query, Read, ServerProcess, Transact, Write,
};
use State::{Closing, Connected, Disconnected, Listening};
use Verdict::{Done, Fail, Go};

const EVERYTHING: [Operation; 10] =
    [Read, Write, Peek, Transact, Flush, Connect, Disconnect, Query, ClientProcess, ServerProcess];

fn fail(number: u32) -> Verdict {
    Fail(Code::new(number))
}

/// Section 2, first table, row by row: listening, connected, closing, disconnected server.
#[test]
fn what_each_call_of_a_server_does_in_each_state() {
    let table = [
        (Read, [fail(536), Go, Go, fail(233)]),
        (Write, [fail(536), Go, fail(232), fail(233)]),
        (Peek, [fail(230), Go, Go, fail(230)]),
        (Transact, [fail(230), Go, fail(230), fail(230)]),
        (Flush, [Done, Go, Done, Done]),
        (Connect, [Go, fail(535), fail(232), Go]),
        (Disconnect, [Go, Go, Go, fail(233)]),
        (Query, [Go, Go, Go, Go]),
        (ClientProcess, [fail(1168), Go, Go, fail(1168)]),
        (ServerProcess, [Go, Go, Go, Go]),
    ];
    assert_eq!(table.map(|(operation, _)| operation), EVERYTHING);
    for (operation, answers) in table {
        let found = [Listening, Connected, Closing, Disconnected]
            .map(|state| at_once(operation, state, Role::Server));
        assert_eq!(found, answers, "{operation:?}");
    }
}

/// Section 2, first table, a client's end: connected, closing, disconnected.
#[test]
fn what_each_call_of_a_client_does_in_each_state() {
    let table = [
        (Read, [Go, Go, fail(233)]),
        (Write, [Go, fail(232), fail(233)]),
        (Peek, [Go, Go, fail(233)]),
        (Transact, [Go, fail(230), fail(233)]),
        (Flush, [Go, Done, fail(233)]),
        (Connect, [fail(1), fail(1), fail(1)]),
        (Disconnect, [fail(1), fail(1), fail(1)]),
        (Query, [Go, Go, fail(233)]),
        (ClientProcess, [Go, Go, fail(233)]),
        (ServerProcess, [Go, Go, fail(233)]),
    ];
    assert_eq!(table.map(|(operation, _)| operation), EVERYTHING);
    for (operation, answers) in table {
        let found = [Connected, Closing, Disconnected].map(|state| at_once(operation, state, Role::Client));
        assert_eq!(found, answers, "{operation:?}");
    }
}

/// Section 2, second table, row by row: peer closes, server disconnects, own instance closes, cancelled.
#[test]
fn what_becomes_of_a_waiting_operation() {
    use Interruption::{Cancelled, LocalClosed, PeerClosed};
    let table = [
        (Read, [109, 233, 109, 995]),
        (Write, [109, 233, 109, 995]),
        (Flush, [109, 233, 109, 995]),
        (Connect, [109, 233, 109, 995]),
        (Transact, [109, 233, 109, 995]),
    ];
    for (operation, codes) in table {
        let changes = [PeerClosed { waiting: true }, Interruption::Disconnected, LocalClosed, Cancelled];
        let found = changes.map(|by| interrupted(operation, by, Role::Client).value());
        assert_eq!(found, codes, "{operation:?}");
    }
}

/// Section 2 (data queued and empty), P25, P41, P43.
#[test]
fn what_ends_an_operation_that_did_not_wait() {
    let gone = Interruption::PeerClosed { waiting: false };
    for role in [Role::Server, Role::Client] {
        let found = [Read, Write, Peek, Transact].map(|operation| interrupted(operation, gone, role).value());
        assert_eq!(found, [109, 232, 109, 230]);
        assert_eq!(interrupted(Read, Interruption::WouldBlock, role), Code::NO_DATA);
        assert_eq!(interrupted(Connect, Interruption::WouldBlock, role), Code::PIPE_LISTENING);
        assert_eq!(interrupted(Read, Interruption::TimedOut, role), Code::SEM_TIMEOUT);
        assert_eq!(interrupted(Read, Interruption::Corrupt, role), Code::BROKEN_PIPE);
        assert_eq!(interrupted(Write, Interruption::Corrupt, role), Code::NO_DATA);
    }
    // A peek that meets a disconnected instance: the first table's columns.
    assert_eq!(interrupted(Peek, Interruption::Disconnected, Role::Server), Code::BAD_PIPE);
    assert_eq!(interrupted(Peek, Interruption::Disconnected, Role::Client), Code::PIPE_NOT_CONNECTED);
}

/// Section 3
#[test]
fn open_mode_pipe_mode_and_limit_are_checked() {
    let refused = [
        (0, 0, 1),
        (FILE_FLAG_OVERLAPPED, 0, 1),
        (3 | 4, 0, 1),
        (3 | 0x0800_0000, 0, 1),
        (3, 0x10, 1),
        (3, 0x1000, 1),
        (3, PIPE_READMODE_MESSAGE, 1),
        (3, 0, 0),
        (3, 0, 256),
        (3, 0, u32::MAX),
    ];
    for (open, mode, max) in refused {
        assert_eq!(Plan::check(open, mode, max), Err(Code::INVALID_PARAMETER), "{open:#x} {mode:#x} {max}");
    }
    let all = FILE_FLAG_FIRST_PIPE_INSTANCE | FILE_FLAG_OVERLAPPED | FILE_FLAG_WRITE_THROUGH | 0x0104_0000;
    let plan = Plan::check(PIPE_ACCESS_INBOUND | all, 15, 255).unwrap();
    assert!(plan.first && plan.overlapped && plan.message_type);
    assert_eq!(plan.modes, Modes { nowait: true, message_read: true });
    assert_eq!((plan.access, plan.max_instances), (1, 255));
    let plan = Plan::check(PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS, 1).unwrap();
    assert!(!plan.first && !plan.overlapped && plan.message_type);
    assert_eq!(plan.modes, Modes::default());
}

/// P6, P8, P9
#[test]
fn the_limit_comes_first_then_the_first_instance_flag_then_the_direction() {
    let plan = |open, mode| Plan::check(open, mode, 1).unwrap();
    let existing = |instances| Existing { access: 3, message_type: false, max_instances: 2, instances };
    let first = FILE_FLAG_FIRST_PIPE_INSTANCE;
    for open in [3, 3 | first, 1, 1 | first] {
        assert_eq!(plan(open, 0).admit(&existing(2)), Err(Code::PIPE_BUSY), "{open:#x}");
    }
    for open in [3 | first, 1, 2, 1 | first] {
        assert_eq!(plan(open, 0).admit(&existing(1)), Err(Code::ACCESS_DENIED), "{open:#x}");
    }
    // Its own maximum of 1 does not count, nor does its type.
    assert_eq!(plan(3, 0).admit(&existing(1)), Ok(()));
    assert_eq!(plan(3, PIPE_TYPE_MESSAGE).admit(&existing(1)), Ok(()));
    let messages = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
    assert_eq!(plan(3, messages).admit(&existing(1)), Err(Code::INVALID_PARAMETER));
}

/// P11
#[test]
fn two_hundred_and_fifty_five_means_no_limit() {
    let existing =
        |max_instances, instances| Existing { access: 3, message_type: true, max_instances, instances };
    assert!(existing(254, 254).is_full());
    assert!(!existing(254, 253).is_full());
    assert!(!existing(PIPE_UNLIMITED_INSTANCES, 10_000).is_full());
}

/// Section 3: an inbound server cannot set modes, an outbound one cannot ask.
#[test]
fn a_servers_rights_follow_its_direction() {
    let rights = |access| Plan::check(access, 0, 1).unwrap().rights();
    let can = |access, operation: Operation| rights(access) & operation.right() == operation.right();
    assert_eq!([1, 2, 3].map(|access| can(access, Read)), [true, false, true]);
    assert_eq!([1, 2, 3].map(|access| can(access, Peek)), [true, false, true]);
    assert_eq!([1, 2, 3].map(|access| can(access, Write)), [false, true, true]);
    assert_eq!([1, 2, 3].map(|access| can(access, Flush)), [false, true, true]);
    assert_eq!([1, 2, 3].map(|access| can(access, Transact)), [false, false, true]);
    assert_eq!([1, 2, 3].map(|access| can(access, Query)), [true, false, true]);
    assert_eq!([1, 2, 3].map(|access| rights(access) & SET_MODES_RIGHT != 0), [false, true, true]);
    assert!(
        [Connect, Disconnect, ClientProcess, ServerProcess].iter().all(|operation| operation.right() == 0)
    );
}

/// Section 3, P13
#[test]
fn a_client_gets_what_the_direction_allows() {
    let ok = |wanted, access| client_rights(wanted, access).is_ok();
    assert_eq!([1, 2, 3].map(|access| ok(GENERIC_READ, access)), [false, true, true]);
    assert_eq!([1, 2, 3].map(|access| ok(GENERIC_WRITE, access)), [true, false, true]);
    assert_eq!([1, 2, 3].map(|access| ok(GENERIC_ALL, access)), [false, false, true]);
    assert_eq!([1, 2, 3].map(|access| ok(0, access)), [true, true, true]);
    assert_eq!(client_rights(GENERIC_READ, 1), Err(Code::ACCESS_DENIED));
    // GENERIC_READ alone cannot set modes; asked for, it can.
    assert_eq!(client_rights(GENERIC_READ, 3).unwrap() & SET_MODES_RIGHT, 0);
    assert_ne!(client_rights(GENERIC_READ | FILE_WRITE_ATTRIBUTES, 2).unwrap() & SET_MODES_RIGHT, 0);
}

/// P31, P45
#[test]
fn a_mode_word_sets_both_modes() {
    assert_eq!(Modes::checked(0, true), Ok(Modes::default()));
    assert_eq!(Modes::checked(3, true), Ok(Modes { nowait: true, message_read: true }));
    assert_eq!(Modes::checked(PIPE_NOWAIT, false), Ok(Modes { nowait: true, message_read: false }));
    for (bits, message_type) in [(2, false), (3, false), (4, true), (0x100, true), (u32::MAX, true)] {
        assert_eq!(Modes::checked(bits, message_type), Err(Code::INVALID_PARAMETER), "{bits}");
    }
    for bits in 0..4 {
        assert_eq!(Modes::of_bits(bits).bits(), bits);
    }
}

/// P67, P69
#[test]
fn waiting_for_an_instance_takes_the_pipes_time_if_none_is_given() {
    assert_eq!(instance_wait(NMPWAIT_USE_DEFAULT_WAIT, 0), Timeout::millis(50));
    assert_eq!(instance_wait(NMPWAIT_USE_DEFAULT_WAIT, 700), Timeout::millis(700));
    assert_eq!(instance_wait(NMPWAIT_NOWAIT, 700), Timeout::ZERO);
    assert_eq!(instance_wait(u32::MAX, 700), Timeout::INFINITE);
    assert_eq!(instance_wait(20, 700), Timeout::millis(20));
}

/// P63, section 3
#[test]
fn a_transaction_needs_messages_and_an_empty_queue() {
    let (message, byte) = (Modes { nowait: false, message_read: true }, Modes::default());
    assert_eq!(may_transact(true, message, false), Ok(()));
    assert_eq!(may_transact(true, message, true), Err(Code::PIPE_BUSY));
    assert_eq!(may_transact(true, byte, true), Err(Code::BAD_PIPE));
    assert_eq!(may_transact(false, message, false), Err(Code::BAD_PIPE));
}
