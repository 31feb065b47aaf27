//! Unix sockets that carry messages and descriptors between processes.
//!
//! The address is abstract, so nothing is left in any folder when the process dies. Anybody may connect: who it is
//! the kernel says ([`peer`]), and whoever has the socket decides.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::io::{Errno, Result};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use super::fault::{self, opening};
use super::fd::{above_standard, set_nonblocking};

/// The most descriptors of one message.
pub const MOST_DESCRIPTORS: usize = 5;

/// The process at the other side of a socket, as it was when it connected or began to listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its number; 0 if it is in another PID namespace.
    pub process: u32,
    /// Its effective user; the "overflow" number (65534) if that has none here.
    pub user: u32,
    /// Its effective group.
    pub group: u32,
}

fn socket(more: SocketFlags) -> Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | more;
    let made = opening("socket", || {
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)
    });
    above_standard(made?)
}

/// socket(2), bind(2), listen(2) under an abstract name, with room for `room` that wait to be taken.
pub fn listen(name: &[u8], room: i32) -> Result<OwnedFd> {
    let socket = socket(SocketFlags::NONBLOCK)?;
    fault::call("bind")?;
    rustix::net::bind(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
    rustix::net::listen(&socket, room)?;
    Ok(socket)
}

/// accept(2): the next that waits, as a socket that does not block; `None` if nobody does.
pub fn accept(listener: impl AsFd) -> Result<Option<OwnedFd>> {
    loop {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        match opening("accept", || rustix::net::accept_with(&listener, flags)) {
            Ok(socket) => return above_standard(socket).map(Some),
            Err(Errno::AGAIN) => return Ok(None),
            Err(Errno::CONNABORTED | Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// connect(2): waits at most for `patience`, if there is any, until there is room; EAGAIN if there is none. The socket
/// does not block.
pub fn connect(name: &[u8], patience: Option<Duration>) -> Result<OwnedFd> {
    let address = SocketAddrUnix::new_abstract_name(name)?;
    loop {
        let socket = socket(if patience.is_some() { SocketFlags::empty() } else { SocketFlags::NONBLOCK })?;
        if patience.is_some() {
            sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, patience)?;
        }
        fault::call("connect")?;
        match rustix::net::connect(&socket, &address) {
            Ok(()) => {
                if patience.is_some() {
                    set_nonblocking(&socket, true)?;
                }
                return Ok(socket);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The abstract names of the sockets of this machine (of this network namespace) that listen and whose name begins so,
/// each once.
pub fn listening(beginning: &[u8]) -> Result<Vec<Vec<u8>>> {
    let failed = |error: std::io::Error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL);
    let list = std::fs::read("/proc/net/unix").map_err(failed)?;
    let mut names: Vec<_> =
        list.split(|&byte| byte == b'\n').filter_map(|line| listed(line, beginning)).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// The name in a line of that list: `Num: RefCount Protocol Flags Type St Inode @name`.
fn listed(line: &[u8], beginning: &[u8]) -> Option<Vec<u8>> {
    const LISTENS: &[u8] = b"00010000";
    let mut at = 0;
    let mut field = || {
        let start = at + line[at..].iter().position(|&byte| byte != b' ')?;
        at = start + line[start..].iter().position(|&byte| byte == b' ')?;
        Some(&line[start..at])
    };
    let mut fields = [&line[..0]; 7];
    for place in &mut fields {
        *place = field()?;
    }
    let name = line[at..].strip_prefix(b" @")?;
    (fields[3] == LISTENS && name.starts_with(beginning)).then(|| name.to_vec())
}

/// SO_PEERCRED.
pub fn peer(socket: impl AsFd) -> Result<Peer> {
    // By hand: a process of another PID namespace has the number 0 here.
    let mut credentials = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into the value, which is plain numbers.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::INVAL));
    }
    let process = u32::try_from(credentials.pid).unwrap_or(0);
    Ok(Peer { process, user: credentials.uid, group: credentials.gid })
}

/// SO_PEERGROUPS: the supplementary groups of the process at the other side. Empty where the kernel does not tell.
#[must_use]
pub fn peer_groups(socket: impl AsFd) -> Vec<u32> {
    let mut groups: Vec<libc::gid_t> = Vec::new();
    for _ in 0..3 {
        let mut length = (groups.len() * size_of::<libc::gid_t>()) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` bytes, which is what the vector has, and says how many there are.
        let result = unsafe {
            libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut length,
            )
        };
        let count = length as usize / size_of::<libc::gid_t>();
        if result == 0 {
            groups.truncate(count);
            return groups;
        }
        if count <= groups.len() {
            break;
        }
        // ERANGE: it said how many.
        groups = vec![0; count];
    }
    Vec::new()
}

/// sendmsg(2), without waiting and without SIGPIPE.
pub fn send(socket: impl AsFd, message: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL);
    }
    fault::call("sendmsg")?;
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    loop {
        match rustix::net::sendmsg(&socket, &[IoSlice::new(message)], &mut control, flags) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

/// recvmsg(2), without waiting: the next message; 0 bytes when the other side has closed. Descriptors that come with
/// it are let go of.
pub fn receive(socket: impl AsFd, buffer: &mut [u8]) -> Result<usize> {
    receive_into(socket.as_fd(), buffer, &mut RecvAncillaryBuffer::new(&mut []))
}

/// As [`receive`], with the descriptors.
pub fn receive_descriptors(socket: impl AsFd, buffer: &mut [u8]) -> Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let length = receive_into(socket.as_fd(), buffer, &mut control)?;
    let mut descriptors = Vec::new();
    for part in control.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = part {
            for fd in fds {
                descriptors.push(above_standard(fd)?);
            }
        }
    }
    Ok((length, descriptors))
}

fn receive_into(
    socket: BorrowedFd<'_>,
    buffer: &mut [u8],
    control: &mut RecvAncillaryBuffer<'_>,
) -> Result<usize> {
    let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
    loop {
        match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(buffer)], control, flags) {
            Ok(message) => return Ok(message.bytes),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(what: &str) -> Vec<u8> {
        format!("transom-sys-test/{what}/{}", std::process::id()).into_bytes()
    }

    const NOW: Option<Duration> = Some(Duration::from_millis(1));

    #[test]
    fn a_name_is_there_as_long_as_somebody_has_its_socket() {
        let name = name("life");
        assert_eq!(connect(&name, NOW).err(), Some(Errno::CONNREFUSED));
        let first = listen(&name, 1).expect("a free name");
        assert_eq!(listen(&name, 1).err(), Some(Errno::ADDRINUSE));
        assert_eq!(listening(&name).expect("a list"), std::slice::from_ref(&name));
        let second = super::super::fd::duplicate(&first).expect("a descriptor");
        drop(first);
        let caller = connect(&name, NOW).expect("room");
        assert_eq!(peer(&caller).expect("a peer").process, std::process::id());
        let taken = accept(&second).expect("an answer").expect("a caller");
        assert_eq!(accept(&second).expect("an answer").map(drop), None);
        let who = peer(&taken).expect("a peer");
        assert_eq!((who.process, who.user), (std::process::id(), super::super::process::user()));
        drop(second);
        assert_eq!(connect(&name, NOW).err(), Some(Errno::CONNREFUSED));
        // What was accepted has the name still, but does not listen.
        assert_eq!(listening(&name).expect("a list"), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn lines_of_the_list_are_cut_after_seven_fields() {
        let line = b"ffff8a01: 00000002 00000000 00010000 0005 01 76543 @a/with two  spaces";
        assert_eq!(listed(line, b"a/"), Some(b"a/with two  spaces".to_vec()));
        assert_eq!(listed(line, b"b"), None);
        let lines: [&[u8]; 5] = [
            b"",
            b"Num       RefCount Protocol Flags    Type St Inode Path",
            b"ffff8a01: 00000003 00000000 00000000 0005 03 76543 @a/",
            b"ffff8a01: 00000002 00000000 00010000 0005 01 76543 /a/file",
            b"ffff8a01: 00000002 00000000 00010000 0005 01 76543",
        ];
        assert!(lines.iter().all(|line| listed(line, b"").is_none()));
    }

    #[test]
    fn a_full_queue_is_waited_for_and_then_told() {
        let name = name("full");
        let _listener = listen(&name, 0).expect("a free name");
        let _caller = connect(&name, NOW).expect("room for one");
        assert_eq!(connect(&name, NOW).err(), Some(Errno::AGAIN));
    }

    #[test]
    fn messages_and_descriptors_arrive_and_unwanted_ones_are_let_go_of() {
        let name = name("messages");
        let listener = listen(&name, 1).expect("a free name");
        let caller = connect(&name, NOW).expect("room");
        let taken = accept(&listener).expect("an answer").expect("a caller");
        let mut buffer = [0; 8];
        assert_eq!(receive(&taken, &mut buffer), Err(Errno::AGAIN));
        let (reader, writer) = super::super::pipe::create().expect("a pipe");
        send(&caller, b"one", &[writer.as_fd()]).expect("room");
        send(&caller, b"two", &[writer.as_fd()]).expect("room");
        drop(writer);
        assert_eq!(receive(&taken, &mut buffer), Ok(3));
        let (length, descriptors) = receive_descriptors(&taken, &mut buffer).expect("a message");
        assert_eq!((&buffer[..length], descriptors.len()), (&b"two"[..], 1));
        assert!(!super::super::bell::is_gone(&reader));
        drop(descriptors);
        assert!(super::super::bell::is_gone(&reader), "nobody has kept one");
        drop(caller);
        assert_eq!(receive(&taken, &mut buffer), Ok(0));
        assert_eq!(send(&taken, b"x", &[]), Err(Errno::PIPE));
    }

    #[test]
    fn a_process_is_in_its_groups() {
        let name = name("groups");
        let listener = listen(&name, 1).expect("a free name");
        let _caller = connect(&name, NOW).expect("room");
        let taken = accept(&listener).expect("an answer").expect("a caller");
        let mut own: Vec<u32> =
            rustix::process::getgroups().expect("groups").iter().map(|group| group.as_raw()).collect();
        let mut told = peer_groups(&taken);
        own.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, own);
    }
}
