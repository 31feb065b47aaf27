//! `transom map`: shared memory from a shell.

mod common;

use common::{Lines, Place, binary};

/// M7, M22: what one process writes by name another reads by name; the rest is zero.
#[test]
fn bytes_written_by_name_are_read_by_name() {
    let place = Place::new();
    let name = place.name("a");
    let holder = place.hold(["map", "create", &name, "--size", "4K"]);
    assert!(holder.ready.contains("4 KiB created"), "{}", holder.ready);
    place.run(["map", "write", &name, "--text", "hello", "--offset", "0x10"]).expect(0);
    let read = place.run(["map", "read", &name]).expect(0);
    assert_eq!(read.out.len(), 4096);
    assert_eq!(&read.out[16..21], b"hello");
    assert!(read.out[..16].iter().chain(&read.out[21..]).all(|&byte| byte == 0));
    assert_eq!(holder.release(), 0);
}

/// M39: the name goes with its last holder.
#[test]
fn a_name_goes_with_its_holder() {
    let place = Place::new();
    let name = place.name("gone");
    let holder = place.hold(["map", "create", &name, "--size", "1"]);
    place.run(["map", "read", &name]).expect(0);
    holder.kill();
    let ended = place.run(["map", "read", &name]).expect(3);
    assert!(ended.err.contains("no object has this name (ERROR_FILE_NOT_FOUND, 2)"), "{}", ended.err);
    assert!(ended.err.contains("hint: `transom list`"), "{}", ended.err);
}

#[test]
fn a_files_content_is_shared_and_read_back() {
    let place = Place::new();
    let name = place.name("content");
    let path = place.file("app.conf", b"colour = blue\n");
    let holder = place.hold(["map", "create", &name, "--from", path.to_str().unwrap()]);
    let read = place.run(["map", "read", &name, "--until-nul"]).expect(0);
    assert_eq!(read.text(), "colour = blue\n");
    let copy = place.path("copy");
    place.run(["map", "read", &name, "--length", "6", "--output", copy.to_str().unwrap()]).expect(0);
    assert_eq!(std::fs::read(copy).unwrap(), b"colour");
    drop(holder);
}

#[test]
fn standard_input_fills_a_section_that_a_command_reads() {
    let place = Place::new();
    let name = place.name("stdin");
    let me = binary().to_str().unwrap();
    let line = ["map", "create", &name, "--from", "-", "--", me, "map", "read", &name, "--until-nul"];
    let ended = place.run_with_input(line, b"from a pipe").expect(0);
    assert_eq!(ended.text(), "from a pipe");
    let line = ["map", "create", &name, "--from", "-", "--size", "8K", "--", me, "map", "read", &name];
    let ended = place.run_with_input(line, b"with a size").expect(0);
    assert_eq!(ended.out.len(), 8192);
    assert!(ended.out.starts_with(b"with a size\0"));
}

/// M9, M46: a section over a file has the file's size, and its bytes are the file's.
#[test]
fn a_section_over_a_file_is_the_file() {
    let place = Place::new();
    let name = place.name("file");
    let path = place.file("data.bin", b"0123456789");
    let holder = place.hold(["map", "create", &name, "--file", path.to_str().unwrap()]);
    assert_eq!(place.run(["map", "read", &name]).expect(0).text(), "0123456789");
    place.run(["map", "write", &name, "--hex", "41 42", "--offset", "2", "--flush"]).expect(0);
    assert_eq!(std::fs::read(&path).unwrap(), b"01AB456789");
    assert_eq!(holder.release(), 0);
}

/// M44: a larger size lengthens the file.
#[test]
fn a_size_lengthens_the_file() {
    let place = Place::new();
    let name = place.name("longer");
    let path = place.file("data.bin", b"x");
    let holder = place.hold(["map", "create", &name, "--file", path.to_str().unwrap(), "--size", "10000"]);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 10000);
    drop(holder);
}

/// M1: nobody writes through a read-only section.
#[test]
fn a_read_only_section_refuses_writers() {
    let place = Place::new();
    let name = place.name("readonly");
    let path = place.file("data.bin", b"fixed");
    let holder = place.hold(["map", "create", &name, "--file", path.to_str().unwrap(), "--read-only"]);
    assert_eq!(place.run(["map", "read", &name]).expect(0).text(), "fixed");
    place.run(["map", "write", &name, "--text", "x"]).expect(5);
    drop(holder);
    assert_eq!(std::fs::read(&path).unwrap(), b"fixed");
}

/// M10: an existing name is opened and keeps its size; --new refuses it.
#[test]
fn an_existing_name_is_opened_unless_it_has_to_be_new() {
    let place = Place::new();
    let name = place.name("twice");
    let first = place.hold(["map", "create", &name, "--size", "4096", "--json"]);
    let made: serde_json::Value = serde_json::from_str(&first.ready).unwrap();
    assert_eq!((made["existed"].as_bool(), made["size"].as_u64()), (Some(false), Some(4096)));
    let second = place.hold(["map", "create", &name, "--size", "64K", "--json"]);
    let opened: serde_json::Value = serde_json::from_str(&second.ready).unwrap();
    assert_eq!((opened["existed"].as_bool(), opened["size"].as_u64()), (Some(true), Some(4096)));
    place.run(["map", "create", &name, "--size", "4096", "--new"]).expect(4);
}

/// M32: all kinds share one set of names.
#[test]
fn a_name_of_another_kind_is_refused() {
    let place = Place::new();
    let name = place.name("kind");
    let holder = place.hold(["event", "create", &name]);
    let ended = place.run(["map", "read", &name]).expect(9);
    assert!(ended.err.contains("another kind (ERROR_INVALID_HANDLE, 6)"), "{}", ended.err);
    place.run(["map", "create", &name, "--size", "1"]).expect(9);
    drop(holder);
}

/// M36.
#[test]
fn a_backslash_in_a_name_is_refused_with_a_hint() {
    let place = Place::new();
    let ended = place.run(["map", "create", "a\\b", "--size", "1"]).expect(3);
    assert!(ended.err.contains("ERROR_PATH_NOT_FOUND, 3"), "{}", ended.err);
    assert!(ended.err.contains("transom help names"), "{}", ended.err);
}

/// M34: `Local\` is what is meant without a prefix.
#[test]
fn windows_spellings_and_prefixes_work() {
    let place = Place::new();
    let name = place.name("win32");
    let holder = place.hold(["CreateFileMappingW", &name, "--size", "4096"]);
    place.run(["map", "write", &format!("Local\\{name}"), "--text", "same"]).expect(0);
    let read = place.run(["openfilemapping", &name, "--until-nul"]).expect(0);
    assert_eq!(read.text(), "same");
    place.run(["map", "read", &format!("Global\\{name}")]).expect(3);
    drop(holder);
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let place = Place::new();
    let name = place.name("fit");
    let holder = place.hold(["map", "create", &name, "--size", "4096"]);
    let ended = place.run(["map", "write", &name, "--text", "hello", "--offset", "4092"]).expect(2);
    assert!(
        ended.err.contains("5 bytes at offset 4092 do not fit: the section has 4096 bytes"),
        "{}",
        ended.err
    );
    place.run(["map", "read", &name, "--offset", "5000"]).expect(2);
    let read = place.run(["map", "read", &name, "--offset", "4092"]).expect(0);
    assert_eq!(read.out, [0; 4]);
    // The length of a stream is not known before; what fits is written.
    let ended = place.run_with_input(["map", "write", &name, "--offset", "4092"], b"stream").expect(2);
    assert!(ended.err.contains("more than the 4 bytes that fit"), "{}", ended.err);
    assert_eq!(place.run(["map", "read", &name, "--offset", "4092"]).expect(0).text(), "stre");
    drop(holder);
}

#[test]
fn a_dump_shows_offsets_bytes_and_text_and_folds_equal_lines() {
    let place = Place::new();
    let name = place.name("dump");
    let holder = place.hold(["map", "create", &name, "--size", "4096"]);
    place.run(["map", "write", &name, "--text", "Hello, world"]).expect(0);
    let dump = place.run(["map", "dump", &name]).expect(0).text();
    let lines: Vec<&str> = dump.lines().collect();
    assert_eq!(lines[0], "00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 00 00 00 00  |Hello, world....|");
    assert_eq!(lines[1], "00000010  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|");
    assert_eq!(lines[2..], ["*", "00001000"]);
    let json = place.run(["map", "dump", &name, "--length", "20", "--json"]).expect(0).json();
    assert_eq!(json["lines"][0]["bytes"], "48656c6c6f2c20776f726c6400000000");
    assert_eq!(json["lines"][1]["bytes"], "00000000");
    assert_eq!(json["size"], 4096);
    drop(holder);
}

#[test]
fn a_watch_prints_what_changed() {
    let place = Place::new();
    let name = place.name("watch");
    let holder = place.hold(["map", "create", &name, "--size", "4096"]);
    let bell = place.name("bell");
    let event = place.hold(["event", "create", &bell]);
    let watch = Lines::start(
        place.command(["map", "watch", &name, "--event", &bell, "--count", "1", "--for", "30s"]),
    );
    // The watcher's first copy is made before it waits for the event, so this set may come too early for
    // the write to be a change; then it is told that nothing changed, and the next one is.
    let mut text = String::from("nothing changed");
    for number in 1..100 {
        place.run(["map", "write", &name, "--offset", "64", "--text", &format!("{number:02}")]).expect(0);
        place.run(["event", "set", &bell]).expect(0);
        text = watch.next();
        if !text.contains("nothing changed") {
            break;
        }
    }
    assert!(text.contains("0x40, ") || text.contains("0x41, "), "{text}");
    assert!(text.contains(" -> "), "{text}");
    assert_eq!(watch.code(), 0);
    drop((holder, event));
}

/// M39, M40: the watcher keeps the memory, not the name.
#[test]
fn a_watcher_does_not_keep_the_name() {
    let place = Place::new();
    let name = place.name("watched");
    let holder = place.hold(["map", "create", &name, "--size", "4096"]);
    let ended = place.run(["map", "watch", &name, "--count", "1", "--for", "50ms"]).expect(6);
    assert!(ended.err.contains("(WAIT_TIMEOUT, 258)"), "{}", ended.err);
    let watch = Lines::start(place.command(["map", "watch", &name, "--interval", "5ms", "--json"]));
    // When the watcher has made its first copy is not known, so there are many changes to see.
    let mut seen = None;
    for number in 1..100 {
        place.run(["map", "write", &name, "--hex", &format!("{number:02x}")]).expect(0);
        seen = watch.try_next();
        if seen.is_some() {
            break;
        }
    }
    let line = seen.unwrap_or_else(|| watch.next());
    let change: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(change["changes"][0]["offset"], 0);
    holder.kill();
    place.run(["map", "read", &name]).expect(3);
}

#[test]
fn json_answers_tell_sizes_and_bytes() {
    let place = Place::new();
    let name = place.name("json");
    let holder = place.hold(["map", "create", &name, "--size", "1"]);
    let written = place.run(["map", "write", &name, "--hex", "cafe", "--json"]).expect(0).json();
    assert_eq!(written["length"], 2);
    let read = place.run(["map", "read", &name, "--length", "3", "--json"]).expect(0).json();
    assert_eq!((&read["hex"], &read["size"]), (&"cafe00".into(), &4096.into()));
    let failed = place.run(["map", "read", "no-such-name", "--json"]).expect(3);
    let error: serde_json::Value = serde_json::from_str(&failed.err).unwrap();
    assert_eq!(error["error"]["symbol"], "ERROR_FILE_NOT_FOUND");
    assert_eq!((&error["error"]["code"], &error["error"]["exit_code"]), (&2.into(), &3.into()));
    assert!(failed.out.is_empty());
    drop(holder);
}

#[test]
fn the_commands_exit_code_is_passed_through() {
    let place = Place::new();
    let name = place.name("code");
    let me = binary().to_str().unwrap();
    let with = |rest: &[&str]| {
        let mut line = vec!["map", "create", &name, "--size", "1", "--"];
        line.extend(rest);
        place.run(line)
    };
    with(&[me, "map", "read", "no-such-name"]).expect(3);
    let ended = with(&["no-such-command-anywhere"]).expect(127);
    assert!(ended.err.contains("no such command"), "{}", ended.err);
    let text = place.file("text", b"not a program");
    with(&[text.to_str().unwrap()]).expect(126);
}

#[test]
fn a_command_line_without_content_or_with_too_much_is_refused() {
    let place = Place::new();
    place.run(["map", "create", "x"]).expect(2);
    place.run(["map", "create", "x", "--from", "a", "--file", "b"]).expect(2);
    place.run(["map", "create", "x", "--size", "0"]).expect(2);
    place.run(["map", "create", "x", "--size", "4Q"]).expect(2);
    place.run(["map", "create", "x", "--size", "1", "--hold", "--for", "1s"]).expect(2);
    let empty = place.file("empty", b"");
    place.run(["map", "create", "x", "--from", empty.to_str().unwrap()]).expect(2);
    let missing = place.run(["map", "create", "x", "--from", "missing"]).expect(3);
    assert!(missing.err.contains("missing"), "{}", missing.err);
}

#[test]
fn a_time_limit_ends_the_keeping() {
    let place = Place::new();
    let name = place.name("for");
    let ended = place.run(["map", "create", &name, "--size", "1", "--for", "10ms"]).expect(0);
    assert!(ended.text().contains("kept for 10ms"), "{}", ended.text());
    place.run(["map", "read", &name]).expect(3);
}
