//! The shared page of an event, mutex, semaphore or thread: made, validated, described.
//!
//! The page is a sealed memory file of 4096 bytes laid out as [`transom_core::record`] draws it. Each
//! process maps it once per time it opened it, with a private page behind it for the kernel's list of
//! robust futexes.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use transom_core::access::Kind;
use transom_core::code::Code;
use transom_core::record::{PAGE_MAGIC, VERSION, page};
use transom_core::security::Security;
use transom_core::word::{self, Rule};
use transom_sys::linux::fault::step;
use transom_sys::linux::map::SharedPages;
use transom_sys::linux::{fd, futex, memfd};

use super::errno::{to_code, with_room};
use super::views::{self, Guard};

/// A synchronisation object as this process has it.
#[derive(Debug)]
pub(crate) struct SyncObject {
    /// Only over memory that a peer may cut short; before the pages, since it goes first.
    guard: Option<Guard>,
    pages: SharedPages,
    /// The thread of this process that has the futex of this mapping on its robust list, or 0. The word says
    /// it too, but others write that.
    linked: AtomicU32,
    descriptor: OwnedFd,
    rule: Rule,
    maximum: u32,
    cookie: [u8; 16],
}

/// The page of a new object, not yet with the descriptor that keeps it reachable.
pub(crate) struct Page {
    guard: Option<Guard>,
    pages: SharedPages,
    rule: Rule,
    maximum: u32,
    cookie: [u8; 16],
}

impl Page {
    /// Makes `descriptor`, an empty file, into a new object; `seal` where it is a memory file.
    pub(crate) fn fill(
        descriptor: &OwnedFd,
        blueprint: Blueprint,
        cookie: [u8; 16],
        security: &Security,
        seal: bool,
    ) -> Result<Page, Code> {
        to_code(memfd::reserve(descriptor, page::SIZE as u64))?;
        if seal {
            to_code(memfd::seal_size(descriptor))?;
        }
        let pages = to_code(SharedPages::map_with_private_page(descriptor, page::SIZE))?;
        let guard = guard_of(&pages, seal)?;
        let relaxed = Ordering::Relaxed;
        pages.u32(page::VERSION).store(VERSION, relaxed);
        pages.u32(page::KIND).store(blueprint.kind() as u32, relaxed);
        pages.u32(page::RULE).store(rule_number(blueprint.rule), relaxed);
        pages.u32(page::MAXIMUM).store(blueprint.maximum, relaxed);
        let _ = pages.write(page::COOKIE, &cookie);
        for (index, words) in security.to_words(blueprint.kind()).into_iter().enumerate() {
            pages.u32(page::SECURITY + 4 * index).store(words, relaxed);
        }
        pages
            .u64(page::WORD)
            .store(word::initial(blueprint.rule, blueprint.signalled, blueprint.count), relaxed);
        step("page-half-filled");
        // Partner: the load of the magic in `SyncObject::open`. Who sees it sees all of the above.
        pages.u64(page::MAGIC).store(PAGE_MAGIC, Ordering::Release);
        Ok(Page { guard, pages, rule: blueprint.rule, maximum: blueprint.maximum, cookie })
    }

    /// The object, with its descriptor.
    pub(crate) fn own(self, descriptor: OwnedFd) -> SyncObject {
        SyncObject {
            guard: self.guard,
            pages: self.pages,
            linked: AtomicU32::new(0),
            descriptor,
            rule: self.rule,
            maximum: self.maximum,
            cookie: self.cookie,
        }
    }
}

/// What keeps this process alive if somebody cuts the memory short; sealed memory needs none.
fn guard_of(pages: &SharedPages, sealed: bool) -> Result<Option<Guard>, Code> {
    if sealed { Ok(None) } else { views::guard(pages.address(), page::SIZE, true).map(Some) }
}

/// What a new object is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blueprint {
    pub(crate) rule: Rule,
    /// An event is set; a semaphore has a count.
    pub(crate) signalled: bool,
    pub(crate) count: u32,
    pub(crate) maximum: u32,
}

impl Blueprint {
    fn kind(&self) -> Kind {
        kind_of(self.rule)
    }
}

fn kind_of(rule: Rule) -> Kind {
    match rule {
        Rule::Manual | Rule::Auto => Kind::Event,
        Rule::Mutex => Kind::Mutex,
        Rule::Semaphore => Kind::Semaphore,
        Rule::Thread => Kind::Thread,
    }
}

fn rule_number(rule: Rule) -> u32 {
    match rule {
        Rule::Manual => 1,
        Rule::Auto => 2,
        Rule::Mutex => 3,
        Rule::Semaphore => 4,
        Rule::Thread => 5,
    }
}

fn rule_of(number: u32) -> Option<Rule> {
    Some(match number {
        1 => Rule::Manual,
        2 => Rule::Auto,
        3 => Rule::Mutex,
        4 => Rule::Semaphore,
        5 => Rule::Thread,
        _ => return None,
    })
}

impl SyncObject {
    /// A new unnamed object.
    pub(crate) fn create(
        blueprint: Blueprint,
        cookie: [u8; 16],
        security: &Security,
    ) -> Result<SyncObject, Code> {
        let descriptor = with_room(|| memfd::create("transom-object"))?;
        Ok(Page::fill(&descriptor, blueprint, cookie, security, true)?.own(descriptor))
    }

    /// Maps an existing object, after checking everything in it that is relied on later. `sealed`: a memory
    /// file must be sealed, so that no peer can cut it short under the mapping.
    pub(crate) fn open(descriptor: OwnedFd, expected: Kind, sealed: bool) -> Result<SyncObject, Code> {
        let (_, _, size) = to_code(fd::identity(&descriptor))?;
        if size != page::SIZE as u64 || (sealed && !memfd::is_size_sealed(descriptor.as_fd())) {
            return Err(Code::FILE_CORRUPT);
        }
        let pages = to_code(SharedPages::map_with_private_page(&descriptor, page::SIZE))?;
        let guard = guard_of(&pages, memfd::is_size_sealed(descriptor.as_fd()))?;
        // Partner: the store of the magic in `Page::fill`.
        if pages.u64(page::MAGIC).load(Ordering::Acquire) != PAGE_MAGIC
            || pages.u32(page::VERSION).load(Ordering::Relaxed) != VERSION
        {
            return Err(Code::FILE_CORRUPT);
        }
        let rule = rule_of(pages.u32(page::RULE).load(Ordering::Relaxed)).ok_or(Code::FILE_CORRUPT)?;
        if kind_of(rule) != expected {
            return Err(Code::INVALID_HANDLE);
        }
        let maximum = pages.u32(page::MAXIMUM).load(Ordering::Relaxed);
        let mut cookie = [0; 16];
        let _ = pages.read(page::COOKIE, &mut cookie);
        Ok(SyncObject { guard, pages, linked: AtomicU32::new(0), descriptor, rule, maximum, cookie })
    }

    /// False once somebody has cut the memory short; from then on the object is one of this mapping alone.
    pub(crate) fn is_whole(&self) -> bool {
        self.guard.as_ref().is_none_or(|guard| {
            // If the page is gone, this access tells.
            std::hint::black_box(self.word().load(Ordering::Relaxed));
            guard.intact()
        })
    }

    /// The thread of this process that has linked this mapping's futex, or 0.
    pub(crate) fn linked(&self) -> &AtomicU32 {
        &self.linked
    }

    pub(crate) fn kind(&self) -> Kind {
        kind_of(self.rule)
    }

    pub(crate) fn rule(&self) -> Rule {
        self.rule
    }

    /// The most a semaphore counts to, as it was when this process opened it.
    pub(crate) fn maximum(&self) -> u32 {
        self.maximum
    }

    /// Which object this is, whatever it was reached through.
    pub(crate) fn cookie(&self) -> &[u8; 16] {
        &self.cookie
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// Who may have which rights, as its creator said.
    pub(crate) fn security(&self) -> Security {
        let mut words = [0; 4];
        for (index, word) in words.iter_mut().enumerate() {
            *word = self.pages.u32(page::SECURITY + 4 * index).load(Ordering::Relaxed);
        }
        Security::from_words(words)
    }

    /// The state word.
    pub(crate) fn word(&self) -> &AtomicU64 {
        self.pages.u64(page::WORD)
    }

    /// The half of the word that the kernel knows.
    pub(crate) fn futex(&self) -> &AtomicU32 {
        futex::low_half(self.word())
    }

    /// The futex's address in this process.
    pub(crate) fn address(&self) -> usize {
        self.pages.address() + page::WORD
    }

    pub(crate) fn owner_key(&self) -> &AtomicU64 {
        self.pages.u64(page::OWNER_KEY)
    }

    /// 0 while the owner of a mutex may still give it back untouched, see [`word::lock`].
    pub(crate) fn depth(&self) -> &AtomicU32 {
        self.pages.u32(page::DEPTH)
    }

    pub(crate) fn herd(&self) -> &AtomicU32 {
        self.pages.u32(page::HERD)
    }

    pub(crate) fn pulse(&self) -> &AtomicU32 {
        self.pages.u32(page::PULSE)
    }

    pub(crate) fn exit_code(&self) -> &AtomicU32 {
        self.pages.u32(page::EXIT_CODE)
    }

    pub(crate) fn process_id(&self) -> &AtomicU32 {
        self.pages.u32(page::PROCESS_ID)
    }

    pub(crate) fn thread_id(&self) -> &AtomicU32 {
        self.pages.u32(page::THREAD_ID)
    }

    pub(crate) fn suspended(&self) -> &AtomicU32 {
        self.pages.u32(page::SUSPENDED)
    }

    /// The state in a few words, for people.
    pub(crate) fn describe(&self) -> String {
        let word = self.word().load(Ordering::Relaxed);
        match self.rule {
            Rule::Manual | Rule::Auto => {
                // Locked by a wait for all: it was set, and is until that wait has decided.
                if word::is_signalled(word) || word::id(word) != 0 { "set" } else { "not set" }.to_owned()
            }
            Rule::Semaphore => format!("{} of {}", word::count(word), self.maximum),
            Rule::Mutex if word::id(word) != 0 => {
                format!("owned by {}", self.process_id().load(Ordering::Relaxed))
            }
            Rule::Mutex if word::is_signalled(word) => "abandoned".to_owned(),
            Rule::Mutex => "free".to_owned(),
            Rule::Thread => if word::is_signalled(word) { "ended" } else { "running" }.to_owned(),
        }
    }
}

/// The state of the object in a memory file, in a few words; `None` if it is none.
pub(crate) fn describe(descriptor: OwnedFd, kind: Kind) -> Option<String> {
    let sealed = memfd::is_size_sealed(descriptor.as_fd());
    SyncObject::open(descriptor, kind, sealed).ok().map(|object| object.describe())
}

/// Whether both are the same object, perhaps mapped twice.
pub(crate) fn same(a: &Arc<SyncObject>, b: &Arc<SyncObject>) -> bool {
    Arc::ptr_eq(a, b) || a.cookie == b.cookie
}
