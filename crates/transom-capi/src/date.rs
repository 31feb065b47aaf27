//! Dates: `FILETIME` and `SYSTEMTIME`, the clock of the day, and one into the other.
//!
//! A FILETIME counts 100-nanosecond steps since the year 1601; the system's clock counts seconds since 1970.
//!
//! # Safety
//! Exports under fixed names; pointers are [`crate::ffi`]'s.
#![allow(unsafe_code)]

use std::time::{SystemTime, UNIX_EPOCH};

use transom::Code;

use crate::ffi::{Bool, In, Out, Outcome, Plain, fail, guard, truth};
use crate::os;

/// Steps of a FILETIME in a second and in a day.
const SECOND: u64 = 10_000_000;
const DAY: u64 = 86_400 * SECOND;
/// Days from 1601 to 1970.
const EPOCH_DAYS: u64 = 134_774;
/// The years that a SYSTEMTIME may have.
const FIRST_YEAR: u16 = 1601;
const LAST_YEAR: u16 = 30_827;

/// A moment taken apart.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SYSTEMTIME {
    year: u16,
    month: u16,
    day_of_week: u16,
    day: u16,
    hour: u16,
    minute: u16,
    second: u16,
    milliseconds: u16,
}

// SAFETY: integers, laid out as C does.
unsafe impl Plain for SYSTEMTIME {}

/// `FILETIME`, which C aligns to 4.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FILETIME {
    low: u32,
    high: u32,
}

// SAFETY: integers, laid out as C does.
unsafe impl Plain for FILETIME {}

impl FILETIME {
    /// So many steps since 1601.
    pub(crate) fn of(steps: u64) -> FILETIME {
        FILETIME { low: steps as u32, high: (steps >> 32) as u32 }
    }

    fn steps(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }

    /// A moment of the system's clock; before 1601 there is nothing.
    pub(crate) fn at(moment: SystemTime) -> FILETIME {
        let epoch = EPOCH_DAYS * DAY;
        let steps = |time: std::time::Duration| u64::try_from(time.as_nanos() / 100).unwrap_or(u64::MAX);
        FILETIME::of(match moment.duration_since(UNIX_EPOCH) {
            Ok(after) => epoch.saturating_add(steps(after)),
            Err(before) => epoch.saturating_sub(steps(before.duration())),
        })
    }
}

/// Year, month and day of a number of days since 1601-01-01, a Monday and the first of 400 years.
fn date(days: u64) -> (u16, u16, u16) {
    let (centuries, days) = (days / 146_097, days % 146_097);
    let (mut year, mut left) = (1601 + 400 * centuries, days);
    loop {
        let length = 365 + u64::from(is_leap(year));
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let mut month = 1;
    while left >= u64::from(days_of(year, month)) {
        left -= u64::from(days_of(year, month));
        month += 1;
    }
    (year as u16, month, left as u16 + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(year: u64, month: u16) -> u16 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u16::from(is_leap(year)),
        _ => 31,
    }
}

/// Days from 1601-01-01 to the first of a year.
fn days_before(year: u64) -> u64 {
    let years = year - 1601;
    years * 365 + years / 4 - years / 100 + years / 400
}

fn apart(steps: u64) -> SYSTEMTIME {
    let days = steps / DAY;
    let (year, month, day) = date(days);
    let within = steps % DAY / 10_000;
    SYSTEMTIME {
        year,
        month,
        day_of_week: ((days + 1) % 7) as u16,
        day,
        hour: (within / 3_600_000) as u16,
        minute: (within / 60_000 % 60) as u16,
        second: (within / 1000 % 60) as u16,
        milliseconds: (within % 1000) as u16,
    }
}

fn together(time: SYSTEMTIME) -> Outcome<u64> {
    let year = u64::from(time.year);
    let fits = (FIRST_YEAR..=LAST_YEAR).contains(&time.year)
        && (1..=12).contains(&time.month)
        && (1..=days_of(year, time.month)).contains(&time.day)
        && time.hour < 24
        && time.minute < 60
        && time.second < 60
        && time.milliseconds < 1000;
    if !fits {
        return fail(Code::INVALID_PARAMETER);
    }
    let months: u64 = (1..time.month).map(|month| u64::from(days_of(year, month))).sum();
    let days = days_before(year) + months + u64::from(time.day) - 1;
    let seconds = u64::from(time.hour) * 3600 + u64::from(time.minute) * 60 + u64::from(time.second);
    Ok(days * DAY + seconds * SECOND + u64::from(time.milliseconds) * 10_000)
}

/// A moment here, of a moment at Greenwich; and back with the sign the other way.
fn moved(time: FILETIME, to_local: bool) -> Outcome<FILETIME> {
    let steps = time.steps();
    if steps > i64::MAX as u64 {
        return fail(Code::INVALID_PARAMETER);
    }
    let seconds = (steps / SECOND) as i64 - (EPOCH_DAYS * 86_400) as i64;
    let offset = os::local_offset(seconds) * SECOND as i64;
    let moved = if to_local { steps as i64 + offset } else { steps as i64 - offset };
    u64::try_from(moved).map(FILETIME::of).map_err(|_| crate::ffi::Failure(Code::INVALID_PARAMETER))
}

fn now() -> FILETIME {
    FILETIME::at(SystemTime::now())
}

#[unsafe(no_mangle)]
pub extern "C" fn GetSystemTimeAsFileTime(result: Out<FILETIME>) {
    result.put(now());
}

#[unsafe(no_mangle)]
pub extern "C" fn GetSystemTimePreciseAsFileTime(result: Out<FILETIME>) {
    result.put(now());
}

#[unsafe(no_mangle)]
pub extern "C" fn GetSystemTime(result: Out<SYSTEMTIME>) {
    result.put(apart(now().steps()));
}

#[unsafe(no_mangle)]
pub extern "C" fn GetLocalTime(result: Out<SYSTEMTIME>) {
    guard((), || {
        result.put(apart(moved(now(), true)?.steps()));
        Ok(())
    });
}

#[unsafe(no_mangle)]
pub extern "C" fn FileTimeToSystemTime(time: In<FILETIME>, result: Out<SYSTEMTIME>) -> Bool {
    truth(|| {
        let steps = time.required()?.steps();
        if steps > i64::MAX as u64 {
            return fail(Code::INVALID_PARAMETER);
        }
        result.required()?.put(apart(steps));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn SystemTimeToFileTime(time: In<SYSTEMTIME>, result: Out<FILETIME>) -> Bool {
    truth(|| {
        let steps = together(time.required()?)?;
        result.required()?.put(FILETIME::of(steps));
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn FileTimeToLocalFileTime(time: In<FILETIME>, result: Out<FILETIME>) -> Bool {
    truth(|| {
        let local = moved(time.required()?, true)?;
        result.required()?.put(local);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn LocalFileTimeToFileTime(time: In<FILETIME>, result: Out<FILETIME>) -> Bool {
    truth(|| {
        let there = moved(time.required()?, false)?;
        result.required()?.put(there);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn CompareFileTime(first: In<FILETIME>, second: In<FILETIME>) -> i32 {
    let steps = |time: In<FILETIME>| time.get().map_or(0, FILETIME::steps);
    steps(first).cmp(&steps(second)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_are_taken_apart_and_put_together() {
        let epoch = EPOCH_DAYS * DAY;
        let known = [
            (0, (1601, 1, 1, 1)),
            (epoch, (1970, 1, 1, 4)),
            (epoch + 951_782_400 * SECOND, (2000, 2, 29, 2)),
            (epoch + 4_107_542_400 * SECOND, (2100, 3, 1, 1)),
        ];
        for (steps, (year, month, day, day_of_week)) in known {
            let time = apart(steps);
            assert_eq!((time.year, time.month, time.day, time.day_of_week), (year, month, day, day_of_week));
            assert_eq!(together(time), Ok(steps));
        }
    }

    #[test]
    fn every_day_of_two_periods_survives_both_ways() {
        for days in (0..300_000).step_by(7) {
            let steps = days * DAY + 12_345 * 10_000;
            assert_eq!(together(apart(steps)), Ok(steps));
        }
    }

    #[test]
    fn dates_that_are_none_are_refused() {
        let good = apart(EPOCH_DAYS * DAY);
        for bad in [
            SYSTEMTIME { month: 13, ..good },
            SYSTEMTIME { month: 2, day: 29, ..good },
            SYSTEMTIME { hour: 24, ..good },
            SYSTEMTIME { year: 1600, ..good },
        ] {
            assert_eq!(together(bad), fail(Code::INVALID_PARAMETER));
        }
    }

    #[test]
    fn local_time_and_back_is_the_same_time() {
        let time = now();
        assert_eq!(moved(moved(time, true).unwrap(), false).unwrap().steps() % SECOND, time.steps() % SECOND);
    }
}
