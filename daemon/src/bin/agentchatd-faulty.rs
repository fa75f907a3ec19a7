//! The daemon with failpoints, for tests: it can be killed and slowed down at named steps. See
//! `agentchatd::failpoint`.

use std::process::ExitCode;

use agentchatd::{
    args::{Args, ExitStatus},
    credentials::variable,
    failpoint, service,
};

fn main() -> ExitCode {
    let _listening = failpoint::listen();
    let status = match Args::read(std::env::args_os()) {
        Ok(args) => service::run(&args, variable::take_out()),
        Err(status) => status,
    };
    ExitCode::from(ExitStatus::code(status))
}
