//! Secrets: random, and compared without telling by the time it takes how much of a guess was right.

use subtle::ConstantTimeEq as _;

/// 256 random bits, as text for an address or a cookie. It has no `Debug`: it stands in no log.
pub(super) struct Secret(String);

impl Secret {
    /// A new one from the system.
    pub(super) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(
            bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        ))
    }

    /// Its text.
    pub(super) fn text(&self) -> &str {
        &self.0
    }

    /// Whether a guess is it.
    pub(super) fn is(&self, guess: &str) -> bool {
        self.0.as_bytes().ct_eq(guess.as_bytes()).into()
    }
}

const BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_secret_is_another_one_of_256_bits() {
        let (one, two) = (Secret::new().unwrap(), Secret::new().unwrap());
        assert_eq!(one.text().len(), 64);
        assert!(one.text().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(!one.is(two.text()));
        assert!(one.is(one.text()));
        assert!(!one.is(&one.text()[..63]));
        assert!(!one.is(""));
    }
}
