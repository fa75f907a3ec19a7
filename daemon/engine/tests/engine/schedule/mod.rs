//! Schedules against a hostile platform: what a seed or a fuzzer's bytes make happen.
//!
//! * [`step`]: what a schedule does to the world.
//! * [`run`]: runs a schedule, and what must hold in the end.
//! * [`odd`]: rows that no sane platform sends.
//!
//! The simulator and the fuzz target `engine` share this folder and [`crate::world`].

mod odd;
mod run;
mod step;

pub(crate) use run::{Plan, Schedule, of_bytes};
