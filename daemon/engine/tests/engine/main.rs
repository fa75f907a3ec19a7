//! The engine against a model world: named cases, properties, and a hostile simulator.
//!
//! * [`world`]: a store that carries ops out as SQL would, a platform with every quirk that the
//!   rules must survive, and a runner with virtual time that joins the two through the engine.
//! * [`cases`]: one test for each situation that has sunk a client before.
//! * [`properties`]: generated arrivals against a plain reference.
//! * [`schedule`]: what happens to that world, with faults and a crash at any point.
//! * [`simulation`]: schedules by seed.
//! * [`corpus`]: schedules by the bytes that a fuzzer found.

mod cases;
mod corpus;
mod properties;
mod schedule;
mod simulation;
mod world;
