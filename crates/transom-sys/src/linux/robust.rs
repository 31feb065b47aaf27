//! The kernel's list of robust futexes, set_robust_list(2): what a thread holds when it dies.
//!
//! The kernel keeps one list head per thread, which the C library registers when the thread starts. An
//! entry is a pointer to the next one; the futex lies at a distance from its entry that the head fixes for
//! all. When the thread ends, however it ends, the kernel walks the list and in each futex that still has
//! the thread's id it sets bit 30, clears the id, and wakes a waiter if bit 31 is set. The head also has
//! room for one *pending* futex: one that the thread is just taking or giving up. If that one has no owner
//! when the thread dies, the kernel passes on the wake-up the thread may have got or owed.
//!
//! We put our entries on the C library's own list, by its rules: pointers point to the `next` field, the
//! field before it is `prev`, and the futex lies 24 bytes before the entry (glibc on 64-bit machines). The
//! entries lie in private memory, so no peer can bend the list. Where the head has another distance (musl)
//! and its list is empty we register a head of our own instead.
//!
//! # Safety
//! Unsafe is needed to follow the kernel's pointers. All of them are thread-local: only this thread
//! changes its list, and the kernel reads it only when this thread has ended.

use std::cell::Cell;
use std::ptr;

/// The distance from an entry back to its futex.
pub const DISTANCE: usize = 24;

#[repr(C)]
struct Head {
    first: *mut Entry,
    futex_offset: libc::c_long,
    pending: *mut Entry,
}

#[repr(C)]
struct Entry {
    next: *mut Entry,
}

thread_local! {
    static HEAD: Cell<*mut Head> = const { Cell::new(ptr::null_mut()) };
}

/// The list has at most this many entries; the kernel stops at its own limit of 2048.
const LONGEST: usize = 4096;

/// This thread's list head; null if the kernel has none to give and takes none.
#[inline]
fn head() -> *mut Head {
    let head = HEAD.get();
    if head.is_null() { find_again() } else { head }
}

#[cold]
fn find_again() -> *mut Head {
    let head = find_head();
    HEAD.set(head);
    head
}

fn find_head() -> *mut Head {
    let mut head: *mut Head = ptr::null_mut();
    let mut length: libc::size_t = 0;
    // SAFETY: the kernel writes the head's address and size into the two variables.
    let result = unsafe { libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut length) };
    if result == 0 && !head.is_null() {
        // SAFETY: the C library registered this head for the thread's whole life.
        let found = unsafe { &*head };
        if found.futex_offset == -(DISTANCE as libc::c_long) {
            return head;
        }
        if found.first.cast::<Head>() != head {
            return ptr::null_mut();
        }
    }
    let own = Box::leak(Box::new(Head {
        first: ptr::null_mut(),
        futex_offset: -(DISTANCE as libc::c_long),
        pending: ptr::null_mut(),
    }));
    own.first = ptr::from_mut(own).cast();
    // SAFETY: the head is leaked, so it lives as long as the thread; its list is empty and well-formed.
    let result = unsafe { libc::syscall(libc::SYS_set_robust_list, ptr::from_mut(own), size_of::<Head>()) };
    if result == 0 { own } else { ptr::null_mut() }
}

/// Whether this thread has a list that we can use.
#[must_use]
pub fn is_available() -> bool {
    !head().is_null()
}

/// Where the calling thread names the futex that it is about to take, sleep on, or give up.
#[derive(Debug, Clone, Copy)]
pub struct Pending(*mut Head);

impl Pending {
    /// The calling thread's.
    #[must_use]
    #[inline]
    pub fn here() -> Pending {
        Pending(head())
    }

    /// Names this one; until [`Pending::clear`].
    ///
    /// Only the kernel reads it, and only its address, so any word will do that is mapped until it is cleared.
    #[inline]
    pub fn set(self, futex: usize) {
        if !self.0.is_null() {
            // SAFETY: the head is this thread's own, since the value cannot leave it; the field is read by the kernel
            // when the thread has ended.
            unsafe { (*self.0).pending = (futex + DISTANCE) as *mut Entry };
            std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
        }
    }

    /// Takes back [`Pending::set`].
    #[inline]
    pub fn clear(self) {
        if !self.0.is_null() {
            std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
            // SAFETY: as in `set`.
            unsafe { (*self.0).pending = ptr::null_mut() };
        }
    }
}

/// [`Pending::set`] of the calling thread's.
#[inline]
pub fn set_pending(futex: usize) {
    Pending::here().set(futex);
}

/// [`Pending::clear`] of the calling thread's.
#[inline]
pub fn clear_pending() {
    Pending::here().clear();
}

/// The entry that a list pointer means: bit 0 is a flag of the C library's.
#[inline]
fn strip(entry: *mut Entry) -> *mut Entry {
    entry.map_addr(|address| address & !1)
}

/// Puts the futex at address `futex` on this thread's list. It should be done *before* the futex gets the
/// thread's id: an entry whose futex has another id is passed over.
///
/// # Safety
/// The 8 bytes at `futex` + 24 are writable, this thread's alone while linked, and stay mapped until
/// [`unlink`]; the 8 bytes before them may be overwritten by anyone. The futex is not linked yet.
#[inline]
pub unsafe fn link(futex: usize) {
    let head = head();
    if head.is_null() {
        return;
    }
    let entry = (futex + DISTANCE) as *mut Entry;
    // SAFETY: the head and all entries on the list are valid, this thread's own, and changed by nobody
    // else; `entry` is what the caller promises. The order keeps the list whole at every instruction.
    unsafe {
        let first = (*head).first;
        (*entry).next = first;
        set_previous(head, first, entry);
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
        (*head).first = entry;
        std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
    }
}

/// Takes the futex off this thread's list; nothing happens if it is not on it.
///
/// # Safety
/// As for [`link`].
#[inline]
pub unsafe fn unlink(futex: usize) {
    let head = head();
    if head.is_null() {
        return;
    }
    let entry = (futex + DISTANCE) as *mut Entry;
    // SAFETY: as in `link`; the walk ends at the head, to which the last entry points back.
    unsafe {
        let mut place: *mut *mut Entry = &raw mut (*head).first;
        for _ in 0..LONGEST {
            let current = strip(*place);
            if current.cast::<Head>() == head || current.is_null() {
                return;
            }
            if current == entry {
                let next = (*entry).next;
                std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
                *place = next;
                set_previous(head, next, place.cast());
                return;
            }
            place = &raw mut (*current).next;
        }
    }
}

/// Sets the `prev` field of an entry, as the C library does for its own; the head has none.
///
/// # Safety
/// `entry` is the head or a valid entry of this thread's list.
#[inline]
unsafe fn set_previous(head: *mut Head, entry: *mut Entry, previous: *mut Entry) {
    let entry = strip(entry);
    if entry.cast::<Head>() != head && !entry.is_null() {
        // SAFETY: every entry has the field before it: ours in the object page, the C library's in its mutex.
        unsafe { *entry.cast::<*mut Entry>().sub(1) = previous };
    }
}
