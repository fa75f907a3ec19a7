//! What holds of each reader, whatever bytes it is given: what the fuzz targets in `fuzz/` run, and
//! what the tests run over their corpora.
//!
//! Each function takes any bytes and panics where a property does not hold. In no ordinary build:
//! only tests and the feature `fuzzing` have this module.
//!
//! | function | reader | what must hold |
//! |---|---|---|
//! | [`lines`] | NDJSON and requests | the pieces in which bytes come change nothing; a bad value costs its line and no other; what is read is what stands there |
//! | [`frame`] | frames of the platform | what is kept is the platform's own text; nothing readable is passed over |
//! | [`pages`] | sync, history, the conversation list | the same, and a page of sync ends before its first unreadable row |
//! | [`config`] | the configuration file | an accepted text means the same after it was written anew; each problem names file, line and key, and no secret |

mod config;
mod lines;
mod wire;

#[cfg(test)]
mod corpus_tests;

pub use config::config;
pub use lines::lines;
pub use wire::{frame, pages};
