//! Creating instances: arguments, limits, what the first one fixes (P6 to P12).

use super::{client_of, connected, name};
use crate::pipe::{Client, PIPE_UNLIMITED_INSTANCES, ServerOptions};
use crate::support::{code, limit};

/// Section 3: what CreateNamedPipe refuses.
#[test]
fn arguments_that_make_no_sense_are_87() {
    let _limit = limit();
    let options = || ServerOptions::new(&name());
    let codes = [0, 256].map(|instances| code(options().max_instances(instances).create()));
    crate::differs_under_wine!("P11", codes == [87, 87]);
    assert_eq!(code(options().message_read(true).create()), 87, "message read mode on a pipe of bytes");
    assert_eq!(code(options().open_mode_word(0).create()), 87, "no direction");
    let undefined = [options().open_mode_word(3 | 0x10), options().pipe_mode_word(0x10)];
    let codes = undefined.map(|options| code(options.create()));
    crate::differs_under_wine!("P6", codes == [87, 87]);
    assert_eq!(code(options().max_instances(255).create()), 0);
    assert_eq!(code(options().max_instances(1).create()), 0);
}

/// Section 1: bits that have no effect here are accepted, FILE_FLAG_WRITE_THROUGH, PIPE_REJECT_REMOTE_CLIENTS.
#[test]
fn bits_without_effect_are_accepted() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).open_mode_word(0x8000_0003).pipe_mode_word(0x8);
    let (server, client) = connected(&options);
    assert_eq!(client.pipe().send(b"x").unwrap(), 1);
    assert_eq!(super::take(server.pipe(), 8), b"x");
}

/// P6: the direction must be that of the first instance; type and limit quietly are.
#[test]
fn the_first_instance_decides_what_kind_of_pipe_it_is() {
    let _limit = limit();
    let name = name();
    let first = ServerOptions::new(&name).max_instances(3).create().unwrap();
    assert_eq!(code(ServerOptions::new(&name).inbound().max_instances(3).create()), 5);
    assert_eq!(code(ServerOptions::new(&name).outbound().max_instances(3).create()), 5);
    let second = ServerOptions::new(&name).max_instances(2).create().unwrap();
    assert_eq!(second.pipe().info().unwrap().max_instances, 3);
    assert_eq!(first.pipe().info().unwrap().max_instances, 3);
    let third = ServerOptions::new(&name).max_instances(2).create().unwrap();
    assert!(!third.pipe().info().unwrap().is_message_type());
    assert_eq!(code(ServerOptions::new(&name).max_instances(9).create()), 231, "it is the first one's limit");
}

/// P6: the direction is forgotten with the last instance.
#[test]
fn a_name_that_is_free_again_can_become_another_pipe() {
    let _limit = limit();
    let name = name();
    drop(ServerOptions::new(&name).inbound().max_instances(1).create().unwrap());
    let server = ServerOptions::new(&name).message(true).max_instances(2).create().unwrap();
    let info = server.pipe().info().unwrap();
    assert!(info.is_message_type());
    assert_eq!(info.max_instances, 2);
}

/// P7, P32, P33.
#[test]
fn sizes_and_modes_are_each_instances_own() {
    let _limit = limit();
    let name = name();
    let options = ServerOptions::new(&name).message(true);
    let first = options.clone().in_size(100).out_size(200).create().unwrap();
    let second = options.in_size(300).out_size(400).message_read(false).nowait(true).create().unwrap();
    let info = first.pipe().info().unwrap();
    assert_eq!((info.in_size, info.out_size), (100, 200));
    let info = second.pipe().info().unwrap();
    crate::differs_under_wine!("P7", (info.in_size, info.out_size) == (300, 400));
    let state = first.pipe().state().unwrap();
    assert_eq!((state.nowait, state.message_read), (false, true));
    let state = second.pipe().state().unwrap();
    assert_eq!((state.nowait, state.message_read), (true, false));
}

/// P33: from both ends, for any number.
#[test]
fn both_ends_report_the_sizes_as_they_were_given() {
    let _limit = limit();
    for (in_size, out_size) in [(0, 0), (1, 5), (2000, 4096), (70_000, 123)] {
        let options = ServerOptions::new(&name()).in_size(in_size).out_size(out_size);
        let (server, client) = connected(&options);
        for end in [server.pipe(), client.pipe()] {
            let info = end.info().unwrap();
            assert_eq!((info.in_size, info.out_size), (in_size, out_size));
        }
        assert!(server.pipe().info().unwrap().is_server_end());
        assert!(!client.pipe().info().unwrap().is_server_end());
    }
}

/// P8: the limit is looked at before FILE_FLAG_FIRST_PIPE_INSTANCE and before the direction.
#[test]
fn that_all_instances_exist_is_told_first() {
    let _limit = limit();
    let name = name();
    let _only = ServerOptions::new(&name).max_instances(1).create().unwrap();
    assert_eq!(code(ServerOptions::new(&name).max_instances(1).create()), 231);
    assert_eq!(code(ServerOptions::new(&name).first_instance(true).create()), 231);
    assert_eq!(code(ServerOptions::new(&name).inbound().create()), 231);
}

/// P9.
#[test]
fn a_first_instance_can_be_asked_for() {
    let _limit = limit();
    let name = name();
    let options = ServerOptions::new(&name);
    let first = options.clone().first_instance(true).create().unwrap();
    crate::differs_under_wine!("P9", code(options.clone().first_instance(true).create()) == 5);
    let second = options.create().unwrap();
    drop((first, second));
    assert_eq!(code(options.first_instance(true).create()), 0);
}

/// P11.
#[test]
fn no_limit_is_reported_as_255() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).max_instances(PIPE_UNLIMITED_INSTANCES);
    let (server, client) = connected(&options);
    let reported = [server.pipe(), client.pipe()].map(|end| end.info().unwrap().max_instances);
    crate::differs_under_wine!("P11", reported == [255, 255]);
}

/// P12, P4: server ends count, from either end, and no longer than they are open.
#[test]
fn instances_are_counted_from_either_end() {
    let _limit = limit();
    let name = name();
    let options = ServerOptions::new(&name);
    let count = |end: &crate::pipe::Pipe| end.state().unwrap().instances;
    let first = options.create().unwrap();
    assert_eq!(count(first.pipe()), 1);
    let second = options.create().unwrap();
    let client = Client::open(&name).unwrap();
    assert_eq!((count(first.pipe()), count(second.pipe()), count(client.pipe())), (2, 2, 2));
    drop(second);
    assert_eq!((count(first.pipe()), count(client.pipe())), (1, 1));
}

/// P4: an instance whose server has closed does not count, although its client reads on.
#[test]
fn a_closed_server_makes_room_for_another_at_once() {
    let _limit = limit();
    let options = ServerOptions::new(&name()).max_instances(1);
    let (server, client) = connected(&options);
    assert_eq!(code(options.create()), 231);
    server.pipe().send(b"rest").unwrap();
    drop(server);
    let _next = options.create().unwrap();
    assert_eq!(super::take(client.pipe(), 10), b"rest");
    let _second_client = client_of(&options).unwrap();
}

/// P12: many at once, each with a client of its own.
#[test]
fn many_instances_serve_many_clients() {
    let _limit = limit();
    let name = name();
    let options = ServerOptions::new(&name);
    let servers: Vec<_> = (0..100).map(|_| options.create().unwrap()).collect();
    let clients: Vec<_> = (0..100).map(|_| Client::open(&name).unwrap()).collect();
    assert_eq!(code(Client::open(&name)), 231);
    for (number, client) in clients.iter().enumerate() {
        client.pipe().send(&[number as u8]).unwrap();
    }
    let mut seen: Vec<u8> = servers.iter().flat_map(|server| super::take(server.pipe(), 9)).collect();
    seen.sort_unstable();
    assert!(seen.iter().copied().eq(0..100));
}
