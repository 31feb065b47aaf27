//! Fans, measured: the same code for each of them, in every shape.
//!
//! The worker shares a memory file with all of the many, beside the one that each of them has with it as a partner:
//!
//! ```text
//!   0      gate   u32   the number of the request that may begin
//!   4096   …            for each of the many, a cache line apart: messages received of this request, u64
//! ```

use std::os::fd::AsRawFd;
use std::os::unix::process::parent_id;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{futex, memfd, procfs};

use super::Stage;
use super::carry::Carrier;
use super::floors::sleep;
use super::partner::{Partner, Shared, Work};
use crate::error::{Error, Result};
use crate::fan::{Fan, FanPlace, Receiver, Sender};
use crate::sample::{Sample, serve};

const GATE: usize = 0;
const PROGRESS: usize = 4096;
/// Messages of each writer and request at least, so that it weighs little that each has to wake up first: on a processor
/// that they share this takes as long as some hundred messages.
const LEAST: u64 = 4000;
/// As many processes as have a line.
const MOST: usize = 1024;
const LENGTH: usize = PROGRESS + 64 * MOST;

impl Carrier {
    /// A carrier that fans as `F` does.
    #[must_use]
    pub const fn fan<F: Fan>(word: &'static str) -> Carrier {
        Carrier { word, worker: worker::<F>, partner: partner::<F> }
    }
}

/// The memory that all have.
struct Yard(SharedPages);

impl Yard {
    fn gate(&self) -> &AtomicU32 {
        self.0.u32(GATE)
    }

    fn progress(&self, index: usize) -> &AtomicU64 {
        self.0.u64(PROGRESS + 64 * index)
    }

    /// How far the slowest is.
    fn slowest(&self, many: usize) -> u64 {
        // Their release stores.
        (0..many).map(|index| self.progress(index).load(Ordering::Acquire)).min().unwrap_or(0)
    }

    fn open(&self, number: u32) {
        self.gate().store(number, Ordering::Release);
        futex::wake(self.gate(), u32::MAX);
    }
}

fn place(arguments: &[String], worker: u32) -> Result<(&str, FanPlace)> {
    let [kind, many, bytes, window, rest @ ..] = arguments else {
        return Err(Error::new("a fan needs a shape"));
    };
    let number = |word: &String| word.parse().map_err(Error::of("read a number"));
    let (many, bytes, window) = (number(many)?, number(bytes)?, number(window)?);
    if many == 0 || many > MOST {
        return Err(Error::new(format!("a fan of {many}")));
    }
    let arguments = rest.to_vec();
    Ok((kind, FanPlace { tag: format!("transom-bench-{worker}"), many, bytes, window, arguments }))
}

fn worker<F: Fan>(stage: &Stage<'_>) -> Result<()> {
    let (kind, place) = place(stage.arguments, std::process::id())?;
    if F::TO_ONE != (kind == "to-one") {
        return Err(Error::new(format!("this fan has no shape '{kind}'")));
    }
    let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
    memfd::set_size(&file, LENGTH as u64).map_err(Error::of("size memory"))?;
    let yard = Yard(SharedPages::map(&file, LENGTH).map_err(Error::of("map memory"))?);
    if F::TO_ONE {
        let mut receiver = F::receiver(&place)?;
        let mut crowd = Crowd::start(stage, &place, file.as_raw_fd())?;
        receiver.begin()?;
        return serve(&mut |count| {
            let each = (count / place.many as u64).max(LEAST);
            crowd.begin(each)?;
            let start = Instant::now();
            yard.open(crowd.request);
            let total = each * place.many as u64;
            let mut left = total;
            while left > 0 {
                match receiver.receive(left)? {
                    0 => crowd.pause()?,
                    more => left -= more.min(left),
                }
            }
            Ok(Sample {
                operations: total,
                times: vec![start.elapsed().as_nanos() as u64],
                singles: Vec::new(),
            })
        });
    }
    let mut sender = F::sender(&place)?;
    let mut crowd = Crowd::start(stage, &place, file.as_raw_fd())?;
    sender.begin()?;
    let message = vec![5; place.bytes];
    let mut send = |count: u64| (0..count).try_for_each(|_| sender.send(&message));
    if kind == "publish" {
        return serve(&mut |count| {
            crowd.begin_all(&yard, count)?;
            let mut times = Vec::new();
            let mut sent = 0;
            while sent < count {
                let now = (count - sent).min(place.window as u64);
                let start = Instant::now();
                send(now)?;
                // A row that is not whole would count for as many as the others.
                if now == place.window as u64 || count < place.window as u64 {
                    times.push((now, start.elapsed().as_nanos() as u64));
                }
                sent += now;
                crowd.wait_while(|| yard.slowest(place.many) < sent)?;
            }
            let operations = times.first().map_or(1, |(operations, _)| *operations);
            Ok(Sample {
                operations,
                times: times.into_iter().map(|(_, time)| time).collect(),
                singles: Vec::new(),
            })
        });
    }
    serve(&mut |count| {
        let each = (count / place.many as u64).max(1);
        crowd.begin_all(&yard, each)?;
        let (window, batch) = (place.window as u64, (place.window as u64 / 4).max(1));
        let start = Instant::now();
        let mut sent = 0;
        while sent < each {
            let now = (each - sent).min(batch);
            crowd.wait_while(|| sent + now > yard.slowest(place.many) + window)?;
            send(now)?;
            sent += now;
        }
        crowd.wait_while(|| yard.slowest(place.many) < each)?;
        let (operations, time) = (each * place.many as u64, start.elapsed().as_nanos() as u64);
        Ok(Sample { operations, times: vec![time], singles: Vec::new() })
    })
}

/// The many, as the worker sees them.
struct Crowd {
    partners: Vec<Partner>,
    request: u32,
    /// How often the worker has looked in vain, since it asked whether they are all there.
    looks: u32,
}

/// So many looks in vain are a while.
const MANY: u32 = 1 << 22;

impl Crowd {
    fn start(stage: &Stage<'_>, place: &FanPlace, yard: i32) -> Result<Crowd> {
        let start = |index: usize| {
            let more = [yard.to_string(), index.to_string()];
            let arguments: Vec<String> = stage.arguments.iter().cloned().chain(more).collect();
            Partner::start(stage, stage.role, &arguments, 0)
        };
        Ok(Crowd { partners: (0..place.many).map(start).collect::<Result<_>>()?, request: 0, looks: 0 })
    }

    /// Has all of them do `count` operations as soon as the gate opens.
    fn begin(&mut self, count: u64) -> Result<()> {
        self.request += 1;
        self.partners.iter_mut().try_for_each(|partner| partner.begin(count))
    }

    /// The worker has looked in vain. Now and then it finds out here why: one of the many has ended.
    fn pause(&mut self) -> Result<()> {
        self.looks += 1;
        if self.looks == MANY {
            self.looks = 0;
            self.partners.iter_mut().try_for_each(Partner::is_there)?;
        }
        Ok(())
    }

    fn wait_while(&mut self, mut more: impl FnMut() -> bool) -> Result<()> {
        while more() {
            std::hint::spin_loop();
            self.pause()?;
        }
        Ok(())
    }

    /// As [`Crowd::begin`], for those that receive: they begin at once.
    fn begin_all(&mut self, yard: &Yard, count: u64) -> Result<()> {
        for index in 0..self.partners.len() {
            yard.progress(index).store(0, Ordering::Relaxed);
        }
        self.begin(count)
    }
}

fn partner<F: Fan>(_: Shared, arguments: &[String]) -> Result<Work> {
    let [shape @ .., yard, index] = arguments else { return Err(Error::new("a fan needs a yard")) };
    let (_, place) = place(shape, parent_id())?;
    let number = |word: &String| word.parse().map_err(Error::of("read a number"));
    let (yard, index): (i32, usize) = (number(yard)?, number(index)? as usize);
    let file = procfs::open_descriptor(parent_id(), yard, true, true);
    let file = file.map_err(Error::of("open the worker's memory"))?;
    let yard = Yard(SharedPages::map(&file, LENGTH).map_err(Error::of("map the worker's memory"))?);
    if index >= MOST {
        return Err(Error::new("there is no such place in the yard"));
    }
    if F::TO_ONE {
        let mut sender = F::sender(&place)?;
        sender.begin()?;
        let message = vec![5; place.bytes];
        let mut request = 0;
        return Ok(Box::new(move |count| {
            request += 1;
            sleep(yard.gate(), request);
            (0..count).try_for_each(|_| sender.send(&message))
        }));
    }
    let mut receiver = F::receiver(&place)?;
    Ok(Box::new(move |count| {
        let progress = yard.progress(index);
        let mut got = 0;
        while got < count {
            match receiver.receive(count - got)? {
                0 => std::thread::yield_now(),
                more => {
                    got += more;
                    progress.store(got, Ordering::Release);
                }
            }
        }
        Ok(())
    }))
}
