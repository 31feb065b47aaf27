//! A control group's memory limit: what passes it is an error, and nobody is killed.

use std::path::{Path, PathBuf};
use std::process::Command;

use transom::mapping::{Mapping, MappingOptions};
use transom::process::current_id;

use crate::support::{ROLE, code, limit, unique};

const MIB: u64 = 1 << 20;

/// This process's group in the unified hierarchy, if that has the memory controller.
fn own_group() -> Result<PathBuf, String> {
    let list = std::fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
    let path =
        list.lines().find_map(|line| line.strip_prefix("0::/")).ok_or("there is no unified hierarchy")?;
    let group = Path::new("/sys/fs/cgroup").join(path);
    let controllers = std::fs::read_to_string(group.join("cgroup.controllers"))
        .map_err(|error| format!("{}: {error}", group.display()))?;
    match controllers.split_whitespace().any(|name| name == "memory") {
        true => Ok(group),
        false => Err("the unified hierarchy has no memory controller here".to_owned()),
    }
}

/// A group below this process's own with a limit of memory; removed at the end.
struct Group(PathBuf);

impl Group {
    fn new(limit: u64) -> Result<Group, String> {
        let own = own_group()?;
        let said = |what: &str, error: std::io::Error| format!("{what}: {error}");
        let below = own.join(unique("group"));
        std::fs::create_dir(&below).map_err(|error| said("a group below", error))?;
        let group = Group(below);
        let set = |file: &str, value: &str| {
            std::fs::write(group.0.join(file), value).map_err(|error| said(file, error))
        };
        set("memory.max", &limit.to_string())?;
        set("memory.swap.max", "0")?;
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn a_section_larger_than_the_groups_memory_is_refused_and_nobody_is_killed() {
    let _limit = limit();
    let group = match Group::new(128 * MIB) {
        Ok(group) => group,
        Err(reason) => {
            eprintln!("skipped: {reason}");
            return;
        }
    };
    let status = Command::new("sh")
        .args(["-c", "echo $$ > \"$1\" && exec \"$0\" child_entry --exact --nocapture --test-threads=1"])
        .arg(std::env::current_exe().unwrap())
        .arg(group.0.join("cgroup.procs"))
        .env(ROLE, "greedy")
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0), "{status}");
}

pub fn greedy() -> u32 {
    let refused = |code: u32| assert!([112, 1455].contains(&code), "{code}");
    for size in [129, 256, 4096, 1 << 20] {
        refused(code(Mapping::anonymous(size * MIB)));
        refused(code(Mapping::create(&format!("greedy-{}", current_id()), size * MIB)));
    }
    // In small parts, each of which fits.
    let mut kept = Vec::new();
    let full = loop {
        match MappingOptions::new(8 * MIB).create() {
            Ok(created) => {
                created.object.view().unwrap().fill(0, 8 << 20, 1).unwrap();
                kept.push(created.object);
            }
            Err(error) => break error.code().value(),
        }
        assert!(kept.len() < 17, "more than the group has");
    };
    refused(full);
    assert!(kept.len() >= 8, "only {} of some 15 parts", kept.len());
    0
}
