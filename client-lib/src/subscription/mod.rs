//! A subscription as a [`Stream`](futures_util::Stream) of events that loses nothing.
//!
//! Each subscription has a connection of its own. It goes on by itself after a broken connection or a
//! restart of the daemon: a durable consumer subscribes again and gets everything after its acked
//! offset, an ephemeral one goes on after the last event that it handed out. An event that was
//! handed out before carries `redelivered`.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use agentchatd_client::subscription::{Options, Subscription};
//! use futures_util::StreamExt;
//!
//! let options = Options::consumer("my-bot")?;
//! let mut events = Subscription::open("/run/agentchatd/agentchatd.sock", options).await?;
//! while let Some(event) = events.next().await {
//!     let event = event?;
//!     // Handle it, and only then:
//!     if let Some(offset) = event.offset {
//!         events.ack(offset).await?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What it checks
//!
//! Offsets rise on each connection, and without a filter each is the one before plus one. A breach is
//! handed out as an error ([`SubscriptionError::Hole`], [`SubscriptionError::NotRising`]) and then the
//! subscription resumes from the last good place. If the same hole is there again, the log itself
//! has it (what was there is past its retention), and the stream goes on behind it. So: after an error for
//! which [`SubscriptionError::is_final`] is false, go on reading.
//!
//! # Slow readers
//!
//! There is no queue in between: the socket is read when the stream is polled and holds no whole
//! event. So a reader that takes its time stops the daemon from sending, not the daemon.
//!
//! # Cancel safety
//!
//! Giving up `next()` loses no event: what was read stays in the subscription. Giving up
//! [`Subscription::ack`] loses no acknowledgement: it is written with the next poll.

mod error;
mod link;
mod options;
mod position;
mod stream;

pub use error::SubscriptionError;
pub use options::Options;
pub use stream::Subscription;
