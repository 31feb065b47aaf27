//! iceoryx2, publish and subscribe: a service each way. Polling, or with a second service of events each way
//! that wakes who waits.
//!
//! Bytes are copied into a sample and out of it, as with every other way to send them.

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use iceoryx2::sample::Sample;
use iceoryx2::sample_mut::SampleMut;
use iceoryx2::sample_mut_uninit::SampleMutUninit;
use std::mem::MaybeUninit;
use transom_bench::{End, Error, Link, Place, Result, Server};

use crate::iceoryx::{joined, service_name};

/// Bytes that may wait for the subscriber.
const ROOM: usize = 1 << 20;

pub struct PubSub;

pub struct Ports {
    publisher: Publisher<ipc::Service, [u8], ()>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    /// Where who waits sleeps.
    events: Option<(Notifier<ipc::Service>, Listener<ipc::Service>)>,
    /// It must outlive the ports.
    _node: Node<ipc::Service>,
}

pub struct Offered(Option<Ports>);

impl Ports {
    fn new(place: &Place, [out, back]: [&str; 2]) -> Result<Ports> {
        let node = joined(place)?;
        let samples = (ROOM / place.bytes.max(1)).clamp(4, 256);
        let service = |what: &str| {
            node.service_builder(&service_name(place, what)?)
                .publish_subscribe::<[u8]>()
                .enable_safe_overflow(false)
                .subscriber_max_buffer_size(samples)
                .open_or_create()
                .map_err(Error::of("open a service"))
        };
        let publisher = service(out)?
            .publisher_builder()
            .initial_max_slice_len(place.bytes)
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .create()
            .map_err(Error::of("create a publisher"))?;
        let subscriber =
            service(back)?.subscriber_builder().create().map_err(Error::of("create a subscriber"))?;
        let event = |what: &str| {
            node.service_builder(&service_name(place, &format!("{what}-event"))?)
                .event()
                .open_or_create()
                .map_err(Error::of("open a service of events"))
        };
        let events = if place.polling {
            None
        } else {
            let notifier = event(out)?.notifier_builder().create().map_err(Error::of("create a notifier"))?;
            let listener =
                event(back)?.listener_builder().create().map_err(Error::of("create a listener"))?;
            Some((notifier, listener))
        };
        Ok(Ports { publisher, subscriber, events, _node: node })
    }
}

impl Link for PubSub {
    type Server = Offered;
    type Client = Ports;

    fn listen(place: &Place) -> Result<Offered> {
        Ok(Offered(Some(Ports::new(place, ["back", "there"])?)))
    }

    fn connect(place: &Place) -> Result<Ports> {
        Ports::new(place, ["there", "back"])
    }
}

impl Server for Offered {
    type End = Ports;

    fn accept(&mut self) -> Result<Ports> {
        self.0.take().ok_or_else(|| Error::new("the ports are taken"))
    }
}

impl Ports {
    /// Sends a sample that `fill` makes of a loaned one.
    pub fn publish(
        &self,
        len: usize,
        fill: impl FnOnce(
            SampleMutUninit<ipc::Service, [MaybeUninit<u8>], ()>,
        ) -> SampleMut<ipc::Service, [u8], ()>,
    ) -> Result<()> {
        let sample = self.publisher.loan_slice_uninit(len).map_err(Error::of("loan a sample"))?;
        match fill(sample).send().map_err(Error::of("send a sample"))? {
            1 => {}
            others => return Err(Error::new(format!("a sample was sent to {others} subscribers"))),
        }
        if let Some((notifier, _)) = &self.events {
            notifier.notify().map_err(Error::of("notify"))?;
        }
        Ok(())
    }

    /// Waits for the next sample.
    pub fn next(&self) -> Result<Sample<ipc::Service, [u8], ()>> {
        loop {
            if let Some(sample) = self.subscriber.receive().map_err(Error::of("receive a sample"))? {
                return Ok(sample);
            }
            if let Some((_, listener)) = &self.events {
                listener.blocking_wait(|_| ()).map_err(Error::of("wait for an event"))?;
            }
        }
    }
}

impl End for Ports {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.publish(bytes.len(), |sample| sample.write_from_slice(bytes))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        super::taken(self.next()?.payload(), buffer)
    }
}
