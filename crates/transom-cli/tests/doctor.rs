//! `transom doctor`.

mod common;

use common::{Ended, Holder, Lines, Place, can_list};

#[test]
fn findings_are_counted_and_decide_the_exit_code() {
    let place = Place::new();
    let ended = place.run(["doctor", "--json"]);
    let json = ended.json();
    let findings = json["findings"].as_array().unwrap();
    let count = |severity: &str| findings.iter().filter(|finding| finding["severity"] == severity).count();
    assert_eq!(json["problems"], count("problem"));
    assert_eq!(json["notes"], count("note"));
    assert_eq!(ended.code, i32::from(count("problem") > 0));
}

#[test]
fn colours_are_for_terminals_and_on_demand() {
    let place = Place::new();
    let plain = place.run(["doctor"]);
    assert!(!plain.text().contains('\u{1b}'), "{}", plain.text());
    let coloured = place.run(["doctor", "--color", "always"]);
    assert!(coloured.text().contains('\u{1b}'), "{}", coloured.text());
    let failed = place.run(["--color=always", "map", "read", "no-such-name"]).expect(3);
    assert!(failed.err.contains('\u{1b}'), "{}", failed.err);
}

/// M39: what killed holders leave is only an entry, which a sweep removes.
#[test]
fn a_sweep_removes_what_killed_processes_left() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    place.hold(["map", "create", "left", "--size", "1"]).kill();
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert!(json["swept"].as_u64().unwrap() >= 1, "{json}");
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(json["swept"], 0);
}

#[test]
fn a_living_holders_entry_is_not_swept() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let holder = place.hold(["event", "create", "alive"]);
    let json = place.run(["doctor", "--sweep", "--json"]).expect(0).json();
    assert_eq!(json["swept"], 0);
    place.run(["event", "set", "alive"]).expect(0);
    drop(holder);
}

/// Programs in different folders would not meet.
#[test]
fn a_relative_folder_of_names_is_refused() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    for (folder, word) in
        [("names", "depends on the folder"), ("/proc/no/such/folder", "no names can be made")]
    {
        let run = |arguments: &[&str]| {
            let mut command = place.command(arguments);
            command.env("TRANSOM_DIR", folder);
            Ended::of(command, b"")
        };
        let failed = run(&["event", "create", "x", "--for", "1ms"]);
        assert_eq!(failed.code, 3, "{}", failed.err);
        assert!(
            failed.err.contains("ERROR_PATH_NOT_FOUND, 3") && failed.err.contains("doctor"),
            "{}",
            failed.err
        );
        let examined = run(&["doctor"]);
        assert_eq!(examined.code, 1);
        assert!(examined.text().contains(word), "{}", examined.text());
        assert!(!place.namespace().exists(), "nothing was made");
    }
}

/// What a container holds is refused with a hint at what would help. Skipped where containers cannot be made.
#[test]
fn a_name_held_in_another_pid_namespace_hints_at_path_backing() {
    if !can_list() {
        return;
    }
    let place = Place::new();
    let inside = |arguments: [&str; 3], backing: &str| {
        let mut command = std::process::Command::new("unshare");
        command.args(["-Urpf", "--kill-child", "--mount-proc"]).arg(common::binary()).args(arguments);
        command.env("TRANSOM_DIR", place.namespace()).env("TRANSOM_BACKING", backing);
        command
    };
    let held = |name: &str, backing: &str| inside(["event", "create", name], backing);
    let allowed = std::process::Command::new("unshare")
        .args(["-Urpf", "--kill-child", "--mount-proc", "true"])
        .output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: no PID namespaces here");
        return;
    }
    let holder = Holder::start(held("x", ""));
    let refused = place.run(["event", "set", "x"]).expect(5);
    assert!(refused.err.contains("ERROR_ACCESS_DENIED, 5"), "{}", refused.err);
    assert!(refused.err.contains("TRANSOM_BACKING=path"), "{}", refused.err);
    let examined = place.run(["doctor"]);
    assert!(examined.text().contains("1 only by processes in another PID namespace"), "{}", examined.text());
    holder.kill();
    // Another name: that the process in there is gone too nobody waits for.
    let holder = Holder::start(held("y", "path"));
    place.run(["event", "set", "y"]).expect(0);
    drop(holder);
    // It prints nothing, and is killed when it is dropped.
    let listener = Lines::start(inside(["pipe", "listen", "z"], ""));
    let listed = (0..2_000).any(|_| place.run(["list"]).text().contains(r"\\.\pipe\z"));
    assert!(listed, "the container's pipe is not there");
    let refused = place.run(["pipe", "connect", "z"]).expect(5);
    assert!(refused.err.contains("PID namespace (a container) only: a pipe"), "{}", refused.err);
    drop(listener);
}
