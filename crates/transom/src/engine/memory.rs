//! How much memory can still be had: by this process, in its control group, on this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that can be taken without anybody being killed for it, as well as the system tells.
pub(crate) fn available() -> u64 {
    machine().min(groups())
}

/// Whether there is so much memory that a small section need not be taken page by page at once: no control
/// group limits this process, and the machine has a gibibyte that nobody uses for anything.
///
/// The machine is asked again after every 64 MiB that were made on its last answer.
pub(crate) fn is_plenty(size: u64) -> bool {
    static UNLIMITED: OnceLock<bool> = OnceLock::new();
    static LEFT: AtomicU64 = AtomicU64::new(0);
    if !*UNLIMITED.get_or_init(|| groups() == u64::MAX) {
        return false;
    }
    let take = |left: u64| left.checked_sub(size);
    if LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        return true;
    }
    let plenty = transom_sys::linux::file::free_memory() >= 1 << 30;
    if plenty {
        LEFT.store(64 << 20, Ordering::Relaxed);
    }
    plenty
}

/// MemAvailable and free swap.
fn machine() -> u64 {
    meminfo("MemAvailable:", "SwapFree:")
}

/// Two fields of the kernel's account of the memory, in bytes; without the first everything.
fn meminfo(memory: &str, swap: &str) -> u64 {
    let Ok(text) = fs::read_to_string("/proc/meminfo") else { return u64::MAX };
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
    };
    match field(memory) {
        Some(kib) => (kib + field(swap).unwrap_or(0)).saturating_mul(1024),
        None => u64::MAX,
    }
}

/// The least room in this process's control group and those around it.
fn groups() -> u64 {
    let Ok(text) = fs::read_to_string("/proc/self/cgroup") else { return u64::MAX };
    let mut least = u64::MAX;
    for line in text.lines() {
        let mut fields = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let path = path.trim_start_matches('/');
        if controllers.is_empty() {
            least = least.min(walk(Path::new("/sys/fs/cgroup"), path, room_v2));
        } else if controllers.split(',').any(|name| name == "memory") {
            least = least.min(walk(Path::new("/sys/fs/cgroup/memory"), path, room_v1));
        }
    }
    least
}

/// The least room on the way from a group up to the root of the hierarchy.
fn walk(root: &Path, path: &str, room: fn(&Path) -> Option<u64>) -> u64 {
    let mut folder: PathBuf = root.join(path);
    let mut least = u64::MAX;
    loop {
        if let Some(bytes) = room(&folder) {
            least = least.min(bytes);
        }
        if folder == root || !folder.pop() || !folder.starts_with(root) {
            return least;
        }
    }
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// What is left under `memory.max`: file pages that can be dropped count as free, shared memory does not.
fn room_v2(group: &Path) -> Option<u64> {
    let limit = number(&group.join("memory.max"))?;
    let used = number(&group.join("memory.current"))?;
    let swap = match (number(&group.join("memory.swap.max")), number(&group.join("memory.swap.current"))) {
        (Some(limit), Some(used)) => limit.saturating_sub(used),
        _ => 0,
    };
    Some(limit.saturating_sub(used.saturating_sub(droppable(group))).saturating_add(swap))
}

fn room_v1(group: &Path) -> Option<u64> {
    // The old hierarchy writes "no limit" as the largest number of whole pages.
    let limit = number(&group.join("memory.limit_in_bytes")).filter(|limit| *limit < 1 << 60)?;
    let used = number(&group.join("memory.usage_in_bytes"))?;
    Some(limit.saturating_sub(used))
}

/// File pages of a group that are not shared memory.
fn droppable(group: &Path) -> u64 {
    let Ok(text) = fs::read_to_string(group.join("memory.stat")) else { return 0 };
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<u64>().ok())
            .unwrap_or(0)
    };
    field("file").saturating_sub(field("shmem"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_memory_is_available_and_not_more_than_the_machine_has() {
        let bytes = available();
        assert!(bytes > 1 << 20, "{bytes}");
        // What is available now may be less already: others take it.
        assert!(bytes <= meminfo("MemTotal:", "SwapTotal:"));
    }

    /// A group's folder with these files.
    fn group(folder: &Path, files: &[(&str, &str)]) {
        fs::create_dir_all(folder).unwrap();
        for (name, content) in files {
            fs::write(folder.join(name), format!("{content}\n")).unwrap();
        }
    }

    #[test]
    fn a_groups_room_is_its_limit_less_what_cannot_be_dropped() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        group(folder, &[("memory.max", "max"), ("memory.current", "5000")]);
        assert_eq!(room_v2(folder), None, "no limit");
        group(folder, &[("memory.max", "10000")]);
        assert_eq!(room_v2(folder), Some(5000));
        group(folder, &[("memory.stat", "anon 1000\nfile 3000\nshmem 1000\nfile_mapped 700")]);
        assert_eq!(room_v2(folder), Some(7000), "2000 bytes of files can be dropped");
        group(folder, &[("memory.swap.max", "800"), ("memory.swap.current", "300")]);
        assert_eq!(room_v2(folder), Some(7500));
        group(folder, &[("memory.swap.max", "max"), ("memory.current", "20000")]);
        assert_eq!(room_v2(folder), Some(0), "more than the limit, which was set later");
        assert_eq!(room_v2(&folder.join("missing")), None);
    }

    #[test]
    fn the_old_hierarchys_largest_number_is_no_limit() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        group(folder, &[("memory.limit_in_bytes", "9223372036854771712"), ("memory.usage_in_bytes", "1000")]);
        assert_eq!(room_v1(folder), None);
        group(folder, &[("memory.limit_in_bytes", "4096")]);
        assert_eq!(room_v1(folder), Some(3096));
    }

    #[test]
    fn the_least_room_on_the_way_up_counts() {
        let root = tempfile::tempdir().unwrap();
        let set = |path: &str, limit: &str| {
            group(&root.path().join(path), &[("memory.max", limit), ("memory.current", "0")]);
        };
        set("", "max");
        set("a", "3000");
        set("a/b", "max");
        set("a/b/c", "9000");
        let least = |path: &str| walk(root.path(), path, room_v2);
        assert_eq!(least("a/b/c"), 3000);
        assert_eq!(least("a/b"), 3000);
        assert_eq!(least(""), u64::MAX);
        set("a/b/c", "10");
        assert_eq!(least("a/b/c"), 10);
        assert_eq!(least("../../elsewhere"), u64::MAX, "a path that leads out of the hierarchy");
    }
}
