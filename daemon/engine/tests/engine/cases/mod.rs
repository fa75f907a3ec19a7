//! Situations that have sunk a client before, each with its name.

mod beginnings;
mod closes;
mod day;
mod holes;
mod identity;
mod legacy;
mod link;
mod order;
mod pitfalls;
mod rate;
mod replacing;
mod sends;
mod steering;
mod sync;
mod waits;
