//! Clients of the server's own user in another PID namespace: they come by the gate, if there is one.

use super::puppet::{ALICE, BOB, Puppet, ROOT};
use super::{limit, name};

/// Whether this process can make PID namespaces; if not, says so.
fn can_go_elsewhere() -> bool {
    if !super::is_administrator() {
        return false;
    }
    let can = Puppet::can_be_elsewhere();
    if !can {
        eprintln!("skipped: no PID namespace can be made here, or util-linux is missing");
    }
    can
}

/// P14, P71
#[test]
fn the_own_user_in_another_pid_namespace_is_let_in_as_the_owner() {
    let _limit = limit();
    if !can_go_elsewhere() {
        return;
    }
    // The second lets nobody else in, but has a gate.
    let owner = "D:(A;;GA;;;OW)(A;;GR;;;WD)";
    for (user, descriptor) in [(ROOT, "everyone"), (ALICE, "everyone"), (ROOT, owner), (ALICE, owner)] {
        let name = name();
        let (mut server, mut client) = (Puppet::new(user, &name), Puppet::elsewhere(user, &name));
        assert_eq!(client.tell("open"), "2", "nobody serves it");
        assert_eq!(client.tell("wait 20"), "2");
        assert_eq!(server.tell(&format!("create {descriptor} 1")), "0");
        assert_eq!(client.tell("wait 20"), "0", "{user} {descriptor}");
        assert_eq!(client.tell("open"), "0", "{user} {descriptor}");
        assert_eq!(server.tell("connect"), "already");
        assert_eq!(client.tell("another"), "231");
        assert_eq!(client.tell("wait 20"), "121");
        assert_eq!(client.tell("instances"), "1");
        assert_eq!(client.tell("list"), format!("1 of {user}"));
        assert!(server.tell("list").starts_with("1 connected "), "{user} {descriptor}");
        assert_eq!(client.tell("send early"), "5");
        assert_eq!(server.tell("receive"), "early");
        assert_eq!(server.tell("send answer"), "6");
        assert_eq!(client.tell("receive"), "answer");
        assert_eq!(server.tell("user"), user.to_string());
        // Each has a number where it is seen: the client here, and the server there not.
        let (ours, theirs) = (server.id(), client.id_of_child());
        assert_eq!(server.tell("ids"), format!("{theirs} {ours}"));
        assert_eq!(client.tell("ids"), "1168");
        assert_eq!(Puppet::elsewhere(user, &name).tell(&format!("add {descriptor} 2")), "5");
        client.kill();
        assert_eq!(server.tell("receive"), "109");
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(server.tell("connect-timeout 0"), "121", "and listens again");
    }
}

/// A server elsewhere: to it, the client has no number.
#[test]
fn a_server_in_another_pid_namespace_serves_the_own_user_here() {
    let _limit = limit();
    if !can_go_elsewhere() {
        return;
    }
    for user in [ROOT, ALICE] {
        let name = name();
        let (mut server, mut client) = (Puppet::elsewhere(user, &name), Puppet::new(user, &name));
        assert_eq!(server.tell("create everyone 1"), "0");
        assert_eq!(client.tell("open"), "0", "{user}");
        assert_eq!(client.tell("send ping"), "4");
        assert_eq!(server.tell("connect"), "already");
        assert_eq!(server.tell("receive"), "ping");
        assert_eq!(server.tell("ids"), "1168");
        assert_eq!(server.tell("user"), user.to_string());
        assert_eq!(client.tell("ids"), format!("{} {}", client.id(), server.id_of_child()));
        server.kill();
        assert_eq!(client.tell("receive"), "109");
    }
}

/// Where nobody else is let in there is no gate: as before, 5. And another user's gate of that name is not asked.
#[test]
fn a_pipe_without_a_gate_cannot_be_reached_from_another_pid_namespace() {
    let _limit = limit();
    if !can_go_elsewhere() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::elsewhere(ALICE, &name));
    assert_eq!(server.tell("create owner 1"), "0");
    assert_eq!((client.tell("open"), client.tell("wait 20")), ("5".into(), "5".into()));
    let mut other = Puppet::new(BOB, &name);
    assert_eq!(other.tell("create everyone 1"), "0");
    assert_eq!((client.tell("open"), client.tell("wait 20")), ("5".into(), "5".into()));
}
