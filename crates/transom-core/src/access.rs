//! Access masks: which right is which bit, and what the generic rights stand for
//! (handles.md, section 8).
//!
//! A mask has 32 bits. The low 16 mean something else for each [`Kind`] of object, the next ones
//! are the same for all, and the top four are *generic*: shorthand that is replaced by the kind's
//! own rights before a mask is stored or compared ([`Kind::map_generic`]). The constants are named
//! as in the Windows headers.

/// All kinds: delete the object.
pub const DELETE: u32 = 0x0001_0000;
/// All kinds: read the security descriptor.
pub const READ_CONTROL: u32 = 0x0002_0000;
/// All kinds: change who may do what.
pub const WRITE_DAC: u32 = 0x0004_0000;
/// All kinds: change the owner.
pub const WRITE_OWNER: u32 = 0x0008_0000;
/// All kinds: wait for the object.
pub const SYNCHRONIZE: u32 = 0x0010_0000;
/// [`DELETE`], [`READ_CONTROL`], [`WRITE_DAC`] and [`WRITE_OWNER`].
pub const STANDARD_RIGHTS_REQUIRED: u32 = 0x000F_0000;
/// The four standard rights and [`SYNCHRONIZE`].
pub const STANDARD_RIGHTS_ALL: u32 = 0x001F_0000;
/// The low 16 bits, whose meaning depends on the kind.
pub const SPECIFIC_RIGHTS_ALL: u32 = 0x0000_FFFF;
/// Ask for whatever the caller may have.
pub const MAXIMUM_ALLOWED: u32 = 0x0200_0000;
/// Generic: everything.
pub const GENERIC_ALL: u32 = 0x1000_0000;
/// Generic: execute, or for objects that do not run: wait.
pub const GENERIC_EXECUTE: u32 = 0x2000_0000;
/// Generic: write.
pub const GENERIC_WRITE: u32 = 0x4000_0000;
/// Generic: read.
pub const GENERIC_READ: u32 = 0x8000_0000;

/// Event: look at the state.
pub const EVENT_QUERY_STATE: u32 = 0x1;
/// Event: set, reset and pulse.
pub const EVENT_MODIFY_STATE: u32 = 0x2;
/// Event: everything.
pub const EVENT_ALL_ACCESS: u32 = 0x001F_0003;

/// Mutex: nothing needs it; releasing works with any right on the handle (Y15).
pub const MUTEX_MODIFY_STATE: u32 = 0x1;
/// Mutex: everything.
pub const MUTEX_ALL_ACCESS: u32 = 0x001F_0001;

/// Semaphore: look at the count.
pub const SEMAPHORE_QUERY_STATE: u32 = 0x1;
/// Semaphore: release.
pub const SEMAPHORE_MODIFY_STATE: u32 = 0x2;
/// Semaphore: everything.
pub const SEMAPHORE_ALL_ACCESS: u32 = 0x001F_0003;

/// Mapping: look at size and protection.
pub const SECTION_QUERY: u32 = 0x1;
/// Mapping: views that write.
pub const SECTION_MAP_WRITE: u32 = 0x2;
/// Mapping: views that read, also copy-on-write ones.
pub const SECTION_MAP_READ: u32 = 0x4;
/// Mapping: views that execute.
pub const SECTION_MAP_EXECUTE: u32 = 0x8;
/// Mapping: change the size.
pub const SECTION_EXTEND_SIZE: u32 = 0x10;
/// View access: copy on write. As a right it is [`SECTION_QUERY`].
pub const FILE_MAP_COPY: u32 = 0x1;
/// View access and right: write (and read).
pub const FILE_MAP_WRITE: u32 = 0x2;
/// View access and right: read.
pub const FILE_MAP_READ: u32 = 0x4;
/// View access: execute. The right behind it is [`SECTION_MAP_EXECUTE`].
pub const FILE_MAP_EXECUTE: u32 = 0x20;
/// Mapping: everything. As view access it is the same as [`FILE_MAP_WRITE`] (M2).
pub const FILE_MAP_ALL_ACCESS: u32 = 0x000F_001F;

/// File and pipe: read bytes.
pub const FILE_READ_DATA: u32 = 0x1;
/// File and pipe: write bytes.
pub const FILE_WRITE_DATA: u32 = 0x2;
/// File: write at the end only. For a pipe the same bit makes instances.
pub const FILE_APPEND_DATA: u32 = 0x4;
/// Pipe: make a further instance.
pub const FILE_CREATE_PIPE_INSTANCE: u32 = 0x4;
/// File: read extended attributes.
pub const FILE_READ_EA: u32 = 0x8;
/// File: write extended attributes.
pub const FILE_WRITE_EA: u32 = 0x10;
/// File: run it.
pub const FILE_EXECUTE: u32 = 0x20;
/// File and pipe: ask for information and state.
pub const FILE_READ_ATTRIBUTES: u32 = 0x80;
/// File and pipe: change attributes and modes.
pub const FILE_WRITE_ATTRIBUTES: u32 = 0x100;
/// File and pipe: everything.
pub const FILE_ALL_ACCESS: u32 = 0x001F_01FF;
/// What [`GENERIC_READ`] is for a file or pipe.
pub const FILE_GENERIC_READ: u32 = 0x0012_0089;
/// What [`GENERIC_WRITE`] is for a file or pipe.
pub const FILE_GENERIC_WRITE: u32 = 0x0012_0116;
/// What [`GENERIC_EXECUTE`] is for a file or pipe.
pub const FILE_GENERIC_EXECUTE: u32 = 0x0012_00A0;

/// Process: end it.
pub const PROCESS_TERMINATE: u32 = 0x1;
/// Process: start a thread in it.
pub const PROCESS_CREATE_THREAD: u32 = 0x2;
/// Process: change its address space.
pub const PROCESS_VM_OPERATION: u32 = 0x8;
/// Process: read its memory.
pub const PROCESS_VM_READ: u32 = 0x10;
/// Process: write its memory.
pub const PROCESS_VM_WRITE: u32 = 0x20;
/// Process: duplicate handles into it and out of it.
pub const PROCESS_DUP_HANDLE: u32 = 0x40;
/// Process: start processes as its children.
pub const PROCESS_CREATE_PROCESS: u32 = 0x80;
/// Process: change its memory limits.
pub const PROCESS_SET_QUOTA: u32 = 0x100;
/// Process: change things such as its priority.
pub const PROCESS_SET_INFORMATION: u32 = 0x200;
/// Process: ask anything about it; contains [`PROCESS_QUERY_LIMITED_INFORMATION`].
pub const PROCESS_QUERY_INFORMATION: u32 = 0x400;
/// Process: stop and resume it.
pub const PROCESS_SUSPEND_RESUME: u32 = 0x800;
/// Process: exit code, id and little more.
pub const PROCESS_QUERY_LIMITED_INFORMATION: u32 = 0x1000;
/// Process: everything.
pub const PROCESS_ALL_ACCESS: u32 = 0x001F_FFFF;

/// Thread: end it.
pub const THREAD_TERMINATE: u32 = 0x1;
/// Thread: stop and resume it.
pub const THREAD_SUSPEND_RESUME: u32 = 0x2;
/// Thread: read its registers.
pub const THREAD_GET_CONTEXT: u32 = 0x8;
/// Thread: write its registers.
pub const THREAD_SET_CONTEXT: u32 = 0x10;
/// Thread: change things such as its priority; contains [`THREAD_SET_LIMITED_INFORMATION`].
pub const THREAD_SET_INFORMATION: u32 = 0x20;
/// Thread: exit code and more; contains [`THREAD_QUERY_LIMITED_INFORMATION`].
pub const THREAD_QUERY_INFORMATION: u32 = 0x40;
/// Thread: change a few things.
pub const THREAD_SET_LIMITED_INFORMATION: u32 = 0x400;
/// Thread: ask a few things.
pub const THREAD_QUERY_LIMITED_INFORMATION: u32 = 0x800;
/// Thread: resume it.
pub const THREAD_RESUME: u32 = 0x1000;
/// Every right of a desktop.
pub const DESKTOP_ALL_ACCESS: u32 = 0x000F_01FF;
/// Thread: everything.
pub const THREAD_ALL_ACCESS: u32 = 0x001F_FFFF;

/// Bits that never stay in a mapped mask.
const SHORTHAND: u32 = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE | GENERIC_ALL | MAXIMUM_ALLOWED;

/// What a handle can refer to. The numbers are part of the layout shared by processes and are
/// never used for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Kind {
    /// Manual-reset or auto-reset event.
    Event = 1,
    /// Mutex.
    Mutex = 2,
    /// Semaphore.
    Semaphore = 3,
    /// File mapping (section).
    Mapping = 4,
    /// File on disk.
    File = 5,
    /// End of an anonymous or named pipe.
    Pipe = 6,
    /// Process.
    Process = 7,
    /// Thread.
    Thread = 8,
    /// Either end of a mailslot.
    Mailslot = 9,
    /// The desktop: windows and their messages.
    Desktop = 10,
}

impl Kind {
    /// Every kind, in the order of the numbers.
    pub const ALL: [Kind; 10] = [
        Kind::Event,
        Kind::Mutex,
        Kind::Semaphore,
        Kind::Mapping,
        Kind::File,
        Kind::Pipe,
        Kind::Process,
        Kind::Thread,
        Kind::Mailslot,
        Kind::Desktop,
    ];

    /// The kind with this number; `None` for a number no kind has.
    #[must_use]
    pub const fn from_u32(number: u32) -> Option<Kind> {
        Some(match number {
            1 => Kind::Event,
            2 => Kind::Mutex,
            3 => Kind::Semaphore,
            4 => Kind::Mapping,
            5 => Kind::File,
            6 => Kind::Pipe,
            7 => Kind::Process,
            8 => Kind::Thread,
            9 => Kind::Mailslot,
            10 => Kind::Desktop,
            _ => return None,
        })
    }

    /// The number of this kind.
    #[must_use]
    pub const fn as_u32(self) -> u32 {
        self as u32
    }

    /// The word to show to people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Mutex => "mutex",
            Kind::Semaphore => "semaphore",
            Kind::Mapping => "mapping",
            Kind::File => "file",
            Kind::Pipe => "pipe",
            Kind::Process => "process",
            Kind::Thread => "thread",
            Kind::Mailslot => "mailslot",
            Kind::Desktop => "desktop",
        }
    }

    /// Whether names of this kind live in the one name space of objects (M32), where a name in use
    /// by another kind makes Create and Open fail with `ERROR_INVALID_HANDLE`.
    #[must_use]
    pub const fn shares_object_names(self) -> bool {
        matches!(self, Kind::Event | Kind::Mutex | Kind::Semaphore | Kind::Mapping)
    }

    /// The mask with every right this kind has.
    #[must_use]
    pub const fn all_access(self) -> u32 {
        match self {
            Kind::Event => EVENT_ALL_ACCESS,
            Kind::Mutex => MUTEX_ALL_ACCESS,
            Kind::Semaphore => SEMAPHORE_ALL_ACCESS,
            Kind::Mapping => FILE_MAP_ALL_ACCESS,
            Kind::File | Kind::Pipe | Kind::Mailslot => FILE_ALL_ACCESS,
            Kind::Process => PROCESS_ALL_ACCESS,
            Kind::Thread => THREAD_ALL_ACCESS,
            Kind::Desktop => DESKTOP_ALL_ACCESS,
        }
    }

    /// The rights a caller asks for with this mask: generic bits replaced by what they stand for, as the
    /// second table of section 8 says, and rights added that Windows grants along with others
    /// (`PROCESS_QUERY_LIMITED_INFORMATION` and the two of threads).
    ///
    /// `GENERIC_ALL` and `MAXIMUM_ALLOWED` become [`all_access`](Self::all_access). Other bits stay as they
    /// are, known or not, so that the comparison with what is granted refuses them.
    #[must_use]
    pub const fn map_generic(self, mask: u32) -> u32 {
        let expanded = self.expand_generic(mask);
        expanded | self.implied(expanded)
    }

    /// Only the first half of [`map_generic`](Self::map_generic), for the rules of an access list: they
    /// speak of the rights they name and no others.
    #[must_use]
    pub const fn expand_generic(self, mask: u32) -> u32 {
        let (read, write, execute) = self.generic();
        let mut expanded = mask & !SHORTHAND;
        if mask & GENERIC_READ != 0 {
            expanded |= read;
        }
        if mask & GENERIC_WRITE != 0 {
            expanded |= write;
        }
        if mask & GENERIC_EXECUTE != 0 {
            expanded |= execute;
        }
        if mask & (GENERIC_ALL | MAXIMUM_ALLOWED) != 0 {
            expanded |= self.all_access();
        }
        expanded
    }

    /// What GENERIC_READ, GENERIC_WRITE and GENERIC_EXECUTE stand for.
    const fn generic(self) -> (u32, u32, u32) {
        match self {
            Kind::Event | Kind::Semaphore => (0x0002_0001, 0x0002_0002, 0x0012_0000),
            Kind::Mutex => (0x0002_0001, 0x0002_0000, 0x0012_0000),
            Kind::Mapping => (0x0002_0005, 0x0002_0002, 0x0002_0008),
            Kind::File | Kind::Pipe | Kind::Mailslot => {
                (FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE)
            }
            Kind::Process => (
                READ_CONTROL | PROCESS_VM_READ | PROCESS_QUERY_INFORMATION,
                READ_CONTROL
                    | PROCESS_CREATE_THREAD
                    | PROCESS_VM_OPERATION
                    | PROCESS_VM_WRITE
                    | PROCESS_DUP_HANDLE
                    | PROCESS_CREATE_PROCESS
                    | PROCESS_SET_QUOTA
                    | PROCESS_SET_INFORMATION
                    | PROCESS_SUSPEND_RESUME,
                READ_CONTROL | SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION | PROCESS_TERMINATE,
            ),
            Kind::Thread => (
                READ_CONTROL | THREAD_GET_CONTEXT | THREAD_QUERY_INFORMATION,
                // 0x4 is the right to alert a thread, which has no name in the public headers.
                READ_CONTROL
                    | THREAD_TERMINATE
                    | THREAD_SUSPEND_RESUME
                    | 0x4
                    | THREAD_SET_CONTEXT
                    | THREAD_SET_INFORMATION
                    | THREAD_SET_LIMITED_INFORMATION,
                READ_CONTROL | SYNCHRONIZE | THREAD_QUERY_LIMITED_INFORMATION | THREAD_RESUME,
            ),
            // Of DESKTOP_: read objects, enumerate; create windows and menus, write objects; switch.
            Kind::Desktop => (0x0002_0041, 0x0002_0086, 0x0002_0100),
        }
    }

    /// The rights that come with the ones in `mask`.
    const fn implied(self, mask: u32) -> u32 {
        let pairs: &[(u32, u32)] = match self {
            Kind::Process => &[(PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION)],
            Kind::Thread => &[
                (THREAD_QUERY_INFORMATION, THREAD_QUERY_LIMITED_INFORMATION),
                (THREAD_SET_INFORMATION, THREAD_SET_LIMITED_INFORMATION),
            ],
            _ => &[],
        };
        let mut implied = 0;
        let mut at = 0;
        while at < pairs.len() {
            let (right, comes_along) = pairs[at];
            if mask & right != 0 {
                implied |= comes_along;
            }
            at += 1;
        }
        implied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_kinds_belong_together() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_u32(kind.as_u32()), Some(kind));
            assert!(!kind.name().is_empty());
        }
        assert_eq!(Kind::from_u32(0), None);
        assert_eq!(Kind::from_u32(11), None);
        assert_eq!(Kind::Event.as_u32(), 1);
        assert_eq!(Kind::Thread.as_u32(), 8);
    }

    /// M32
    #[test]
    fn events_mutexes_semaphores_and_mappings_share_their_names() {
        let sharing: std::vec::Vec<&str> =
            Kind::ALL.iter().filter(|kind| kind.shares_object_names()).map(|kind| kind.name()).collect();
        assert_eq!(sharing, ["event", "mutex", "semaphore", "mapping"]);
    }

    /// handles.md, second table of section 8.
    #[test]
    fn generic_rights_map_per_kind() {
        let table = [
            (Kind::File, 0x12_0089, 0x12_0116, 0x12_00A0),
            (Kind::Pipe, 0x12_0089, 0x12_0116, 0x12_00A0),
            (Kind::Event, 0x2_0001, 0x2_0002, 0x12_0000),
            (Kind::Semaphore, 0x2_0001, 0x2_0002, 0x12_0000),
            (Kind::Mutex, 0x2_0001, 0x2_0000, 0x12_0000),
            (Kind::Mapping, 0x2_0005, 0x2_0002, 0x2_0008),
        ];
        for (kind, read, write, execute) in table {
            assert_eq!(kind.map_generic(GENERIC_READ), read, "{}", kind.name());
            assert_eq!(kind.map_generic(GENERIC_WRITE), write, "{}", kind.name());
            assert_eq!(kind.map_generic(GENERIC_EXECUTE), execute, "{}", kind.name());
        }
    }

    /// The mappings of the two kinds that section 8 leaves out, as Windows reports them.
    #[test]
    fn generic_rights_of_processes_and_threads() {
        let table =
            [(Kind::Process, 0x2_0410, 0x2_0BEA, 0x12_1001), (Kind::Thread, 0x2_0048, 0x2_0437, 0x12_1800)];
        for (kind, read, write, execute) in table {
            assert_eq!(kind.expand_generic(GENERIC_READ), read, "{}", kind.name());
            assert_eq!(kind.expand_generic(GENERIC_WRITE), write, "{}", kind.name());
            assert_eq!(kind.expand_generic(GENERIC_EXECUTE), execute, "{}", kind.name());
        }
    }

    #[test]
    fn everything_and_the_most_allowed_are_all_rights_of_the_kind() {
        for kind in Kind::ALL {
            assert_eq!(kind.map_generic(GENERIC_ALL), kind.all_access());
            assert_eq!(kind.map_generic(MAXIMUM_ALLOWED), kind.all_access());
        }
        assert_eq!(Kind::Mapping.all_access(), 0xF_001F);
        assert_eq!(Kind::Process.all_access(), 0x1F_FFFF);
    }

    #[test]
    fn specific_and_unknown_bits_stay() {
        assert_eq!(Kind::Event.map_generic(SYNCHRONIZE), SYNCHRONIZE);
        assert_eq!(Kind::Event.map_generic(0x4000 | GENERIC_READ), 0x2_4001);
        assert_eq!(Kind::Mutex.map_generic(0), 0);
    }

    #[test]
    fn asking_for_all_information_includes_the_limited_kind() {
        assert_eq!(
            Kind::Process.map_generic(PROCESS_QUERY_INFORMATION),
            PROCESS_QUERY_INFORMATION | PROCESS_QUERY_LIMITED_INFORMATION
        );
        assert_eq!(Kind::Thread.map_generic(THREAD_QUERY_INFORMATION), 0x840);
        assert_eq!(Kind::Thread.map_generic(THREAD_SET_INFORMATION), 0x420);
    }

    #[test]
    fn no_kind_maps_to_rights_it_does_not_have() {
        for kind in Kind::ALL {
            let generic = GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE;
            assert_eq!(kind.map_generic(generic) & !kind.all_access() & !SYNCHRONIZE, 0);
        }
    }
}
