//! The load, the kills and the restarts.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use agentchatd_tests::daemon::Setup;
use agentchatd_tests::sandbox::{Chaos, Cut, Late, Options, Sandbox, To};
use serde_json::json;

use crate::matrix::{MOMENTS, Matrix};
use crate::verdict::{self, Acknowledged};

/// How many kills in all.
pub(crate) fn kills() -> u64 {
    from_env("AGENTCHATD_KILLS", 1_000)
}

fn from_env(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// Kills the daemon `kills` times under load, then lets it come to rest and judges. `unreachable`
/// names the steps that this platform never leads to.
pub(crate) fn campaign(name: &str, options: Options, kills: u64, unreachable: &[&str]) {
    let seed = from_env("AGENTCHATD_CRASH_SEED", 7);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let options = Options {
        sends_per_second: None,
        group_sends_per_second: None,
        cold_cap: None,
        drain_pause: Duration::from_millis(5),
        heartbeat: Duration::from_secs(1),
        pong_deadline: Duration::from_secs(1),
        seed,
        ..options
    };
    let sandbox = Arc::new(
        runtime
            .block_on(Sandbox::start(options))
            .expect("the sandbox starts"),
    );
    let key = sandbox.agent("me").key().to_owned();
    for peer in PEERS {
        sandbox.agent(peer);
    }
    let group = sandbox.group("ann", "crash", &["me", "bob", "cleo"]);

    let dir = tempfile::tempdir().expect("a folder");
    let binary = Path::new(env!("CARGO_BIN_EXE_agentchatd"));
    let setup = Setup::new(binary, dir.path(), &sandbox.base_url(), &key);
    let mut rng = Rng(seed ^ 0x5eed);
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(AtomicU64::new(0));

    let mut daemon = setup.start().expect("the daemon starts");
    daemon.ready().expect("it connects");
    let mut consumer = Consumer::start(&setup, dir.path());
    sandbox.faults(|faults| {
        faults.chaos = Some(Chaos {
            seed,
            drop: 10,
            suppress: 20,
            repeat: 30,
            swap: 50,
            cut: 2,
            lose_answer: 20,
            bad_gateway: 20,
        });
    });
    let peers = {
        let (sandbox, stop, group, seed) =
            (Arc::clone(&sandbox), Arc::clone(&stop), group.clone(), seed);
        thread::spawn(move || talk(&sandbox, &stop, &group, Rng(seed)))
    };
    let sender = {
        let (setup, stop, accepted) = (setup.clone(), Arc::clone(&stop), Arc::clone(&accepted));
        thread::spawn(move || answer(&setup, &stop, &accepted, &group))
    };

    daemon.kill().expect("the daemon can be killed");
    let mut acknowledged = Acknowledged::default();
    let mut matrix = Matrix::default();
    let reachable = MOMENTS
        .into_iter()
        .filter(|moment| !unreachable.contains(&moment.name()));
    for (kill, moment) in (0..kills).zip(reachable.cycle()) {
        if rng.below(8) == 0 {
            sandbox.cut("me", &rng.cut());
        }
        matrix.kill(moment, &sandbox, &setup, &mut rng);
        acknowledged.stand_on_disk(&sandbox, &setup.database(), kill);
        if rng.below(2) == 0 {
            consumer.kill();
            consumer = Consumer::start(&setup, dir.path());
        }
    }
    let mut daemon = setup
        .start()
        .unwrap_or_else(|error| panic!("start after the last kill: {error}"));
    let recovering = Instant::now();

    stop.store(true, Ordering::Relaxed);
    let spoken = peers.join().expect("the peers' thread lives");
    let sent = sender.join().expect("the sender's thread lives");
    sandbox.faults(|faults| faults.chaos = None);
    sandbox.release_held();
    let report = verdict::at_rest(&sandbox, &setup, &daemon, &consumer.file, &sent);
    let accepted = accepted.load(Ordering::Relaxed);
    let recovered = recovering.elapsed();
    println!(
        "{name}: {kills} kills, peers wrote {spoken}, {accepted} sends accepted; {report}; \
         whole {recovered:.1?} after the last start{matrix}"
    );
    assert!(spoken >= kills, "the load was real");
    matrix.was_hit();
    daemon.kill().expect("the daemon can be killed");
    runtime.block_on(async {
        if let Ok(sandbox) = Arc::try_unwrap(sandbox) {
            sandbox.shutdown().await;
        }
    });
}

/// Peers write in bursts until told to stop; how many messages they wrote.
fn talk(sandbox: &Sandbox, stop: &AtomicBool, group: &str, mut rng: Rng) -> u64 {
    let mut written = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..1 + rng.below(6) {
            let peer = PEERS[usize::try_from(rng.below(PEERS.len() as u64)).expect("small")];
            written += 1;
            let content = json!({"text": format!("{peer} {written}")});
            if rng.below(40) == 0 {
                sandbox.send_late(peer, To::Handle("me"), content, rng.late());
            } else if rng.below(4) == 0 && peer != "dora" {
                sandbox.send(peer, To::Conversation(group), content);
            } else {
                sandbox.send(peer, To::Handle("me"), content);
            }
        }
        if rng.below(200) == 0 {
            sandbox.cut("me", &rng.cut());
        }
        // The pace of the load.
        thread::sleep(Duration::from_millis(5 + rng.below(10)));
    }
    written
}

/// A local program that sends through the daemon, again with the same id until it is accepted.
fn answer(setup: &Setup, stop: &AtomicBool, accepted: &AtomicU64, group: &str) -> Vec<String> {
    let mut sent = Vec::new();
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let id = format!("crash-{number}");
        let target = match number % 4 {
            0 => json!({"conversation_id": group}),
            n => json!({"to": PEERS[n]}),
        };
        let mut params = target;
        params["text"] = json!(format!("answer {number}"));
        params["client_msg_id"] = json!(id);
        params["delivery"] = json!("queue");
        loop {
            let done =
                agentchatd_tests::raw::Raw::connect(&setup.socket(), Duration::from_secs(30))
                    .and_then(|mut raw| raw.result("messages.send", &params));
            if done.is_ok() {
                accepted.fetch_add(1, Ordering::Relaxed);
                sent.push(id);
                break;
            }
            if stop.load(Ordering::Relaxed) {
                return sent;
            }
            // The daemon is being killed and started; its socket sends no signal.
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(10));
    }
    sent
}

/// The consumer process.
pub(crate) struct Consumer {
    child: Child,
    pub(crate) file: PathBuf,
}

impl Consumer {
    fn start(setup: &Setup, dir: &Path) -> Self {
        let file = dir.join("consumed");
        let child = Command::new(consumer_binary())
            .arg(setup.socket())
            .arg("crash-consumer")
            .arg(&file)
            .spawn()
            .expect("the consumer starts");
        Self { child, file }
    }

    fn kill(&mut self) {
        self.child.kill().expect("the consumer can be killed");
        self.child.wait().expect("it can be waited for");
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// The consumer is a program of another package: built once, by the cargo that runs this test.
fn consumer_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        agentchatd_tests::daemon::build("agentchatd-tests", "agentchatd-test-consumer")
            .expect("the consumer builds")
    })
}

/// Small and seeded, so that a schedule can be repeated.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn cut(&mut self) -> Cut {
        let for_ = Duration::from_millis(300);
        match self.below(6) {
            0 => Cut::Reset,
            1 => Cut::Drop,
            2 => Cut::MidFrame,
            3 => Cut::Silent { for_ },
            4 => Cut::HalfOpen { for_ },
            _ => Cut::Clean {
                code: 1013,
                reason: "overload".into(),
            },
        }
    }

    fn late(&mut self) -> Late {
        if self.below(2) == 0 {
            Late::AfterPage
        } else {
            Late::AfterAck
        }
    }
}

/// Waits until a condition holds that sends no signal.
pub(crate) fn until(what: &str, patience: Duration, mut holds: impl FnMut() -> Result<(), String>) {
    let deadline = Instant::now() + patience;
    loop {
        match holds() {
            Ok(()) => return,
            Err(why) if Instant::now() > deadline => panic!("{what} after {patience:?}: {why}"),
            Err(_) => thread::sleep(Duration::from_millis(50)),
        }
    }
}

const PEERS: [&str; 4] = ["ann", "bob", "cleo", "dora"];
