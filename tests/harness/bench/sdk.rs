//! The official Python SDK beside the daemon: the same backlog into a handler that only counts.

use crate::stage::Stage;
use serde_json::Value;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python that has the SDK.
#[derive(Debug)]
pub(crate) struct Sdk {
    python: PathBuf,
    script: PathBuf,
}

/// Installs the SDK into a virtual environment in `dir`, unless it is there.
pub(crate) fn install(dir: &Path) -> io::Result<Sdk> {
    let home = dir.join(format!("python-sdk-{VERSION}"));
    let python = home.join("bin/python");
    let complete = home.join("complete");
    if !complete.exists() {
        finished(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&home),
        )?;
        let package = format!("agentchatme=={VERSION}");
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            &package,
        ];
        finished(Command::new(&python).args(pip))?;
        std::fs::write(&complete, "")?;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("harness/bench/sdk_drain.py");
    Ok(Sdk { python, script })
}

impl Sdk {
    /// Seconds from its `connect()` until its handler has seen every row once; the time that
    /// Python takes to start is given to it.
    pub(crate) fn drain(&self, stage: &Stage, rows: usize) -> io::Result<f64> {
        let output = Command::new(&self.python)
            .arg(&self.script)
            .arg(stage.sandbox.base_url())
            .arg(rows.to_string())
            .env("AGENTCHAT_BENCH_KEY", &stage.key)
            .env("NO_PROXY", "127.0.0.1")
            .env("no_proxy", "127.0.0.1")
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer: Option<Value> = serde_json::from_str(&text).ok();
        answer
            .and_then(|answer| answer["seconds"].as_f64())
            .ok_or_else(|| {
                let errors = String::from_utf8_lossy(&output.stderr);
                io::Error::other(format!(
                    "the SDK's script: {} {text} {errors}",
                    output.status
                ))
            })
    }
}

fn finished(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        let program = command.get_program().to_string_lossy();
        io::Error::other(format!("{program}: {error}"))
    })?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let last = errors.lines().last().unwrap_or_default();
    Err(io::Error::other(format!("{}: {last}", output.status)))
}

/// The release that the daemon is measured beside.
const VERSION: &str = "1.1.1";
