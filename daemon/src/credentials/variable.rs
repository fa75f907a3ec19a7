//! A key that came as `AGENTCHAT_API_KEY` is taken out of the process's environment.
//!
//! `/proc/PID/environ` shows what a program was started with, for as long as it runs and whatever
//! it does to its variables. So the program starts itself anew, under the same process id: without
//! the variable, and with the key in a pipe as its standard input, which the daemon has no other use
//! for.

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use secrecy::{ExposeSecret, SecretString};

use crate::config::{Environment, KEY_VARIABLE};

/// The environment of this process, the key in it where nothing else can see it. Where the program
/// must be started anew for that, this does not return.
#[must_use]
pub fn take_out() -> Environment {
    let mut environment = Environment::of_process();
    if environment.var(HANDED_OVER).is_some() {
        environment.keep_key(handed_over());
    } else if let Some(key) = environment.key()
        && key.expose_secret().len() <= LONGEST
    {
        let failed = start_anew(key);
        // The log is not there yet. Nobody is helped by a daemon that does not start.
        let _ = writeln!(
            io::stderr(),
            "agentchatd: {KEY_VARIABLE} stays in /proc/PID/environ: {failed}"
        );
    }
    environment
}

/// Returns only where it cannot be done.
fn start_anew(key: &SecretString) -> io::Error {
    let prepared = || -> io::Result<Command> {
        let (from, mut to) = io::pipe()?;
        // It fits into the pipe, so nobody has to read yet.
        to.write_all(key.expose_secret().as_bytes())?;
        let mut arguments = env::args_os();
        let mut command = Command::new(env::current_exe()?);
        if let Some(name) = arguments.next() {
            command.arg0(name);
        }
        command
            .args(arguments)
            .env_remove(KEY_VARIABLE)
            .env(HANDED_OVER, "1")
            .stdin(from);
        Ok(command)
    };
    match prepared() {
        Ok(mut command) => command.exec(),
        Err(error) => error,
    }
}

fn handed_over() -> SecretString {
    let mut key = Vec::with_capacity(LONGEST);
    // Whoever sets the variable by hand and writes nothing has no key.
    let _ = io::stdin().take(LONGEST as u64).read_to_end(&mut key);
    String::from_utf8_lossy(&key).into_owned().into()
}

/// Set for the program that was started anew.
const HANDED_OVER: &str = "AGENTCHAT_API_KEY_ON_STDIN";
/// Longer than any key; what is longer is no key and is refused as such. A pipe holds more.
const LONGEST: usize = 4_096;
