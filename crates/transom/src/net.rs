//! Other computers: the seam at which a network can be put under names that lead there.
//!
//! A mailslot's name may mean another computer, `\\COMPUTER\mailslot\NAME`, a domain, or all of them,
//! `\\*\mailslot\NAME` (mailslots.md, S4). As on current Windows opening one answers
//! `ERROR_REMOTE_MAILSLOTS_DEPRECATED` (3025), until a [`Transport`] is switched on. On Windows the system answers itself,
//! and a transport changes nothing.

use std::sync::{Arc, PoisonError, RwLock};

use crate::error::{Code, Error, Result};
use crate::mailslot::{Options, Server, Writer};

/// Carries messages to other computers.
pub trait Transport: std::fmt::Debug + Send + Sync {
    /// Something to write into: what is written the transport brings to mailslot `name` of `target`, a computer, a
    /// domain, or `*`. It usually is a local mailslot that the transport reads.
    ///
    /// # Errors
    /// `ERROR_BAD_NETPATH` (53): there is no way to `target`.
    fn open(&self, target: &str, name: &str) -> Result<Writer>;
}

static TRANSPORT: RwLock<Option<Arc<dyn Transport>>> = RwLock::new(None);

/// Switches a transport on for this process, or off with `None`; gives the one before.
pub fn set_transport(transport: Option<Arc<dyn Transport>>) -> Option<Arc<dyn Transport>> {
    let mut current = TRANSPORT.write().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut *current, transport)
}

/// Opens mailslot `name` of `target` through the transport.
#[cfg_attr(windows, allow(dead_code))]
pub(crate) fn open(target: &[u8], name: &[u8]) -> Result<Writer> {
    let transport = TRANSPORT.read().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(transport) = transport else {
        return Err(Error::new("open mailslot", Code::REMOTE_MAILSLOTS_DEPRECATED));
    };
    transport.open(&String::from_utf8_lossy(target), &String::from_utf8_lossy(name))
}

/// A network of computers that all are this one: for tests.
#[derive(Debug, Clone)]
pub struct Loopback {
    network: String,
}

impl Loopback {
    /// A network whose name nobody else uses.
    #[must_use]
    pub fn new(network: &str) -> Loopback {
        Loopback { network: network.to_owned() }
    }

    fn local(&self, target: &str, name: &str) -> String {
        format!(r"\\.\mailslot\{}\{target}\{name}", self.network)
    }

    /// The mailslot that `\\target\mailslot\name` leads to.
    ///
    /// # Errors
    /// As [`Options::create`].
    pub fn serve(&self, target: &str, name: &str) -> Result<Server> {
        Options::new(&self.local(target, name)).create()
    }
}

impl Transport for Loopback {
    fn open(&self, target: &str, name: &str) -> Result<Writer> {
        Writer::open(&self.local(target, name)).map_err(|error| match error.code() {
            Code::FILE_NOT_FOUND => Error::new("open mailslot", Code::new(53)),
            _ => error,
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::support::{code, limit, unique};

    /// S4, S6: names of other computers answer 3025 until a transport is switched on.
    #[test]
    fn a_transport_brings_messages_to_other_computers() {
        let _limit = limit();
        let network = Loopback::new(&unique("network"));
        assert_eq!(code(Writer::open(r"\\far\mailslot\news")), 3025);
        let server = network.serve("far", "news").unwrap();
        assert!(set_transport(Some(Arc::new(network))).is_none());
        let (far, nowhere) = (Writer::open(r"\\FAR\mailslot\News"), Writer::open(r"\\nowhere\mailslot\news"));
        set_transport(None);
        far.unwrap().send(b"hello").unwrap();
        assert_eq!(server.receive_vec().unwrap(), b"hello");
        assert_eq!(code(nowhere), 53);
        assert_eq!(code(Writer::open(r"\\far\mailslot\news")), 3025);
    }
}
