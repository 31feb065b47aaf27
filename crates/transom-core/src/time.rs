//! Timeouts as Win32 counts them (sync.md, Y24).
//!
//! A timeout is a number of milliseconds in 32 bits; the largest number means "for ever". Nothing
//! here reads a clock: the caller says what time it is and gets the moment at which to give up.

use core::time::Duration;

const NANOS_PER_MILLI: u64 = 1_000_000;

/// `dwMilliseconds` of the wait functions.
///
/// `0` looks once and returns ([`Timeout::ZERO`]); `0xFFFFFFFF` never gives up
/// ([`Timeout::INFINITE`]); anything else, 1 ms up to about 49.7 days, is at least that long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timeout(u32);

impl Timeout {
    /// Never give up.
    pub const INFINITE: Timeout = Timeout(u32::MAX);
    /// Look once, do not wait.
    pub const ZERO: Timeout = Timeout(0);
    /// The longest wait that ends.
    pub const LONGEST: Timeout = Timeout(u32::MAX - 1);

    /// The timeout a C program passes as this number; `0xFFFFFFFF` is [`Timeout::INFINITE`].
    #[must_use]
    pub const fn millis(millis: u32) -> Timeout {
        Timeout(millis)
    }

    /// A duration, rounded up to whole milliseconds so that no wait ends early.
    ///
    /// What is too long for the format becomes [`Timeout::LONGEST`], never [`Timeout::INFINITE`]:
    /// waiting for ever has to be asked for by name.
    #[must_use]
    pub fn from_duration(duration: Duration) -> Timeout {
        let millis = duration.as_nanos().div_ceil(u128::from(NANOS_PER_MILLI));
        match u32::try_from(millis) {
            Ok(millis) => Timeout(millis).min(Timeout::LONGEST),
            Err(_) => Timeout::LONGEST,
        }
    }

    /// The number a C program would pass.
    #[must_use]
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    /// The timeout as a duration; `None` when it never ends.
    #[must_use]
    pub const fn as_duration(self) -> Option<Duration> {
        if self.is_infinite() { None } else { Some(Duration::from_millis(self.0 as u64)) }
    }

    /// Whether this one never gives up.
    #[must_use]
    pub const fn is_infinite(self) -> bool {
        self.0 == u32::MAX
    }

    /// Whether this one does not wait at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The moment at which to give up, on the clock `now_nanos` was read from; `None` for never.
    #[must_use]
    pub const fn deadline_nanos(self, now_nanos: u64) -> Option<u64> {
        if self.is_infinite() {
            None
        } else {
            // At most 2^32 * 10^6, far below 2^64, so only the sum can be too large.
            Some(now_nanos.saturating_add(self.0 as u64 * NANOS_PER_MILLI))
        }
    }
}

impl From<Duration> for Timeout {
    fn from(duration: Duration) -> Timeout {
        Timeout::from_duration(duration)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Y24: INFINITE waits for ever, 0 tests and returns.
    #[test]
    fn infinite_has_no_deadline_and_zero_is_over_at_once() {
        assert_eq!(Timeout::INFINITE.deadline_nanos(5), None);
        assert_eq!(Timeout::INFINITE.as_duration(), None);
        assert_eq!(Timeout::ZERO.deadline_nanos(5), Some(5));
        assert!(Timeout::millis(0xFFFF_FFFF).is_infinite());
        assert!(Timeout::millis(0).is_zero());
    }

    /// Y24: a wait ends not earlier than its time.
    #[test]
    fn parts_of_a_millisecond_are_rounded_up() {
        assert_eq!(Timeout::from_duration(Duration::from_nanos(1)).as_millis(), 1);
        assert_eq!(Timeout::from_duration(Duration::from_micros(1000)).as_millis(), 1);
        assert_eq!(Timeout::from_duration(Duration::from_micros(1001)).as_millis(), 2);
        assert_eq!(Timeout::from_duration(Duration::ZERO), Timeout::ZERO);
    }

    #[test]
    fn a_long_duration_is_not_taken_for_infinite() {
        assert_eq!(Timeout::from_duration(Duration::MAX), Timeout::LONGEST);
        let infinite_as_duration = Duration::from_millis(u64::from(u32::MAX));
        assert_eq!(Timeout::from_duration(infinite_as_duration), Timeout::LONGEST);
        assert!(!Timeout::LONGEST.is_infinite());
    }

    #[test]
    fn a_deadline_beyond_the_clock_stops_at_its_end() {
        assert_eq!(Timeout::millis(2).deadline_nanos(7), Some(2_000_007));
        assert_eq!(Timeout::LONGEST.deadline_nanos(u64::MAX - 3), Some(u64::MAX));
    }
}
