//! The corpora of the fuzz targets, without a fuzzer: what was found once stays found.

use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use super::{config, frame, lines, pages};

/// Runs a property over every input of a target.
#[track_caller]
fn replay(target: &str, property: fn(&[u8])) {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    let folder = corpus.join(target);
    let mut inputs = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let input = fs::read(&path).unwrap();
        let held = catch_unwind(|| property(&input));
        assert!(held.is_ok(), "{} breaks {target}", path.display());
        inputs += 1;
    }
    assert!(inputs > 10, "only {inputs} inputs in {}", folder.display());
}

#[test]
fn lines_hold_for_their_corpus() {
    replay("lines", lines);
}

#[test]
fn frames_hold_for_their_corpus() {
    replay("frame", frame);
}

#[test]
fn pages_hold_for_their_corpus() {
    replay("pages", pages);
}

#[test]
fn the_configuration_holds_for_its_corpus() {
    replay("config", config);
}
