//! The thread behind a gate: who comes, what it may, and what it is given.
//!
//! Whoever comes may be hostile. Nothing here waits for it: sockets do not block, what is read has a fixed size, and
//! each user has so many places and no more. A guest that says nothing for a while is shown out, one that does not
//! take its answer keeps its place (and what lies in the socket) until it goes.

use std::collections::HashMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use transom_core::access::Kind;
use transom_core::board::SlotState;
use transom_core::code::Code;
use transom_core::gate::{self, Answer, Ask};
use transom_core::name::ObjectName;
use transom_core::security::Security;
use transom_sys::linux::fault::step;
use transom_sys::linux::fd::raise_limit;
use transom_sys::linux::poller::Poller;
use transom_sys::linux::socket::{self, Peer};
use transom_sys::linux::{Errno, bell, dirs, fd, futex, process, procfs};

use super::super::board::{Board, Offer};
use super::super::channel::ring_connect;
use super::super::errno::{to_code, with_room};
use super::super::segment::Segment;
use super::super::served::{count, is_alive};
use super::is_own;

pub(super) const LISTENER: u64 = 0;
pub(super) const NEWS: u64 = 1;
pub(super) const STOP: u64 = 2;
const FIRST_GUEST: u64 = 3;

/// Places of one user, and of all.
const MOST_OF_USER: usize = 128;
const MOST: usize = 512;
/// Of these so many who were given descriptors and have not taken them: what lies in a socket counts against the
/// server's user. The others of that user have to wait until one of them has.
const MOST_SERVED_OF_USER: usize = 16;
/// How long a guest may say nothing, and how long one waits for those, in nanoseconds.
const SILENCE: u64 = 5_000_000_000;
const DELAY: u64 = 2_000_000_000;
/// How long nobody is let in when there is no room for descriptors.
const FULL: Duration = Duration::from_millis(100);

/// What the thread works with. It holds no name.
pub(super) struct Service {
    pub(super) name: ObjectName,
    pub(super) board: Arc<Board>,
    pub(super) entry: OwnedFd,
    pub(super) listener: Arc<OwnedFd>,
    pub(super) news: Arc<OwnedFd>,
    pub(super) poller: Arc<Poller>,
    pub(super) guests: Arc<Mutex<Guests>>,
}

/// Who is here.
#[derive(Debug, Default)]
pub(super) struct Guests {
    all: HashMap<u64, Guest>,
    next: u64,
}

#[derive(Debug)]
struct Guest {
    socket: OwnedFd,
    poller: Arc<Poller>,
    peer: Peer,
    stage: Stage,
    came: u64,
}

impl Drop for Guest {
    fn drop(&mut self) {
        // Closing does it too, but not if a forked process has the socket as well.
        self.poller.remove(&self.socket);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Has said nothing yet.
    New,
    /// Wants to open the pipe with this access, when others of its user have taken what they were given.
    Delayed(u32),
    /// Waits for an instance.
    Waiting,
    /// Has descriptors in its socket.
    Served,
}

/// A connection on its way: the client's descriptors.
struct Handed {
    segment: OwnedFd,
    own: OwnedFd,
    peer: OwnedFd,
    server: u32,
}

impl Guests {
    pub(super) fn each_descriptor(&self, mut see: impl FnMut(RawFd)) {
        self.all.values().for_each(|guest| see(guest.socket.as_raw_fd()));
    }

    fn of_user(&self, user: u32) -> usize {
        self.all.values().filter(|guest| guest.peer.user == user).count()
    }

    fn served_of_user(&self, user: u32) -> usize {
        self.all.values().filter(|guest| guest.peer.user == user && guest.stage == Stage::Served).count()
    }
}

impl Service {
    /// Until it is told to stop.
    pub(super) fn run(self) {
        let mut tokens = Vec::new();
        let mut full = false;
        loop {
            self.poller.wait(&mut tokens, if full { Some(FULL) } else { self.next_look() });
            if full {
                full = self.poller.add(&*self.listener, LISTENER).is_err();
            }
            for token in &tokens {
                match *token {
                    STOP => {
                        self.guests().all.clear();
                        return;
                    }
                    LISTENER if self.let_in() => {
                        // Else it would say so again and again.
                        self.poller.remove(&*self.listener);
                        full = true;
                    }
                    LISTENER => {}
                    NEWS => self.tell_waiting(),
                    guest => self.hear(guest),
                }
            }
            self.show_out();
        }
    }

    fn guests(&self) -> std::sync::MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When somebody's time may be over.
    fn next_look(&self) -> Option<Duration> {
        let timed = |guest: &Guest| matches!(guest.stage, Stage::New | Stage::Delayed(_));
        let anybody = self.guests().all.values().any(timed);
        anybody.then(|| Duration::from_nanos(DELAY / 4))
    }

    /// Shows those out whose time is over.
    fn show_out(&self) {
        let now = futex::now();
        self.guests().all.retain(|_, guest| match guest.stage {
            Stage::New => now < guest.came + SILENCE,
            Stage::Delayed(_) if now >= guest.came + DELAY => {
                let _ = socket::send(&guest.socket, &self.answer(Code::PIPE_BUSY, 0).encode(), &[]);
                false
            }
            _ => true,
        });
    }

    /// Takes those who wait outside; true if there is no room for more descriptors.
    fn let_in(&self) -> bool {
        // A few at a time, so that those who are here get on.
        for _ in 0..32 {
            let socket = match socket::accept(&*self.listener) {
                Ok(Some(socket)) => socket,
                Ok(None) => return false,
                Err(Errno::MFILE) if raise_limit() => continue,
                Err(_) => return true,
            };
            step("gate-accepted");
            let Ok(peer) = socket::peer(&socket) else { continue };
            let mut guests = self.guests();
            if guests.all.len() >= MOST || guests.of_user(peer.user) >= MOST_OF_USER {
                let _ = socket::send(&socket, &self.answer(Code::PIPE_BUSY, 0).encode(), &[]);
                continue;
            }
            let token = FIRST_GUEST + guests.next;
            guests.next += 1;
            if self.poller.add(&socket, token).is_ok() {
                let (poller, stage) = (Arc::clone(&self.poller), Stage::New);
                guests.all.insert(token, Guest { socket, poller, peer, stage, came: futex::now() });
            }
        }
        false
    }

    /// A guest has said something, or has gone.
    fn hear(&self, token: u64) {
        let taken = self.guests().all.remove(&token);
        let Some(guest) = taken else { return };
        let mut message = [0; gate::MOST + 1];
        let heard = match socket::receive(&guest.socket, &mut message) {
            Err(Errno::AGAIN) => {
                self.guests().all.insert(token, guest);
                return;
            }
            // Of all others nothing is expected but that they go, or say that they have what they wanted.
            Ok(length) if length > 0 && guest.stage == Stage::New => length,
            _ => {
                let was_served = guest.stage == Stage::Served;
                let user = guest.peer.user;
                drop(guest);
                if was_served {
                    self.go_on_with(user);
                }
                return;
            }
        };
        let Some(ask) = message.get(..heard).and_then(|message| Ask::decode(message, &self.name)) else {
            // Nonsense, or another name with the same hash.
            let _ = socket::send(&guest.socket, &self.answer(Code::FILE_NOT_FOUND, 0).encode(), &[]);
            return;
        };
        self.serve(token, guest, ask);
    }

    fn serve(&self, token: u64, mut guest: Guest, ask: Ask) {
        let stage = match ask {
            // It has asked and gone.
            Ask::Open(_) if bell::is_gone(&guest.socket) => None,
            Ask::Open(access) if self.guests().served_of_user(guest.peer.user) >= MOST_SERVED_OF_USER => {
                Some(Stage::Delayed(access))
            }
            ask => self.answer_to(&guest, ask),
        };
        if let Some(stage) = stage {
            guest.stage = stage;
            self.guests().all.insert(token, guest);
        }
    }

    /// One of this user has taken what it was given: the next one's turn.
    fn go_on_with(&self, user: u32) {
        let next = {
            let mut guests = self.guests();
            let delayed = |guest: &Guest| guest.peer.user == user && matches!(guest.stage, Stage::Delayed(_));
            let first = guests.all.iter().filter(|(_, guest)| delayed(guest)).map(|(token, _)| *token).min();
            first.and_then(|token| Some((token, guests.all.remove(&token)?)))
        };
        if let Some((token, guest)) = next
            && let Stage::Delayed(access) = guest.stage
        {
            self.serve(token, guest, Ask::Open(access));
        }
    }

    /// Answers; what the guest is from now on, or `None` if it is shown out.
    fn answer_to(&self, guest: &Guest, ask: Ask) -> Option<Stage> {
        let say = |code, server, descriptors: &[BorrowedFd<'_>]| {
            socket::send(&guest.socket, &self.answer(code, server).encode(), descriptors).is_ok()
        };
        let granted = self.granted(guest);
        match ask {
            Ask::Join(cookie) => {
                let is_ours = guest.peer.user == process::user() && cookie == *self.board.cookie();
                let parts = [self.listener.as_fd(), self.news.as_fd()];
                let (code, parts) =
                    if is_ours { (Code::SUCCESS, &parts[..]) } else { (Code::ACCESS_DENIED, &[][..]) };
                (say(code, 0, parts) && is_ours).then_some(Stage::Served)
            }
            _ if granted == 0 && ask != Ask::Show => {
                say(Code::ACCESS_DENIED, 0, &[]);
                None
            }
            Ask::About | Ask::Show => {
                let instances = count(&self.board, self.entry.as_fd());
                let answer = Answer { instances, ..self.answer(Code::SUCCESS, 0) };
                let _ = socket::send(&guest.socket, &answer.encode(), &[]);
                None
            }
            Ask::Wait if self.has_listener() => {
                say(Code::SUCCESS, 0, &[]);
                None
            }
            Ask::Wait => say(Code::SEM_TIMEOUT, 0, &[]).then_some(Stage::Waiting),
            Ask::Open(wanted) => {
                let admitted = gate::admit(granted, wanted, self.board.fixed().access);
                match admitted.and_then(|_| self.connect(&guest.peer)) {
                    Ok(Handed { segment, own, peer, server }) => {
                        step("gate-connected");
                        // If this fails, the connection is over with these: a client that came and left.
                        let sent = say(Code::SUCCESS, server, &[segment.as_fd(), own.as_fd(), peer.as_fd()]);
                        step("gate-answered");
                        if !sent {
                            // Perhaps it is there all the same, and too much is on its way elsewhere.
                            say(Code::PIPE_BUSY, 0, &[]);
                        }
                        sent.then_some(Stage::Served)
                    }
                    Err(code) => {
                        say(code, 0, &[]);
                        None
                    }
                }
            }
        }
    }

    /// The rights that the descriptor gives to a guest, as the kernel says who that is. The pipe's own user comes by
    /// the board, if it can, and somebody whose user has no number here is one of all.
    fn granted(&self, guest: &Guest) -> u32 {
        let words = self.board.fixed().security;
        let [_, group, everyone, number] = words;
        let is_owner = guest.peer.user == 0 || is_own(guest.peer.user);
        let in_group = group != everyone
            && (guest.peer.group == number || socket::peer_groups(&guest.socket).contains(&number));
        if !is_owner && (if in_group { group } else { everyone }) == 0 {
            return 0;
        }
        Security::from_words(words).granted(Kind::Pipe, is_owner, in_group)
    }

    /// An instance listens somewhere, perhaps: tells everybody who waits for that.
    fn tell_waiting(&self) {
        if !self.has_listener() {
            return;
        }
        let answer = self.answer(Code::SUCCESS, 0).encode();
        self.guests().all.retain(|_, guest| {
            if guest.stage == Stage::Waiting {
                let _ = socket::send(&guest.socket, &answer, &[]);
                step("gate-told");
            }
            guest.stage != Stage::Waiting
        });
    }

    fn has_listener(&self) -> bool {
        let mut instances = self.board.instances();
        instances.any(|(index, word)| word.state == SlotState::Listening && self.is_alive(index))
    }

    fn is_alive(&self, index: usize) -> bool {
        is_alive(self.entry.as_fd(), index)
    }

    fn answer(&self, code: Code, server: u32) -> Answer {
        let fixed = self.board.fixed();
        Answer {
            code,
            access: fixed.access,
            message_type: fixed.message_type,
            max_instances: fixed.max_instances,
            default_timeout: fixed.default_timeout,
            instances: 0,
            server,
            // Not the board's: that one opens the gate.
            cookie: self.mark(),
            spelling: self.board.spelling(),
        }
    }

    /// What tells this pipe from others of the same name, for people who are not to know the board's cookie.
    fn mark(&self) -> [u8; 16] {
        let (device, inode, _) = fd::identity(&self.entry).unwrap_or_default();
        (u128::from(device) << 64 | u128::from(inode)).to_le_bytes()
    }

    /// Connects a process of another user to the instance that has listened longest, as a client of this user would be.
    fn connect(&self, peer: &Peer) -> Result<Handed, Code> {
        if !self.has_listener() {
            return Err(Code::PIPE_BUSY);
        }
        let locked = self.board.lock();
        let handed = locked.with_oldest(
            |index| self.is_alive(index),
            |index, offer| {
                let (handed, segment, ringer) = Handed::take(offer)?;
                step("gate-attached");
                segment.words().client_pid.store(peer.process, Ordering::Relaxed);
                // The client counts itself.
                segment.words().holders_client.store(0, Ordering::Release);
                // Before the change, so that it cannot be lost; who is woken waits for the board.
                locked.knock(index);
                ring_connect(segment.words(), |count| bell::ring(&ringer, count as usize));
                step("gate-rang");
                locked.connect_stranger(index, peer.process, peer.user);
                Ok(Handed { server: self.board.creator(index), ..handed })
            },
        )?;
        handed.ok_or(Code::PIPE_BUSY)
    }
}

impl Handed {
    /// What an instance offers, made usable for others: they may write into the server's bell and nothing else, so
    /// that they cannot take what wakes the server.
    fn take(offer: &Offer) -> Result<(Handed, Segment, OwnedFd), Code> {
        let segment = with_room(|| procfs::open_descriptor(offer.maker, offer.segment, true, true))?;
        let own = with_room(|| bell::open_reader(offer.maker, offer.outbound))?;
        let ringer = with_room(|| bell::open_ringer(offer.maker, offer.inbound))?;
        let peer = with_room(|| bell::open_writer(offer.maker, offer.inbound))?;
        let again = with_room(|| fd::duplicate(&segment))?;
        let mapped = Segment::attach(again, &offer.cookie)?;
        to_code(dirs::set_mode(&segment, 0o666))?;
        to_code(bell::open_to_others(&own, true))?;
        to_code(bell::open_to_others(&ringer, false))?;
        Ok((Handed { segment, own, peer, server: 0 }, mapped, ringer))
    }
}
