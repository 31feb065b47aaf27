//! Random bytes over the memory of a mailslot.

use std::os::unix::fs::FileExt;

use transom::mailslot::{Options, Server, Writer};
use transom::wait::Timeout;

use crate::peer::{Random, open_files};
use crate::support::{With, argument, code, exit_code, limit, number, role, unique};

/// Bytes of the memory that matter: what comes before the blocks, and the first of those.
const REACH: u64 = (1 << 20) + (256 << 10);

/// What a reader or writer may be told while somebody scribbles.
const SCRIBBLED: [u32; 9] = [0, 8, 38, 87, 121, 122, 995, 1392, 1450];

fn expect(what: &str, code: u32) {
    assert!(SCRIBBLED.contains(&code), "{what} gives {code}");
}

/// Reads and writes while it scribbles over its own mailslot: that is the same memory in every process.
pub fn honest_with_mailslot() -> u32 {
    let name = format!(r"\\.\mailslot\{}", argument("NAME"));
    let mut random = Random::new(number("SEED") as u64);
    let server = Options::new(&name).read_timeout(Timeout::ZERO).create().unwrap();
    let memory = open_files(std::process::id(), "/memfd:transom-mailslot").pop().expect("the memory is open");
    let mut writers: Vec<_> = (0..3).map(|_| Writer::open(&name).unwrap()).collect();
    for round in 0..400 {
        let count = 1 + random.below(8) as usize;
        // Most of it where the lanes in use, their blocks' words and the first records lie; not who has the turn, for
        // which a reader waits a second each time.
        let at = match random.below(5) {
            0 => random.below(376),
            1 => 512 + random.below(1024),
            2 => 4096 + random.below(1024),
            3 => 1_052_672 + random.below(64),
            _ => random.below(REACH).max(4096),
        };
        memory.write_all_at(&random.bytes(count), at).unwrap();
        for writer in &writers {
            expect("send", code(writer.send(&random.bytes(random_length(round)))));
        }
        for _ in 0..4 {
            expect("receive", code(server.receive_timeout(&mut [0; 300], Timeout::ZERO)));
        }
        expect("wait", code(server.receive_timeout(&mut [0; 300], Timeout::millis(1))));
        expect("info", code(server.info()));
        if round % 50 == 0 {
            expect("open", code(Writer::open(&name).map(|writer| writers[0] = writer)));
        }
    }
    0
}

fn random_length(round: usize) -> usize {
    [0, 7, 100, 5000][round % 4]
}

/// Who uses a mailslot that somebody scribbles over gets errors, and other mailslots notice nothing.
#[test]
fn random_bytes_over_a_mailslot_give_errors_at_worst() {
    let _limit = limit();
    let other = Server::create(&format!(r"\\.\mailslot\{}", unique("unharmed"))).unwrap();
    for seed in 0..6 {
        let child = role("honest-with-mailslot").with("NAME", unique("scribbled")).with("SEED", seed).start();
        assert_eq!(exit_code(&child), 0, "seed {seed}");
    }
    assert_eq!(other.info().unwrap().count, 0);
}
