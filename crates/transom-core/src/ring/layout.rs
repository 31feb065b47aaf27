//! The words of a segment: which bytes two processes agree on.
//!
//! Everything is little-endian and made of atomics, because the other side may write at any time. Lines are
//! 128 bytes apart: processors fetch pairs of 64.
//!
//! The words of each direction lie directly before its data. So a direction's first bytes are in the same page as its
//! words, and a connection that carries little has two pages: to meet one for the first time costs each side more than
//! most system calls.
//!
//! ```text
//!     0  SegmentHeader, and in it the words of queue in          4096 + in  Control: the words of queue out
//!  2432  data in                                                 5760 + in  data out
//!                                                               8192 + in + out  end
//!
//! SegmentHeader, 2432 bytes                              Control, 1664 bytes: one queue
//!    0  magic u64 │ version u32 │ flags u32                 0  written: mark u64, 2 × { tail, announced, messages }
//!   16  cookie 16 bytes                                   128  write turn u32 │ - │ mirror of written
//!   32  quota in u32 │ quota out u32                      256  consumed: mark u64, 2 × { head, payload, rest }
//!   40  capacity in u64 │ capacity out u64                384  read turn │ parted u32 │ messages read u64 │ mirror
//!  128  disconnected │ closed by server │ by client       512  asleep for data u32 │ asleep for space u32
//!  140  holders server │ holders client │ client mode     520  demand u32 │ pending u32
//!  152  client pid │ server pid │ connect asleep │ parked 576  fills u64 │ filled u64
//!  168  processor server │ processor client │ bells 2 × u32 640  32 slots of 32 bytes:
//!  256  64 holders, each the process id u32                      0  state u32 │ holder u32
//!  512  not used                                                 8  start u64
//!  768  queue in: client to server                              16  payload start u64
//!                                                               24  length u32 │ ring u32
//! ```

use super::Corrupt;
use super::journal::{Journal, Mirror};
use super::slots::Slot;
use crate::sync::{AtomicU32, AtomicU64, Ordering};

/// Writes that can wait at the same time in one queue. Two for the model checker.
pub const SLOTS: usize = if cfg!(loom) { 2 } else { 32 };
/// Rows of the table of processes that wait in writes. Two for the model checker.
pub const HOLDERS: usize = if cfg!(loom) { 2 } else { 64 };
/// Bytes of [`SegmentHeader`]: where the data from client to server begin.
pub const SEGMENT_HEADER_LEN: u64 = 2432;
/// Bytes of [`Control`]: so far behind that of the other direction its data begin.
pub const CONTROL_LEN: u64 = 1664;
/// What a processor maps at a time.
const PAGE: u64 = 4096;
/// First word of a segment: `transomP`.
pub const MAGIC: u64 = u64::from_le_bytes(*b"transomP");
/// The layout of this file.
pub const VERSION: u32 = 5;
/// Flag of a message-type pipe.
pub const FLAG_MESSAGE: u32 = 1;

/// The least bytes of a queue's data, however small its quota.
const LEAST_CAPACITY: u64 = 64 << 10;
/// Headers may make a queue of small messages up to this large.
const HEADER_CAPACITY: u64 = 1 << 20;

/// Words that nobody uses. They are atomics because the other side can write them all the same.
#[derive(Debug)]
#[repr(C)]
pub struct Unused<const WORDS: usize> {
    #[cfg(not(loom))]
    words: [AtomicU32; WORDS],
}

impl<const WORDS: usize> Unused<WORDS> {
    fn new() -> Unused<WORDS> {
        Unused {
            #[cfg(not(loom))]
            words: [const { AtomicU32::new(0) }; WORDS],
        }
    }
}

/// One direction of a connection. See the module.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct Control {
    /// `tail`: the end of what is published. `announced`: payload bytes written, a streaming write counted
    /// in full. `messages`: writes.
    pub(super) written: Journal,
    _1: Unused<18>,
    /// Who writes; see [`turn`](super::turn).
    pub write_turn: AtomicU32,
    _2: Unused<1>,
    /// `written`, for who writes next.
    pub(super) written_mirror: Mirror,
    _7: Unused<22>,
    /// `head`: the end of what is consumed. `payload`: payload bytes consumed or skipped. `rest`: payload
    /// bytes left of the message the head is inside; 0 between messages.
    pub(super) consumed: Journal,
    _3: Unused<18>,
    /// Who reads.
    pub read_turn: AtomicU32,
    /// What is known of the message that the head is inside, see the constants of [`reader`](super::reader).
    pub(super) parted: AtomicU32,
    /// Messages read to their end.
    pub(super) messages_read: AtomicU64,
    /// `consumed`, for who reads next.
    pub(super) consumed_mirror: Mirror,
    _5: Unused<20>,
    /// Readers that sleep until data come.
    pub asleep_data: AtomicU32,
    /// Writers that sleep until data are consumed.
    pub asleep_space: AtomicU32,
    /// Bytes that a sleeping reader will take.
    pub(super) demand: AtomicU32,
    /// Slots worth a look.
    pub(super) pending: AtomicU32,
    _6: Unused<12>,
    /// How many long writes have begun to be copied; also raised when a writer died.
    pub(super) fills: AtomicU64,
    /// How far the last of them has been copied, published or not.
    pub(super) filled: AtomicU64,
    _8: Unused<12>,
    /// Writes that wait.
    pub(super) slots: [Slot; SLOTS],
}

/// What has gone through a queue so far; read at four moments, so only as exact as a queue in use can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Payload bytes written, a streaming write counted in full.
    pub bytes_written: u64,
    /// Payload bytes read, or skipped because their write was cancelled.
    pub bytes_read: u64,
    /// Writes.
    pub writes: u64,
    /// Messages read to their end (a byte-type queue: 0).
    pub messages_read: u64,
}

impl Default for Control {
    fn default() -> Control {
        Control::new()
    }
}

impl Control {
    /// An empty queue.
    #[must_use]
    pub fn new() -> Control {
        Control {
            written: Journal::new(),
            _1: Unused::new(),
            write_turn: AtomicU32::new(0),
            _2: Unused::new(),
            written_mirror: Mirror::new(),
            _7: Unused::new(),
            consumed: Journal::new(),
            _3: Unused::new(),
            read_turn: AtomicU32::new(0),
            parted: AtomicU32::new(0),
            messages_read: AtomicU64::new(0),
            consumed_mirror: Mirror::new(),
            _5: Unused::new(),
            asleep_data: AtomicU32::new(0),
            asleep_space: AtomicU32::new(0),
            demand: AtomicU32::new(0),
            pending: AtomicU32::new(0),
            _6: Unused::new(),
            fills: AtomicU64::new(0),
            filled: AtomicU64::new(0),
            _8: Unused::new(),
            slots: core::array::from_fn(|_| Slot::new()),
        }
    }

    /// What has gone through.
    ///
    /// # Errors
    /// `Corrupt`: the words never stand still.
    pub fn totals(&self) -> Result<Totals, Corrupt> {
        let (_, [_, bytes_read, _]) = self.consumed.look()?;
        let (_, [_, bytes_written, writes]) = self.written.look()?;
        let messages_read = self.messages_read.load(Ordering::Relaxed);
        Ok(Totals { bytes_written, bytes_read, writes, messages_read })
    }

    /// Empty again. For whoever is alone with the segment.
    pub fn reset(&self) {
        self.written.reset();
        self.written_mirror.reset();
        self.consumed.reset();
        self.consumed_mirror.reset();
        self.messages_read.store(0, Ordering::Relaxed);
        self.fills.store(0, Ordering::Relaxed);
        self.filled.store(0, Ordering::Relaxed);
        self.slots.iter().for_each(Slot::reset);
        let words = [&self.asleep_data, &self.asleep_space, &self.demand, &self.pending, &self.parted];
        for word in words.into_iter().chain([&self.write_turn, &self.read_turn]) {
            word.store(0, Ordering::SeqCst);
        }
    }
}

/// What a segment begins with. See the module.
#[derive(Debug)]
#[repr(C, align(128))]
pub struct SegmentHeader {
    /// [`MAGIC`].
    pub magic: AtomicU64,
    /// [`VERSION`].
    pub version: AtomicU32,
    /// [`FLAG_MESSAGE`].
    pub flags: AtomicU32,
    /// 16 random bytes: this segment and no other.
    pub cookie: [AtomicU64; 2],
    /// Quota from client to server.
    pub quota_in: AtomicU32,
    /// Quota from server to client.
    pub quota_out: AtomicU32,
    /// Data bytes from client to server.
    pub capacity_in: AtomicU64,
    /// Data bytes from server to client.
    pub capacity_out: AtomicU64,
    _1: Unused<18>,
    /// The server disconnected the instance.
    pub disconnected: AtomicU32,
    /// The last handle of the server's end was closed in good order.
    pub closed_by_server: AtomicU32,
    /// The last handle of the client's end was closed in good order.
    pub closed_by_client: AtomicU32,
    /// Processes that hold the server's end.
    pub holders_server: AtomicU32,
    /// Processes that hold the client's end.
    pub holders_client: AtomicU32,
    /// The client end's read and wait mode.
    pub client_mode: AtomicU32,
    /// Process that opened the client's end.
    pub client_pid: AtomicU32,
    /// Process that made the instance.
    pub server_pid: AtomicU32,
    /// Threads asleep in `ConnectNamedPipe`.
    pub connect_asleep: AtomicU32,
    /// Whether the segment waits to be used again, and by whom.
    pub parked: AtomicU32,
    /// The processor on which a thread of the server's end was seen last, its number + 1; 0: not yet.
    pub processor_server: AtomicU32,
    /// The same for the client's end.
    pub processor_client: AtomicU32,
    /// While the server listens: its descriptor of the bell at which the client is to sleep, the number + 1; 0: none.
    pub bell_to_sleep: AtomicU32,
    /// The same of the one that the client is to ring.
    pub bell_to_ring: AtomicU32,
    _2: Unused<18>,
    /// Processes that wait in writes: process ids, 0 = free row.
    pub holders: [AtomicU32; HOLDERS],
    _3: Unused<64>,
    /// Client to server. The other one lies behind its data, see [`Description::queue_out_at`].
    pub queue_in: Control,
}

/// What a segment is, as its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// 16 random bytes.
    pub cookie: [u64; 2],
    /// A message-type pipe.
    pub message: bool,
    /// Quota from client to server, bytes.
    pub quota_in: u32,
    /// Quota from server to client, bytes.
    pub quota_out: u32,
    /// Data bytes from client to server, a power of two.
    pub capacity_in: u64,
    /// Data bytes from server to client, a power of two.
    pub capacity_out: u64,
}

impl Description {
    /// Where the words of the direction from server to client lie: at the first page behind the data of the other one.
    #[must_use]
    pub fn queue_out_at(&self) -> Option<u64> {
        SEGMENT_HEADER_LEN.checked_add(self.capacity_in)?.checked_next_multiple_of(PAGE)
    }

    /// Where the data from server to client begin.
    #[must_use]
    pub fn data_out_at(&self) -> Option<u64> {
        self.queue_out_at()?.checked_add(CONTROL_LEN)
    }

    /// Bytes of the whole segment, in whole pages.
    #[must_use]
    pub fn segment_len(&self) -> Option<u64> {
        self.data_out_at()?.checked_add(self.capacity_out)?.checked_next_multiple_of(PAGE)
    }
}

impl Default for SegmentHeader {
    fn default() -> SegmentHeader {
        SegmentHeader::new()
    }
}

impl SegmentHeader {
    /// All zeroes, as a fresh segment is.
    #[must_use]
    pub fn new() -> SegmentHeader {
        let zero = || AtomicU32::new(0);
        SegmentHeader {
            magic: AtomicU64::new(0),
            version: zero(),
            flags: zero(),
            cookie: [AtomicU64::new(0), AtomicU64::new(0)],
            quota_in: zero(),
            quota_out: zero(),
            capacity_in: AtomicU64::new(0),
            capacity_out: AtomicU64::new(0),
            _1: Unused::new(),
            disconnected: zero(),
            closed_by_server: zero(),
            closed_by_client: zero(),
            holders_server: zero(),
            holders_client: zero(),
            client_mode: zero(),
            client_pid: zero(),
            server_pid: zero(),
            connect_asleep: zero(),
            parked: zero(),
            processor_server: zero(),
            processor_client: zero(),
            bell_to_sleep: zero(),
            bell_to_ring: zero(),
            _2: Unused::new(),
            holders: core::array::from_fn(|_| zero()),
            _3: Unused::new(),
            queue_in: Control::new(),
        }
    }

    /// Writes down what the segment is; the magic comes last. For its maker.
    pub fn describe(&self, it: &Description) {
        self.version.store(VERSION, Ordering::Relaxed);
        self.flags.store(if it.message { FLAG_MESSAGE } else { 0 }, Ordering::Relaxed);
        self.cookie[0].store(it.cookie[0], Ordering::Relaxed);
        self.cookie[1].store(it.cookie[1], Ordering::Relaxed);
        self.quota_in.store(it.quota_in, Ordering::Relaxed);
        self.quota_out.store(it.quota_out, Ordering::Relaxed);
        self.capacity_in.store(it.capacity_in, Ordering::Relaxed);
        self.capacity_out.store(it.capacity_out, Ordering::Relaxed);
        // Pairs with the load in `check`.
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// What the segment says it is. Take it once and keep it: whoever maps the segment can change it later.
    ///
    /// # Errors
    /// `Corrupt`: not a segment of this version, or its sizes are none.
    pub fn check(&self) -> Result<Description, Corrupt> {
        let known = self.magic.load(Ordering::Acquire) == MAGIC;
        let flags = self.flags.load(Ordering::Relaxed);
        if !known || self.version.load(Ordering::Relaxed) != VERSION || flags & !FLAG_MESSAGE != 0 {
            return Err(Corrupt);
        }
        let it = Description {
            cookie: [0, 1].map(|i: usize| self.cookie[i].load(Ordering::Relaxed)),
            message: flags & FLAG_MESSAGE != 0,
            quota_in: self.quota_in.load(Ordering::Relaxed),
            quota_out: self.quota_out.load(Ordering::Relaxed),
            capacity_in: self.capacity_in.load(Ordering::Relaxed),
            capacity_out: self.capacity_out.load(Ordering::Relaxed),
        };
        let sound = |capacity: u64, quota| capacity == capacity_for(it.message, quota);
        if sound(it.capacity_in, it.quota_in) && sound(it.capacity_out, it.quota_out) {
            Ok(it)
        } else {
            Err(Corrupt)
        }
    }

    /// Ready for another connection, once the other queue is reset too: this one is empty, nobody closed, nobody
    /// disconnected. What the segment is, who made it and `parked` stay; and where its two ends were seen last, since
    /// they are the same processes. For whoever is alone with it.
    pub fn reset(&self) {
        self.queue_in.reset();
        let words = [&self.disconnected, &self.closed_by_server, &self.closed_by_client];
        let more = [&self.holders_server, &self.holders_client, &self.client_mode, &self.client_pid];
        let all = words.into_iter().chain(more).chain([&self.connect_asleep]).chain(&self.holders);
        all.for_each(|word| word.store(0, Ordering::SeqCst));
    }
}

/// Data bytes of a queue with this quota: enough for the quota twice, so that a write that waits can
/// lie beside what is unread, and for the headers of small messages.
#[must_use]
pub fn capacity_for(message: bool, quota: u32) -> u64 {
    let quota = u64::from(quota);
    let headers = if message { (16 * quota).min(HEADER_CAPACITY) } else { 0 };
    LEAST_CAPACITY.max(2 * quota).max(headers).next_power_of_two()
}

#[cfg(not(loom))]
const _: () = {
    use core::mem::{offset_of, size_of};
    assert!(size_of::<Slot>() == 32);
    assert!(size_of::<Journal>() == 56);
    assert!(size_of::<Mirror>() == 32);
    assert!(size_of::<Control>() as u64 == CONTROL_LEN);
    assert!(offset_of!(Control, write_turn) == 128);
    assert!(offset_of!(Control, written_mirror) == 136);
    assert!(offset_of!(Control, consumed) == 256);
    assert!(offset_of!(Control, read_turn) == 384);
    assert!(offset_of!(Control, parted) == 388);
    assert!(offset_of!(Control, messages_read) == 392);
    assert!(offset_of!(Control, consumed_mirror) == 400);
    assert!(offset_of!(Control, asleep_data) == 512);
    assert!(offset_of!(Control, pending) == 524);
    assert!(offset_of!(Control, fills) == 576);
    assert!(offset_of!(Control, slots) == 640);
    assert!(size_of::<SegmentHeader>() as u64 == SEGMENT_HEADER_LEN);
    assert!(offset_of!(SegmentHeader, disconnected) == 128);
    assert!(offset_of!(SegmentHeader, parked) == 164);
    assert!(offset_of!(SegmentHeader, processor_server) == 168);
    assert!(offset_of!(SegmentHeader, bell_to_sleep) == 176);
    assert!(offset_of!(SegmentHeader, holders) == 256);
    assert!(offset_of!(SegmentHeader, queue_in) == 768);
    // Data begin with a line.
    assert!(SEGMENT_HEADER_LEN.is_multiple_of(128) && CONTROL_LEN.is_multiple_of(128));
};
