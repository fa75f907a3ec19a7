//! Golden files: what the program prints, kept in `tests/golden/agentchatctl`.
//!
//! `AGENTCHATCTL_GOLDEN=write cargo test -p agentchatd --test cli` writes them anew; look at the
//! difference before you keep it.

use crate::ctl::{Ctl, Ran};
use crate::normal::{Normal, without_numbers};
use agentchatd_tests::stage::Stage;
use std::fs;
use std::path::{Path, PathBuf};

/// One file: commands and what came of them, one below the other.
pub(crate) struct Golden {
    path: PathBuf,
    dir: PathBuf,
    ctl: Ctl,
    normal: Normal,
    text: String,
}

impl Golden {
    pub(crate) fn new(stage: &Stage, name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/agentchatctl");
        Self {
            path: folder.join(name).with_extension("txt"),
            dir: stage.setup.dir.clone(),
            ctl: Ctl::new(stage),
            normal: Normal::default(),
            text: String::new(),
        }
    }

    /// Runs a command and adds what came of it.
    pub(crate) fn run(&mut self, arguments: &[&str]) -> Ran {
        let ran = self.ctl.run(arguments);
        let body = self
            .normal
            .text(&format!("{}{}", ran.stdout, ran.stderr), &self.dir);
        self.add(arguments, &body, ran.code);
        ran
    }

    /// The same for output whose numbers differ from run to run.
    pub(crate) fn run_without_numbers(&mut self, arguments: &[&str]) {
        let ran = self.ctl.run(arguments);
        let body = self
            .normal
            .text(&format!("{}{}", ran.stdout, ran.stderr), &self.dir);
        self.add(arguments, &without_numbers(&body), ran.code);
    }

    fn add(&mut self, arguments: &[&str], body: &str, code: i32) {
        let words = arguments.iter().map(|word| {
            let plain = word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_@=.,".contains(&byte));
            if plain && !word.is_empty() {
                (*word).to_owned()
            } else {
                format!("'{word}'")
            }
        });
        let line = words.collect::<Vec<_>>().join(" ");
        let line = self.normal.text(&line, &self.dir);
        self.text += &format!("$ agentchatctl {line}\n{body}[exit {code}]\n\n");
    }

    /// Compares all that came with the file, or writes it anew where that is asked for.
    pub(crate) fn check(self) {
        if std::env::var_os("AGENTCHATCTL_GOLDEN").is_some_and(|word| word == "write") {
            fs::write(&self.path, self.text).expect("it can be written");
            return;
        }
        let kept = fs::read_to_string(&self.path).unwrap_or_default();
        assert_eq!(self.text, kept, "{} differs", self.path.display());
    }
}
