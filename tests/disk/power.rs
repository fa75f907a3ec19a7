//! Power cuts (promise 1 with `durability = "full"`).
//!
//! A library under the daemon records each change of its files while messages, sends and
//! acknowledgements flow. From the record the files are made as a power cut at some moment may have
//! left them: what was synced, and an arbitrary part of the rest. Everything that anybody was told
//! before that moment must stand in them.
//!
//! `AGENTCHATD_POWER_IMAGES` sets how many images of each run are looked at (300),
//! `AGENTCHATD_POWER_SEED` which ones.

#[path = "power/dice.rs"]
mod dice;
#[path = "power/image.rs"]
mod image;
#[path = "power/judge.rs"]
mod judge;
#[path = "power/load.rs"]
mod load;
#[path = "power/record.rs"]
mod record;

use std::fs;
use std::path::Path;

use agentchatd_tests::daemon::Setup;
use agentchatd_tests::shim::{EIO, Shim, Slot};
use serde_json::json;

use dice::Dice;
use image::Disk;
use load::{Fact, Run};
use record::{Op, Record};

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Moments at which the power fails, rising: before and behind syncs, and any others.
fn cuts(records: &[Record], dice: &mut Dice) -> Vec<usize> {
    let is_sync = |record: &Record| matches!(record.op, Op::Sync { .. } | Op::DirSync { .. });
    let syncs: Vec<usize> = (0..records.len())
        .filter(|&at| is_sync(&records[at]))
        .collect();
    let images = from_env("AGENTCHATD_POWER_IMAGES", 300);
    let mut cuts: Vec<usize> = (0..images)
        .map(|image| match image % 3 {
            0 => syncs[dice.below(syncs.len())],
            1 => syncs[dice.below(syncs.len())] + 1,
            _ => dice.below(records.len() + 1),
        })
        .collect();
    cuts.sort_unstable();
    cuts
}

/// What came of the images of a run.
#[derive(Debug, Default)]
struct Report {
    images: usize,
    checked: usize,
    /// Images with losses, and the facts that were lost.
    with_losses: usize,
    lost: Vec<(usize, Fact)>,
}

/// Makes images of a run and judges each; some of them are handed to `start` as well.
fn look_at_images(run: &Run, mut start: impl FnMut(&Path, usize)) -> Report {
    let mut dice = Dice::new(from_env("AGENTCHATD_POWER_SEED", 7));
    let state = run.stage.setup.dir.join("state");
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut disk = Disk::default();
    let mut report = Report::default();
    let cuts = cuts(&run.records, &mut dice);
    for (number, cut) in cuts.iter().copied().enumerate() {
        disk.follow(&run.records, cut);
        let files = disk.cut(&mut dice);
        let image = folder.path().join(number.to_string());
        judge::lay_out(&files, &state, &image);
        let losses = judge::judge(&image, &run.told, cut);
        report.images += 1;
        report.checked += losses.checked;
        let is_whole = losses.lost.is_empty();
        report.with_losses += usize::from(!is_whole);
        let lost = losses.lost.into_iter().map(|fact| (cut, fact));
        report.lost.extend(lost);
        if is_whole && number % (cuts.len() / STARTED) == cuts.len() / STARTED - 1 {
            // Anew: whoever looked has mended it.
            fs::remove_dir_all(&image).expect("it can be removed");
            judge::lay_out(&files, &state, &image);
            start(&image, cut);
        }
        fs::remove_dir_all(&image).expect("it can be removed");
    }
    report
}

/// The real daemon on an image: the log becomes whole again, and what was told still holds.
fn comes_back(run: &Run, image: &Path, cut: usize) {
    let told: Vec<&Fact> = run
        .told
        .iter()
        .filter(|told| told.records <= cut)
        .map(|told| &told.fact)
        .collect();
    if told.is_empty() {
        // Before its birth nothing is promised of older messages.
        return;
    }
    let home = tempfile::tempdir().expect("a folder can be made");
    let setup = Setup {
        dir: home.path().into(),
        env: Setup::new(Path::new(""), home.path(), "", "").env,
        ..run.stage.setup.clone()
    };
    // The folder as it was made by a daemon; its files are an image.
    fs::rename(image, home.path().join("state")).expect("it can be moved");
    fs::create_dir_all(image).expect("a folder can be made");
    let mut daemon = setup.start().expect("it starts on what is left");
    run.stage.settle(&daemon);
    let log = run.stage.log_is_whole(&daemon);
    for fact in told {
        if let Fact::Given(offset, id) = fact {
            let event = &log[usize::try_from(*offset).expect("small") - 1];
            assert_eq!(
                event["message_id"],
                json!(id),
                "offset {offset} after {cut}"
            );
        }
    }
    assert!(daemon.stop().expect("it stops").success());
}

/// A run and its images with `durability = "full"`, in which nothing may be missing.
fn nothing_is_lost(name: &str, trouble: impl Fn(&Shim, u32)) -> Run {
    let run = load::run("full", trouble);
    let report = look_at_images(&run, |image, cut| comes_back(&run, image, cut));
    println!(
        "{name}: {} changes, {} facts told; {} images, {} facts looked up, {} lost",
        run.records.len(),
        run.told.len(),
        report.images,
        report.checked,
        report.lost.len(),
    );
    assert!(
        report.lost.is_empty(),
        "{:?}",
        &report.lost[..report.lost.len().min(10)]
    );
    assert!(
        report.checked > 10_000,
        "the load was real: {}",
        report.checked
    );
    run
}

#[test]
fn a_power_cut_loses_nothing_that_anybody_was_told() {
    let run = nothing_is_lost("full", |_, _| {});
    let of = |fits: fn(&Fact) -> bool| run.told.iter().filter(|told| fits(&told.fact)).count();
    let kinds = [
        of(|fact| matches!(fact, Fact::Acknowledged(_))),
        of(|fact| matches!(fact, Fact::Accepted(_))),
        of(|fact| matches!(fact, Fact::Done(_))),
        of(|fact| matches!(fact, Fact::Given(..))),
    ];
    assert!(kinds.iter().all(|kind| *kind > 50), "{kinds:?}");
    // The record has what a power cut is most likely to spoil.
    let files = |ends: &str| {
        let made = |record: &&Record| matches!(&record.op, Op::Made { path, .. } if path.to_string_lossy().ends_with(ends));
        run.records.iter().filter(made).count()
    };
    assert_eq!((files("state.db"), files("state.db-wal")), (1, 1));
    let folded = run.records.iter().filter(
        |record| matches!(record.op, Op::Write { at: 0, ref data, .. } if data.len() == 32),
    );
    assert!(folded.count() > 1, "the write-ahead log began anew");
}

/// Guards the test above: where SQLite does not sync each commit, it finds losses.
#[test]
fn normal_durability_loses_in_a_power_cut_what_full_keeps() {
    let run = load::run("normal", |_, _| {});
    let report = look_at_images(&run, |_, _| {});
    println!(
        "normal: {} changes, {} facts told; {} images, {} with losses, {} of {} facts lost",
        run.records.len(),
        run.told.len(),
        report.images,
        report.with_losses,
        report.lost.len(),
        report.checked,
    );
    let lost = |fits: fn(&Fact) -> bool| report.lost.iter().any(|(_, fact)| fits(fact));
    assert!(lost(|fact| matches!(fact, Fact::Acknowledged(_))));
    assert!(lost(|fact| matches!(fact, Fact::Accepted(_))));
    assert!(lost(|fact| matches!(fact, Fact::Done(_))));
    assert!(lost(|fact| matches!(fact, Fact::Given(..))));
}

/// A kernel may forget what a failed fsync was to write, and call the next one good.
#[test]
fn a_power_cut_after_syncs_that_failed_loses_nothing_either() {
    let run = nothing_is_lost("full, failed syncs", |shim, round| {
        let fail = |which, count| {
            shim.set(Slot::SyncErrno, EIO);
            shim.set(Slot::SyncWhich, which);
            shim.set(Slot::SyncFails, count);
        };
        match round {
            // A commit; then the folding in, again and again; then whatever comes.
            10 => fail(2, 1),
            30 => fail(1, -1),
            70 => fail(2, 1),
            90 => fail(0, 1),
            _ => {}
        }
        // A round on a disk that refuses is over at once: the load waits for it.
        std::thread::sleep(PACE);
    });
    let failed = |record: &&Record| matches!(record.op, Op::Sync { failed: true, .. });
    assert!(run.records.iter().filter(failed).count() > 2);
}

/// Images of a run on which the daemon is started.
const STARTED: usize = 6;
/// Between the rounds of a load whose disk fails.
const PACE: std::time::Duration = std::time::Duration::from_millis(50);
