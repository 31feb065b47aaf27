//! Asking at the gate of a pipe that a process of another user serves, or one of this user's that cannot be reached
//! otherwise. That process may be hostile: what it hands over is checked, and nothing of it is waited for without end but
//! what Windows waits for without end.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use transom_core::code::Code;
use transom_core::gate::{self, Answer, Ask};
use transom_core::name::{ObjectName, PipeName};
use transom_core::pipe::instance_wait;
use transom_core::time::Timeout;
use transom_sys::linux::fault::step;
use transom_sys::linux::socket::{self, Peer};
use transom_sys::linux::{Errno, bell, futex, memfd, process, procfs};

use super::super::channel::End;
use super::super::errno::{to_code, with_room};
use super::super::visit::cookie_of;
use super::{FOR_ANSWER, FOR_LIST, FOR_ROOM, MOMENT, MOST_ASKED, TRIES, address, broken, object};

/// Whose gate is asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// That of any user who has the name.
    Anybodys,
    /// This user's: it is known to have the name, so nobody else is taken for it.
    Own,
}

/// A connection to a server of another user.
pub(crate) struct Opened {
    pub(crate) end: End,
    pub(crate) answer: Answer,
    /// The process that serves it, as far as can be told.
    pub(crate) server: u32,
}

/// Descriptors of a connection: its segment, and two bells that are opened again.
const PARTS: usize = 3;

/// A conversation that came to nothing because the other side went: there may be another one now.
const GONE: Code = Code::BROKEN_PIPE;

/// A socket at the gate, and who has that.
///
/// # Errors
/// 2: nobody has the gate, or not who is meant.
fn connect_to(address: &[u8], whose: Whose) -> Result<(OwnedFd, Peer), Code> {
    let (socket, peer) = connect(address)?;
    if whose == Whose::Own && !super::is_own(peer.user) {
        return Err(Code::FILE_NOT_FOUND);
    }
    Ok((socket, peer))
}

pub(super) fn connect(address: &[u8]) -> Result<(OwnedFd, Peer), Code> {
    let connect = || with_room(|| Ok(socket::connect(address, Some(FOR_ROOM))));
    let socket = match connect()? {
        Err(Errno::MFILE) => connect()?.map_err(broken)?,
        result => result.map_err(broken)?,
    };
    let peer = to_code(socket::peer(&socket))?;
    Ok((socket, peer))
}

/// Asks, and waits for the answer until `deadline`.
///
/// # Errors
/// 231: there is none by then. 109: the other side has gone. 1392: it is none.
pub(super) fn ask(
    socket: &OwnedFd,
    ask: Ask,
    name: &ObjectName,
    deadline: u64,
) -> Result<(Answer, Vec<OwnedFd>), Code> {
    match socket::send(socket, &ask.encode(name), &[]) {
        // It may have answered already, without waiting for what would be asked.
        Ok(()) | Err(Errno::PIPE | Errno::CONNRESET) => {}
        Err(error) => return Err(broken(error)),
    }
    step("gate-asked");
    answer(socket, Some(deadline))
}

/// The next answer.
fn answer(socket: &OwnedFd, deadline: Option<u64>) -> Result<(Answer, Vec<OwnedFd>), Code> {
    let mut message = [0; gate::MOST + 1];
    let mut was_reset = false;
    loop {
        match socket::receive_descriptors(socket, &mut message) {
            // It has gone without hearing what was asked. It may have said something all the same.
            Err(Errno::CONNRESET) if !was_reset => {
                was_reset = true;
                continue;
            }
            Ok((0, _)) | Err(Errno::CONNRESET) => return Err(GONE),
            Ok((length, descriptors)) => {
                let answer = message.get(..length).and_then(Answer::decode).ok_or(Code::FILE_CORRUPT)?;
                return Ok((answer, descriptors));
            }
            Err(Errno::AGAIN) => {}
            Err(error) => return Err(broken(error)),
        }
        if deadline.is_some_and(|at| futex::now() >= at) {
            return Err(Code::PIPE_BUSY);
        }
        to_code(bell::wait(socket, &[], deadline))?;
    }
}

/// Does it again with whoever serves the name now, if the other side has gone.
fn persist<T>(mut attempt: impl FnMut() -> Result<T, Code>) -> Result<T, Code> {
    let patience = futex::now() + FOR_ANSWER;
    for _ in 0..TRIES {
        match attempt() {
            Err(GONE) if futex::now() < patience => futex::pass(MOMENT / 4),
            Err(GONE) => break,
            result => return result,
        }
    }
    Err(Code::PIPE_BUSY)
}

/// CreateFile on the name of a pipe that another user serves.
///
/// # Errors
/// 2: nobody does. 5: the descriptor does not admit this user, or it does not go that way. 231: no instance listens,
/// or its server does not answer. 1392: what it answers is not what it should be.
pub(crate) fn open(name: &PipeName, wanted: u32, whose: Whose) -> Result<Opened, Code> {
    let name = object(name);
    let address = address(&name);
    persist(|| {
        let (socket, peer) = connect_to(&address, whose)?;
        step("gate-reached");
        // A message whose descriptors find no room arrives without them, and does not come again.
        with_room(|| transom_sys::linux::fd::probe(&socket, 2 * PARTS))?;
        let (answer, descriptors) = ask(&socket, Ask::Open(wanted), &name, futex::now() + FOR_ANSWER)?;
        step("gate-heard");
        check(answer.code)?;
        // So that it does not wait for this any longer.
        let _ = socket::send(&socket, &[1], &[]);
        let Ok(parts) = <[OwnedFd; PARTS]>::try_from(descriptors) else { return Err(Code::FILE_CORRUPT) };
        let server = server_of(&peer, answer.server);
        Ok(Opened { end: join(parts)?, answer, server })
    })
}

/// WaitNamedPipe for such a pipe, begun at `begun`.
///
/// # Errors
/// 2: nobody serves the name, or the last one goes. 5: not admitted. 121: time is up.
pub(crate) fn wait(name: &PipeName, milliseconds: u32, begun: u64, whose: Whose) -> Result<(), Code> {
    let name = object(name);
    let address = address(&name);
    let mut timeout = instance_wait(milliseconds, 0);
    // Until the server has said what its default is, and where no time is to be waited.
    let told = milliseconds > 1;
    loop {
        let over = |timeout: &Timeout| {
            *timeout == Timeout::ZERO || timeout.deadline_nanos(begun).is_some_and(|at| futex::now() >= at)
        };
        let heard = connect_to(&address, whose).and_then(|(socket, _)| {
            let patience = futex::now() + FOR_ANSWER;
            let deadline = timeout.deadline_nanos(begun).filter(|_| told);
            let deadline = deadline.map_or(patience, |at| at.min(patience));
            let (first, _) = ask(&socket, Ask::Wait, &name, deadline)?;
            timeout = instance_wait(milliseconds, first.default_timeout);
            if first.code != Code::SEM_TIMEOUT {
                return Ok(first.code);
            }
            step("gate-waiting");
            if over(&timeout) {
                return Ok(Code::SEM_TIMEOUT);
            }
            match answer(&socket, timeout.deadline_nanos(begun)) {
                Err(Code::PIPE_BUSY) => Ok(Code::SEM_TIMEOUT),
                result => result.map(|(second, _)| second.code),
            }
        });
        match heard {
            Ok(Code::SEM_TIMEOUT) if over(&timeout) => return Err(Code::SEM_TIMEOUT),
            // It has no place for one more to wait, or it has gone and another may have come.
            Ok(Code::PIPE_BUSY | Code::SEM_TIMEOUT) | Err(Code::PIPE_BUSY | GONE) => {
                if over(&timeout) {
                    return Err(Code::SEM_TIMEOUT);
                }
                futex::pass(MOMENT);
            }
            Ok(code) => return check(code),
            Err(code) => return Err(code),
        }
    }
}

/// How many server ends of such a pipe are open; 0 if nobody serves it.
pub(crate) fn count(name: &PipeName) -> u32 {
    let name = object(name);
    let address = address(&name);
    let asked = persist(|| {
        let (socket, _) = connect(&address)?;
        ask(&socket, Ask::About, &name, futex::now() + FOR_ANSWER)
    });
    asked.map_or(0, |(answer, _)| answer.instances)
}

/// A pipe that another user serves, or this one where its board cannot be reached, as its gate tells.
pub(crate) struct Stranger {
    pub(crate) answer: Answer,
    /// Its user, as the kernel says.
    pub(crate) user: u32,
}

/// The pipes that have a gate, but for this user's that are `known`, by their spelling. All gates are asked together, and
/// whoever does not answer soon is left out.
pub(crate) fn strangers<'a>(known: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Stranger>, Code> {
    let known: Vec<_> =
        known.filter_map(PipeName::of_spelling).map(|name| super::address(&object(&name))).collect();
    let addresses = to_code(socket::listening(gate::ADDRESSES))?;
    let mut asked = Vec::new();
    for address in addresses.into_iter().take(MOST_ASKED) {
        // Without waiting: a gate that has no room has no time either.
        let Ok(Ok(socket)) = with_room(|| Ok(socket::connect(&address, None))) else { continue };
        let Ok(peer) = socket::peer(&socket) else { continue };
        let is_known = super::is_own(peer.user) && known.contains(&address);
        if !is_known && socket::send(&socket, &gate::show(), &[]).is_ok() {
            asked.push((address, socket, peer.user));
        }
    }
    let deadline = futex::now() + FOR_LIST;
    let heard = asked.into_iter().filter_map(|(address, socket, user)| {
        let (heard, _) = answer(&socket, Some(deadline)).ok()?;
        // A name under whose address it can be reached from here; not one that it makes up, or of another TRANSOM_DIR.
        let name = PipeName::of_spelling(&heard.spelling)?;
        let is_its_own = heard.code == Code::SUCCESS && super::address(&object(&name)) == address;
        is_its_own.then_some(Stranger { answer: heard, user })
    });
    Ok(heard.collect())
}

/// A code that a gate may say.
fn check(code: Code) -> Result<(), Code> {
    match code {
        Code::SUCCESS => Ok(()),
        Code::FILE_NOT_FOUND | Code::ACCESS_DENIED | Code::PIPE_BUSY => Err(code),
        // It lacks descriptors or memory; or makes something up.
        _ => Err(Code::PIPE_BUSY),
    }
}

/// The process of an instance: what the server says, if that is a process of the user that the kernel says it is.
/// Another one of the same user may have answered for it. 0: it is in another PID namespace, and what it says counts there.
fn server_of(peer: &Peer, told: u32) -> u32 {
    if peer.process == 0 {
        return 0;
    }
    let is_one = || procfs::owner(told) == Some(peer.user) && !procfs::is_below(peer.process);
    if told == peer.process || told != 0 && is_one() { told } else { peer.process }
}

/// The client's end of what came: memory that nobody can take away, and bells, opened again, so that their flags are
/// this process's alone.
fn join([segment, own, peer]: [OwnedFd; PARTS]) -> Result<End, Code> {
    if !memfd::is_ordinary(segment.as_fd()) {
        return Err(Code::FILE_CORRUPT);
    }
    let cookie = cookie_of(&segment)?;
    let (this, bad) = (process::id(), |_| Code::FILE_CORRUPT);
    let own = with_room(|| Ok(bell::open_reader(this, own.as_raw_fd())))?.map_err(bad)?;
    let peer = with_room(|| Ok(bell::open_writer(this, peer.as_raw_fd())))?.map_err(bad)?;
    Ok(End::join(segment, own, peer, &cookie)?.with_writer())
}

const _: () = assert!(FOR_ROOM.as_nanos() < Duration::from_nanos(FOR_ANSWER).as_nanos());

#[cfg(test)]
mod tests {
    use super::*;

    /// A server cannot pass off a process of another user as itself.
    #[test]
    fn a_servers_number_is_one_of_its_users_processes() {
        let peer = Peer { process: 77, user: process::user() + 1, group: 0 };
        assert_eq!(server_of(&peer, process::id()), 77);
        assert_eq!(server_of(&peer, 0), 77);
        let own = Peer { user: process::user(), ..peer };
        assert_eq!(server_of(&own, process::id()), process::id());
        assert_eq!(server_of(&Peer { process: 5, ..peer }, 5), 5);
        assert_eq!(server_of(&Peer { process: 0, ..own }, process::id()), 0, "a number of elsewhere");
    }
}
