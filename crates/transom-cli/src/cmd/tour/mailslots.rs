//! A step about mailslots.

use transom::mailslot::{Options, Writer};

use super::peer::Peer;
use super::{PATIENCE, Stage, expect};
use crate::exit::Exit;
use crate::failure::Failure;

/// Children that write at the same time.
const WRITERS: usize = 4;

/// Messages of each.
pub const MESSAGES: usize = 500;

pub fn many_writers(stage: &Stage) -> Result<String, Failure> {
    let name = format!(r"\\.\mailslot\{}", stage.name("slot"));
    let server = Options::new(&name).read_timeout(PATIENCE).create()?;
    // Where the last writer's end takes unread messages along, as under Wine, there is always one more.
    let _writer = Writer::open(&name)?;
    let children: Vec<Peer> =
        (0..WRITERS).map(|_| Peer::start("write-messages", [&name])).collect::<Result<_, Failure>>()?;
    let ids: Vec<u32> = children.iter().map(Peer::id).collect();
    let mut next = [0; WRITERS];
    let mut buffer = [0; 64];
    for _ in 0..WRITERS * MESSAGES {
        let length = server.receive(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let writer = ids.iter().zip(&next).position(|(id, next)| text == format!("{id}: {next}"));
        let Some(writer) = writer else {
            return Err(Failure::new(Exit::General, format!("received '{text}' out of its order")));
        };
        next[writer] += 1;
    }
    for child in &children {
        child.finish()?;
    }
    expect(next == [MESSAGES; WRITERS], "not every message came")?;
    Ok(format!("{} messages of {WRITERS} processes, whole, each writer's in their order", WRITERS * MESSAGES))
}

/// The other side of [`many_writers`].
pub fn write_messages(name: &str) -> Result<(), Failure> {
    let slot = Writer::open(name)?;
    let own = std::process::id();
    for number in 0..MESSAGES {
        slot.send(format!("{own}: {number}").as_bytes())?;
    }
    Ok(())
}
