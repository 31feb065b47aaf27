//! What is measured of window messages, and the goals.

use crate::plan::{Case, Goal, Plan, Side, Unit, floors_between, syscall};

impl Plan {
    /// Window messages beside the machine's floors: everything `transom bench window` measures.
    #[must_use]
    pub fn window() -> Plan {
        Plan::empty("window").with_case(syscall()).extend(floors_between()).extend(ours())
    }
}

fn ours() -> Vec<Case> {
    use Unit::{Microseconds, Nanoseconds};
    let ours = |id, role, unit, what| Case::role(Side::Ours, id, role, unit, what);
    let goal = Goal::AtMost(1.4);
    vec![
        ours("send-own", "send-own", Nanoseconds, "SendMessage to a window of the own thread")
            .against("syscall"),
        ours("send-same", "send", Microseconds, "SendMessage, round trip, same")
            .same()
            .goal("futex-same", goal),
        ours("send-cross", "send", Microseconds, "SendMessage, round trip, cross")
            .cross()
            .goal("futex-cross", goal),
        ours("copydata-64-same", "copydata", Microseconds, "WM_COPYDATA of 64 B, round trip, same")
            .with(64)
            .same()
            .goal("futex-same", goal),
        ours("copydata-64-cross", "copydata", Microseconds, "WM_COPYDATA of 64 B, round trip, cross")
            .with(64)
            .cross()
            .goal("futex-cross", goal),
        ours("copydata-16k-same", "copydata", Microseconds, "WM_COPYDATA of 16 KiB, round trip, same")
            .with(16 << 10)
            .same()
            .against("futex-same"),
        ours("copydata-1m-same", "copydata", Microseconds, "WM_COPYDATA of 1 MiB, round trip, same")
            .with(1 << 20)
            .same()
            .against("futex-same"),
        ours("copydata-1m-cross", "copydata", Microseconds, "WM_COPYDATA of 1 MiB, round trip, cross")
            .with(1 << 20)
            .cross()
            .against("futex-cross"),
        ours("post", "post", Nanoseconds, "PostMessage, one way, cross").cross().against("syscall"),
        ours("find", "find", Nanoseconds, "FindWindow among 100 windows").against("syscall"),
    ]
}
