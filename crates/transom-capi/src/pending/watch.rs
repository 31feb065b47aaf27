//! The thread that lets operations go on when the program calls nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use transom::Code;
use transom::pipe::ext::End;

use crate::os;

/// What the thread sleeps in; `None` if it could not be started.
static EPOLL: OnceLock<Option<OwnedFd>> = OnceLock::new();

/// The bell of one connection, as the thread watches it.
pub(super) struct Watch {
    bell: OwnedFd,
    epoch: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(Some(epoll)) = EPOLL.get() {
            os::forget_watched(epoll, self.bell.as_fd());
        }
    }
}

/// Lets the thread be woken, once, when the end's bell rings.
pub(super) fn enable(watch: &mut Option<Watch>, end: &End) -> Result<(), Code> {
    let epoll = EPOLL.get_or_init(start).as_ref().ok_or(Code::NO_SYSTEM_RESOURCES)?;
    let epoch = end.epoch();
    let watch = match watch {
        Some(watch) if watch.epoch == epoch => watch,
        other => {
            // Gone before the next one comes.
            *other = None;
            other.insert(Watch { bell: end.poll_fd().map_err(|error| error.code())?, epoch })
        }
    };
    os::watch_once(epoll, watch.bell.as_fd(), end.id()).map_err(|error| os::code(&error))
}

fn start() -> Option<OwnedFd> {
    let epoll = os::epoll().ok()?;
    let own = epoll.try_clone().ok()?;
    let thread = std::thread::Builder::new().name("transom-io".to_owned());
    thread.spawn(move || watch(&own)).ok()?;
    Some(epoll)
}

fn watch(epoll: &OwnedFd) {
    // An error: its descriptors were closed behind its back, and nobody can be served any more.
    while let Ok(id) = os::next_watched(epoll) {
        super::rung(id);
    }
}
