//! iceoryx2, request and response: round trips alone, polling.

use iceoryx2::active_request::ActiveRequest;
use iceoryx2::pending_response::PendingResponse;
use iceoryx2::port::client::Client;
use iceoryx2::port::server::Server as Port;
use iceoryx2::prelude::*;
use iceoryx2::service::port_factory::request_response::PortFactory;
use transom_bench::{End, Error, Link, Place, Result, Server};

use crate::iceoryx::{joined, service_name};

type Asker = Client<ipc::Service, [u8], (), [u8], ()>;
type Pending = PendingResponse<ipc::Service, [u8], (), [u8], ()>;
type Answerer = Port<ipc::Service, [u8], (), [u8], ()>;
type Active = ActiveRequest<ipc::Service, [u8], (), [u8], ()>;

pub struct RequestResponse;

pub struct Asking {
    port: Asker,
    asked: Option<Pending>,
    _node: Node<ipc::Service>,
}

pub struct Answering {
    port: Answerer,
    request: Option<Active>,
    _node: Node<ipc::Service>,
}

pub struct Offered(Option<Answering>);

type Service = PortFactory<ipc::Service, [u8], (), [u8], ()>;

fn service(node: &Node<ipc::Service>, place: &Place) -> Result<Service> {
    node.service_builder(&service_name(place, "request")?)
        .request_response::<[u8], [u8]>()
        .open_or_create()
        .map_err(Error::of("open a service"))
}

impl Link for RequestResponse {
    type Server = Offered;
    type Client = Asking;

    fn listen(place: &Place) -> Result<Offered> {
        let node = joined(place)?;
        let port = service(&node, place)?.server_builder().initial_max_slice_len(place.bytes).create();
        let port = port.map_err(Error::of("create a server"))?;
        Ok(Offered(Some(Answering { port, request: None, _node: node })))
    }

    fn connect(place: &Place) -> Result<Asking> {
        let node = joined(place)?;
        let port = service(&node, place)?.client_builder().initial_max_slice_len(place.bytes).create();
        Ok(Asking { port: port.map_err(Error::of("create a client"))?, asked: None, _node: node })
    }
}

impl Server for Offered {
    type End = Answering;

    fn accept(&mut self) -> Result<Answering> {
        self.0.take().ok_or_else(|| Error::new("the port is taken"))
    }
}

impl End for Asking {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let request = self.port.loan_slice_uninit(bytes.len()).map_err(Error::of("loan a request"))?;
        let asked = request.write_from_slice(bytes).send().map_err(Error::of("send a request"))?;
        self.asked = Some(asked);
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let asked = self.asked.take().ok_or_else(|| Error::new("nothing was asked"))?;
        loop {
            if let Some(response) = asked.receive().map_err(Error::of("receive a response"))? {
                return super::taken(response.payload(), buffer);
            }
        }
    }
}

impl End for Answering {
    fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let request = self.request.take().ok_or_else(|| Error::new("nothing was asked"))?;
        let response = request.loan_slice_uninit(bytes.len()).map_err(Error::of("loan a response"))?;
        response.write_from_slice(bytes).send().map_err(Error::of("send a response"))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            if let Some(request) = self.port.receive().map_err(Error::of("receive a request"))? {
                let received = super::taken(request.payload(), buffer)?;
                self.request = Some(request);
                return Ok(received);
            }
        }
    }
}
