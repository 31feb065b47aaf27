//! iceoryx2, publish and subscribe, nothing copied: of a sample both sides touch the first and the last bytes where they
//! lie.

use iceoryx2::prelude::*;
use iceoryx2::sample_mut::SampleMut;
use iceoryx2::sample_mut_uninit::SampleMutUninit;
use std::mem::MaybeUninit;
use transom_bench::{End, Error, Link, Place, Result, Server, Shape};

use super::pubsub::{Offered, Ports, PubSub};

pub struct InPlace;

pub struct Lending(Offered);

pub struct Lent(Ports);

impl Link for InPlace {
    type Server = Lending;
    type Client = Lent;

    fn listen(place: &Place) -> Result<Lending> {
        PubSub::listen(place).map(Lending)
    }

    fn connect(place: &Place) -> Result<Lent> {
        PubSub::connect(place).map(Lent)
    }
}

impl Server for Lending {
    type End = Lent;

    fn accept(&mut self) -> Result<Lent> {
        self.0.accept().map(Lent)
    }
}

impl End for Lent {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.publish(bytes.len(), |mut sample| {
            let last = bytes.len() - Shape::TOUCHED;
            let payload = sample.payload_mut();
            payload[..Shape::TOUCHED].write_copy_of_slice(&bytes[..Shape::TOUCHED]);
            payload[last..].write_copy_of_slice(&bytes[last..]);
            filled(sample)
        })
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let sample = self.0.next()?;
        let payload = sample.payload();
        if payload.len() != buffer.len() {
            return Err(Error::new(format!("{} bytes were received", payload.len())));
        }
        let last = payload.len() - Shape::TOUCHED;
        buffer[..Shape::TOUCHED].copy_from_slice(&payload[..Shape::TOUCHED]);
        buffer[last..].copy_from_slice(&payload[last..]);
        Ok(payload.len())
    }
}

/// The bytes between stay what they were: that is what sending without copying means.
#[expect(unsafe_code, reason = "the library has no other way to send what was not written in full")]
fn filled(sample: SampleMutUninit<ipc::Service, [MaybeUninit<u8>], ()>) -> SampleMut<ipc::Service, [u8], ()> {
    // SAFETY: the sample lies in a file of shared memory, whose bytes all have values; any value is a byte.
    unsafe { sample.assume_init() }
}
