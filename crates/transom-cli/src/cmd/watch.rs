//! `transom map watch`: what changes in a section.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use serde::Serialize;
use transom::event::{Event, EventOptions};
use transom::mapping::{Mapping, View};
use transom::process::SYNCHRONIZE;
use transom::wait::{self, Timeout, Wait};

use crate::args::MapWatchArgs;
use crate::cmd::map;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::keep::{SHORTEST, pause};
use crate::output::{FAINT, Output, Report};
use crate::units;

/// Bytes compared at a time.
const CHUNK: usize = 64 << 10;

/// Changes closer than this are one range: a number of eight bytes often changes in some of them only.
const GAP: usize = 8;

/// Bytes of a range that are shown as text.
const SHOWN: usize = 16;

/// Prints changes until one of the limits is reached.
pub fn run(args: &MapWatchArgs, output: &Output) -> Result<i32, Failure> {
    // The section's handle is closed at once: the view keeps the memory, and a watcher must not keep the name.
    let view = Mapping::open_read_only(&args.name)?.view_read_only()?;
    let (offset, length) = map::part(&args.part, view.len() as u64)?;
    let open = |name: &str| EventOptions::new().name(name).access(SYNCHRONIZE).open();
    let event = args.event.as_deref().map(open).transpose()?;
    let start = Instant::now();
    let mut old = view.read_to_vec(offset, length)?;
    let mut found = 0;
    while args.count.is_none_or(|count| found < count) {
        let left = args.duration.map(|limit| limit.saturating_sub(start.elapsed()));
        if left.is_some_and(|left| left.is_zero()) || !look_again(event.as_ref(), args.interval, left)? {
            return match args.count {
                Some(_) => Err(Failure::timed_out(format!("changes in '{}'", args.name))),
                None => Ok(Exit::Ok.code()),
            };
        }
        let ranges = compare(&view, offset, &mut old)?;
        if !ranges.is_empty() || event.is_some() {
            found += u64::from(!ranges.is_empty());
            output.report(&Look { milliseconds: start.elapsed().as_millis() as u64, changes: ranges })?;
        }
    }
    Ok(Exit::Ok.code())
}

/// Waits for the next look; false if the time is over before.
fn look_again(event: Option<&Event>, interval: Duration, left: Option<Duration>) -> Result<bool, Failure> {
    if let Some(event) = event {
        let timeout = left.map_or(Timeout::INFINITE, Timeout::from);
        return Ok(wait::one(event, timeout)? != Wait::Timeout);
    }
    let interval = interval.max(SHORTEST);
    pause(left.map_or(interval, |left| left.min(interval)));
    // The last look is at the very end, so that nothing before it is missed.
    Ok(true)
}

/// One look at the section.
#[derive(Debug, Serialize)]
struct Look {
    /// Since the watch began.
    milliseconds: u64,
    changes: Vec<Change>,
}

/// Bytes that are not what they were.
#[derive(Debug, Serialize, PartialEq, Eq)]
struct Change {
    offset: u64,
    length: u64,
    #[serde(serialize_with = "hex")]
    before: Vec<u8>,
    #[serde(serialize_with = "hex")]
    after: Vec<u8>,
}

fn hex<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&units::to_hex(bytes))
}

impl Report for Look {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let seconds = self.milliseconds as f64 / 1000.0;
        if self.changes.is_empty() {
            return writeln!(out, "{FAINT}{seconds:9.3} s{FAINT:#}  signalled, nothing changed");
        }
        for change in &self.changes {
            let more = if change.after.len() > SHOWN { " …" } else { "" };
            let show = |bytes: &[u8]| {
                let shown = &bytes[..bytes.len().min(SHOWN)];
                shown.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
            };
            writeln!(
                out,
                "{FAINT}{seconds:9.3} s{FAINT:#}  {:#x}, {} bytes: {}{more} -> {}{more}",
                change.offset,
                change.length,
                show(&change.before),
                show(&change.after)
            )?;
        }
        Ok(())
    }
}

/// The ranges of the view that differ from `old`, which becomes what is there now.
fn compare(view: &View, offset: usize, old: &mut [u8]) -> Result<Vec<Change>, Failure> {
    let mut changes: Vec<Change> = Vec::new();
    let mut buffer = vec![0; CHUNK.min(old.len())];
    for start in (0..old.len()).step_by(CHUNK) {
        let end = old.len().min(start + CHUNK);
        let now = &mut buffer[..end - start];
        view.read(offset + start, now)?;
        let before = &mut old[start..end];
        if before != now {
            changes.extend(differences(before, now, (offset + start) as u64));
            before.copy_from_slice(now);
        }
    }
    Ok(changes)
}

/// The differing ranges of two equally long pieces that begin at `base`.
fn differences(before: &[u8], after: &[u8], base: u64) -> Vec<Change> {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for at in (0..after.len()).filter(|&at| before[at] != after[at]) {
        match ranges.last_mut() {
            Some((_, end)) if at - *end < GAP => *end = at + 1,
            _ => ranges.push((at, at + 1)),
        }
    }
    let change = |(start, end): (usize, usize)| Change {
        offset: base + start as u64,
        length: (end - start) as u64,
        before: before[start..end].to_vec(),
        after: after[start..end].to_vec(),
    };
    ranges.into_iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_changes_are_one_range_and_far_ones_two() {
        let before = vec![0_u8; 64];
        let mut after = before.clone();
        (after[3], after[9], after[40]) = (1, 2, 3);
        let found = differences(&before, &after, 100);
        let ranges: Vec<_> = found.iter().map(|change| (change.offset, change.length)).collect();
        assert_eq!(ranges, [(103, 7), (140, 1)]);
        assert_eq!(found[0].after, [1, 0, 0, 0, 0, 0, 2]);
    }

    #[test]
    fn equal_pieces_have_no_differences() {
        assert_eq!(differences(b"same", b"same", 0), []);
    }
}
