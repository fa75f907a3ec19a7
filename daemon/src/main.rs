//! The program: arguments in, exit status out.

use std::process::ExitCode;

use agentchatd::{
    args::{Args, ExitStatus},
    config::Environment,
    service,
};

fn main() -> ExitCode {
    let status = match Args::read(std::env::args_os()) {
        Ok(args) => service::run(&args, Environment::of_process()),
        Err(status) => status,
    };
    ExitCode::from(ExitStatus::code(status))
}
