//! `man`: the whole manual as one page, made from the declarations of the commands.

use std::io::{self, Write as _};

use clap::{Arg, Args, Command, CommandFactory as _};
use clap_mangen::Man as Roff;

use crate::args::Cli;
use crate::exit::{EXIT_STATUS, Exit};
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
    writeln!(page, ".SH COMMANDS")?;
    for command in root.get_subcommands() {
        let about = command.get_about().map(ToString::to_string);
        let about = about.unwrap_or_default();
        writeln!(page, ".TP\n{}\n{}", command.get_name(), literal(&about))?;
    }
    for command in root.get_subcommands() {
        describe(command, &mut page)?;
    }
    writeln!(
        page,
        ".SH \"EXIT STATUS\"\n.nf\n{}\n.fi",
        literal(EXIT_STATUS)
    )?;
    page.extend_from_slice(AFTER.as_bytes());
    let page = String::from_utf8_lossy(&page);
    let lines = page.lines().filter(|line| !line.trim().is_empty());
    Ok(lines.collect::<Vec<_>>().join("\n") + "\n")
}

/// A command and those below it. Flags of every command stand once, with the program.
fn describe(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let title = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let own = command.clone().mut_args(|argument| {
        let of_all = argument.is_global_set() || is_of_clap(&argument);
        argument.hide(of_all)
    });
    let has_own = own.get_arguments().any(|argument| !argument.is_hide_set());
    let man = Roff::new(own);
    writeln!(page, ".SH \"{}\"", title.to_uppercase())?;
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    man.render_synopsis_section(&mut parts[0])?;
    man.render_description_section(&mut parts[1])?;
    if has_own {
        man.render_options_section(&mut parts[2])?;
    }
    for part in parts.iter().filter(|part| !part.is_empty()) {
        // Its own heading gives way to the command's.
        let text = String::from_utf8_lossy(part);
        let lines = text.lines().filter(|line| !line.starts_with(".SH"));
        for line in std::iter::once(".PP").chain(lines) {
            writeln!(page, "{line}")?;
        }
    }
    for below in command.get_subcommands() {
        describe(below, page)?;
    }
    Ok(())
}

fn is_of_clap(argument: &Arg) -> bool {
    matches!(argument.get_id().as_str(), "help" | "version")
}

/// Text as it is: roff takes backslashes, and dots and quotes at the beginning of a line.
fn literal(text: &str) -> String {
    let text = text.replace('\\', "\\\\");
    let lines = text.lines().map(|line| match line.chars().next() {
        Some('.' | '\'') => format!("\\&{line}"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
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
