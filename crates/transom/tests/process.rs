//! Processes: how they start, what they get, how they end (process.md; handles.md, section 4).

mod support;

use std::ffi::OsString;

use support::{
    A_MOMENT, ON_LINUX, PATIENCE, ROLE, With, argument, child, code, eventually, exit_code, expect_signal,
    limit, named_event, number, ready, role, signalled, unique, wait_to_be_killed,
};
use transom::event::{Event, EventOptions};
use transom::handle::{AsHandle, RawHandle};
use transom::mapping::Mapping;
use transom::process::{
    Command, PROCESS_ALL_ACCESS, PROCESS_QUERY_INFORMATION, PROCESS_TERMINATE, Process, SYNCHRONIZE,
    StartupInfo,
};
use transom::thread::{Thread, ThreadOptions};
use transom::wait::{self, Timeout, Wait};

#[test]
fn child_entry() {
    child(&[
        ("return", || number("CODE") as u32),
        ("exit-in-thread", exit_in_thread),
        ("words", words),
        ("line", line),
        ("set", set),
        ("environment", environment),
        ("directory", directory),
        ("parent", parent),
        ("late", late),
        ("wait", wait_for_end),
        ("told", told),
        ("begin", begin),
        ("terminate-myself", terminate_myself),
    ]);
}

/// What tells the test program to play its role, as words of a command line.
const PLAY: &str = "child_entry --exact --nocapture --test-threads=1";

fn program() -> std::path::PathBuf {
    std::env::current_exe().unwrap()
}

/// A child that is there and waits, until it is killed.
fn waiting_child() -> transom::process::Child {
    let here = unique("ready");
    let here_event = named_event(&here);
    let child = role("wait").with("READY", &here).start();
    expect_signal(&here_event);
    child
}

fn told() -> u32 {
    let told = transom::process::startup_info();
    let title = told.title.is_some_and(|title| title == "A title");
    u32::from(title) | u32::from(told.flags & 0x141 == 0x41) << 1 | u32::from(told.show_window == 6) << 2
}

/// Process.md, section 1: GetStartupInfo gives what the creator passed.
#[test]
fn a_process_reads_what_its_creator_told_it() {
    let _limit = limit();
    let startup = StartupInfo { title: Some("A title".into()), flags: 0x41, show_window: 6 };
    assert_eq!(role("told").startup_info(startup).run(), 7);
}

fn begin() -> u32 {
    named_event(&argument("EVENT")).set().unwrap();
    7
}

/// The creator goes first, as the loader of Windows brings about, until it lets the child go.
#[test]
fn a_child_leaves_its_creator_a_head_start() {
    let _limit = limit();
    if !ON_LINUX {
        return;
    }
    let name = unique("begun");
    let begun = named_event(&name);
    let child = role("begin").with("EVENT", &name).head_start(std::time::Duration::from_secs(1)).start();
    assert_eq!(wait::one(&begun, A_MOMENT).unwrap(), Wait::Timeout);
    transom::process::let_go();
    expect_signal(&begun);
    assert_eq!(child.wait().unwrap(), 7);
    // Nobody lets this one go: it begins by itself.
    let late = role("begin").with("EVENT", &name).head_start(std::time::Duration::from_millis(30)).start();
    assert_eq!(late.wait().unwrap(), 7);
}

fn wait_for_end() -> u32 {
    ready();
    wait_to_be_killed()
}

/// R26: all 32 bits.
#[test]
fn exit_codes_have_32_bits() {
    let _limit = limit();
    for exit in [0, 1, 255, 256, 0xFF00, 0x1234_5678, 0xC000_0005, 0xFFFF_FFFF] {
        assert_eq!(role("return").with("CODE", exit).run(), exit, "{exit:#x}");
    }
}

/// R26: by TerminateProcess as well.
#[test]
fn a_terminated_process_has_the_code_it_was_given() {
    let _limit = limit();
    for exit in [0, 21, 256, 0x8765_4321, u32::MAX] {
        let child = waiting_child();
        assert_eq!(child.process.exit_code().unwrap(), None);
        child.process.terminate(exit).unwrap();
        assert_eq!(exit_code(&child), exit);
        assert_eq!(child.wait().unwrap(), exit);
    }
}

/// Y34: by its code it looks as if it ran, by waiting it has ended.
#[test]
fn a_process_that_returns_259_reads_as_running() {
    let _limit = limit();
    let child = role("return").with("CODE", 259).start();
    expect_signal(&child.process);
    assert!(matches!(child.process.exit_code().unwrap(), None | Some(259)));
    assert_eq!(child.wait().unwrap(), 259);
}

fn terminate_myself() -> u32 {
    let _ = Process::current().terminate(13);
    99
}

/// R26: and by itself.
#[test]
fn a_process_can_terminate_itself() {
    let _limit = limit();
    assert_eq!(role("terminate-myself").run(), 13);
}

fn exit_in_thread() -> u32 {
    let thread = ThreadOptions::new().spawn(|| transom::process::exit(77));
    let _ = wait::one(&thread.unwrap(), Timeout::INFINITE);
    wait_to_be_killed()
}

/// R27: ExitProcess from any thread ends all.
#[test]
fn exiting_in_any_thread_ends_the_process() {
    let _limit = limit();
    assert_eq!(role("exit-in-thread").run(), 77);
}

/// Y33, R28: signalled for good, code fixed, terminating again is 5.
#[test]
fn an_ended_process_stays_as_it_is() {
    let _limit = limit();
    let child = role("return").with("CODE", 7).start();
    assert_eq!(exit_code(&child), 7);
    differs_under_wine!("Y33", code(child.process.terminate(8)) == 5);
    assert!(signalled(&child.process) && signalled(&child.process) && signalled(&child.thread));
    assert_eq!(child.process.exit_code().unwrap(), Some(7));
}

/// R29: as long as somebody holds a handle.
#[test]
fn an_ended_process_can_be_asked_while_a_handle_is_held() {
    let _limit = limit();
    let child = role("return").with("CODE", 0x1_0007).start();
    exit_code(&child);
    assert_eq!(child.process.id().unwrap(), child.process_id);
    let again = Process::open(child.process_id, PROCESS_ALL_ACCESS, false).unwrap();
    assert!(signalled(&again));
    assert_eq!(again.exit_code().unwrap(), Some(0x1_0007));
}

/// R30: the handle tells when it has ended.
#[test]
fn terminating_and_waiting_is_the_end() {
    let _limit = limit();
    let name = unique("mapping");
    let child = waiting_child();
    let held = named_event(&name);
    held.as_handle().duplicate_into(&child.process, Default::default()).unwrap();
    drop(held);
    child.process.terminate(3).unwrap();
    expect_signal(&child.process);
    eventually(2, "nothing of it is left", || code(Event::open(&name)));
}

/// R31.
#[test]
fn the_threads_of_a_terminated_process_have_its_code() {
    let _limit = limit();
    let child = waiting_child();
    assert_eq!(child.thread.exit_code().unwrap(), None);
    child.process.terminate(31).unwrap();
    expect_signal(&child.thread);
    assert_eq!(child.thread.exit_code().unwrap(), Some(31));
}

/// R7.
#[test]
fn ids_are_not_0_and_tell_processes_apart() {
    let _limit = limit();
    let (one, two) = (waiting_child(), waiting_child());
    assert!(one.process_id != 0 && one.thread_id != 0);
    assert_ne!(one.process_id, two.process_id);
    assert_ne!(one.process_id, std::process::id());
    assert_eq!(one.process.id().unwrap(), one.process_id);
    assert_eq!(one.thread.id().unwrap(), one.thread_id);
    let thread = Thread::open(one.thread_id, SYNCHRONIZE, false).unwrap();
    assert_eq!(wait::one(&thread, Timeout::ZERO).unwrap(), Wait::Timeout);
    for child in [one, two] {
        child.process.terminate(1).unwrap();
        exit_code(&child);
    }
    expect_signal(&thread);
}

/// Process.md, section 2: each right for itself, on another process.
#[test]
fn an_opened_process_can_do_what_its_rights_allow() {
    let _limit = limit();
    let child = waiting_child();
    let open = |access| Process::open(child.process_id, access, false).unwrap();
    let asks = open(PROCESS_QUERY_INFORMATION);
    assert_eq!(asks.exit_code().unwrap(), None);
    assert_eq!([code(wait::one(&asks, Timeout::ZERO)), code(asks.terminate(1))], [5, 5]);
    let waits = open(SYNCHRONIZE);
    assert_eq!(wait::one(&waits, Timeout::ZERO).unwrap(), Wait::Timeout);
    assert_eq!([code(waits.exit_code()), code(waits.terminate(1))], [5, 5]);
    let ends = open(PROCESS_TERMINATE);
    assert_eq!([code(ends.exit_code()), code(wait::one(&ends, Timeout::ZERO))], [5, 5]);
    ends.terminate(9).unwrap();
    assert_eq!(wait::one(&waits, PATIENCE).unwrap(), Wait::Object(0));
    assert_eq!(asks.exit_code().unwrap(), Some(9));
}

/// R6, H5: neither closed handles nor the parent's end end a child.
#[test]
fn closing_the_handles_does_not_end_the_child() {
    let _limit = limit();
    let child = waiting_child();
    let id = child.process_id;
    drop(child);
    let process = Process::open(id, PROCESS_ALL_ACCESS, false).unwrap();
    assert_eq!(wait::one(&process, A_MOMENT).unwrap(), Wait::Timeout);
    process.terminate(1).unwrap();
    expect_signal(&process);
}

fn parent() -> u32 {
    let view = Mapping::open(&argument("MEMORY")).unwrap().view().unwrap();
    let late = role("late").with("GO", argument("GO")).with("READY", argument("READY")).start();
    view.store_u32(0, late.process_id).unwrap();
    // The grandchild must be known to be there before its creator is gone.
    expect_signal(&Event::open(&argument("SEEN")).unwrap());
    14
}

fn late() -> u32 {
    ready();
    expect_signal(&Event::open(&argument("GO")).unwrap());
    0x1234_5678
}

/// R6, R32: a grandchild outlives its creator, and its whole code arrives.
#[test]
fn a_child_and_its_exit_code_outlive_its_creator() {
    let _limit = limit();
    let [memory, go, here, seen] = ["memory", "go", "ready", "seen"].map(unique);
    let view = Mapping::create(&memory, 4096).unwrap();
    let view = (view.object.view().unwrap(), view);
    let [go_event, here_event, seen_event] = [&go, &here, &seen].map(|name| named_event(name));
    let with =
        role("parent").with("MEMORY", &memory).with("GO", &go).with("READY", &here).with("SEEN", &seen);
    let child = with.start();
    expect_signal(&here_event);
    // The number may be stored a moment after the grandchild has said it is there.
    while view.0.load_u32(0).unwrap() == 0 {
        std::thread::yield_now();
    }
    let id = view.0.load_u32(0).unwrap();
    let grandchild = Process::open(id, PROCESS_ALL_ACCESS, false).unwrap();
    seen_event.set().unwrap();
    assert_eq!(exit_code(&child), 14);
    assert_eq!(wait::one(&grandchild, A_MOMENT).unwrap(), Wait::Timeout, "it lives on");
    go_event.set().unwrap();
    expect_signal(&grandchild);
    assert_eq!(grandchild.exit_code().unwrap(), Some(0x1234_5678));
}

fn set() -> u32 {
    code(Event::open(&argument("NAME")).and_then(|event| event.set()))
}

/// R5.
#[test]
fn a_suspended_child_runs_nothing_until_resumed() {
    let _limit = limit();
    let name = unique("suspended");
    let event = named_event(&name);
    let child = role("set").suspended(true).with("NAME", &name).start();
    assert_eq!(wait::one(&event, A_MOMENT).unwrap(), Wait::Timeout);
    assert_eq!(child.process.exit_code().unwrap(), None);
    assert_eq!(child.thread.resume().unwrap(), 1);
    expect_signal(&event);
    assert_eq!(exit_code(&child), 0);
}

/// R5, R28: and one that never runs can be ended.
#[test]
fn a_suspended_child_can_be_terminated() {
    let _limit = limit();
    let child = role("set").suspended(true).with("NAME", unique("never")).start();
    child.process.terminate(44).unwrap();
    assert_eq!(exit_code(&child), 44);
}

/// What follows "--" among this process's arguments, joined.
fn words() -> u32 {
    let words: Vec<String> = std::env::args().skip_while(|word| word != "--").skip(1).collect();
    let view = Mapping::open(&argument("MEMORY")).unwrap().view().unwrap();
    let text = words.join("\u{1f}") + "\u{1f}";
    view.store_u32(0, text.len() as u32).unwrap();
    view.write(4, text.as_bytes()).unwrap();
    words.len() as u32
}

/// The words that a child finds behind "--".
fn words_of(command: Command) -> Vec<String> {
    let memory = unique("words");
    let mapping = Mapping::create(&memory, 65_536).unwrap().object;
    let count = command.env(ROLE, "words").with("MEMORY", &memory).run();
    let view = mapping.view().unwrap();
    let text = view.read_to_vec(4, view.load_u32(0).unwrap() as usize).unwrap();
    let text = String::from_utf8(text).unwrap();
    let words: Vec<String> = text.split_terminator('\u{1f}').map(str::to_owned).collect();
    assert_eq!(words.len(), count as usize);
    words
}

/// R14: what was given word by word arrives word by word.
#[test]
fn arguments_arrive_as_they_were_given() {
    let _limit = limit();
    let given = [
        "plain",
        "two words",
        "",
        "tab\there",
        "quote\"inside",
        "\"quoted\"",
        "back\\slash",
        "ends\\",
        "end\\\\",
        "a b\\",
        "\\\"",
        "\\\\\"x",
        "'single'",
        "$HOME %PATH% *.rs ; | & < >",
        "ä 名前 🧩",
        " ",
        "\\",
        "-x=1",
        "--",
    ];
    let command = Command::new(program()).args(PLAY.split(' ')).arg("--").args(given);
    assert_eq!(words_of(command), given);
}

/// R8 to R13: a raw line is cut by these rules.
#[test]
fn a_raw_command_line_is_cut_by_the_rules() {
    let _limit = limit();
    let cases: [(&str, &[&str]); 10] = [
        (r#"a b"c d"e"#, &["a", "bc de"]),                    // R10
        (r#"  a   b  "#, &["a", "b"]),                        // R9
        ("a\tb \t c", &["a", "b", "c"]),                      // R9
        (r#""" a """#, &["", "a", ""]),                       // R10
        (r#"a "open to the end"#, &["a", "open to the end"]), // R10
        (r#"a\b c\\d"#, &[r"a\b", r"c\\d"]),                  // R11
        (r#"a\"b c\\"d e""#, &[r#"a"b"#, r"c\d e"]),          // R11
        (r#"a\\\"b"#, &[r#"a\"b"#]),                          // R11
        (r#"'a b' $x %y% * ; & |"#, &["'a", "b'", "$x", "%y%", "*", ";", "&", "|"]), // R12
        (r#""two "" quotes""#, &[r#"two " quotes"#]),         // R13
    ];
    for (line, expected) in cases {
        let raw = format!(r#""first word \" {PLAY} -- {line}"#);
        assert_eq!(words_of(Command::new(program()).command_line(raw)), expected, "{line}");
    }
}

fn line() -> u32 {
    u32::from(transom::process::command_line() == OsString::from(argument("EXPECTED")))
}

/// R1, R14: the program is what was named; the line is handed over byte for byte, whatever it says.
#[test]
fn the_command_line_is_passed_on_as_it_is() {
    let _limit = limit();
    let raw = format!("  other-name.exe   {PLAY}  -- \"open  ");
    for raw in [raw.trim_start(), &format!("x {PLAY} -- ä 🧩")] {
        let command = Command::new(program()).command_line(raw).env(ROLE, "line").with("EXPECTED", raw);
        assert_eq!(command.run(), 1, "{raw}");
        assert_eq!(command.run(), 1, "R4: and as good as new for the next");
    }
}

/// R3. (Without arguments the child runs all tests, which refuse, and among them the one that plays the role; what
/// it has to say about that is nobody's business.)
#[test]
fn without_a_command_line_it_is_the_program() {
    let _limit = limit();
    let path = program();
    let none = RawHandle::INVALID;
    let reports = |line: String| {
        let quiet = Command::new(&path).inheriting().stdin(none).stdout(none).stderr(none);
        quiet.env(ROLE, "line").with("EXPECTED", line).run()
    };
    let plain = path.display().to_string();
    let quoted = format!("\"{plain}\"");
    assert_eq!(reports(plain) + reports(quoted), 1, "as it is, or in quotes");
}

/// R2, H24: the first word, quotes respected; one without a path is looked for beside the creator.
#[test]
fn the_first_word_is_the_program_if_no_other_is_named() {
    let _limit = limit();
    let path = program();
    let raw = format!("\"{}\" {PLAY} -- found", path.display());
    assert_eq!(words_of(Command::from_command_line(raw)), ["found"]);
    let name = path.file_stem().unwrap().to_str().unwrap();
    let raw = format!("{name} {PLAY} -- beside");
    assert_eq!(words_of(Command::from_command_line(raw)), ["beside"], ".exe is added where it is missing");
}

/// R2, H24: blanks in the path need quotes.
#[test]
fn a_quoted_first_word_may_have_blanks() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("with some blanks");
    std::fs::create_dir(&inner).unwrap();
    let copy = inner.join(program().file_name().unwrap());
    std::fs::hard_link(program(), &copy).or_else(|_| std::fs::copy(program(), &copy).map(drop)).unwrap();
    let raw = format!("\"{}\" {PLAY} -- blanks", copy.display());
    assert_eq!(words_of(Command::from_command_line(raw)), ["blanks"]);
}

/// What the variable named first is, by the codes: 0 absent, 1 as expected, 2 something else; and the same for
/// how often a name of this spelling in any case is there.
fn environment() -> u32 {
    let name = argument("VARIABLE");
    let state = match std::env::var(&name) {
        Err(_) => 0,
        Ok(value) if value == argument("EXPECTED") => 1,
        Ok(_) => 2,
    };
    let spelled = std::env::vars_os().filter(|(key, _)| key.to_string_lossy().eq_ignore_ascii_case(&name));
    state + 10 * spelled.count() as u32
}

fn sees(command: Command, name: &str, expected: &str) -> u32 {
    command.with("VARIABLE", name).with("EXPECTED", expected).run()
}

/// R16: a copy of the creator's; changes go to the child alone.
#[test]
fn a_child_gets_a_copy_of_the_environment() {
    let _limit = limit();
    let path = std::env::var("PATH").unwrap();
    assert_eq!(sees(role("environment"), "PATH", &path), 11);
    assert_eq!(sees(role("environment").env_remove("PATH"), "PATH", ""), 0);
    assert_eq!(sees(role("environment").env("TRANSOM_VALUE", "x=y=z"), "TRANSOM_VALUE", "x=y=z"), 11, "R15");
    assert_eq!(sees(role("environment").env("TRANSOM_VALUE", " a b "), "TRANSOM_VALUE", " a b "), 11);
    assert!(std::env::var_os("TRANSOM_VALUE").is_none());
    assert_eq!(std::env::var("PATH").unwrap(), path);
}

/// R15: one variable under all spellings.
#[test]
fn names_of_variables_compare_without_case() {
    let _limit = limit();
    let twice = role("environment").env("Transom_Case", "first").env("TRANSOM_CASE", "second");
    let found = sees(twice, "TRANSOM_CASE", "second");
    assert_eq!(found / 10, 1, "there is one");
    let removed = role("environment").env("Transom_Case", "first").env_remove("TRANSOM_CASE");
    assert_eq!(sees(removed, "Transom_Case", "first"), 0);
}

/// R15: a value may be empty, and is there all the same.
#[test]
fn a_variable_may_be_empty() {
    let _limit = limit();
    assert_eq!(sees(role("environment").env("TRANSOM_EMPTY", ""), "TRANSOM_EMPTY", ""), 11);
}

/// R17: a given environment is the whole of it.
#[test]
fn a_given_environment_is_the_whole() {
    let _limit = limit();
    let given = |extra: &str| {
        let variables = [
            (ROLE, "environment"),
            ("TRANSOM_TEST_VARIABLE", extra),
            ("TRANSOM_TEST_EXPECTED", "only this"),
            ("TRANSOM_ONLY", "only this"),
            // What the system's own libraries need to start a program on Windows.
            ("SystemRoot", "C:\\windows"),
        ];
        let owned = variables.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        Command::new(program()).args(PLAY.split(' ')).environment(owned).run()
    };
    assert_eq!(given("TRANSOM_ONLY"), 11);
    assert_eq!(given("PATH"), 0, "not the creator's");
}

/// R18: entries whose name begins with an equal sign are the system's own and no variables.
#[test]
fn hidden_entries_are_passed_over() {
    let _limit = limit();
    let hidden = [
        ("=X:", "X:\\"),
        (ROLE, "environment"),
        ("TRANSOM_TEST_VARIABLE", "TRANSOM_ONLY"),
        ("TRANSOM_TEST_EXPECTED", "here"),
        ("TRANSOM_ONLY", "here"),
        ("SystemRoot", "C:\\windows"),
    ];
    let owned = hidden.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    assert_eq!(Command::new(program()).args(PLAY.split(' ')).environment(owned).run(), 11);
}

fn directory() -> u32 {
    let here = std::env::current_dir().unwrap().canonicalize().unwrap();
    let expected = std::path::PathBuf::from(argument("EXPECTED")).canonicalize().unwrap();
    std::env::set_current_dir(std::env::temp_dir()).unwrap();
    u32::from(here == expected)
}

/// R19.
#[test]
fn a_child_starts_in_its_directory_and_changes_its_own_alone() {
    let _limit = limit();
    let here = std::env::current_dir().unwrap();
    assert_eq!(role("directory").with("EXPECTED", here.display()).run(), 1);
    let folder = tempfile::tempdir().unwrap();
    let command = role("directory").current_dir(folder.path()).with("EXPECTED", folder.path().display());
    assert_eq!(command.run(), 1);
    assert_eq!(std::env::current_dir().unwrap(), here);
}

/// H22, R24: without the flag a child shares the standard handles; it can be told so and still run.
#[test]
fn a_child_may_share_the_standard_streams() {
    let _limit = limit();
    assert_eq!(role("return").with("CODE", 5).run(), 5);
    assert_eq!(role("return").creation_flags(0x200).with("CODE", 6).run(), 6, "CREATE_NEW_PROCESS_GROUP");
}

/// Many at once: each has its own end.
#[test]
fn many_children_end_each_with_its_code() {
    let _limit = limit();
    let children: Vec<_> = (100..112).map(|exit| (exit, role("return").with("CODE", exit).start())).collect();
    let processes: Vec<&dyn AsHandle> =
        children.iter().map(|(_, child)| &child.process as &dyn AsHandle).collect();
    assert_eq!(wait::all(&processes, PATIENCE).unwrap(), Wait::Object(0));
    for (exit, child) in &children {
        assert_eq!(child.process.exit_code().unwrap(), Some(*exit));
    }
}

/// R28: everything at once, for a killed process.
#[test]
fn the_end_of_a_process_frees_what_it_held() {
    let _limit = limit();
    let child = waiting_child();
    let [event, semaphore, mapping] = ["event", "semaphore", "mapping"].map(unique);
    let give = |object: &dyn AsHandle| {
        object.as_handle().duplicate_into(&child.process, Default::default()).unwrap();
    };
    give(&EventOptions::new().name(&event).create().unwrap().object);
    give(&transom::semaphore::SemaphoreOptions::new(1, 1).name(&semaphore).create().unwrap().object);
    give(&Mapping::create(&mapping, 4096).unwrap().object);
    let codes = || {
        [
            code(Event::open(&event)),
            code(transom::semaphore::Semaphore::open(&semaphore)),
            code(Mapping::open(&mapping)),
        ]
    };
    assert_eq!(codes(), [0; 3]);
    child.process.terminate(1).unwrap();
    exit_code(&child);
    eventually([2; 3], "nothing of it is left", codes);
}

/// R32: on Linux a death by signal has a documented code; on Windows there are no signals.
#[test]
fn a_death_by_signal_is_reported_as_a_constant() {
    let _limit = limit();
    if !ON_LINUX {
        let child = waiting_child();
        child.process.terminate(0xC000_013A).unwrap();
        assert_eq!(exit_code(&child), 0xC000_013A);
        return;
    }
    // Whoever starts this in the background may have it and its children ignore SIGINT, as shells do.
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap().trim();
    let ignored = u64::from_str_radix(ignored, 16).unwrap();
    // Faults are in the unit tests of mappings: a SIGSEGV that is merely sent does not end a Rust program.
    let signals = [("-INT", 2, 0xC000_013A), ("-TERM", 15, 0xC000_000F), ("-KILL", 9, 0xC000_0009)];
    for (signal, number, expected) in signals {
        if ignored >> (number - 1) & 1 != 0 {
            continue;
        }
        let child = waiting_child();
        let mut kill = std::process::Command::new("kill");
        assert!(kill.args([signal, &child.process_id.to_string()]).status().unwrap().success());
        assert_eq!(exit_code(&child), expected, "{signal}");
    }
}
