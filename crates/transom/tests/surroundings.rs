//! Poor surroundings: hardly any shared memory, folders or /proc missing, limits reached, system calls refused,
//! creators that die, plain forks. Each call fails with the documented code or works; nothing is left behind, and
//! nobody is killed for it.
//!
//! Linux only: Windows has its own surroundings.
#![cfg(target_os = "linux")]

mod support;

#[path = "surroundings/container.rs"]
mod container;
#[path = "surroundings/control_group.rs"]
mod control_group;
#[path = "surroundings/faults.rs"]
mod faults;
#[path = "surroundings/fork.rs"]
mod fork;
#[path = "surroundings/limits.rs"]
mod limits;
#[path = "surroundings/orphans.rs"]
mod orphans;

#[test]
fn child_entry() {
    support::child(&[
        ("little-shared-memory", container::little_shared_memory),
        ("last-byte", container::last_byte),
        ("no-shared-memory", container::no_shared_memory),
        ("read-only-shared-memory", container::read_only_shared_memory),
        ("no-proc", container::no_proc),
        ("inherits-event", container::inherits_event),
        ("greedy", control_group::greedy),
        ("every-fault", faults::every_fault),
        ("waits-without-waitv", faults::waits_without_waitv),
        ("sets-what-it-inherits", faults::sets_what_it_inherits),
        ("forks", fork::forks),
        ("forks-and-is-killed", fork::forks_and_is_killed),
        ("forks-while-busy", fork::forks_while_busy),
        ("small-files", limits::small_files),
        ("tiny-files", limits::tiny_files),
        ("little-address-space", limits::little_address_space),
        ("soft-limit-of-files", limits::soft_limit_of_files),
        ("hard-limit-of-files", limits::hard_limit_of_files),
        ("opens-everything", limits::opens_everything),
        ("middle", orphans::middle),
        ("middle-suspended", orphans::middle_suspended),
        ("last", orphans::last),
    ]);
}
