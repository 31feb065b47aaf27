//! Named pipes whose servers and clients are processes of different users (docs/adr/0010): every state, waiting, who is
//! told to whom, servers and clients killed at each step, and clients and servers that mean harm.
//!
//! Only the administrator can play other users: everybody else's run says so and proves nothing here. Linux only: there
//! the library lets processes of other users in, on Windows the kernel does.
#![cfg(target_os = "linux")]

mod support;

#[path = "other_users/elsewhere.rs"]
mod elsewhere;
#[path = "other_users/hostile.rs"]
mod hostile;
#[path = "other_users/killed.rs"]
mod killed;
#[path = "other_users/puppet.rs"]
mod puppet;
#[path = "other_users/servers.rs"]
mod servers;

use puppet::{ALICE, BOB, CAROL, Puppet, ROOT, is_administrator};
use support::{limit, unique};

#[test]
fn child_entry() {
    support::child(&[
        ("puppet", puppet::play),
        ("heir-of-server", puppet::heir_of_server),
        ("heir-of-client", puppet::heir_of_client),
        ("hostile", hostile::hostile),
        ("scribbler", hostile::scribbler),
        ("liar", hostile::liar),
        ("crowd", hostile::crowd),
    ]);
}

fn name() -> String {
    format!(r"\\.\pipe\{}", unique("others"))
}

/// A server and a client of different users; the administrator may be one of them.
const PAIRS: [(u32, u32); 3] = [(ALICE, BOB), (ROOT, BOB), (ALICE, ROOT)];

/// P5, P14, P15, P17, P25, P71
#[test]
fn an_admitted_user_opens_writes_reads_and_leaves() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    for (serves, visits) in PAIRS {
        let name = name();
        let (mut server, mut client) = (Puppet::new(serves, &name), Puppet::new(visits, &name));
        assert_eq!(client.tell("open"), "2", "nobody serves it");
        assert_eq!(server.tell("create everyone 1"), "0");
        assert_eq!(client.tell("open"), "0");
        assert_eq!(client.tell("send early"), "5");
        assert_eq!(server.tell("connect"), "already");
        assert_eq!(server.tell("receive"), "early");
        assert_eq!(server.tell("send answer"), "6");
        assert_eq!(client.tell("receive"), "answer");
        assert_eq!(client.tell("another"), "231", "P11: all are taken");
        let (theirs, ours) = (client.id(), server.id());
        for end in [&mut server, &mut client] {
            assert_eq!(end.tell("ids"), format!("{theirs} {ours}"), "P71: {serves} {visits}");
        }
        assert_eq!(server.tell("user"), visits.to_string());
        assert_eq!(client.tell("instances"), "1");
        assert_eq!(client.tell("send last"), "4");
        assert_eq!(client.tell("close"), "0");
        assert_eq!(server.tell("receive"), "last", "P25");
        assert_eq!(server.tell("receive"), "109");
        assert_eq!(server.tell("send x"), "232");
        // Again, and by the server's end.
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(server.tell("connect-begin"), "begun");
        assert_eq!(client.tell("open-waiting"), "0");
        assert_eq!(server.tell("connect-end"), "during");
        assert_eq!(server.tell("user"), visits.to_string());
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(client.tell("receive"), "233");
        assert_eq!(client.tell("close"), "0");
        assert_eq!(server.tell("close"), "0");
        assert_eq!(client.tell("open"), "2");
    }
}

/// P10, P12: a client of the server's own user and others come to the same instances, in the same order.
#[test]
fn users_share_the_instances_of_a_name() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut server = Puppet::new(ALICE, &name);
    let mut clients = [ALICE, BOB, CAROL, ROOT].map(|user| (user, Puppet::new(user, &name)));
    assert_eq!(server.tell("create everyone 4"), "0");
    for _ in 1..4 {
        assert_eq!(server.tell("add everyone 4"), "0");
    }
    for (number, (user, client)) in clients.iter_mut().enumerate() {
        assert_eq!(client.tell("open"), "0", "{user}");
        assert_eq!(server.tell(&format!("use {number}")), "0");
        assert_eq!(server.tell("user"), user.to_string(), "P10");
        assert_eq!(client.tell("instances"), "4", "P12");
        assert_eq!(client.tell(&format!("send from-{number}")), "6");
        assert_eq!(server.tell("receive"), format!("from-{number}"));
    }
    for (_, client) in &mut clients {
        assert_eq!(client.tell("another"), "231");
    }
}

/// P74: a client end of another user's pipe is duplicated as any other. It goes with the last process that has it, and
/// who opened it stays its client.
#[test]
fn a_client_end_can_be_given_to_another_process() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut server = Puppet::new(ALICE, &name);
    let (mut first, mut second) = (Puppet::new(BOB, &name), Puppet::new(BOB, &name));
    let mut stranger = Puppet::new(CAROL, &name);
    assert_eq!(server.tell("create everyone 1"), "0");
    // A process that never had a handle cannot be given one.
    for client in [&mut stranger, &mut second] {
        assert_eq!(client.tell("open"), "0");
        assert_eq!(client.tell("close"), "0");
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(server.tell("connect-timeout 0"), "121");
    }
    assert_eq!(first.tell("open"), "0");
    assert_eq!(first.tell(&format!("give {}", stranger.id())), "5");
    let given = first.tell(&format!("give {}", second.id()));
    assert_eq!(second.tell(&format!("take {given}")), "0", "{given}");
    assert_eq!(first.tell("send from-the-first"), "14");
    assert_eq!(first.tell("close"), "0");
    assert_eq!(second.tell("send from-the-second"), "15");
    assert_eq!(server.tell("receive"), "from-the-first");
    assert_eq!(server.tell("receive"), "from-the-second");
    assert_eq!(server.tell("send answer"), "6");
    assert_eq!(second.tell("receive"), "answer");
    assert_eq!(second.tell("ids"), format!("{} {}", first.id(), server.id()));
    assert_eq!(server.tell("user"), BOB.to_string());
    assert_eq!(stranger.tell("open"), "231");
    second.kill();
    assert_eq!(server.tell("receive"), "109");
    assert_eq!(server.tell("disconnect"), "0");
    assert_eq!(server.tell("connect-begin"), "begun");
    assert_eq!(stranger.tell("open"), "0");
    assert_eq!(server.tell("connect-end"), "during");
}

/// P14, M41: to whom the descriptor gives nothing, or less than is asked.
#[test]
fn who_is_not_admitted_gets_5_and_takes_no_instance() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    // (descriptor, what the client may then do: open for both, reading, waiting)
    let group = format!("D:(A;;GA;;;OW)(A;;GA;;;S-1-22-2-{ALICE})");
    let reading = "D:(A;;GA;;;OW)(A;;GR;;;WD)";
    for (descriptor, user, both, read, wait) in [
        ("everyone", BOB, "0", "0", "0"),
        (&*group, BOB, "5", "5", "5"),
        (&*group, ROOT, "0", "0", "0"),
        // Memory that is given for reading alone could be written all the same.
        (reading, BOB, "5", "5", "0"),
    ] {
        let name = name();
        let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(user, &name));
        assert_eq!(server.tell(&format!("create {descriptor} 1")), "0", "{descriptor}");
        assert_eq!(client.tell("wait 0"), wait, "{descriptor} {user}");
        assert_eq!(client.tell("open"), both, "{descriptor} {user}");
        if both == "0" {
            assert_eq!(client.tell("close"), "0");
            continue;
        }
        assert_eq!(client.tell("open r"), read, "{descriptor} {user}");
        assert_eq!(server.tell("connect-timeout 0"), "121", "nobody has come");
        let mut own = Puppet::new(ALICE, &name);
        assert_eq!(own.tell("open"), "0");
    }
    // A pipe that goes one way is given whole.
    for (way, opens, other) in [("outbound", "open r", "open w"), ("inbound", "open w", "open r")] {
        let name = name();
        let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
        let mask = if way == "outbound" { "GR" } else { "GW" };
        assert_eq!(server.tell(&format!("create-{way} D:(A;;GA;;;OW)(A;;{mask};;;WD) 1")), "0");
        assert_eq!(client.tell(other), "5", "{way}");
        assert_eq!(client.tell(opens), "0", "{way}");
    }
    // And one that admits nobody does not exist for others, as before.
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    assert_eq!(server.tell("create owner 1"), "0");
    assert_eq!((client.tell("open"), client.tell("wait 0")), ("2".into(), "2".into()));
}

/// A member of the group that the descriptor names, by its supplementary groups too.
#[test]
fn groups_are_those_that_the_kernel_knows() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let descriptor = format!("D:(A;;GA;;;OW)(A;;GA;;;S-1-22-2-{ALICE})");
    let mut server = Puppet::new(ALICE, &name);
    assert_eq!(server.tell(&format!("create {descriptor} 2")), "0");
    assert_eq!(Puppet::new(BOB, &name).tell("open"), "5");
    assert_eq!(Puppet::in_group(BOB, ALICE, &name).tell("open"), "0");
}

/// P67 to P70
#[test]
fn waiting_ends_with_an_instance_with_time_or_with_the_server() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut other) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    let mut client = Puppet::new(BOB, &name);
    assert_eq!(client.tell("wait 20"), "2");
    assert_eq!(server.tell("create everyone 1"), "0");
    assert_eq!(client.tell("wait 20"), "0");
    assert_eq!(other.tell("open"), "0");
    assert_eq!(client.tell("wait 20"), "121");
    assert_eq!(client.tell("wait 1"), "121", "NMPWAIT_NOWAIT");
    assert_eq!(client.tell("wait 0"), "121", "the default of 50 ms");
    // One that waits is told when it listens again.
    client.say("wait 20000");
    assert_eq!(other.tell("close"), "0");
    assert_eq!(server.tell("disconnect"), "0");
    assert_eq!(server.tell("connect-begin"), "begun");
    assert_eq!(client.hear(), "0");
    // CallNamedPipe opens, waits if it has to, and talks.
    client.say("call ping");
    assert_eq!(server.tell("connect-end"), "during");
    assert_eq!(server.tell("receive"), "ping");
    assert_eq!(server.tell("send pong"), "4");
    assert_eq!(client.hear(), "pong");
    // P68: and everybody else when there is nobody left to wait for.
    client.say("wait -1");
    assert_eq!(server.tell("close"), "0");
    assert_eq!(client.hear(), "2");
}

/// Its own user sees everything; others that it is there, whose it is and how many instances it has, also those who may
/// not open it. Of a pipe that lets nobody in they see nothing.
#[test]
fn lists_show_others_that_a_pipe_is_there() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    assert_eq!(server.tell("create everyone 1"), "0");
    assert_eq!(client.tell("open"), "0");
    assert_eq!(server.tell("connect"), "already");
    assert_eq!(server.tell("list"), format!("1 connected {} {}", server.id(), client.id()));
    assert_eq!(client.tell("list"), format!("1 of {ALICE}"));
    assert_eq!(server.tell("add everyone 2"), "231");
    assert_eq!(server.tell("close"), "0");
    assert_eq!(client.tell("list"), "0");
    assert_eq!(server.tell(&format!("create D:(A;;GA;;;OW)(A;;GA;;;S-1-22-2-{ALICE}) 1")), "0");
    assert_eq!((client.tell("open"), client.tell("list")), ("5".to_owned(), format!("1 of {ALICE}")));
    assert_eq!(server.tell("close"), "0");
    assert_eq!(server.tell("create owner 1"), "0");
    assert_eq!(client.tell("list"), "0");
}
