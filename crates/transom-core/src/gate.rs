//! What a process of another user and the server of a pipe say to each other at the server's *gate*, a socket.
//!
//! Whoever has no business with the server's memory asks here, and gets a connection or a code. Both sides may be
//! hostile: what does not have this form, or names another pipe, is nothing.
//!
//! # Layout (all numbers little-endian)
//! ```text
//! request                                        answer
//!   0  magic u32 │ version u32                     0  magic u32 │ version u32
//!   8  what u32 │ access u32                       8  code u32 │ access u32
//!  16  cookie, 16 bytes    of the board, to join  16  flags u32 │ max instances u32
//!  32  NAME, folded; or none to show              24  default time-out u32 │ instances u32
//!                                                 32  server u32 │ 0 u32
//!                                                 40  cookie, 16 bytes    of the board
//!                                                 56  spelling of NAME
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::access::{FILE_READ_DATA, FILE_WRITE_DATA, Kind};
use crate::board::{MESSAGE_TYPE, SPELLING_ROOM};
use crate::code::Code;
use crate::name::{ObjectName, fnv1a_128};
use crate::pipe::{PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND, client_rights};

const MAGIC: u32 = u32::from_le_bytes(*b"tgat");
const VERSION: u32 = 1;
const REQUEST_HEAD: usize = 32;
const ANSWER_HEAD: usize = 56;

/// No message is longer.
pub const MOST: usize = ANSWER_HEAD + SPELLING_ROOM;

/// What somebody wants at a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// `CreateFile`, with this access.
    Open(u32),
    /// `WaitNamedPipe`. The answer comes at once, and if it is that nobody listens (121), once more when somebody does.
    Wait,
    /// What the pipe is, and how many instances it has.
    About,
    /// To serve the gate too: only who has the board knows this cookie.
    Join([u8; 16]),
    /// What pipe this is, and how many instances it has, for whoever does not know its name: anybody may list names.
    Show,
}

impl Ask {
    /// The request for the pipe with this name.
    #[must_use]
    pub fn encode(&self, name: &ObjectName) -> Vec<u8> {
        let (what, access, cookie) = match self {
            Ask::Open(access) => (1, *access, [0; 16]),
            Ask::Wait => (2, 0, [0; 16]),
            Ask::About => (3, 0, [0; 16]),
            Ask::Join(cookie) => (4, 0, *cookie),
            Ask::Show => return show(),
        };
        request(what, access, cookie, name.rest())
    }

    /// What is asked about the pipe with this name; `None` if it is no such request.
    #[must_use]
    pub fn decode(message: &[u8], name: &ObjectName) -> Option<Ask> {
        let (head, named) = message.split_at_checked(REQUEST_HEAD)?;
        if number(head, 0)? != MAGIC || number(head, 4)? != VERSION {
            return None;
        }
        match number(head, 8)? {
            5 => named.is_empty().then_some(Ask::Show),
            _ if named != name.rest() => None,
            1 => Some(Ask::Open(number(head, 12)?)),
            2 => Some(Ask::Wait),
            3 => Some(Ask::About),
            4 => Some(Ask::Join(head.get(16..32)?.try_into().ok()?)),
            _ => None,
        }
    }
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// [`Code::SUCCESS`], or why not.
    pub code: Code,
    /// `PIPE_ACCESS_*`.
    pub access: u32,
    /// Writes are messages.
    pub message_type: bool,
    /// As `CreateNamedPipe` has it.
    pub max_instances: u32,
    /// Milliseconds; 0 = 50.
    pub default_timeout: u32,
    /// How many server ends are open.
    pub instances: u32,
    /// The process that created the instance.
    pub server: u32,
    /// Of the board.
    pub cookie: [u8; 16],
    /// NAME as the first creator spelled it.
    pub spelling: Vec<u8>,
}

impl Answer {
    /// The bytes that [`Answer::decode`] reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let spelling = &self.spelling[..self.spelling.len().min(SPELLING_ROOM)];
        let mut message = Vec::with_capacity(ANSWER_HEAD + spelling.len());
        let flags = if self.message_type { MESSAGE_TYPE } else { 0 };
        let numbers = [
            MAGIC,
            VERSION,
            self.code.value(),
            self.access,
            flags,
            self.max_instances,
            self.default_timeout,
            self.instances,
            self.server,
            0,
        ];
        for number in numbers {
            message.extend_from_slice(&number.to_le_bytes());
        }
        message.extend_from_slice(&self.cookie);
        message.extend_from_slice(spelling);
        message
    }

    /// The answer; `None` if it is none.
    #[must_use]
    pub fn decode(message: &[u8]) -> Option<Answer> {
        let (head, spelling) = message.split_at_checked(ANSWER_HEAD)?;
        if number(head, 0)? != MAGIC || number(head, 4)? != VERSION || spelling.len() > SPELLING_ROOM {
            return None;
        }
        Some(Answer {
            code: Code::new(number(head, 8)?),
            access: number(head, 12)?,
            message_type: number(head, 16)? & MESSAGE_TYPE != 0,
            max_instances: number(head, 20)?,
            default_timeout: number(head, 24)?,
            instances: number(head, 28)?,
            server: number(head, 32)?,
            cookie: head.get(40..56)?.try_into().ok()?,
            spelling: spelling.to_vec(),
        })
    }
}

/// The request of [`Ask::Show`], for which no name is needed.
#[must_use]
pub fn show() -> Vec<u8> {
    request(5, 0, [0; 16], b"")
}

fn request(what: u32, access: u32, cookie: [u8; 16], named: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(REQUEST_HEAD + named.len());
    for number in [MAGIC, VERSION, what, access] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.extend_from_slice(&cookie);
    message.extend_from_slice(named);
    message
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

/// The rights of a handle that a process of another user gets, to whom the descriptor has `granted` some.
///
/// # Errors
/// `ERROR_ACCESS_DENIED` (5): something is asked that is not granted or does not go that way. Or only one way of a
/// duplex pipe is granted: both lie in the memory that the client gets, and nothing there would stop it.
pub const fn admit(granted: u32, wanted: u32, pipe_access: u32) -> Result<u32, Code> {
    let reads = pipe_access & PIPE_ACCESS_OUTBOUND == 0 || granted & FILE_READ_DATA != 0;
    let writes = pipe_access & PIPE_ACCESS_INBOUND == 0 || granted & FILE_WRITE_DATA != 0;
    let rights = Kind::Pipe.map_generic(wanted);
    if !reads || !writes || rights & !granted != 0 {
        return Err(Code::ACCESS_DENIED);
    }
    client_rights(wanted, pipe_access)
}

/// What every address of a gate begins with.
pub const ADDRESSES: &[u8] = b"transom/pipe/";

/// So much of a name can be read in an address.
const SHOWN: usize = 32;

/// The abstract address of the gate of a pipe. `base`: what makes this name space another than the usual one.
///
/// Names that differ have addresses that differ, as far as a hash tells; so a request says the name once more.
#[must_use]
pub fn address(base: &[u8], name: &ObjectName) -> Vec<u8> {
    let mut whole = Vec::from(base);
    whole.push(0);
    whole.extend_from_slice(name.rest());
    let shown: String = name.file_name().chars().take(SHOWN).collect();
    [ADDRESSES, alloc::format!("{shown}~{:032x}", fnv1a_128(&whole)).as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{
        FILE_ALL_ACCESS, FILE_GENERIC_READ, FILE_GENERIC_WRITE, GENERIC_READ, GENERIC_WRITE,
    };
    use crate::name::{PipeName, Scope};

    fn name(spelling: &str) -> ObjectName {
        PipeName::of_spelling(spelling.as_bytes()).expect("a name").object(Scope::Local)
    }

    fn answer() -> Answer {
        Answer {
            code: Code::PIPE_BUSY,
            access: 3,
            message_type: true,
            max_instances: 5,
            default_timeout: 70,
            instances: 2,
            server: 99,
            cookie: [7; 16],
            spelling: b"A Pipe".to_vec(),
        }
    }

    #[test]
    fn requests_and_answers_say_what_was_put_in() {
        for ask in [Ask::Open(0xC000_0000), Ask::Wait, Ask::About, Ask::Join([3; 16])] {
            assert_eq!(Ask::decode(&ask.encode(&name("A Pipe")), &name("a pipe")), Some(ask));
            assert_eq!(Ask::decode(&ask.encode(&name("A Pipe")), &name("a pip")), None, "another pipe");
        }
        assert_eq!(Ask::decode(&Ask::Show.encode(&name("A Pipe")), &name("another")), Some(Ask::Show));
        assert_eq!(Answer::decode(&answer().encode()), Some(answer()));
    }

    /// Golden bytes: two builds of transom meet in these messages.
    #[test]
    fn the_layout_is_fixed() {
        let request = Ask::Join([9; 16]).encode(&name("A"));
        let head = [&b"tgat"[..], &[1, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0], &[9; 16], b"A"].concat();
        assert_eq!(request.to_ascii_uppercase(), head.to_ascii_uppercase());
        let bytes = answer().encode();
        assert_eq!(bytes.len(), 62);
        assert_eq!(bytes[8..16], [231, 0, 0, 0, 3, 0, 0, 0]);
        assert_eq!(bytes[16..24], [1, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(bytes[24..36], [70, 0, 0, 0, 2, 0, 0, 0, 99, 0, 0, 0]);
        assert_eq!(bytes[40..], [&[7; 16][..], b"A Pipe"].concat());
    }

    /// Hostile messages: cut anywhere, of another kind, too long.
    #[test]
    fn what_is_no_message_is_nothing() {
        let good = Ask::Open(1).encode(&name("A"));
        for length in 0..good.len() {
            assert_eq!(Ask::decode(&good[..length], &name("A")), None);
        }
        for (at, value) in [(0, 1), (4, 9), (8, 0), (8, 5), (8, 6)] {
            let mut bad = good.clone();
            bad[at] = value;
            assert_eq!(Ask::decode(&bad, &name("A")), None);
        }
        let good = answer().encode();
        for length in 0..ANSWER_HEAD {
            assert_eq!(Answer::decode(&good[..length]), None);
        }
        let long = Answer { spelling: alloc::vec![b'x'; 5000], ..answer() };
        assert_eq!(long.encode().len(), MOST);
        assert_eq!(Answer::decode(&[&good[..], &[0; SPELLING_ROOM]].concat()), None);
    }

    #[test]
    fn what_is_granted_has_to_cover_what_is_asked_and_what_the_memory_gives() {
        let all = FILE_ALL_ACCESS;
        let both = GENERIC_READ | GENERIC_WRITE;
        assert_eq!(admit(all, both, 3), Ok(FILE_GENERIC_READ | FILE_GENERIC_WRITE));
        assert_eq!(admit(all, GENERIC_READ, 3), Ok(FILE_GENERIC_READ));
        assert_eq!(admit(0, 0, 3), Err(Code::ACCESS_DENIED));
        assert_eq!(
            admit(FILE_GENERIC_READ, GENERIC_READ, 3),
            Err(Code::ACCESS_DENIED),
            "half of a duplex pipe"
        );
        assert_eq!(admit(FILE_GENERIC_READ, GENERIC_READ, 2), Ok(FILE_GENERIC_READ));
        assert_eq!(admit(FILE_GENERIC_WRITE, GENERIC_WRITE, 1), Ok(FILE_GENERIC_WRITE));
        assert_eq!(admit(FILE_GENERIC_WRITE, GENERIC_READ, 1), Err(Code::ACCESS_DENIED));
        assert_eq!(admit(all, GENERIC_READ, 1), Err(Code::ACCESS_DENIED), "not that way");
    }

    #[test]
    fn addresses_fit_and_differ() {
        let long = "x".repeat(240);
        let all = [
            address(b"", &name("a")),
            address(b"", &name("b")),
            address(b"/elsewhere", &name("a")),
            address(b"", &name(&long)),
            address(b"", &name(&long.replacen("x", "y", 1))),
        ];
        for (at, address) in all.iter().enumerate() {
            // sockaddr_un, less the zero in front.
            assert!(address.len() <= 107 && !all[..at].contains(address));
        }
        assert_eq!(address(b"", &name("A")), address(b"", &name("a")));
    }
}
