//! `agentchatd-bench`: how fast the release daemon is, beside its limits in the same run.
//!
//! Each part measures one thing and what bounds it (the bare disk, the bare socket, the official
//! Python SDK), and [`report`] prints both with their ratio. Nothing here is a test: figures of a
//! busy machine fail nobody. `--judge` makes a missed bar the exit status.
//!
//! | Part | What |
//! |---|---|
//! | [`backlog`] | what waited at the platform, from the daemon's start to a durable consumer |
//! | [`live`] | from a push of the platform to the event line, at a steady pace |
//! | [`rpc`] | calls of one connection |
//! | [`memory`] | the resident size |
//! | [`feed`] | the log to one consumer, and to a fast one beside slow ones |
//! | [`push`] | the sandbox as a source of load |
//! | [`stall`] | pings that are answered while the disk stalls |
#![expect(clippy::print_stdout, reason = "the benchmark talks to a person")]

mod backlog;
mod consumer;
mod feed;
mod limits;
mod live;
mod memory;
mod pages;
mod push;
mod report;
mod retention;
mod rpc;
mod sdk;
mod stage;
mod stall;

use agentchatd_tests::{daemon, figures};
use clap::Parser;
use report::Report;
use stage::Scale;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Measures agentchatd beside its limits.
#[derive(Debug, Parser)]
struct Arguments {
    /// Small figures, to see that everything runs.
    #[arg(long)]
    quick: bool,
    /// End with a failure where a bar is missed.
    #[arg(long)]
    judge: bool,
    /// Write the figures to this file as well.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Only these parts.
    #[arg(long, value_name = "PART", value_parser = PARTS)]
    only: Vec<String>,
    /// Leave the Python SDK out.
    #[arg(long)]
    no_sdk: bool,
    /// Where the daemon's files go; the disk of this folder is measured. Default: beside this
    /// program.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The names of the parts, in their order.
const PARTS: [&str; 8] = [
    "push",
    "backlog",
    "live",
    "rpc",
    "memory",
    "feed",
    "stall",
    "retention",
];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(met) if met || !arguments.judge => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            println!("the benchmark broke off: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> io::Result<bool> {
    figures::allow_many_files();
    println!("building the daemon");
    let binary = daemon::build("agentchatd", "agentchatd")?;
    let beside = binary.parent().map(PathBuf::from).unwrap_or_default();
    let dir = arguments.dir.clone().unwrap_or(beside);
    let scale = if arguments.quick {
        Scale::quick()
    } else {
        Scale::full()
    };
    let lab = stage::Lab::new(binary, dir, scale)?;
    let mut report = Report::default();
    let wanted = |part: &str| arguments.only.is_empty() || arguments.only.iter().any(|p| p == part);
    type Part = fn(&stage::Lab, &mut Report) -> io::Result<()>;
    let backlog = if arguments.no_sdk {
        backlog::measure
    } else {
        backlog::measure_beside_sdk
    };
    let parts: [Part; 8] = [
        push::measure,
        backlog,
        live::measure,
        rpc::measure,
        memory::measure,
        feed::measure,
        stall::measure,
        retention::measure,
    ];
    for (name, part) in PARTS.into_iter().zip(parts) {
        if wanted(name) {
            println!("measuring: {name}");
            part(&lab, &mut report)?;
        }
    }
    println!("\n{report}");
    if let Some(file) = &arguments.json {
        std::fs::write(file, report.json(arguments.quick))?;
    }
    Ok(report.bars_are_met())
}
