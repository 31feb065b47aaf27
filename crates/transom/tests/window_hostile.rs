//! Windows whose desktop another process of the user scribbles over: calls fail or find nothing, but they return, and
//! nothing panics.
//!
//! W41. Linux only: the desktop is memory there. `TRANSOM_HOSTILE_MILLIS` says how long (default 1500).
#![cfg(target_os = "linux")]

use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use transom::wait::Timeout;
use transom::window::message::WM_APP;
use transom::window::{Class, MessageLoop, Sender};

mod support;
use support::{With, argument, exit_code, limit, number, role};

#[test]
fn child_entry() {
    support::child(&[("victim", victim), ("vandal", vandal)]);
}

fn time() -> Duration {
    Duration::from_millis(number("TIME") as u64)
}

/// Uses everything, with time-outs; what comes out does not matter.
fn victim() -> u32 {
    let begun = Instant::now();
    let mut round = 0_usize;
    while begun.elapsed() < time() {
        round += 1;
        let threads: Vec<_> =
            (0..3).map(|index| std::thread::spawn(move || play(round * 3 + index))).collect();
        for thread in threads {
            if thread.join().is_err() {
                return 1;
            }
        }
    }
    0
}

fn play(round: usize) {
    let short = Timeout::millis(20);
    let Ok(class) = Class::register(&format!("{}-{round}", argument("CLASS"))) else { return };
    let window = class.window("victim").on_copydata(|_, _, bytes| bytes.len() as isize);
    let Ok(window) = window.on_message(WM_APP, |a, b| a as isize + b).create() else { return };
    let Ok(messages) = MessageLoop::new() else { return };
    let all = Sender::all(None, None).unwrap_or_default();
    for (index, to) in all.iter().enumerate().take(20) {
        let _ = to.copydata(index, &vec![1; [3, 5000, 50_000][index % 3]], short);
        let _ = to.send(WM_APP, index, 1, short);
        let _ = (to.post(WM_APP, 1, 2), to.notify(WM_APP, 1, 2));
        let _ = (to.title(), to.class_name(), to.process_id(), to.is_hung());
    }
    let _ = window.set_title("another");
    let _ = Sender::find(class.name(), "another");
    let _ = messages.run_for(Timeout::millis(5));
}

/// Writes words anywhere into the desktop of the process `VICTIM`.
fn vandal() -> u32 {
    let (victim, begun) = (number("VICTIM"), Instant::now());
    let desktop = loop {
        let files = std::fs::read_dir(format!("/proc/{victim}/fd")).unwrap();
        let is_it = |path: &std::path::PathBuf| {
            std::fs::read_link(path).is_ok_and(|link| link.to_string_lossy().contains("transom-desktop"))
        };
        if let Some(path) = files.map(|file| file.unwrap().path()).find(is_it) {
            break std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the victim has a desktop");
    };
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ victim as u64;
    let mut next = |limit: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % limit
    };
    let begun = Instant::now();
    while begun.elapsed() < time() {
        // Where something is, mostly: header, index, names, the first windows, slots, threads, pages and arenas.
        let starts = [0, 4096, 36_864, 8_560_640, 12_754_944, 79_863_808, 96_641_024, 365_076_480];
        let at = (starts[next(8) as usize] + next(64 * 1024)) & !7;
        let small = next(70_000);
        let values = [0, 1, small, u64::MAX, next(u64::MAX), small << 32, 1 << 30, 1 << 31];
        let value = values[next(8) as usize];
        desktop.write_at(&value.to_le_bytes(), at).unwrap();
    }
    0
}

/// W41
#[test]
fn a_desktop_that_is_scribbled_over_stops_and_hurts_nobody() {
    let _limit = limit();
    let folder = tempfile::tempdir().unwrap();
    let time = std::env::var("TRANSOM_HOSTILE_MILLIS").unwrap_or_else(|_| "1500".to_owned());
    let of = |name: &str| {
        role(name).with("CLASS", "hostile").with("TIME", &time).env("TRANSOM_DIR", folder.path())
    };
    let victim = of("victim").start();
    let vandal = of("vandal").with("VICTIM", victim.process.id().unwrap()).start();
    assert_eq!(exit_code(&vandal), 0);
    assert_eq!(exit_code(&victim), 0);
    // The next desktop is a new one.
    assert_eq!(of("victim").with("TIME", 50).run(), 0);
}
