//! What the machine, the kernel and the standard library take by themselves.

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use transom_sys::linux::{fd, futex, memfd, process};

use super::Stage;
use super::partner::{Partner, ROOM, Shared, Work};
use crate::error::{Error, Result};
use crate::sample::{Sample, each, row, serve, whole};

pub(super) fn syscall(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        row(count, || {
            black_box(process::thread_id());
            Ok(())
        })
    })
}

/// Spins until the word is `value`: the shortest loop there is, and no pause that the processor may stretch.
fn spin(word: &AtomicU32, value: u32) {
    while word.load(Ordering::Acquire) != value {}
}

pub(super) fn line(stage: &Stage<'_>) -> Result<()> {
    let mut partner = Partner::start(stage, "line", &[], 0)?;
    serve(&mut |count| {
        partner.shared().word(0).store(0, Ordering::Relaxed);
        partner.begin(count)?;
        let turn = partner.shared().word(0);
        let mut number = 0;
        row(count, || {
            turn.store(number + 1, Ordering::Release);
            spin(turn, number + 2);
            number += 2;
            Ok(())
        })
    })
}

pub(super) fn line_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(Box::new(move |count| {
        let turn = shared.word(0);
        let mut number = 0;
        for _ in 0..count {
            spin(turn, number + 1);
            turn.store(number + 2, Ordering::Release);
            number += 2;
        }
        Ok(())
    }))
}

/// Bytes of a cache line.
const LINE: usize = 64;
/// Lines of the bare ring in each direction.
const LINES: usize = 16;

/// The least that carries 64 bytes in order: a ring of lines, and an index in a line of its own.
struct BareRing<'a> {
    index: &'a AtomicU32,
    lines: Vec<[&'a AtomicU64; LINE / 8]>,
    count: u32,
}

impl<'a> BareRing<'a> {
    fn new(shared: &'a Shared, direction: usize) -> BareRing<'a> {
        let place = |line: usize| ROOM + (direction * LINES + line) * LINE;
        let line = |line| std::array::from_fn(|word| shared.pages().u64(place(line) + 8 * word));
        BareRing { index: shared.word(direction), lines: (0..LINES).map(line).collect(), count: 0 }
    }

    fn put(&mut self, bytes: &[u64; LINE / 8]) {
        let line = &self.lines[self.count as usize % LINES];
        for (place, word) in line.iter().zip(bytes) {
            place.store(*word, Ordering::Relaxed);
        }
        self.count = self.count.wrapping_add(1);
        self.index.store(self.count, Ordering::Release);
    }

    /// Spins. Each look loads the line that comes next as well: else it would be met only when the index has changed,
    /// and the two would come one after the other.
    fn get(&mut self) -> [u64; LINE / 8] {
        let line = &self.lines[self.count as usize % LINES];
        self.count = self.count.wrapping_add(1);
        loop {
            black_box(line[0].load(Ordering::Relaxed));
            if self.index.load(Ordering::Acquire) == self.count {
                return line.map(|word| word.load(Ordering::Relaxed));
            }
        }
    }
}

pub(super) fn ring(stage: &Stage<'_>) -> Result<()> {
    let mut partner = Partner::start(stage, "ring", &[], 2 * LINES * LINE)?;
    serve(&mut |count| {
        for direction in [0, 1] {
            partner.shared().word(direction).store(0, Ordering::Relaxed);
        }
        partner.begin(count)?;
        let (mut there, mut back) = (BareRing::new(partner.shared(), 0), BareRing::new(partner.shared(), 1));
        let mut bytes = [3; LINE / 8];
        row(count, || {
            bytes[0] += 1;
            there.put(&bytes);
            if back.get() == bytes { Ok(()) } else { Err(Error::new("the bare ring lost something")) }
        })
    })
}

pub(super) fn ring_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(Box::new(move |count| {
        let (mut there, mut back) = (BareRing::new(&shared, 0), BareRing::new(&shared, 1));
        for _ in 0..count {
            back.put(&there.get());
        }
        Ok(())
    }))
}

/// Sleeps until the word is `value`.
pub(super) fn sleep(word: &AtomicU32, value: u32) {
    loop {
        let seen = word.load(Ordering::Acquire);
        if seen == value {
            return;
        }
        // Whether it slept or the word was another meanwhile: look again.
        let _ = futex::wait(word, seen, None);
    }
}

/// Sets the word and wakes who sleeps on it.
pub(super) fn signal(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Release);
    futex::wake(word, 1);
}

pub(super) fn futex(stage: &Stage<'_>) -> Result<()> {
    let mut partner = Partner::start(stage, "futex", &[], 0)?;
    serve(&mut |count| {
        partner.shared().word(0).store(0, Ordering::Relaxed);
        partner.shared().word(1).store(0, Ordering::Relaxed);
        partner.begin(count)?;
        let (there, back) = (partner.shared().word(0), partner.shared().word(1));
        let mut number = 0;
        each(count, || {
            number += 1;
            signal(there, number);
            sleep(back, number);
            Ok(())
        })
    })
}

pub(super) fn futex_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(Box::new(move |count| {
        // Counts are limited to a few millions.
        for number in 1..=count as u32 {
            sleep(shared.word(0), number);
            signal(shared.word(1), number);
        }
        Ok(())
    }))
}

pub(super) fn std_mutex(_: &Stage<'_>) -> Result<()> {
    let mutex = Mutex::new(0_u64);
    serve(&mut |count| {
        row(count, || {
            *black_box(&mutex).lock().unwrap_or_else(PoisonError::into_inner) += 1;
            Ok(())
        })
    })
}

/// The smallest mutex over a futex that lets sleepers sleep: 0 free, 1 locked, 2 locked and somebody sleeps.
fn lock(word: &AtomicU32) {
    if word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed).is_ok() {
        return;
    }
    while word.swap(2, Ordering::Acquire) != 0 {
        // Woken, or the word changed before: try again either way.
        let _ = futex::wait(word, 2, None);
    }
}

fn unlock(word: &AtomicU32) {
    if word.swap(0, Ordering::Release) == 2 {
        futex::wake(word, 1);
    }
}

/// The words of a contended mutex's case: the bare mutex, what it guards, whether the partner is to stop, and
/// whether it has.
const LOCK: usize = 0;
const GUARDED: usize = 1;
const STOP: usize = 2;
const STOPPED: usize = 3;

/// Measures `operation`, which locks and unlocks, while the partner does the same without end.
pub(super) fn contended(
    partner: &mut Partner,
    count: u64,
    operation: impl Fn(&Shared, &dyn Fn()) -> Result<()>,
) -> Result<Sample> {
    for word in [STOP, STOPPED] {
        partner.shared().word(word).store(0, Ordering::Relaxed);
    }
    partner.begin(count)?;
    let shared = partner.shared();
    let result = whole(count, || operation(shared, &|| critical(shared)));
    shared.word(STOP).store(1, Ordering::Relaxed);
    // Else the next request could take the word back before the partner has seen it.
    sleep(shared.word(STOPPED), 1);
    result
}

/// The partner's part of [`contended`].
pub(super) fn contend(shared: &Shared, operation: impl Fn(&Shared, &dyn Fn()) -> Result<()>) -> Result<()> {
    while shared.word(STOP).load(Ordering::Relaxed) == 0 {
        operation(shared, &|| critical(shared))?;
    }
    signal(shared.word(STOPPED), 1);
    Ok(())
}

/// What is done under a contended mutex: a little more than nothing.
fn critical(shared: &Shared) {
    let seen = shared.word(GUARDED).load(Ordering::Relaxed);
    shared.word(GUARDED).store(black_box(seen).wrapping_add(1), Ordering::Relaxed);
}

fn locked(shared: &Shared, work: &dyn Fn()) -> Result<()> {
    lock(shared.word(LOCK));
    work();
    unlock(shared.word(LOCK));
    Ok(())
}

pub(super) fn futex_mutex(stage: &Stage<'_>) -> Result<()> {
    let mut partner = Partner::start(stage, "futex-mutex", &[], 0)?;
    serve(&mut |count| contended(&mut partner, count, locked))
}

pub(super) fn futex_mutex_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(Box::new(move |_| contend(&shared, locked)))
}

pub(super) fn rwlock_read(_: &Stage<'_>) -> Result<()> {
    let value = RwLock::new([7_u64; 8]);
    serve(&mut |count| {
        row(count, || {
            black_box(*black_box(&value).read().unwrap_or_else(PoisonError::into_inner));
            Ok(())
        })
    })
}

pub(super) fn rwlock_write(_: &Stage<'_>) -> Result<()> {
    let value = RwLock::new([7_u64; 8]);
    let new = [9_u64; 8];
    serve(&mut |count| {
        row(count, || {
            *black_box(&value).write().unwrap_or_else(PoisonError::into_inner) = *black_box(&new);
            Ok(())
        })
    })
}

pub(super) fn dup(_: &Stage<'_>) -> Result<()> {
    let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
    serve(&mut |count| {
        row(count, || fd::duplicate(&file).map(drop).map_err(Error::of("duplicate a descriptor")))
    })
}

/// A program that does nothing.
pub(super) fn idle_program() -> Result<&'static str> {
    let places = ["/bin/true", "/usr/bin/true", "/run/current-system/sw/bin/true"];
    places.into_iter().find(|place| Path::new(place).exists()).ok_or_else(|| Error::new("there is no `true`"))
}

pub(super) fn std_spawn(_: &Stage<'_>) -> Result<()> {
    let mut command = Command::new(idle_program()?);
    serve(&mut |count| each(count, || command.status().map(drop).map_err(Error::of("run a program"))))
}
