//! The corpus of the fuzz target `engine`, without a fuzzer: what was found once stays found.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::schedule;

#[test]
fn schedules_hold_for_their_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/engine");
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let input = fs::read(&path).unwrap();
        let held = catch_unwind(AssertUnwindSafe(|| schedule::of_bytes(&input)));
        assert!(held.is_ok(), "{} breaks a rule", path.display());
        inputs += 1;
    }
    assert!(inputs > 10, "only {inputs} inputs in {}", folder.display());
}
