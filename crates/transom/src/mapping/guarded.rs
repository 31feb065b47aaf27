//! A shared value that is never seen half written, whoever writes it and whoever dies.
//!
//! # The section
//! ```text
//!   0            ┌──────────────────────────────────┐
//!                │ T, first place                   │  where C and C++ peers look for their struct
//!                ├──────────────────────────────────┤
//!                │ zeroes up to a multiple of 64    │
//!   control      ├──────────────────────────────────┤  control = size of T rounded up to 64
//!          + 0   │ magic      u64  "transomG"       │
//!          + 8   │ version    u32  1                │
//!          + 12  │ scope      u32  1 local 2 global │  where the writers' mutex has its name
//!          + 16  │ size       u64  bytes of T       │
//!          + 24  │ sequence   u64                   │
//!          + 32  │ id         u64 × 2  random       │  names the writers' mutex
//!          + 48  │ zeroes     u64 × 2               │
//!   control + 64 ├──────────────────────────────────┤
//!                │ T, second place                  │
//!                └──────────────────────────────────┘
//! ```
//! Numbers are in the machine's byte order: nothing but one machine ever sees them.
//!
//! # How a value is written and read
//! The *sequence* is even while the first place holds the value and odd while the second does. It only grows.
//!
//! ```text
//!   writer, holding the mutex         sequence    the value is in    being written
//!   ────────────────────────────────────────────────────────────────────────────────
//!   (begins)                          2n          first              nothing
//!   copies the value to the second    2n          first              second
//!   publishes                         2n + 1      second             nothing
//!   copies the value to the first     2n + 1      second             first
//!   publishes                         2n + 2      first              nothing
//! ```
//! A reader reads the sequence, copies the place it names, and reads the sequence again: if it is the same,
//! the copy is whole. Otherwise it tries again.
//!
//! # Invariants
//! G1. While the sequence is s, only the place that s does *not* name is written. (Look down the table.)
//! G2. Whenever a writer dies, the place that the sequence names holds a whole value: the old one before
//!     the first publishing, the new one after it. (G1: the other place was being written.) What follows
//!     the sequence word is what a reader gets, so nobody ever waits for a dead writer to finish.
//! G3. Writers exclude each other by a mutex, which passes to the next writer when its owner dies. The next
//!     writer brings an odd sequence to its end (copy to the first place, publish) before it begins.
//! G4. Nothing read from the section is used as an address or a length: places are computed from T alone.
//!     Magic, version and size are compared at each use. Any bytes are a T (`FromBytes`). So a peer that
//!     does not keep the rules can make a reader fail or give it any value, and nothing worse.
//!
//! # Why a reader comes to an end
//! It repeats only when the sequence changed under it, so only while living writers make progress; a dead
//! or stopped one changes nothing. After [`TRIES`] rounds in vain it asks for the writers' mutex, for
//! [`PATIENCE_MILLIS`]: if it gets it no writer disturbs it, and if the owner is stopped the sequence stands
//! still and the next round succeeds. Only a peer that changes the sequence without end and without the
//! mutex survives all of that; after [`ROUNDS`] the answer is `ERROR_BUSY` (170).
//!
//! # Orderings
//! - *publish → see*. A writer copies a place, then stores the sequence with Release; partner: the reader's
//!   relaxed load of it with an Acquire fence behind. The copy of a place it names sees all of the value.
//! - *overwrite → notice*. A writer begins to overwrite a place behind a Release fence that follows the
//!   sequence it has to be seen with; partner: the reader's Acquire fence between its copy and its second
//!   look. A reader that met one new byte therefore sees a newer sequence, and tries again (G1).
//! - The first look is a relaxed load and a fence, not an Acquire load, since a view may be read-only
//!   memory, where no other loads are promised to work.
//!
//! # How a section becomes a guarded one
//! A new section is zeroes: sequence 0, value all zero in the first place. Each word of the control block is
//! set once, from 0, by compare-exchange, the magic last, by whoever comes first; each step may be done by
//! another process. So it does not matter when the first one dies, and nobody waits for it.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::marker::PhantomData;
use std::mem::offset_of;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU32, AtomicU64, fence};
use std::time::Duration;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::{Mapping, View, ViewOptions};
use crate::error::{Code, Error, Result};
use crate::handle::Created;
use crate::mutex::{Mutex, MutexGuard, MutexOptions};

/// The control block, as a picture of the layout: it is never made or borrowed, only its offsets are used.
#[repr(C)]
struct Control {
    magic: u64,
    version: u32,
    scope: u32,
    size: u64,
    sequence: u64,
    id: [u64; 2],
    unused: [u64; 2],
}

const _: () = {
    assert!(size_of::<Control>() == CONTROL_SIZE);
    assert!(offset_of!(Control, magic) == 0);
    assert!(offset_of!(Control, version) == 8);
    assert!(offset_of!(Control, scope) == 12);
    assert!(offset_of!(Control, size) == 16);
    assert!(offset_of!(Control, sequence) == 24);
    assert!(offset_of!(Control, id) == 32);
    assert!(offset_of!(Control, unused) == 48);
};

const CONTROL_SIZE: usize = 64;
const MAGIC: u64 = u64::from_ne_bytes(*b"transomG");
const VERSION: u32 = 1;
/// The writers' mutex has an unprefixed name: this user's processes.
const SCOPE_LOCAL: u32 = 1;
/// The writers' mutex is in `Global\`, as the section is.
const SCOPE_GLOBAL: u32 = 2;

/// How often a reader tries before it asks for the mutex.
const TRIES: u32 = 32;
/// How long it waits for the mutex, in milliseconds, before it tries again.
const PATIENCE_MILLIS: u64 = 20;
/// How often it does both.
const ROUNDS: u32 = 100;

const READ: &str = "read guarded value";
const WRITE: &str = "write guarded value";
const OPEN: &str = "open guarded value";

/// A value of plain data shared between processes that is always seen whole.
///
/// A reader never gets half of one value and half of another, also while writers are at work; a process that
/// is killed while it writes leaves the value before or the value after, never a mixture; and nobody waits for
/// a dead writer. Readers take no lock. Writers exclude each other.
///
/// The value's bytes lie at offset 0 of the section, as [`Shared`](super::Shared) has them, so programs that
/// know nothing of this type can look at it; they see single bytes change and are not protected.
///
/// All who use one section must use the same `T`. Loading costs one copy of the value, storing two and an
/// uncontended mutex.
///
/// # Example
/// ```
/// use transom::mapping::Guarded;
///
/// # fn main() -> Result<(), transom::Error> {
/// # let name = format!("doc-guarded-{}", std::process::id());
/// let ours = Guarded::<[u64; 4]>::create(&name)?.object;
/// ours.store(&[1, 2, 3, 4])?;
///
/// let theirs = Guarded::<[u64; 4]>::open(&name)?;
/// theirs.update(|values| values[0] += 10)?;
/// assert_eq!(ours.load()?, [11, 2, 3, 4]);
/// # Ok(())
/// # }
/// ```
pub struct Guarded<T> {
    mapping: Mapping,
    view: View,
    /// The writers' mutex, found by the id in the control block.
    lock: Mutex,
    /// The value is in the section, not in here; this type neither owns nor drops a T.
    value: PhantomData<fn() -> T>,
}

impl<T: FromBytes + IntoBytes + Immutable + KnownLayout> Guarded<T> {
    /// Where the control block begins; the first place begins at 0.
    const CONTROL: usize = {
        assert!(size_of::<T>() > 0, "a guarded value needs at least one byte");
        size_of::<T>().next_multiple_of(64)
    };

    const SECOND_PLACE: usize = Self::CONTROL + CONTROL_SIZE;

    /// Bytes of a section that holds a guarded `T`: what to ask for when making one by hand for
    /// [`Guarded::from_mapping`].
    pub const SECTION_SIZE: usize = Self::SECOND_PLACE + size_of::<T>();

    /// The section `name`, new and all zero, or the existing one with its value.
    ///
    /// # Errors
    /// As [`MappingOptions::create`](super::MappingOptions::create); `ERROR_INVALID_DATA` (13): the section
    /// is not one of a guarded `T`; `ERROR_ACCESS_DENIED` (5) also if it is too small for one.
    pub fn create(name: &str) -> Result<Created<Guarded<T>>> {
        let created = Mapping::create(name, Self::SECTION_SIZE as u64)?;
        let object = Self::over(created.object, scope_of(name))?;
        Ok(Created { object, existed: created.existed })
    }

    /// The existing section `name`.
    ///
    /// # Errors
    /// As [`MappingOptions::open`](super::MappingOptions::open); otherwise as [`Guarded::create`].
    pub fn open(name: &str) -> Result<Guarded<T>> {
        Self::over(Mapping::open(name)?, scope_of(name))
    }

    /// An unnamed section, for children that inherit its handle and processes it is duplicated into.
    ///
    /// # Errors
    /// As [`MappingOptions::create`](super::MappingOptions::create).
    pub fn anonymous() -> Result<Guarded<T>> {
        Self::from_mapping(Mapping::anonymous(Self::SECTION_SIZE as u64)?)
    }

    /// The guarded value in `mapping`: one whose handle was inherited or received, or a section of at least
    /// [`Guarded::SECTION_SIZE`] bytes, all zero, which becomes one.
    ///
    /// # Errors
    /// `ERROR_INVALID_DATA` (13): not a section of a guarded `T`. `ERROR_ACCESS_DENIED` (5): too small, or
    /// the handle cannot write.
    pub fn from_mapping(mapping: Mapping) -> Result<Guarded<T>> {
        Self::over(mapping, SCOPE_LOCAL)
    }

    fn over(mapping: Mapping, scope: u32) -> Result<Guarded<T>> {
        let view = ViewOptions::new().length(Self::SECTION_SIZE as u64).map(&mapping)?;
        let lock_name = Self::adopt(&view, scope)?;
        let lock = MutexOptions::new().name(&lock_name).create()?.object;
        Ok(Guarded { mapping, view, lock, value: PhantomData })
    }

    /// Makes a section of zeroes a guarded one, or checks that it is; gives the name of the writers' mutex.
    fn adopt(view: &View, scope: u32) -> Result<String> {
        let set = |word: &AtomicU64, value: u64| match word.compare_exchange(0, value, AcqRel, Acquire) {
            Ok(_) => value,
            Err(present) => present,
        };
        let set_small = |word: &AtomicU32, value: u32| match word.compare_exchange(0, value, AcqRel, Acquire)
        {
            Ok(_) => value,
            Err(present) => present,
        };
        let expect = |fits: bool| if fits { Ok(()) } else { Err(Error::new(OPEN, Code::INVALID_DATA)) };

        let magic = view.atomic_u64(Self::CONTROL + offset_of!(Control, magic))?;
        let present = magic.load(Acquire);
        expect(present == 0 || present == MAGIC)?;
        // The size first: two programs that disagree about T stop here, before one changes anything.
        let size = view.atomic_u64(Self::CONTROL + offset_of!(Control, size))?;
        expect(set(size, size_of::<T>() as u64) == size_of::<T>() as u64)?;
        let version = view.atomic_u32(Self::CONTROL + offset_of!(Control, version))?;
        expect(set_small(version, VERSION) == VERSION)?;
        let scope = set_small(view.atomic_u32(Self::CONTROL + offset_of!(Control, scope))?, scope);
        expect(scope == SCOPE_LOCAL || scope == SCOPE_GLOBAL)?;
        let mut id = [0; 2];
        for (index, part) in id.iter_mut().enumerate() {
            let word = view.atomic_u64(Self::CONTROL + offset_of!(Control, id) + 8 * index)?;
            *part = set(word, random_word());
        }
        expect(set(magic, MAGIC) == MAGIC)?;
        if !view.is_intact() {
            return Err(Error::new(OPEN, Code::FILE_INVALID));
        }
        let prefix = if scope == SCOPE_GLOBAL { "Global\\" } else { "" };
        Ok(format!("{prefix}transom-guarded-{:016x}{:016x}", id[0], id[1]))
    }

    /// A copy of the value, whole.
    ///
    /// Takes no lock and does not wait, except for its turn among writers that leave it no other way (see the
    /// module's source): then a few milliseconds.
    ///
    /// # Errors
    /// `ERROR_INVALID_DATA` (13): a peer has destroyed the control block. `ERROR_FILE_INVALID` (1006): a
    /// peer cut short the file behind it. `ERROR_BUSY` (170): a peer changes the value without end and
    /// without the writers' mutex.
    pub fn load(&self) -> Result<T> {
        for _ in 0..ROUNDS {
            if let Some(value) = self.try_load()? {
                return Ok(value);
            }
            let turn = self.lock.lock_for(Duration::from_millis(PATIENCE_MILLIS))?;
            if turn.is_some()
                && let Some(value) = self.try_load()?
            {
                return Ok(value);
            }
        }
        Err(Error::new(READ, Code::BUSY))
    }

    /// Replaces the value for all readers at once. Waits for other writers, never for a dead one.
    ///
    /// # Errors
    /// `ERROR_INVALID_DATA` (13), `ERROR_FILE_INVALID` (1006): as [`Guarded::load`].
    pub fn store(&self, value: &T) -> Result<()> {
        let turn = self.begin()?;
        self.publish(&turn, value)
    }

    /// Loads the value, lets `change` work on the copy and stores it, in one step for all who write through
    /// this type: no store is lost, and readers see the value before or the value after. If `change` panics
    /// the value stays as it is.
    ///
    /// Others cannot write while `change` runs; readers are not held up. A nested store by the same thread
    /// would be overwritten by the outer one.
    ///
    /// # Errors
    /// As [`Guarded::store`].
    pub fn update<R>(&self, change: impl FnOnce(&mut T) -> R) -> Result<R> {
        let turn = self.begin()?;
        let mut value = self.view.read_value::<T>(0)?;
        let result = change(&mut value);
        self.publish(&turn, &value)?;
        Ok(result)
    }

    /// A whole value, if the sequence stands still long enough in one of [`TRIES`] attempts.
    fn try_load(&self) -> Result<Option<T>> {
        for _ in 0..TRIES {
            self.check_control(READ)?;
            let before = self.view.load_u64(Self::SEQUENCE)?;
            // Publish → see: partner of the Release stores of the sequence.
            fence(Acquire);
            let place = if before % 2 == 0 { 0 } else { Self::SECOND_PLACE };
            let value = self.view.read_value::<T>(place)?;
            // Overwrite → notice: partner of the Release fences before a place is overwritten.
            fence(Acquire);
            if self.view.load_u64(Self::SEQUENCE)? == before {
                return Ok(Some(value));
            }
            std::hint::spin_loop();
        }
        Ok(None)
    }

    const SEQUENCE: usize = Self::CONTROL + offset_of!(Control, sequence);

    /// Takes the writers' mutex and leaves the value in the first place, even if the last writer was killed.
    fn begin(&self) -> Result<MutexGuard<'_>> {
        let turn = self.lock.lock()?;
        self.check_control(WRITE)?;
        let sequence = self.view.atomic_u64(Self::SEQUENCE)?;
        // Writers are ordered by the mutex, so no more is needed to see the last one's stores.
        let now = sequence.load(Acquire);
        if now % 2 == 1 {
            let value = self.view.read_value::<T>(Self::SECOND_PLACE)?;
            fence(Release);
            self.view.write_value(0, &value)?;
            sequence.store(now.wrapping_add(1), Release);
        }
        Ok(turn)
    }

    /// Writes the value as the table in the module's doc says; `begin` has made the sequence even.
    fn publish(&self, _turn: &MutexGuard<'_>, value: &T) -> Result<()> {
        let sequence = self.view.atomic_u64(Self::SEQUENCE)?;
        let now = sequence.load(Relaxed);
        if now % 2 == 1 {
            // Nobody who keeps the rules changes it while we hold the mutex.
            return Err(Error::new(WRITE, Code::INVALID_DATA));
        }
        // Overwrite → notice: who meets a byte of what follows sees at least the present sequence, which is
        // newer than the one that named the second place.
        fence(Release);
        self.view.write_value(Self::SECOND_PLACE, value)?;
        sequence.store(now.wrapping_add(1), Release);
        // The same for the first place: who meets a byte of it sees the sequence just stored.
        fence(Release);
        self.view.write_value(0, value)?;
        sequence.store(now.wrapping_add(2), Release);
        Ok(())
    }

    /// G4: what was true when the section was opened may have been destroyed since.
    fn check_control(&self, operation: &'static str) -> Result<()> {
        let magic = self.view.load_u64(Self::CONTROL + offset_of!(Control, magic))?;
        let version = self.view.load_u32(Self::CONTROL + offset_of!(Control, version))?;
        let size = self.view.load_u64(Self::CONTROL + offset_of!(Control, size))?;
        if magic == MAGIC && version == VERSION && size == size_of::<T>() as u64 {
            return Ok(());
        }
        let code = if self.view.is_intact() { Code::INVALID_DATA } else { Code::FILE_INVALID };
        Err(Error::new(operation, code))
    }
}

impl<T> Guarded<T> {
    /// The section, to be duplicated, inherited or closed elsewhere.
    #[must_use]
    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The view of the whole section: the value's bytes at 0, unprotected.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("mapping", &self.mapping).field("view", &self.view).finish()
    }
}

/// Where the writers' mutex of the section `name` has its name: the same scope, or other users and sessions
/// would not find it.
fn scope_of(name: &str) -> u32 {
    if name.starts_with("Global\\") { SCOPE_GLOBAL } else { SCOPE_LOCAL }
}

/// Half an id, never 0. The standard library seeds each map's hasher from the system's random numbers; 128
/// bits from two of them make a name that no other section has. It is a name, not a secret.
fn random_word() -> u64 {
    RandomState::new().hash_one((std::process::id(), std::time::Instant::now())).max(1)
}
