//! The signature of a webhook, in both of its forms.
//!
//! The bare form is hex of HMAC-SHA256 over the body. The other is `t=<unix seconds>,v1=<hex>`,
//! signed over the time, a dot and the body, so that an old delivery cannot be played again. As
//! the official library does, pairs may stand in any order, the last of a name counts, and where
//! no time can be read the body alone is what was signed.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use sha2::Sha256;

/// Why a webhook is not taken for AgentChat's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no signature.
    #[error("there is no signature")]
    MissingSignature,
    /// The signature has another form.
    #[error("the signature is neither hex nor `t=..,v1=hex`")]
    MalformedSignature,
    /// It was signed too long ago, or too far in the future.
    #[error("the signature's time is too far from now")]
    TimestampSkew,
    /// Another secret, or another body.
    #[error("the signature does not fit the payload and the secret")]
    BadSignature,
    /// It is signed, and no JSON object.
    #[error("the payload is no JSON object")]
    MalformedPayload,
}

impl Rejection {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingSignature => "missing_signature",
            Self::MalformedSignature => "malformed_signature",
            Self::TimestampSkew => "timestamp_skew",
            Self::BadSignature => "bad_signature",
            Self::MalformedPayload => "malformed_payload",
        }
    }
}

/// Checks a payload against its signature header; gives the JSON object that it is. `now` is in
/// seconds since the epoch; a tolerance of 0 takes a signature of any time.
///
/// # Errors
/// See [`Rejection`]; the first that holds, in its order.
pub fn verify<'p>(
    payload: &'p [u8],
    signature: Option<&str>,
    secret: &str,
    tolerance_seconds: u32,
    now: f64,
) -> Result<&'p RawValue, Rejection> {
    let header = signature.map(str::trim).filter(|text| !text.is_empty());
    let header = header.ok_or(Rejection::MissingSignature)?;
    let Signature { time, digest } = Signature::read(header)?;
    let tolerance = f64::from(tolerance_seconds);
    if let Some(time) = time
        && tolerance > 0.0
        && (now - time).abs() > tolerance
    {
        return Err(Rejection::TimestampSkew);
    }
    // HMAC takes a key of any length.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| Rejection::BadSignature)?;
    if let Some(time) = time {
        mac.update(format!("{time:.0}.").as_bytes());
    }
    mac.update(payload);
    // In constant time; hex of an odd length is no digest at all.
    let digest = digest.ok_or(Rejection::BadSignature)?;
    mac.verify_slice(&digest)
        .map_err(|_| Rejection::BadSignature)?;
    let object: &RawValue =
        serde_json::from_slice(payload).map_err(|_| Rejection::MalformedPayload)?;
    if object.get().starts_with('{') {
        Ok(object)
    } else {
        Err(Rejection::MalformedPayload)
    }
}

/// What a header says.
#[derive(Debug)]
struct Signature {
    /// Whole seconds since the epoch.
    time: Option<f64>,
    /// `None` for hex of an odd length.
    digest: Option<Vec<u8>>,
}

impl Signature {
    fn read(header: &str) -> Result<Self, Rejection> {
        let (mut time, mut hex) = (None, None);
        if header.contains('=') {
            for (name, value) in header.split(',').filter_map(|pair| pair.split_once('=')) {
                match name.trim() {
                    "t" => time = seconds(value.trim()),
                    "v1" => hex = Some(value.trim()),
                    _ => {}
                }
            }
        } else {
            hex = Some(header);
        }
        let is_hex = |hex: &&str| !hex.is_empty() && hex.bytes().all(|c| c.is_ascii_hexdigit());
        let hex = hex.filter(is_hex).ok_or(Rejection::MalformedSignature)?;
        Ok(Self {
            time,
            digest: bytes(hex),
        })
    }
}

/// A time of the header; a fraction is cut off.
fn seconds(text: &str) -> Option<f64> {
    let seconds: f64 = text.parse().ok()?;
    let seconds = seconds.trunc();
    (seconds.abs() < LATEST).then_some(seconds)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| {
        char::from(c)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    hex.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

/// Whole numbers below it are exact.
const LATEST: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/fixtures/vectors/webhook_verify-1.0.3.json"
    ));

    #[test]
    fn every_recorded_case_ends_as_with_the_official_library() {
        let rows: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        assert!(rows.len() > 25);
        for row in rows {
            let text = |name: &str| row[name].as_str();
            let tolerance = row["tolerance_seconds"].as_u64().unwrap();
            let payload = text("payload").unwrap();
            let verified = verify(
                payload.as_bytes(),
                text("signature"),
                text("secret").unwrap(),
                u32::try_from(tolerance).unwrap(),
                row["now"].as_f64().unwrap(),
            );
            match text("reason") {
                Some(reason) => assert_eq!(verified.unwrap_err().as_str(), reason, "{row}"),
                None => assert_eq!(verified.unwrap().get(), payload, "{row}"),
            }
        }
    }

    #[test]
    fn odd_headers_are_refused_and_nothing_panics() {
        let check = |header: &str| verify(b"{}", Some(header), "s", 300, 0.0).unwrap_err();
        for header in [
            "=",
            "t=,v1=",
            "v1",
            ",",
            "t=1,v1=é",
            "t=1;v1=00",
            "0x00",
            "v1=0 0",
        ] {
            assert_eq!(check(header), Rejection::MalformedSignature, "{header}");
        }
        for header in ["0", "v1=000", "t=inf,v1=00", "t=1e300,v1=00", "t=-1,v1=00"] {
            assert_eq!(check(header), Rejection::BadSignature, "{header}");
        }
        assert_eq!(check("  "), Rejection::MissingSignature);
        assert_eq!(check("t=301,v1=00"), Rejection::TimestampSkew);
    }
}
