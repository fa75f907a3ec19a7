//! `man`: the whole manual as one page, made from the declarations of the commands.

use std::io;

use clap::{Args, Command, CommandFactory as _};
use clap_mangen::Man as Roff;

use crate::args::Cli;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;
use crate::session::Session;

/// Print the manual: `agentchatctl man | man -l -`.
#[derive(Debug, Args)]
pub(crate) struct Man {}

impl Man {
    #[expect(clippy::unused_async, reason = "every command is run alike")]
    pub(super) async fn run(self, _session: &Session) -> Result<Exit, Failure> {
        output::write(manual()?.as_bytes())?;
        Ok(Exit::DONE)
    }
}

/// The page: the program first, then each command as a section of its own, down to the last.
fn manual() -> io::Result<String> {
    let mut root = Cli::command();
    root.build();
    let mut page = Vec::new();
    let man = Roff::new(root.clone());
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    man.render_subcommands_section(&mut page)?;
    for command in root.get_subcommands() {
        describe(command, &mut page)?;
    }
    man.render_extra_section(&mut page)?;
    page.extend_from_slice(AFTER.as_bytes());
    man.render_version_section(&mut page)?;
    let page = String::from_utf8_lossy(&page);
    Ok(page
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect::<Vec<_>>()
        .join("\n")
        + "\n")
}

/// A command and those below it. Flags of every command stand once, with the program.
fn describe(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let title = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let own = command.clone().mut_args(|argument| {
        let global =
            argument.is_global_set() || matches!(argument.get_id().as_str(), "help" | "version");
        argument.hide(global)
    });
    let man = Roff::new(own);
    let mut section = Vec::new();
    man.render_synopsis_section(&mut section)?;
    man.render_description_section(&mut section)?;
    if command
        .get_arguments()
        .any(|argument| !argument.is_global_set())
    {
        man.render_options_section(&mut section)?;
    }
    let section = String::from_utf8_lossy(&section).into_owned();
    page.extend_from_slice(format!(".SH \"{}\"\n", title.to_uppercase()).as_bytes());
    let body = section
        .lines()
        .filter(|line| !line.starts_with(".SH") && !line.starts_with(".ie"));
    for line in body.filter(|line| !line.starts_with(".el")) {
        page.extend_from_slice(line.as_bytes());
        page.push(b'\n');
        if line.starts_with("\\fB") {
            page.extend_from_slice(b".PP\n");
        }
    }
    for below in command.get_subcommands() {
        describe(below, page)?;
    }
    Ok(())
}

/// What no declaration tells.
const AFTER: &str = "\
.SH ENVIRONMENT
.TP
AGENTCHATD_SOCKET
The daemon's socket, where --socket is not given.
.TP
NO_COLOR
Where it is set and not empty, no colours are used.
.SH FILES
.TP
$XDG_RUNTIME_DIR/agentchatd/agentchatd.sock
The socket of your own daemon.
.TP
/run/agentchatd/agentchatd.sock
The socket of the machine's.
.SH SEE ALSO
.BR agentchatd (1)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_every_command_and_the_exit_statuses() {
        let manual = manual().unwrap();
        let mut todo: Vec<Command> = Cli::command().get_subcommands().cloned().collect();
        while let Some(command) = todo.pop() {
            let name = command.get_name().to_uppercase();
            let titled = manual.lines().any(|line| {
                line.starts_with(".SH \"AGENTCHATCTL ") && line.ends_with(&format!(" {name}\""))
            });
            assert!(titled, "{name}");
            todo.extend(command.get_subcommands().cloned());
        }
        assert!(manual.contains("Exit status"), "{manual}");
        assert!(manual.contains("NO_COLOR"), "{manual}");
    }
}
