//! The computer: time, processors, page sizes; and `Sleep`.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::fs;
use std::time::Duration;

use crate::ffi::{Bool, Out, Plain, guard, truth};
use crate::pages::PAGE;
use crate::{os, pending, wait};

/// Steps of the high-resolution clock per second.
const FREQUENCY: i64 = 1_000_000_000;
/// `INFINITE`.
const INFINITE: u32 = u32::MAX;
/// Where a program's memory begins and ends on 64-bit systems.
const LOWEST_ADDRESS: usize = 0x1_0000;
const HIGHEST_ADDRESS: usize = 0x7FFF_FFFE_FFFF;

#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount() -> u32 {
    // Wraps after 49.7 days.
    GetTickCount64() as u32
}

#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount64() -> u64 {
    os::since_start() / 1_000_000
}

#[unsafe(no_mangle)]
pub extern "C" fn QueryPerformanceCounter(count: Out<i64>) -> Bool {
    truth(|| {
        count.required()?.put(os::monotonic() as i64);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn QueryPerformanceFrequency(frequency: Out<i64>) -> Bool {
    truth(|| {
        frequency.required()?.put(FREQUENCY);
        Ok(())
    })
}

fn sleep(milliseconds: u32) {
    // Time for others: also for a child that left this thread a head start.
    transom::process::let_go();
    match milliseconds {
        0 => std::thread::yield_now(),
        INFINITE => loop {
            std::thread::park();
        },
        #[allow(clippy::disallowed_methods, reason = "letting time pass is what the call is for")]
        milliseconds => std::thread::sleep(Duration::from_millis(u64::from(milliseconds))),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn Sleep(milliseconds: u32) {
    pending::progress();
    sleep(milliseconds);
    pending::progress();
}

#[unsafe(no_mangle)]
pub extern "C" fn SleepEx(milliseconds: u32, alertable: Bool) -> u32 {
    if alertable != 0 {
        return wait::alertable_sleep(milliseconds);
    }
    Sleep(milliseconds);
    0
}

/// What `GetSystemInfo` tells.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SYSTEM_INFO {
    architecture: u16,
    reserved: u16,
    page_size: u32,
    lowest: usize,
    highest: usize,
    active: usize,
    processors: u32,
    kind: u32,
    granularity: u32,
    level: u16,
    revision: u16,
}

// SAFETY: integers, laid out as C does.
unsafe impl Plain for SYSTEM_INFO {}

fn information() -> SYSTEM_INFO {
    // PROCESSOR_ARCHITECTURE_ and PROCESSOR_ numbers.
    let (architecture, kind) = match std::env::consts::ARCH {
        "x86_64" => (9, 8664),
        "x86" => (0, 586),
        "aarch64" => (12, 0),
        "arm" => (5, 0),
        _ => (0xFFFF, 0),
    };
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let mut processors = numbers(&online);
    if processors.is_empty() {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        processors = (0..count).collect();
    }
    let active =
        processors.iter().filter(|number| **number < 64).fold(0, |mask, number| mask | 1_usize << number);
    let (level, revision) = processor(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default());
    SYSTEM_INFO {
        architecture,
        reserved: 0,
        page_size: PAGE as u32,
        lowest: LOWEST_ADDRESS,
        highest: HIGHEST_ADDRESS,
        active,
        processors: processors.len() as u32,
        kind,
        granularity: 65536,
        level,
        revision,
    }
}

/// The numbers of a list such as `0-3,8`.
fn numbers(list: &str) -> Vec<usize> {
    let range = |part: &str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some(first.trim().parse::<usize>().ok()?..=last.trim().parse::<usize>().ok()?)
    };
    list.split(',').filter_map(range).flatten().take(4096).collect()
}

/// Level and revision of the first processor: family, and model with stepping.
fn processor(list: &str) -> (u16, u16) {
    let number = |name: &str| {
        let value = |line: &str| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == name).then(|| value.trim().parse::<u16>().ok())?
        };
        list.lines().find_map(value).unwrap_or(0)
    };
    (number("cpu family"), number("model") << 8 | number("stepping") & 0xFF)
}

/// The processors that are there, as a mask of the first 64.
pub(crate) fn processors() -> usize {
    information().active
}

#[unsafe(no_mangle)]
pub extern "C" fn GetSystemInfo(result: Out<SYSTEM_INFO>) {
    result.put(information());
}

#[unsafe(no_mangle)]
pub extern "C" fn GetNativeSystemInfo(result: Out<SYSTEM_INFO>) {
    result.put(information());
}

#[unsafe(no_mangle)]
pub extern "C" fn GetLargePageMinimum() -> usize {
    guard(0, || Ok(large_page(&fs::read_to_string("/proc/meminfo").unwrap_or_default())))
}

/// Bytes of a large page, as the kernel tells in a line `Hugepagesize: 2048 kB`.
fn large_page(list: &str) -> usize {
    let line = list.lines().find_map(|line| line.strip_prefix("Hugepagesize:"));
    let kilobytes = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<usize>().ok());
    kilobytes.map_or(0, |kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_tells_is_understood() {
        assert_eq!(numbers("0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(numbers("nonsense"), []);
        assert_eq!(large_page("MemTotal: 1 kB\nHugepagesize:    2048 kB\n"), 2 << 20);
        assert_eq!(large_page(""), 0);
        let list = "processor\t: 0\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: X\nstepping\t: 7\n";
        assert_eq!(processor(list), (6, 85 << 8 | 7));
    }

    #[test]
    fn the_clocks_go_forward_and_agree_on_their_pace() {
        let mut before = [0];
        let mut after = [0];
        let ticks = GetTickCount64();
        QueryPerformanceCounter(crate::ffi::tests::taken(&mut before));
        Sleep(20);
        QueryPerformanceCounter(crate::ffi::tests::taken(&mut after));
        let milliseconds = (after[0] - before[0]) / 1_000_000;
        assert!(milliseconds >= 20);
        assert!(GetTickCount64() - ticks >= 19);
    }
}
