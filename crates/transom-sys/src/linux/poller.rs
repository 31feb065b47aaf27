//! epoll(7) over what a thread of the library watches, and events that can be raised.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Result;

use super::fault::{self, opening};
use super::fd::above_standard;

/// eventfd(2): something that can be raised, and watched for.
pub fn event() -> Result<OwnedFd> {
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
    above_standard(opening("eventfd", || eventfd(0, flags))?)
}

/// Raises an [`event`].
pub fn raise(event: impl AsFd) {
    let _ = rustix::io::write(event, &1u64.to_ne_bytes());
}

/// epoll(7).
#[derive(Debug)]
pub struct Poller(OwnedFd);

impl Poller {
    /// epoll_create1(2).
    pub fn new() -> Result<Poller> {
        let epoll = opening("epoll_create", || epoll::create(CreateFlags::CLOEXEC))?;
        above_standard(epoll).map(Poller)
    }

    /// Tells `token` as long as the descriptor has something to say.
    pub fn add(&self, fd: impl AsFd, token: u64) -> Result<()> {
        self.watch(fd.as_fd(), token, EventFlags::IN)
    }

    /// Tells `token` once for each time that an event is raised, whoever else watches it; nobody takes it.
    pub fn add_event(&self, event: impl AsFd, token: u64) -> Result<()> {
        self.watch(event.as_fd(), token, EventFlags::IN | EventFlags::ET)
    }

    /// Tells `token` once, when the descriptor has something to say for the first time.
    pub fn add_once(&self, fd: impl AsFd, token: u64) -> Result<()> {
        self.watch(fd.as_fd(), token, EventFlags::IN | EventFlags::ONESHOT)
    }

    fn watch(&self, fd: BorrowedFd<'_>, token: u64, flags: EventFlags) -> Result<()> {
        fault::call("epoll_ctl")?;
        epoll::add(&self.0, fd, EventData::new_u64(token), flags)
    }

    /// Forgets a descriptor.
    pub fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&self.0, fd);
    }

    /// epoll_wait(2), at most for `limit` if there is one: the tokens.
    pub fn wait(&self, tokens: &mut Vec<u64>, limit: Option<Duration>) {
        let mut events = [epoll::Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; 32];
        tokens.clear();
        let limit = limit.and_then(|limit| rustix::time::Timespec::try_from(limit).ok());
        if let Ok(count) = epoll::wait(&self.0, &mut events[..], limit.as_ref()) {
            tokens.extend(events[..count].iter().map(|event| event.data.u64()));
        }
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_millis(1);

    #[test]
    fn an_event_is_told_to_each_poller_once_for_each_time() {
        let event = event().expect("an event");
        let pollers = [Poller::new().expect("a poller"), Poller::new().expect("a poller")];
        let mut tokens = Vec::new();
        for poller in &pollers {
            poller.add_event(&event, 7).expect("room");
        }
        for _ in 0..2 {
            raise(&event);
            for poller in &pollers {
                poller.wait(&mut tokens, Some(NOW));
                assert_eq!(tokens, [7]);
                poller.wait(&mut tokens, Some(NOW));
                assert_eq!(tokens, [0; 0]);
            }
        }
    }
}
