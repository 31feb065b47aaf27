//! Cookies: 16 random bytes that tell one object from every other. Names carry the bytes, shared memory two words.

/// The words of a cookie.
pub(crate) fn words(cookie: &[u8; 16]) -> [u64; 2] {
    let all = u128::from_le_bytes(*cookie);
    [all as u64, (all >> 64) as u64]
}

/// The bytes of a cookie's words.
pub(crate) fn bytes([first, second]: [u64; 2]) -> [u8; 16] {
    (u128::from(first) | u128::from(second) << 64).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookies_words_are_its_bytes_in_order() {
        let cookie = std::array::from_fn(|index| index as u8 + 1);
        assert_eq!(words(&cookie), [0x0807_0605_0403_0201, 0x100F_0E0D_0C0B_0A09]);
        assert_eq!(bytes(words(&cookie)), cookie);
    }
}
