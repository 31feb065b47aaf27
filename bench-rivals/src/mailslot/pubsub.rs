//! iceoryx2, publish and subscribe, polling. Bytes are copied into a sample and out of it, as with every other way to
//! send them.

use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::port::update_connections::UpdateConnections;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::publish_subscribe::PortFactory;
use transom_bench::{Error, Fan, FanPlace, Receiver, Result, Sender};

use crate::iceoryx::node;

pub struct ToOne;
pub struct ToMany;

pub struct Out {
    publisher: Publisher<ipc::Service, [u8], ()>,
    subscribers: usize,
    /// It must outlive the port.
    _node: Node<ipc::Service>,
}

pub struct In {
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    buffer: Vec<u8>,
    _node: Node<ipc::Service>,
}

type Service = PortFactory<ipc::Service, [u8], ()>;

fn service(place: &FanPlace, publishers: usize, subscribers: usize) -> Result<(Node<ipc::Service>, Service)> {
    let node = node(&place.arguments)?;
    let name = ServiceName::new(&format!("{}/fan", place.tag)).map_err(Error::of("name a service"))?;
    let service = node
        .service_builder(&name)
        .publish_subscribe::<[u8]>()
        .enable_safe_overflow(false)
        .max_publishers(publishers)
        .max_subscribers(subscribers)
        .max_nodes(publishers + subscribers)
        .subscriber_max_buffer_size(place.window)
        .open_or_create()
        .map_err(Error::of("open a service"))?;
    Ok((node, service))
}

fn publisher(place: &FanPlace, publishers: usize, subscribers: usize) -> Result<Out> {
    let (node, service) = service(place, publishers, subscribers)?;
    let publisher = service
        .publisher_builder()
        .initial_max_slice_len(place.bytes)
        .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
        .create()
        .map_err(Error::of("create a publisher"))?;
    Ok(Out { publisher, subscribers, _node: node })
}

fn subscriber(place: &FanPlace, publishers: usize, subscribers: usize) -> Result<In> {
    let (node, service) = service(place, publishers, subscribers)?;
    let subscriber = service.subscriber_builder().create().map_err(Error::of("create a subscriber"))?;
    Ok(In { subscriber, buffer: vec![0; place.bytes], _node: node })
}

impl Fan for ToOne {
    type Sender = Out;
    type Receiver = In;
    const TO_ONE: bool = true;

    fn sender(place: &FanPlace) -> Result<Out> {
        publisher(place, place.many, 1)
    }

    fn receiver(place: &FanPlace) -> Result<In> {
        subscriber(place, place.many, 1)
    }
}

impl Fan for ToMany {
    type Sender = Out;
    type Receiver = In;
    const TO_ONE: bool = false;

    fn sender(place: &FanPlace) -> Result<Out> {
        publisher(place, 1, place.many)
    }

    fn receiver(place: &FanPlace) -> Result<In> {
        subscriber(place, 1, place.many)
    }
}

impl Sender for Out {
    fn begin(&mut self) -> Result<()> {
        self.publisher.update_connections().map_err(Error::of("connect to the subscribers"))
    }

    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let sample = self.publisher.loan_slice_uninit(bytes.len()).map_err(Error::of("loan a sample"))?;
        match sample.write_from_slice(bytes).send().map_err(Error::of("send a sample"))? {
            reached if reached == self.subscribers => Ok(()),
            reached => {
                Err(Error::new(format!("a sample reached {reached} of {} subscribers", self.subscribers)))
            }
        }
    }
}

impl Receiver for In {
    /// A publisher whose buffer is full waits for subscribers that are connected to it; others, which have not looked at
    /// who is there yet, it leaves out.
    fn begin(&mut self) -> Result<()> {
        self.subscriber.update_connections().map_err(Error::of("connect to the publishers"))
    }

    fn receive(&mut self, most: u64) -> Result<u64> {
        for count in 0..most {
            match self.subscriber.receive().map_err(Error::of("receive a sample"))? {
                Some(sample) if sample.payload().len() == self.buffer.len() => {
                    self.buffer.copy_from_slice(sample.payload());
                }
                Some(_) => return Err(Error::new("a sample of another length")),
                None => return Ok(count),
            }
        }
        std::hint::black_box(&self.buffer);
        Ok(most)
    }
}
