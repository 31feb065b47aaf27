//! Several processes that serve one name, and several users that want to.

use crate::name;
use crate::puppet::{ALICE, BOB, CAROL, Puppet, ROOT, is_administrator};
use crate::support::limit;

/// P4, P71: whichever of them has the gate, all instances can be had, as long as one lives.
#[test]
fn the_gate_is_there_as_long_as_a_server_process_lives() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    for ends in ["kill", "close"] {
        let name = name();
        let mut servers = [Puppet::new(ALICE, &name), Puppet::new(ALICE, &name)];
        let mut clients = [Puppet::new(BOB, &name), Puppet::new(BOB, &name), Puppet::new(CAROL, &name)];
        assert_eq!(servers[0].tell("create everyone 2"), "0");
        assert_eq!(servers[1].tell("add everyone 2"), "0");
        for (number, client) in clients.iter_mut().take(2).enumerate() {
            assert_eq!(client.tell("open"), "0");
            let (theirs, ours) = (client.id(), servers[number].id());
            assert_eq!(client.tell("ids"), format!("{theirs} {ours}"), "P71");
        }
        assert_eq!(clients[2].tell("open"), "231");
        clients[2].say("wait -1");
        if ends == "kill" {
            servers[0].kill();
        } else {
            assert_eq!(servers[0].tell("close"), "0");
        }
        assert_eq!(clients[0].tell("receive"), "109");
        // Who waited at the gate that went waits at the other one.
        assert_eq!(clients[1].tell("close"), "0");
        assert_eq!(servers[1].tell("disconnect"), "0");
        assert_eq!(servers[1].tell("connect-begin"), "begun");
        assert_eq!(clients[2].hear(), "0");
        assert_eq!(clients[2].tell("open"), "0");
        assert_eq!(servers[1].tell("connect-end"), "during");
        assert_eq!(servers[1].tell("user"), CAROL.to_string());
        clients[0].say("wait -1");
        servers[1].kill();
        assert_eq!(clients[0].hear(), "2", "P4, P68");
        assert_eq!(clients[2].tell("receive"), "109");
    }
}

/// An instance that listens in one process is told to those who wait at the gate of another.
#[test]
fn who_waits_is_told_of_the_instances_of_all_server_processes() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut servers = [Puppet::new(ALICE, &name), Puppet::new(ALICE, &name), Puppet::new(ALICE, &name)];
    let mut clients: Vec<Puppet> = (0..6).map(|_| Puppet::new(BOB, &name)).collect();
    assert_eq!(servers[0].tell("create everyone 5"), "0");
    let mut first = Puppet::new(CAROL, &name);
    assert_eq!(first.tell("open"), "0");
    for client in &mut clients {
        client.say("wait -1");
    }
    assert_eq!(servers[2].tell("add everyone 5"), "0");
    for client in &mut clients {
        assert_eq!(client.hear(), "0");
    }
    assert_eq!(clients[0].tell("open"), "0");
    clients[1].say("wait -1");
    assert_eq!(servers[1].tell("add everyone 5"), "0");
    assert_eq!(clients[1].hear(), "0");
}

/// As on Windows, where a name belongs to whoever has it first. There, others can be admitted to making instances.
#[test]
fn a_name_with_a_gate_is_one_users() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut other) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    assert_eq!(server.tell("create everyone 5"), "0");
    for user in [BOB, ROOT] {
        let mut other = Puppet::new(user, &name);
        assert_eq!(other.tell("create everyone 5"), "5");
        assert_eq!(other.tell("add everyone 5"), "5");
        assert_eq!(other.tell("open"), "0", "{user}: and leaves nothing that is in the way");
        assert_eq!(server.tell("disconnect"), "0");
        assert_eq!(server.tell("connect-timeout 0"), "121");
    }
    // What admits nobody is none of the others' business.
    assert_eq!(other.tell("create owner 1"), "0");
    assert_eq!(other.tell("open"), "0");
    assert_eq!(other.tell("user"), BOB.to_string());
    server.kill();
    let mut third = Puppet::new(CAROL, &name);
    assert_eq!(third.tell("create everyone 1"), "0");
}

/// P4: made and given up again and again, with clients of others all the time, the name is always there or not.
#[test]
fn a_name_can_be_made_again_at_once() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    for _ in 0..100 {
        assert_eq!(server.tell("create everyone 1"), "0");
        assert_eq!(client.tell("open"), "0");
        assert_eq!(client.tell("close"), "0");
        assert_eq!(server.tell("close"), "0");
        assert_eq!(client.tell("open"), "2");
    }
}

/// P4, H9: an end that a child inherits lets others in when its parent has gone.
#[test]
fn a_server_end_can_be_inherited() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    for ends in ["close", "kill"] {
        let name = name();
        let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
        server.tell("bequeath-server");
        if ends == "kill" {
            server.kill();
        }
        // Until the heir waits for a client, what listens is its parent's, and that may be gone.
        assert_eq!(client.tell("open-waiting"), "0");
        assert_eq!(client.tell("ids"), format!("{} {}", client.id(), server.id()), "P71");
        assert_eq!(client.tell("send hello"), "5");
        assert_eq!(client.tell("receive"), "hello");
        assert_eq!(client.tell("receive"), "109");
        assert_eq!(client.tell("wait -1"), "2");
    }
}

/// H9: and what the client has can be inherited by a process of its user.
#[test]
fn a_client_end_can_be_inherited() {
    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let (mut server, mut client) = (Puppet::new(ALICE, &name), Puppet::new(BOB, &name));
    assert_eq!(server.tell("create everyone 1"), "0");
    client.tell("bequeath-client");
    client.kill();
    assert_eq!(server.tell("connect"), "already");
    assert_eq!(server.tell("user"), BOB.to_string());
    assert_eq!(server.tell("receive"), "1 from the heir");
    assert_eq!(server.tell("send answer"), "6");
    assert_eq!(server.tell("receive"), "more");
    assert_eq!(server.tell("close"), "0");
    assert_eq!(Puppet::new(BOB, &name).tell("open"), "2");
}

/// A server that sleeps in a poller is woken, for one client after the other.
#[cfg(feature = "tokio")]
#[test]
fn a_task_that_waits_for_clients_is_woken() {
    use transom::aio::pipe::Server;
    use transom::pipe::ServerOptions;
    use transom::security::Security;

    let _limit = limit();
    if !is_administrator() {
        return;
    }
    let name = name();
    let mut client = Puppet::new(BOB, &name);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = ServerOptions::new(&name).message(true).security(Security::everyone());
        let server = Server::create(&options).unwrap();
        for round in 0..20 {
            let mut buffer = [0; 20];
            let connecting = server.connect();
            let asking = async {
                // So that the other one sleeps by then.
                tokio::task::yield_now().await;
                client.say("open-waiting");
            };
            let (connected, ()) = tokio::join!(connecting, asking);
            connected.unwrap();
            assert_eq!(client.hear(), "0");
            client.say(&format!("send {round}"));
            let count = server.receive(&mut buffer).await.unwrap();
            assert_eq!(buffer[..count], *round.to_string().as_bytes());
            client.hear();
            server.send(b"answer").await.unwrap();
            assert_eq!(client.tell("receive"), "answer");
            assert_eq!(client.tell("close"), "0");
            assert_eq!(server.receive(&mut buffer).await.unwrap_err().code().value(), 109);
            server.disconnect().unwrap();
        }
    });
}
