//! `PeekNamedPipe` (P58 to P62).

use super::{connected, message_pair, name, pair, take, take_message};
use crate::pipe::{Peek, ServerOptions};
use crate::support::limit;

/// P58, P60 for bytes.
#[test]
fn peeking_takes_nothing() {
    let _limit = limit();
    let (server, client) = pair();
    for (writer, reader) in [(server.pipe(), client.pipe()), (client.pipe(), server.pipe())] {
        let mut buffer = [0; 4];
        assert_eq!(reader.peek(&mut buffer).unwrap(), Peek { copied: 0, available: 0, left: 0 });
        writer.send(b"abc").unwrap();
        writer.send(b"def").unwrap();
        for _ in 0..2 {
            assert_eq!(reader.peek(&mut buffer).unwrap(), Peek { copied: 4, available: 6, left: 0 });
            assert_eq!(&buffer, b"abcd");
        }
        assert_eq!(reader.peek(&mut []).unwrap(), Peek { copied: 0, available: 6, left: 0 });
        let mut large = [0; 10];
        assert_eq!(reader.peek(&mut large).unwrap(), Peek { copied: 6, available: 6, left: 0 });
        assert_eq!(take(reader, 10), b"abcdef");
    }
}

/// P58.
#[test]
fn peeking_tells_how_much_of_the_first_message_is_left() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"abcdef").unwrap();
    server.pipe().send(b"gh").unwrap();
    let peek = |size: usize| client.pipe().peek(&mut vec![0; size]).unwrap();
    assert_eq!(peek(0), Peek { copied: 0, available: 8, left: 6 });
    assert_eq!(peek(4), Peek { copied: 4, available: 8, left: 2 });
    assert_eq!(peek(6), Peek { copied: 6, available: 8, left: 0 });
    assert_eq!(peek(100), Peek { copied: 6, available: 8, left: 0 });
    assert_eq!(take_message(client.pipe(), 3), (b"abc".to_vec(), false));
    assert_eq!(peek(1), Peek { copied: 1, available: 5, left: 2 });
    assert_eq!(peek(0), Peek { copied: 0, available: 5, left: 3 });
}

/// P59: the end of the first message, whatever the read mode.
#[test]
fn peeking_stops_at_the_end_of_a_message_even_in_byte_read_mode() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).message(true));
    server.pipe().send(b"abc").unwrap();
    server.pipe().send(b"defg").unwrap();
    let mut buffer = [0; 100];
    assert_eq!(client.pipe().peek(&mut buffer).unwrap(), Peek { copied: 3, available: 7, left: 0 });
    assert_eq!(take(client.pipe(), 4), b"abcd");
    assert_eq!(client.pipe().peek(&mut buffer).unwrap(), Peek { copied: 3, available: 3, left: 0 });
    assert_eq!(&buffer[..3], b"efg");
}

/// P61.
#[test]
fn an_empty_message_looks_like_an_empty_pipe() {
    let _limit = limit();
    let (server, client) = message_pair();
    server.pipe().send(b"").unwrap();
    assert_eq!(client.pipe().peek(&mut [0; 9]).unwrap(), Peek { copied: 0, available: 0, left: 0 });
    assert_eq!(take_message(client.pipe(), 9), (Vec::new(), true));
}

/// P62.
#[test]
fn peeking_never_waits() {
    let _limit = limit();
    let (server, client) = pair();
    for nowait in [false, true] {
        client.pipe().set_nowait(nowait).unwrap();
        assert_eq!(client.pipe().peek(&mut [0; 9]).unwrap().available, 0);
        server.pipe().send(b"x").unwrap();
        assert_eq!(client.pipe().peek(&mut [0; 9]).unwrap().available, 1);
        assert_eq!(take(client.pipe(), 9), b"x");
    }
}

/// Copies through the place where the queue begins anew.
#[test]
fn peeking_shows_what_reading_then_takes() {
    let _limit = limit();
    let (server, client) = connected(&ServerOptions::new(&name()).out_size(70_000));
    let mut next = 0_u8;
    for round in 0..50 {
        let part: Vec<u8> = (0..3_001 + round * 13)
            .map(|_| {
                next = next.wrapping_add(1);
                next
            })
            .collect();
        server.pipe().send(&part).unwrap();
        let mut seen = vec![0; 10_000];
        let peek = client.pipe().peek(&mut seen).unwrap();
        assert_eq!((peek.copied, peek.available), (part.len(), part.len()));
        assert_eq!(take(client.pipe(), 10_000), seen[..peek.copied]);
    }
}
