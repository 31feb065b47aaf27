//! What about this machine and process helps or hinders: each finding with its remedy, in plain words.

use std::fs;
use std::path::Path;

use transom_core::entry::LOCKS;
use transom_core::name::Scope;
use transom_sys::linux::host::{self, Limit};
use transom_sys::linux::{Errno, dirs, futex, lock, process};

use super::Folder;
use super::backing;
use super::root::{Namespace, Refusal, Root, VARIABLE};
use crate::namespace::{Finding, NamedObject, Severity};

/// Below this many open files, a program with Windows' habits of handles will notice.
const FEW_FILES: u64 = 4096;
/// Less room for shared memory than this is little.
const LITTLE_MEMORY: u64 = 64 << 20;

pub(crate) fn examine() -> Vec<Finding> {
    let namespace = Namespace::of_process();
    let mut findings = vec![kernel(), place()];
    for scope in [Scope::Local, Scope::Global] {
        findings.push(root(namespace, scope));
    }
    findings.push(shared_memory(&namespace.root(Scope::Local)));
    findings.push(sealed_memory());
    findings.extend(noexec());
    findings.push(wait_many());
    findings.push(process_descriptors());
    findings.extend(limits());
    findings.extend([overcommit(), control_group(), huge_pages(), proc_files(), tracing(), pid_namespace()]);
    findings
}

fn fine(subject: &str, message: impl Into<String>) -> Finding {
    Finding { severity: Severity::Fine, subject: subject.into(), message: message.into(), remedy: None }
}

fn note(subject: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
    let remedy = Some(remedy.into());
    Finding { severity: Severity::Note, subject: subject.into(), message: message.into(), remedy }
}

fn problem(subject: &str, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
    let remedy = Some(remedy.into());
    Finding { severity: Severity::Problem, subject: subject.into(), message: message.into(), remedy }
}

/// The content of a small file of the system, without the line's end.
fn text(path: impl AsRef<Path>) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

fn number(path: impl AsRef<Path>) -> Option<u64> {
    text(path)?.parse().ok()
}

fn bytes(count: u64) -> String {
    match count {
        0..=0x3FF => format!("{count} bytes"),
        0x400..=0xF_FFFF => format!("{} KiB", count >> 10),
        0x10_0000..=0x3FFF_FFFF => format!("{} MiB", count >> 20),
        _ => format!("{:.1} GiB", (count >> 20) as f64 / 1024.0),
    }
}

fn kernel() -> Finding {
    fine("kernel", host::kernel())
}

fn place() -> Finding {
    match std::env::var_os(VARIABLE).filter(|base| !base.is_empty()) {
        None => fine(VARIABLE, "not set: names lie in /dev/shm"),
        Some(base) => note(
            VARIABLE,
            format!(
                "names lie in {}; only programs with the same setting see them",
                Path::new(&base).display()
            ),
            format!("unset {VARIABLE} to share names with everybody"),
        ),
    }
}

fn root(namespace: &Namespace, scope: Scope) -> Finding {
    let user = process::user();
    let root = namespace.root(scope);
    let subject = match scope {
        Scope::Local => "root of Local",
        Scope::Global => "root of Global",
    };
    let path = root.path();
    let shown = path.display();
    let opened = root.open(user, false);
    let (place, exists) = if matches!(opened, Ok(Some(_))) { (&path, true) } else { (&root.parent, false) };
    // A missing folder is made, if the one above it is there.
    let makes = root.make_parent && root.parent.parent().is_some_and(|above| dirs::open_path(above).is_ok());
    if opened.is_ok()
        && let Err(error) = dirs::may_write(place)
        && (exists || error != Errno::NOENT || !makes)
    {
        return problem(
            subject,
            format!("no names can be made in {}: {error}", place.display()),
            format!("make it writable, or set {VARIABLE} to a folder on shared memory that is"),
        );
    }
    match opened {
        Ok(None) => fine(subject, format!("{shown} does not exist yet; the first name makes it")),
        Err(refusal) => refused(subject, &root, refusal),
        Ok(Some(_)) => match names(namespace, scope) {
            Err(folder) => problem(
                subject,
                format!("{shown}/{} is not safe to use", folder.name()),
                "remove it, or give it the owner and the mode of the folder above",
            ),
            Ok(None) => fine(subject, format!("{shown}: no names")),
            Ok(Some(counts)) => {
                let message = format!("{shown}: {}", counts.describe());
                let elsewhere = out_of_reach(namespace, scope);
                if elsewhere > 0 {
                    note(
                        subject,
                        format!(
                            "{message}; {elsewhere} only by processes in another PID namespace, so not reachable, \
                             but for pipes that let others in"
                        ),
                        "let their programs run with TRANSOM_BACKING=path, or share the PID namespace",
                    )
                } else if counts.dead == 0 {
                    fine(subject, message)
                } else {
                    note(
                        subject,
                        message,
                        "none needed: whoever uses those names next reuses them; a sweep removes them now",
                    )
                }
            }
        },
    }
}

/// The entries of objects and pipes; `None` if there are no folders for them, an error if one is not safe.
fn names(namespace: &Namespace, scope: Scope) -> Result<Option<Counts>, Folder> {
    let mut counts = None;
    for folder in [Folder::Objects, Folder::Pipes, Folder::Mailslots] {
        if let Some(directory) = namespace.existing_directory(scope, folder).map_err(|_| folder)? {
            let counts = counts.get_or_insert_with(Counts::default);
            let files = dirs::names(&directory, usize::MAX).unwrap_or_default();
            for file in files.iter().filter(|file| backing::is_entry(file)) {
                counts.add(&directory, file);
            }
        }
    }
    Ok(counts)
}

/// Entries by what became of them.
#[derive(Default)]
struct Counts {
    alive: usize,
    dead: usize,
    foreign: usize,
}

impl Counts {
    fn add(&mut self, directory: &super::root::Directory, file: &str) {
        let is_alive =
            dirs::open_file(directory, file, true).and_then(|entry| lock::is_locked_from(&entry, LOCKS));
        match is_alive {
            Ok(true) => self.alive += 1,
            Ok(false) => self.dead += 1,
            // Removed since the folder was read.
            Err(Errno::NOENT) => {}
            Err(_) => self.foreign += 1,
        }
    }

    fn describe(&self) -> String {
        let mut parts = vec![format!("{} in use", self.alive)];
        if self.dead > 0 {
            parts.push(format!("{} left by processes that were killed", self.dead));
        }
        if self.foreign > 0 {
            parts.push(format!("{} of other users", self.foreign));
        }
        parts.join(", ")
    }
}

/// How many names only containers hold, in memory that no path leads to: opening them gives ERROR_ACCESS_DENIED.
fn out_of_reach(namespace: &Namespace, scope: Scope) -> usize {
    let is_out_of_reach = |object: &NamedObject| {
        let all = !object.holders.is_empty() && object.holders.iter().all(|holder| holder.elsewhere);
        object.scope == scope && !object.path_backed && all
    };
    namespace.list().map_or(0, |objects| objects.iter().filter(|object| is_out_of_reach(object)).count())
}

fn refused(subject: &str, root: &Root, refusal: Refusal) -> Finding {
    let path = root.path();
    let shown = path.display();
    let (mode, owner) = if root.public { ("1777", "root") } else { ("0700", "you") };
    match refusal {
        Refusal::NotAFolder => {
            problem(subject, format!("{shown} is a symbolic link or no folder"), format!("remove {shown}"))
        }
        Refusal::Owner(owner) if root.public => problem(
            subject,
            format!("{shown} belongs to user {owner}, who could remove everybody's names"),
            format!(
                "as root: rm -r {shown}; install -d -m 1777 {shown} {shown}/objects {shown}/process \
                 {shown}/pipe (and a line for each in tmpfiles.d, to keep it so)"
            ),
        ),
        Refusal::Owner(owner) => problem(
            subject,
            format!("{shown} belongs to user {owner}, who took the name first"),
            format!("have it removed, or set {VARIABLE} to a folder of your own"),
        ),
        Refusal::Mode(found) => problem(
            subject,
            format!("{shown} has mode {found:04o}: others could tamper with names"),
            format!("chmod {mode} {shown}, if it really belongs to {owner}; otherwise remove it"),
        ),
        Refusal::NoParent => problem(
            subject,
            format!("{} does not exist", root.parent.display()),
            format!("mount a tmpfs there, or set {VARIABLE} to a folder in memory"),
        ),
        Refusal::Relative => problem(
            subject,
            format!("{VARIABLE} is {}, which depends on the folder a program runs in", root.parent.display()),
            format!("set {VARIABLE} to a path that begins with a slash"),
        ),
        Refusal::System(error) => problem(
            subject,
            format!("{shown}: {error}"),
            format!("make it accessible, or set {VARIABLE} to a folder of your own"),
        ),
    }
}

fn shared_memory(root: &Root) -> Finding {
    let subject = "shared memory";
    let shown = root.parent.display();
    match dirs::open_path(&root.parent).and_then(dirs::space) {
        Err(error) => problem(
            subject,
            format!("{shown}: {error}"),
            format!("mount a tmpfs there, or set {VARIABLE} to a folder in memory"),
        ),
        Ok((size, free)) => {
            let message = format!("{shown}: {} of {} free", bytes(free), bytes(size));
            if free < LITTLE_MEMORY {
                note(
                    subject,
                    message,
                    format!(
                        "path-backed objects live there: remove what is not needed, or enlarge it (mount -o \
                         remount,size=... {shown}; for a container, its option for the size of shared memory)"
                    ),
                )
            } else {
                fine(subject, message)
            }
        }
    }
}

fn sealed_memory() -> Finding {
    let subject = "memory files";
    match host::try_sealed_memory() {
        Ok(()) => fine(subject, "can be made and sealed against changing their size"),
        Err(error) => problem(
            subject,
            format!("memfd_create or its seals fail: {error}"),
            "needs Linux 3.17 or later and a sandbox that allows memfd_create; path backing does without \
             (TRANSOM_BACKING=path)",
        ),
    }
}

/// vm.memfd_noexec; kernels before 6.3 have no such setting.
fn noexec() -> Option<Finding> {
    let subject = "executable memory";
    Some(match number("/proc/sys/vm/memfd_noexec")? {
        0 => fine(subject, "allowed"),
        1 => fine(subject, "allowed where it is asked for (vm.memfd_noexec = 1)"),
        level => note(
            subject,
            format!("sections with an executable protection cannot be made (vm.memfd_noexec = {level})"),
            "sysctl vm.memfd_noexec=1, if programs need them",
        ),
    })
}

fn wait_many() -> Finding {
    let subject = "waiting for several objects";
    if futex::has_wait_any() {
        fine(subject, "futex_waitv is there")
    } else {
        note(
            subject,
            "the kernel has no futex_waitv, or a sandbox forbids it: such a wait takes a thread for each object",
            "Linux 5.16 or later, and a sandbox that allows it",
        )
    }
}

fn process_descriptors() -> Finding {
    let subject = "waiting for processes";
    match host::try_process_descriptor() {
        Ok(()) => fine(subject, "pidfd_open is there"),
        Err(error) => problem(
            subject,
            format!("pidfd_open fails: {error}"),
            "Linux 5.3 or later, and a sandbox that allows it",
        ),
    }
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or("no limit".to_owned(), |limit| limit.to_string())
}

fn limits() -> Vec<Finding> {
    let mut findings = vec![open_files(host::limit_of_files())];
    let size = host::limit_of_file_size();
    findings.push(match size.soft {
        None => fine("file size", "no limit"),
        Some(limit) => note(
            "file size",
            format!("objects larger than {} cannot be made (RLIMIT_FSIZE)", bytes(limit)),
            "ulimit -f unlimited",
        ),
    });
    let space = host::limit_of_address_space();
    findings.push(match space.soft {
        None => fine("address space", "no limit"),
        Some(limit) => note(
            "address space",
            format!("all views and the program together get {} (RLIMIT_AS)", bytes(limit)),
            "ulimit -v unlimited",
        ),
    });
    let locked = host::limit_of_locked_memory().soft;
    let locked = locked.map_or("no limit".to_owned(), bytes);
    findings.push(fine("locked memory", format!("{locked} (needed by large pages of some kinds only)")));
    findings
}

fn open_files(limit: Limit) -> Finding {
    let subject = "open files";
    let message = format!(
        "limit {}, raised to {} when needed; a named object takes two",
        shown(limit.soft),
        shown(limit.hard)
    );
    if limit.hard.is_some_and(|hard| hard < FEW_FILES) {
        note(subject, message, "ulimit -Hn, or LimitNOFILE of the service, with a higher number")
    } else {
        fine(subject, message)
    }
}

fn overcommit() -> Finding {
    let subject = "overcommit";
    match number("/proc/sys/vm/overcommit_memory") {
        Some(2) => note(
            subject,
            "strict: every section counts against the commit limit with its full size",
            "sysctl vm.overcommit_memory=0, if large sections are refused",
        ),
        Some(mode) => fine(subject, format!("mode {mode}; the memory of a section is taken when it is made")),
        None => note(subject, "the mode cannot be read", "mount /proc"),
    }
}

/// The limit of this process's own control group; groups around it may have lower ones.
fn control_group() -> Finding {
    let subject = "control group";
    let groups = text("/proc/self/cgroup").unwrap_or_default();
    for line in groups.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let path = path.trim_start_matches('/');
        let (folder, limit, usage) = if controllers.is_empty() {
            (Path::new("/sys/fs/cgroup").join(path), "memory.max", "memory.current")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            let folder = Path::new("/sys/fs/cgroup/memory").join(path);
            (folder, "memory.limit_in_bytes", "memory.usage_in_bytes")
        } else {
            continue;
        };
        // Version 1 writes "no limit" as a number close to the largest there is.
        let limit = number(folder.join(limit)).filter(|&limit| limit < 1 << 62);
        let (Some(limit), Some(usage)) = (limit, number(folder.join(usage))) else { continue };
        let message = format!("{} of {} used; sections count", bytes(usage), bytes(limit));
        return if limit.saturating_sub(usage) < LITTLE_MEMORY {
            note(subject, message, "raise the group's memory limit")
        } else {
            fine(subject, message)
        };
    }
    fine(subject, "no memory limit")
}

fn huge_pages() -> Finding {
    let memory = text("/proc/meminfo").unwrap_or_default();
    let field = |name: &str| memory.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let free = field("HugePages_Free:").unwrap_or("0");
    let size = field("Hugepagesize:").unwrap_or("unknown size");
    if free == "0" {
        fine("large pages", format!("none free ({size}); only SEC_LARGE_PAGES needs them"))
    } else {
        fine("large pages", format!("{free} free, of {size}"))
    }
}

/// The options with which /proc is mounted; names without path backing are found through it.
fn proc_files() -> Finding {
    let subject = "/proc";
    let mounts = text("/proc/self/mounts").unwrap_or_default();
    let mount = mounts.lines().find_map(|line| {
        let mut fields = line.split(' ');
        let (_, point, kind, options) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        (point == "/proc" && kind == "proc").then_some(options)
    });
    let Some(options) = mount else {
        return problem(
            subject,
            "not mounted: objects of other processes cannot be reached by name",
            "mount -t proc proc /proc, or path backing (TRANSOM_BACKING=path)",
        );
    };
    match options.split(',').find_map(|option| option.strip_prefix("hidepid=")) {
        None | Some("0" | "off") => fine(subject, "shows all processes"),
        Some(level) => {
            fine(subject, format!("hides processes of other users (hidepid={level}); own ones are reached"))
        }
    }
}

fn tracing() -> Finding {
    let subject = "ptrace_scope";
    match number("/proc/sys/kernel/yama/ptrace_scope") {
        None | Some(0) => fine(subject, "processes of one user may look at each other"),
        Some(level @ 1..=2) => note(
            subject,
            format!(
                "{level}: names work; a file handle duplicated out of a process that is no child may get a \
                 position of its own"
            ),
            "none needed for names; sysctl kernel.yama.ptrace_scope=0 lifts it",
        ),
        Some(level) => note(
            subject,
            format!("{level}: nobody may take descriptors from another process"),
            "none needed for names; it can be changed only at boot",
        ),
    }
}

fn pid_namespace() -> Finding {
    // The inode that the first PID namespace of every boot has; see the kernel's proc_ns.h.
    const INITIAL: u64 = 0xEFFF_FFFC;
    let subject = "PID namespace";
    match super::root::own().namespace {
        INITIAL => fine(subject, "the machine's own"),
        0 => note(
            subject,
            "unknown, since /proc does not tell: objects of other processes cannot be reached by name",
            "mount /proc, or use path backing (TRANSOM_BACKING=path)",
        ),
        _ => note(
            subject,
            "a container's: names are shared with processes outside only if they are path-backed",
            "none needed inside; for names across containers share the PID namespace or use path backing",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_bytes_read_well() {
        let shown = [0, 1023, 1024, 5 << 20, 3 << 29, u64::MAX].map(bytes);
        assert_eq!(shown, ["0 bytes", "1023 bytes", "1 KiB", "5 MiB", "1.5 GiB", "17179869184.0 GiB"]);
    }

    #[test]
    fn few_files_are_worth_a_note() {
        let few = open_files(Limit { soft: Some(64), hard: Some(1024) });
        assert_eq!(few.severity, Severity::Note);
        let many = open_files(Limit { soft: Some(1024), hard: None });
        assert_eq!((many.severity, many.remedy), (Severity::Fine, None));
    }

    #[test]
    fn an_unsafe_root_is_a_problem_with_a_remedy() {
        for scope in [Scope::Local, Scope::Global] {
            let root = Root::of(scope, None, 1000);
            let refusals = [
                Refusal::NotAFolder,
                Refusal::Owner(7),
                Refusal::Mode(0o777),
                Refusal::NoParent,
                Refusal::Relative,
                Refusal::System(Errno::IO),
            ];
            for refusal in refusals {
                let found = refused("root", &root, refusal);
                assert_eq!(found.severity, Severity::Problem);
                assert!(found.remedy.is_some_and(|remedy| !remedy.is_empty()), "{refusal:?}");
            }
        }
    }
}
