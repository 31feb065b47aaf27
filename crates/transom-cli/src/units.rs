//! Sizes, times and bytes as people type them.

use std::time::Duration;

use transom::wait::Timeout;

/// A number of bytes: `4096`, `4K`, `64KiB`, `1.5M`, `0x10000`. K, KB and KiB are all 1024.
pub fn size(text: &str) -> Result<u64, String> {
    let problem = || format!("'{text}' is not a size; examples: 4096, 4K, 64KiB, 1M, 0x10000");
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).map_err(|_| problem());
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim().to_ascii_lowercase();
    let shift = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        "t" => 40,
        _ => return Err(problem()),
    };
    scaled(number, 1_u64 << shift).ok_or_else(problem)
}

/// A time: `500ms`, `2s`, `1.5s`, `1m`, `1h`; a plain number is milliseconds, as in Win32.
pub fn duration(text: &str) -> Result<Duration, String> {
    let problem = || format!("'{text}' is not a time; examples: 500 (ms), 500ms, 2s, 1m, 1h");
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let micros = match unit.trim().to_ascii_lowercase().as_str() {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" | "min" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return Err(problem()),
    };
    scaled(number, micros).map(Duration::from_micros).ok_or_else(problem)
}

/// A time that may also be `infinite` (`INFINITE`).
pub fn timeout(text: &str) -> Result<Timeout, String> {
    if text.eq_ignore_ascii_case("infinite") || text.eq_ignore_ascii_case("inf") {
        return Ok(Timeout::INFINITE);
    }
    match duration(text) {
        Ok(duration) => Ok(Timeout::from(duration)),
        Err(problem) => Err(format!("{problem}, infinite")),
    }
}

/// Bytes as pairs of hexadecimal digits; blanks, colons and a leading 0x are allowed.
pub fn hex(text: &str) -> Result<Vec<u8>, String> {
    let body = text.trim().strip_prefix("0x").unwrap_or(text.trim());
    let mut digits = Vec::with_capacity(body.len());
    for c in body.chars().filter(|c| !c.is_whitespace() && *c != ':') {
        match c.to_digit(16) {
            Some(digit) => digits.push(digit as u8),
            None => return Err(format!("'{c}' is not a hexadecimal digit")),
        }
    }
    if digits.len() % 2 != 0 {
        return Err(format!("{} hexadecimal digits do not make whole bytes", digits.len()));
    }
    Ok(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Bytes in hexadecimal, without blanks.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A size for people: `512 B`, `4.0 KiB`.
pub fn readable(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    if value.fract() == 0.0 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

/// `number`, perhaps with a fraction, times `unit`; `None` if it is no number or too large.
fn scaled(number: &str, unit: u64) -> Option<u64> {
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(unit);
    }
    let (whole, fraction) = number.split_once('.')?;
    // Nine digits are finer than any unit here is large enough to show.
    if whole.is_empty() || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let parts = fraction.parse::<u64>().ok()?;
    let part = u128::from(parts) * u128::from(unit) / 10_u128.pow(fraction.len() as u32);
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_every_spelling() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("4K", 4096),
            ("4k", 4096),
            ("4KB", 4096),
            ("64KiB", 65536),
            ("64 KiB", 65536),
            ("1.5M", 1_572_864),
            ("2G", 2 << 30),
            ("0x10000", 65536),
            ("0XfF", 255),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn nonsense_is_not_a_size() {
        for text in
            ["", "K", "x", "4Q", "-1", "0x", "1.K", ".5K", "99999999999999999999", "17179869184G", "1.2.3"]
        {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_read_with_and_without_unit() {
        assert_eq!(duration("500"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("soon").is_err());
        assert!(duration("").is_err());
    }

    /// Y24: waiting for ever has to be asked for by name.
    #[test]
    fn infinite_is_a_timeout_and_not_a_duration() {
        assert_eq!(timeout("INFINITE"), Ok(Timeout::INFINITE));
        assert_eq!(timeout("2s"), Ok(Timeout::millis(2000)));
        assert!(duration("infinite").is_err());
    }

    #[test]
    fn hexadecimal_bytes_may_be_spaced() {
        assert_eq!(hex("0xDEadBEef"), Ok(vec![0xDE, 0xAD, 0xBE, 0xEF]));
        assert_eq!(hex("de ad:be ef"), Ok(vec![0xDE, 0xAD, 0xBE, 0xEF]));
        assert!(hex("abc").is_err());
        assert!(hex("zz").is_err());
        assert_eq!(to_hex(&[0, 0xAB]), "00ab");
    }

    #[test]
    fn sizes_for_people_have_the_largest_fitting_unit() {
        assert_eq!(readable(512), "512 B");
        assert_eq!(readable(4096), "4 KiB");
        assert_eq!(readable(1_572_864), "1.5 MiB");
        assert_eq!(readable(3 << 40), "3 TiB");
    }
}
