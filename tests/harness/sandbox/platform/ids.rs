//! Opaque ids of the platform's form: a prefix and 16 characters of base64url.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const ID_CHARS: usize = 16;

/// A source of ids that never repeat within a sandbox and cannot be sorted.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: u64,
    count: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, count: 0 }
    }

    /// `<prefix>_` and 96 scrambled bits.
    pub(crate) fn mint(&mut self, prefix: &str) -> String {
        let bits = self.scrambled();
        let mut id = String::with_capacity(prefix.len() + 1 + ID_CHARS);
        id.push_str(prefix);
        id.push('_');
        for place in 0..ID_CHARS {
            let six = (bits >> (place * 6)) & 0x3f;
            id.push(char::from(ALPHABET[six as usize]));
        }
        id
    }

    /// The number behind a delivery id (`del_` and 32 hexadecimal digits).
    pub(crate) fn delivery(&mut self) -> u128 {
        self.scrambled()
    }

    /// A key of the platform's form for agents that register themselves.
    pub(crate) fn key(&mut self) -> String {
        let first = self.mint("ac");
        let second = self.mint("");
        let third = self.mint("");
        format!("{first}{}{}", &second[1..], &third[1..])
    }

    fn scrambled(&mut self) -> u128 {
        self.count += 1;
        let low = mix(self.seed ^ self.count);
        let high = mix(low ^ self.count.rotate_left(32));
        (u128::from(high) << 64) | u128::from(low)
    }
}

/// SplitMix64's finaliser: a bijection, so distinct counts give distinct ids.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A delivery id as text.
pub(crate) fn delivery_text(delivery: u128) -> String {
    format!("del_{delivery:032x}")
}

/// The number of a delivery id; `None` for anything else, capitals included.
pub(crate) fn parse_delivery(text: &str) -> Option<u128> {
    let hex = text.strip_prefix("del_")?;
    let fine = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    fine.then(|| u128::from_str_radix(hex, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_have_the_platforms_form_and_never_repeat() {
        let mut ids = Ids::new(7);
        let made: HashSet<String> = (0..10_000).map(|_| ids.mint("msg")).collect();
        assert_eq!(made.len(), 10_000);
        assert!(
            made.iter()
                .all(|id| id.len() == 20 && id.starts_with("msg_"))
        );
        assert!(ids.key().len() == 51 && ids.key().starts_with("ac_"));
    }

    #[test]
    fn delivery_ids_are_read_back_and_foreign_forms_are_not() {
        let text = delivery_text(255);
        assert_eq!(parse_delivery(&text), Some(255));
        for bad in [
            "",
            "junk",
            "del_ff",
            &text.to_uppercase(),
            "msg_0000000000000000",
        ] {
            assert_eq!(parse_delivery(bad), None, "{bad}");
        }
    }
}
