//! The configuration file; what must hold stands in `daemon/src/fuzzing`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| agentchatd::fuzzing::config(input));
