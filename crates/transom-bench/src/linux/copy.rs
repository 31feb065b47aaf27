//! Bytes through shared pages: by `memcpy`, through views, through guarded values.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use transom::mapping::{Guarded, Mapping};
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{memfd, shm};

use super::Stage;
use super::mapping::unique;
use super::partner::{Partner, ROOM, Shared, Work};
use crate::error::{Error, Result};
use crate::sample::{Sample, row, serve};

/// Bytes that move at once.
const BLOCK: usize = 64 * 1024;
/// Blocks that lie between writer and reader.
const SLOTS: usize = 4;
/// More than the fastest caches hold, on each side.
const LONG: usize = 16 * BLOCK;
const SMALL: usize = 64;

/// Words of the role: how many blocks were filled and emptied.
const FILLED: usize = 0;
const EMPTIED: usize = 1;

fn slot(number: u32) -> usize {
    number as usize % SLOTS * BLOCK
}

fn spin(word: &AtomicU32, enough: impl Fn(u32) -> bool) {
    while !enough(word.load(Ordering::Acquire)) {}
}

/// The worker's part: fills slots with `fill`, which gets an offset, as they become free.
fn write_blocks(
    partner: &mut Partner,
    count: u64,
    mut fill: impl FnMut(&Shared, usize) -> Result<()>,
) -> Result<Sample> {
    partner.shared().word(FILLED).store(0, Ordering::Relaxed);
    partner.shared().word(EMPTIED).store(0, Ordering::Relaxed);
    partner.begin(count)?;
    let shared = partner.shared();
    let (filled, emptied) = (shared.word(FILLED), shared.word(EMPTIED));
    // Counts are limited to a few millions.
    let last = count as u32;
    let mut number = 0;
    row(count, || {
        spin(emptied, |emptied| number - emptied < SLOTS as u32);
        fill(shared, slot(number))?;
        number += 1;
        filled.store(number, Ordering::Release);
        if number == last {
            spin(emptied, |emptied| emptied == last);
        }
        Ok(())
    })
}

/// The partner's part: empties slots with `empty` as they become full.
fn read_blocks(shared: &Shared, count: u64, mut empty: impl FnMut(usize) -> Result<()>) -> Result<()> {
    for number in 0..count as u32 {
        spin(shared.word(FILLED), |filled| filled > number);
        empty(slot(number))?;
        shared.word(EMPTIED).store(number + 1, Ordering::Release);
    }
    Ok(())
}

fn inside(copied: bool) -> Result<()> {
    if copied { Ok(()) } else { Err(Error::new("a block outside the shared pages")) }
}

/// Copies from so many bytes on one side to as many on the other, block by block, again and again.
fn copy_of(stage: &Stage<'_>, role: &str, length: usize) -> Result<()> {
    let mut partner = Partner::start(stage, role, &[], SLOTS * BLOCK)?;
    let bytes = vec![5; length];
    let mut blocks = bytes.chunks(BLOCK).cycle();
    serve(&mut |count| {
        write_blocks(&mut partner, count, |shared, offset| {
            let block = blocks.next().unwrap_or_default();
            inside(shm::copy_in(shared.pages(), ROOM + offset, black_box(block)))
        })
    })
}

fn copy_of_partner(shared: Shared, length: usize) -> Work {
    let mut bytes = vec![0; length];
    let mut at = 0;
    Box::new(move |count| {
        read_blocks(&shared, count, |offset| {
            let block = &mut bytes[at..at + BLOCK];
            at = (at + BLOCK) % length;
            inside(shm::copy_out(shared.pages(), ROOM + offset, black_box(block)))
        })
    })
}

pub(super) fn copy(stage: &Stage<'_>) -> Result<()> {
    copy_of(stage, "copy", BLOCK)
}

pub(super) fn copy_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(copy_of_partner(shared, BLOCK))
}

pub(super) fn copy_long(stage: &Stage<'_>) -> Result<()> {
    copy_of(stage, "copy-1m", LONG)
}

pub(super) fn copy_long_partner(shared: Shared, _: &[String]) -> Result<Work> {
    Ok(copy_of_partner(shared, LONG))
}

pub(super) fn view_copy(stage: &Stage<'_>) -> Result<()> {
    let name = unique("copy");
    let mapping = Mapping::create(&name, (SLOTS * BLOCK) as u64)?.object;
    let view = mapping.view()?;
    let mut partner = Partner::start(stage, "view-copy", &[name], 0)?;
    let bytes = vec![5; BLOCK];
    serve(&mut |count| {
        write_blocks(&mut partner, count, |_, offset| Ok(view.write(offset, black_box(&bytes))?))
    })
}

pub(super) fn view_copy_partner(shared: Shared, arguments: &[String]) -> Result<Work> {
    let name = arguments.first().ok_or_else(|| Error::new("the mapping has no name"))?;
    let view = Mapping::open(name)?.view()?;
    let mut bytes = vec![0; BLOCK];
    Ok(Box::new(move |count| {
        read_blocks(&shared, count, |offset| Ok(view.read(offset, black_box(&mut bytes))?))
    }))
}

fn pages() -> Result<SharedPages> {
    let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
    memfd::set_size(&file, BLOCK as u64).map_err(Error::of("size memory"))?;
    SharedPages::map(&file, BLOCK).map_err(Error::of("map memory"))
}

pub(super) fn memcpy_in(_: &Stage<'_>) -> Result<()> {
    let (pages, bytes) = (pages()?, vec![5; BLOCK]);
    serve(&mut |count| row(count, || inside(shm::copy_in(&pages, 0, black_box(&bytes)))))
}

pub(super) fn memcpy_out(_: &Stage<'_>) -> Result<()> {
    let (pages, mut bytes) = (pages()?, vec![0; BLOCK]);
    inside(shm::copy_in(&pages, 0, &bytes))?;
    serve(&mut |count| row(count, || inside(shm::copy_out(&pages, 0, black_box(&mut bytes)))))
}

pub(super) fn memcpy_64(_: &Stage<'_>) -> Result<()> {
    let (pages, mut bytes) = (pages()?, [5; SMALL]);
    serve(&mut |count| {
        row(count, || {
            inside(shm::copy_in(&pages, 0, black_box(&bytes)))?;
            inside(shm::copy_out(&pages, 0, black_box(&mut bytes)))
        })
    })
}

pub(super) fn view_write(_: &Stage<'_>) -> Result<()> {
    let (view, bytes) = (Mapping::anonymous(BLOCK as u64)?.view()?, vec![5; BLOCK]);
    serve(&mut |count| row(count, || Ok(view.write(0, black_box(&bytes))?)))
}

pub(super) fn view_read(_: &Stage<'_>) -> Result<()> {
    let (view, mut bytes) = (Mapping::anonymous(BLOCK as u64)?.view()?, vec![0; BLOCK]);
    view.write(0, &bytes)?;
    serve(&mut |count| row(count, || Ok(view.read(0, black_box(&mut bytes))?)))
}

pub(super) fn view_64(_: &Stage<'_>) -> Result<()> {
    let (view, mut bytes) = (Mapping::anonymous(BLOCK as u64)?.view()?, [5; SMALL]);
    serve(&mut |count| {
        row(count, || {
            view.write(0, black_box(&bytes))?;
            Ok(view.read(0, black_box(&mut bytes))?)
        })
    })
}

pub(super) fn guarded_load(_: &Stage<'_>) -> Result<()> {
    let value = Guarded::<[u64; 8]>::anonymous()?;
    serve(&mut |count| {
        row(count, || {
            black_box(black_box(&value).load()?);
            Ok(())
        })
    })
}

pub(super) fn guarded_store(_: &Stage<'_>) -> Result<()> {
    let value = Guarded::<[u64; 8]>::anonymous()?;
    let new = [9; 8];
    serve(&mut |count| row(count, || Ok(value.store(black_box(&new))?)))
}
