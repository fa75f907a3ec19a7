//! Schedules of the engine's simulator; what must hold stands in `daemon/engine/tests/engine`.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../daemon/engine/tests/engine/schedule/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the simulation uses more of it")]
mod schedule;
#[path = "../../daemon/engine/tests/engine/world/mod.rs"]
#[expect(dead_code, reason = "the named cases use more of it")]
mod world;

fuzz_target!(|input: &[u8]| schedule::of_bytes(input));
