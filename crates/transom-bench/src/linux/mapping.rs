//! Mappings of 64 KiB: made, opened, mapped and given up, by bare calls and by transom.

use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;

use transom::mapping::Mapping;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{memfd, shm};

use super::Stage;
use super::partner::{Partner, Shared, Work};
use crate::error::{Error, Result};
use crate::sample::{each, serve};

/// Bytes of each mapping.
const SIZE: usize = 64 * 1024;
const PAGE: usize = 4096;

/// A name that no other run has.
pub(super) fn unique(what: &str) -> String {
    format!("transom-bench-{what}-{}", std::process::id())
}

fn map(file: &OwnedFd) -> Result<SharedPages> {
    SharedPages::map(file, SIZE).map_err(Error::of("map memory"))
}

fn sized() -> Result<OwnedFd> {
    let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
    memfd::set_size(&file, SIZE as u64).map_err(Error::of("size memory"))?;
    Ok(file)
}

pub(super) fn memfd(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        each(count, || {
            let file = sized()?;
            map(&file).map(drop)
        })
    })
}

pub(super) fn memfd_reserved(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        each(count, || {
            let file = memfd::create("transom-bench").map_err(Error::of("create memory"))?;
            memfd::reserve(&file, SIZE as u64).map_err(Error::of("reserve memory"))?;
            map(&file).map(drop)
        })
    })
}

pub(super) fn memfd_touched(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        each(count, || {
            let file = sized()?;
            let pages = map(&file)?;
            (0..SIZE).step_by(PAGE).for_each(|page| pages.u32(page).store(1, Ordering::Relaxed));
            Ok(())
        })
    })
}

pub(super) fn raw_map(_: &Stage<'_>) -> Result<()> {
    let name = unique("raw");
    serve(&mut |count| {
        each(count, || {
            let file = shm::create(&name).map_err(Error::of("create a shared memory file"))?;
            memfd::set_size(&file, SIZE as u64).map_err(Error::of("size a shared memory file"))?;
            drop(map(&file)?);
            drop(file);
            shm::unlink(&name).map_err(Error::of("unlink a shared memory file"))
        })
    })
}

pub(super) fn raw_open(_: &Stage<'_>) -> Result<()> {
    let name = unique("raw-open");
    let file = shm::create(&name).map_err(Error::of("create a shared memory file"))?;
    memfd::set_size(&file, SIZE as u64).map_err(Error::of("size a shared memory file"))?;
    let result = serve(&mut |count| {
        each(count, || {
            let file = shm::open(&name).map_err(Error::of("open a shared memory file"))?;
            map(&file).map(drop)
        })
    });
    // A name that stays behind would be the worse of two failures.
    shm::unlink(&name).map_err(Error::of("unlink a shared memory file"))?;
    result
}

pub(super) fn anonymous(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        each(count, || {
            let mapping = Mapping::anonymous(SIZE as u64)?;
            drop(mapping.view()?);
            Ok(())
        })
    })
}

pub(super) fn anonymous_touched(_: &Stage<'_>) -> Result<()> {
    serve(&mut |count| {
        each(count, || {
            let mapping = Mapping::anonymous(SIZE as u64)?;
            let view = mapping.view()?;
            for page in (0..SIZE).step_by(PAGE) {
                view.store_u32(page, 1)?;
            }
            Ok(())
        })
    })
}

pub(super) fn view(_: &Stage<'_>) -> Result<()> {
    let mapping = Mapping::anonymous(SIZE as u64)?;
    serve(&mut |count| {
        each(count, || {
            drop(mapping.view()?);
            Ok(())
        })
    })
}

/// Makes a mapping that is to be new, maps it, gives it up.
fn create(name: &str) -> Result<()> {
    let created = Mapping::create(name, SIZE as u64)?;
    if created.existed {
        return Err(Error::new("the mapping of the round before is still there"));
    }
    drop(created.object.view()?);
    Ok(())
}

pub(super) fn named_create(_: &Stage<'_>) -> Result<()> {
    let name = unique("create");
    serve(&mut |count| each(count, || create(&name)))
}

pub(super) fn named_create_fresh(_: &Stage<'_>) -> Result<()> {
    let prefix = unique("fresh");
    let mut used = 0_u64;
    serve(&mut |count| {
        let mut names =
            (used..used + count).map(|number| format!("{prefix}-{number}")).collect::<Vec<_>>().into_iter();
        used += count;
        each(count, || create(&names.next().unwrap_or_default()))
    })
}

fn open(name: &str) -> Result<()> {
    let mapping = Mapping::open(name)?;
    drop(mapping.view()?);
    Ok(())
}

pub(super) fn named_open(stage: &Stage<'_>) -> Result<()> {
    let name = unique("open");
    let _partner = Partner::start(stage, "hold-mapping", std::slice::from_ref(&name), 0)?;
    serve(&mut |count| each(count, || open(&name)))
}

/// Holds a named mapping, and has nothing to do.
pub(super) fn hold_partner(_: Shared, arguments: &[String]) -> Result<Work> {
    let name = arguments.first().ok_or_else(|| Error::new("the mapping has no name"))?;
    let held = Mapping::create(name, SIZE as u64)?.object;
    Ok(Box::new(move |_| held.size().map(drop).map_err(Error::from)))
}

pub(super) fn named_open_own(_: &Stage<'_>) -> Result<()> {
    let name = unique("open-own");
    let _held = Mapping::create(&name, SIZE as u64)?.object;
    serve(&mut |count| each(count, || open(&name)))
}
