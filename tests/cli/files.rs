//! `attach` and `fetch`: files there and back, and what is left where one does not come whole.

use crate::ctl::Ctl;
use crate::golden::Golden;
use crate::stage;
use crate::terminal::Terminal;
use agentchatd_tests::sandbox::StorageFault;
use agentchatd_tests::stage::{Stage, until};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn storage(stage: &Stage, fault: StorageFault) {
    stage.sandbox.faults(|all| all.storage = [fault].into());
}

/// The names in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

/// Uploads this for bob; the attachment's id.
fn attached(stage: &Stage, content: &[u8]) -> String {
    let file = stage.setup.dir.join("up.txt");
    fs::write(&file, content).expect("a file");
    let told = Ctl::new(stage).ok(&[
        "attach",
        file.to_str().expect("UTF-8"),
        "--to",
        "@bob",
        "--json",
    ]);
    let told: Value = serde_json::from_str(&told).expect("one JSON value");
    told["attachment_id"].as_str().expect("an id").to_owned()
}

#[test]
fn a_file_goes_up_is_sent_and_comes_down_again() {
    let stage = stage();
    let _daemon = stage.ready();
    let file = stage.setup.dir.join("a b.txt");
    fs::write(&file, "hello").expect("a file");
    let path = file.to_str().expect("UTF-8");
    let mut golden = Golden::new(&stage, "files");
    golden.run(&["attach", path, "--to", "@bob"]);
    golden.run(&["attach", path, "--to", "@bob", "--send", "look"]);
    let ran = golden.run(&["attach", path, "--to", "@bob", "--send", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).expect("one JSON value");
    let id = told["attachment_id"].as_str().expect("an id");
    let target = stage.setup.dir.join("down.txt");
    let to = target.to_str().expect("UTF-8");
    golden.run(&["fetch", id, "--output", to]);
    assert_eq!(fs::read(&target).expect("the file"), b"hello");
    golden.run(&["fetch", id, "--output", to]);
    golden.run(&["fetch", id, "--output", to, "--force", "--json"]);
    golden.run(&["fetch", "att_nobody_has_this", "--output", "none"]);
    golden.run(&["fetch", "../x"]);
    golden.run(&["attach", path]);
    golden.run(&["attach", "/nowhere/at-all.txt", "--to", "@bob"]);
    golden.run(&["attach", "/", "--to", "@bob"]);
    golden.run(&["attach", path, "--to", "@bob", "--content-type", "a/b"]);
    golden.run(&["attach", path, "--to", "@nobody-at-all"]);
    golden.check();
}

#[test]
fn large_files_come_whole_and_broken_ones_not_at_all() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let id = attached(&stage, &content);
    assert_eq!(
        stage.sandbox.stored_file(&id).as_deref(),
        Some(&content[..])
    );
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("down");
    let fetch = ["fetch", &id, "--output", target.to_str().expect("UTF-8")];
    for fault in [StorageFault::Cut, StorageFault::Corrupt] {
        storage(&stage, fault);
        let ran = ctl.run(&fetch);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(names(folder.path()).is_empty());
    }
    ctl.ok(&fetch);
    assert_eq!(fs::read(&target).expect("the file"), content);
    assert_eq!(names(folder.path()), ["down"]);
}

#[test]
fn a_terminal_shows_how_far_it_is_and_ctrl_c_leaves_no_half_file() {
    let stage = stage();
    let _daemon = stage.ready();
    let ctl = Ctl::new(&stage);
    let id = attached(&stage, &vec![b'x'; 500_000]);
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("down");
    let fetch = ["fetch", &id, "--output", target.to_str().expect("UTF-8")];
    let slow = || StorageFault::Slow {
        bytes: 100_000,
        pause: Duration::from_millis(300),
    };
    storage(&stage, slow());
    let mut terminal = Terminal::open(&ctl, &fetch, 100);
    terminal.expect("KiB/488.28 KiB");
    until("some of it is there", || match names(folder.path()) {
        names if names.is_empty() => Err("nothing".to_owned()),
        _ => Ok(()),
    });
    terminal.press("\u{3}");
    let ran = terminal.end();
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains("it was ended"), "{}", ran.stdout);
    assert!(names(folder.path()).is_empty());
    // Behind a pipe there is no bar.
    storage(&stage, slow());
    let ran = ctl.run(&fetch);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_message_takes_a_file_with_it() {
    let stage = stage();
    let _daemon = stage.ready();
    let file = stage.setup.dir.join("plot.txt");
    fs::write(&file, "a plot").expect("a file");
    let path = file.to_str().expect("UTF-8");
    let ctl = Ctl::new(&stage);
    let told = ctl.ok(&["send", "@bob", "see the plot", "--file", path, "--json"]);
    let told: Value = serde_json::from_str(&told).expect("one JSON value");
    let content = &told["message"]["content"];
    assert_eq!(content["text"], "see the plot");
    let id = content["attachment_id"].as_str().expect("an attachment");
    let stored = stage.sandbox.stored_file(id).expect("it is at the storage");
    assert_eq!(&stored[..], b"a plot");
}
