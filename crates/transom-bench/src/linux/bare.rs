//! What carrying messages from one to many takes without any library: slots in shared memory, memcpy into one and out
//! of it, and a word that says how many are filled. It has as many slots as messages may be unread, nobody sleeps, and
//! nothing is checked.

use std::sync::atomic::Ordering;

use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{memfd, shm};

use crate::error::{Error, Result};
use crate::fan::{self, Fan, FanPlace};

const COUNT: usize = 0;
const SLOTS: usize = 4096;

pub(super) struct Bare;

/// The memory, and how many messages were written to it or read from it.
struct Ring {
    pages: SharedPages,
    bytes: usize,
    slots: u64,
    number: u64,
}

pub(super) struct Out(Ring, String);

pub(super) struct In(Ring, Vec<u8>);

impl Ring {
    fn at(&self) -> usize {
        SLOTS + (self.number % self.slots) as usize * self.bytes
    }
}

fn ring(place: &FanPlace, file: &impl std::os::fd::AsFd, length: usize) -> Result<Ring> {
    let pages = SharedPages::map(file, length).map_err(Error::of("map memory"))?;
    Ok(Ring { pages, bytes: place.bytes, slots: place.window as u64, number: 0 })
}

fn length(place: &FanPlace) -> usize {
    SLOTS + place.window * place.bytes
}

impl Fan for Bare {
    type Sender = Out;
    type Receiver = In;
    const TO_ONE: bool = false;

    fn sender(place: &FanPlace) -> Result<Out> {
        let file = shm::create(&place.tag).map_err(Error::of("create memory"))?;
        memfd::set_size(&file, length(place) as u64).map_err(Error::of("size memory"))?;
        Ok(Out(ring(place, &file, length(place))?, place.tag.clone()))
    }

    fn receiver(place: &FanPlace) -> Result<In> {
        let file = shm::open(&place.tag).map_err(Error::of("open memory"))?;
        Ok(In(ring(place, &file, length(place))?, vec![0; place.bytes]))
    }
}

impl fan::Sender for Out {
    fn begin(&mut self) -> Result<()> {
        shm::unlink(&self.1).map_err(Error::of("remove a name"))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Out(ring, _) = self;
        if !shm::copy_in(&ring.pages, ring.at(), bytes) {
            return Err(Error::new("a slot outside the shared pages"));
        }
        ring.number += 1;
        ring.pages.u64(COUNT).store(ring.number, Ordering::Release);
        Ok(())
    }
}

impl fan::Receiver for In {
    fn receive(&mut self, most: u64) -> Result<u64> {
        let In(ring, buffer) = self;
        let mut taken = 0;
        let mut filled = ring.number;
        while taken < most {
            if ring.number == filled {
                filled = ring.pages.u64(COUNT).load(Ordering::Acquire);
            }
            if ring.number == filled {
                break;
            }
            if !shm::copy_out(&ring.pages, ring.at(), buffer) {
                return Err(Error::new("a slot outside the shared pages"));
            }
            ring.number += 1;
            taken += 1;
        }
        std::hint::black_box(buffer);
        Ok(taken)
    }
}
