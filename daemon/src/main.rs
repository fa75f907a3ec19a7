//! The program: arguments in, exit status out.

use std::process::ExitCode;

use agentchatd::{
    args::{Args, ExitStatus},
    credentials::variable,
    service,
};

fn main() -> ExitCode {
    let status = match Args::read(std::env::args_os()) {
        Ok(args) => service::run(&args, variable::take_out()),
        Err(status) => status,
    };
    ExitCode::from(ExitStatus::code(status))
}
