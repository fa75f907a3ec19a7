//! Where a reader that is not known yet begins.

use agentchatd_client::types::Start;

use crate::hub::Backing;
use crate::store::StoreError;

/// The offset after which a reader that starts at `start` reads.
///
/// # Errors
/// The database refuses.
pub async fn start_after(
    start: &Start,
    backing: &dyn Backing,
    last_offset: u64,
) -> Result<u64, StoreError> {
    match start {
        Start::Now => Ok(last_offset),
        Start::Earliest => {
            let (first, last) = backing.bounds().await?;
            Ok(if first == 0 { last } else { first - 1 })
        }
        Start::Offset(offset) => Ok(offset.saturating_sub(1)),
        Start::Time(time) => {
            backing
                .offset_before(time.unix_ms().saturating_mul(1000))
                .await
        }
    }
}
