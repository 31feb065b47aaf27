//! iceoryx2, publish and subscribe, nothing copied: of a sample both sides touch the first and the last bytes where they
//! lie.
//!
//! # Safety
//! A sample lies in a file of shared memory, all of whose bytes have values, and any value is a byte. The library has no
//! other way to send what was not written in full.
#![allow(unsafe_code)]

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
            for at in (0..Shape::TOUCHED).chain(last..bytes.len()) {
                payload[at].write(bytes[at]);
            }
            // SAFETY: what was not written is bytes all the same, as the page says.
            unsafe { sample.assume_init() }
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
