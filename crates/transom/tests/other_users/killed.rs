//! SIGKILL of either side at each step of asking and answering at a gate.

use std::fs;

use crate::name;
use crate::puppet::{ALICE, BOB, CAROL, Puppet, converse, is_administrator};
use crate::support::limit;

/// Whether anything has this name: files of shared memory, or abstract sockets.
fn is_left(name: &str) -> bool {
    let short = &name[9..];
    let is_it = |path: &std::path::Path| {
        fs::read_dir(path).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.file_name().to_string_lossy().contains(short)))
        })
    };
    let folders = [ALICE, BOB, CAROL].map(|user| format!("/dev/shm/transom-{user}/pipe"));
    let sockets = fs::read_to_string("/proc/net/unix").unwrap();
    folders.iter().any(|folder| is_it(folder.as_ref())) || sockets.contains(&short[..short.len().min(30)])
}

/// Whether processes can be killed at a step; if not, says so.
fn has_steps() -> bool {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: the steps are compiled into builds with debug assertions only");
    }
    cfg!(debug_assertions)
}

/// P4, M40: the name is free for another user, and nobody waits for the dead.
#[test]
fn a_server_killed_at_any_step_leaves_nothing_and_nobody_waiting() {
    let _limit = limit();
    if !is_administrator() || !has_steps() {
        return;
    }
    let steps = [
        "gate-open",
        "gate-accepted",
        "gate-attached",
        "gate-rang",
        "gate-connected",
        "gate-answered",
        "gate-told",
    ];
    for step in steps {
        let name = name();
        let mut server = Puppet::killed_at(ALICE, &name, step);
        let (mut client, mut waiter) = (Puppet::new(BOB, &name), Puppet::new(CAROL, &name));
        if step == "gate-told" {
            assert_eq!(server.tell("create everyone 1"), "0");
            let mut own = Puppet::new(ALICE, &name);
            assert_eq!(own.tell("open"), "0");
            waiter.say("wait -1");
            assert_eq!(client.tell("wait 50"), "121");
            assert_eq!(own.tell("close"), "0");
            assert_eq!(server.tell("disconnect"), "0");
            server.say("connect-begin");
        } else {
            server.say("create everyone 1");
            if step != "gate-open" {
                assert_eq!(server.hear(), "0");
            }
            let opened = client.tell("open");
            assert!(["0", "2", "231"].contains(&&*opened), "{step}: {opened}");
            if opened == "0" {
                assert_eq!(client.tell("receive"), "109", "{step}");
                assert_eq!(client.tell("close"), "0");
            }
            waiter.say("wait -1");
        }
        assert!(server.was_killed(), "{step}");
        let waited = waiter.hear();
        assert!(["0", "2"].contains(&&*waited), "{step}: {waited}");
        assert_eq!(client.tell("open"), "2", "{step}");
        let mut next = Puppet::new(CAROL, &name);
        assert_eq!(next.tell("create everyone 1"), "0", "{step}");
        converse(&mut next, &mut client, step);
        assert_eq!(next.tell("close"), "0");
    }
}

/// P16: the instance serves the next client, and a server that waits for one goes on waiting or gets it.
#[test]
fn after_a_client_killed_at_any_step_the_next_one_is_served() {
    let _limit = limit();
    if !is_administrator() || !has_steps() {
        return;
    }
    for step in ["gate-reached", "gate-asked", "gate-heard", "gate-waiting"] {
        let name = name();
        let mut server = Puppet::new(ALICE, &name);
        let (mut victim, mut client) = (Puppet::killed_at(BOB, &name, step), Puppet::new(BOB, &name));
        assert_eq!(server.tell("create everyone 1"), "0");
        if step == "gate-waiting" {
            assert_eq!(client.tell("open"), "0");
            assert_eq!(victim.tell("wait -1"), "");
            assert_eq!(client.tell("close"), "0");
        } else {
            assert_eq!(victim.tell("open"), "");
        }
        assert!(victim.was_killed(), "{step}");
        converse(&mut server, &mut client, step);
    }
}

/// M40: there is nobody who would clear away behind them.
#[test]
fn nothing_is_left_of_a_killed_server_but_what_its_own_user_sweeps() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    assert_eq!(server.tell("create everyone 1"), "0");
    assert!(is_left(&name));
    assert_eq!(client.tell("open"), "0");
    server.kill();
    assert_eq!(client.tell("receive"), "109");
    assert_eq!(client.tell("close"), "0");
    // The entry is of this user alone, as that of any pipe, and goes when its user looks.
    assert_eq!(Puppet::new(ALICE, &name).tell("open"), "2");
    assert!(!is_left(&name));
}
