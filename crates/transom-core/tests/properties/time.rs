use proptest::prelude::*;
use std::time::Duration;
use transom_core::time::Timeout;

proptest! {
    /// Y24: not earlier than the time.
    #[test]
    fn a_wait_is_at_least_as_long_as_asked_for(nanos in 0_u64..4_294_967_294_000_000) {
        let timeout = Timeout::from_duration(Duration::from_nanos(nanos));
        let waited = timeout.as_duration().expect("not infinite");
        prop_assert!(waited >= Duration::from_nanos(nanos));
        prop_assert!(waited - Duration::from_nanos(nanos) < Duration::from_millis(1));
    }

    #[test]
    fn no_duration_is_infinite(secs: u64, nanos in 0_u32..1_000_000_000) {
        prop_assert!(!Timeout::from_duration(Duration::new(secs, nanos)).is_infinite());
    }

    #[test]
    fn a_deadline_is_never_before_now(millis: u32, now: u64) {
        let timeout = Timeout::millis(millis);
        prop_assert_eq!(timeout.as_millis(), millis);
        match timeout.deadline_nanos(now) {
            None => prop_assert_eq!(millis, u32::MAX),
            Some(deadline) => {
                let exact = u128::from(now) + u128::from(millis) * 1_000_000;
                prop_assert_eq!(u128::from(deadline), exact.min(u128::from(u64::MAX)));
            }
        }
    }
}
