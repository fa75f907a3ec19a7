//! The configuration file.

use std::path::Path;

use toml::{Table, Value};

use crate::config::{Accounts, ConfigError, Environment, Origin, Problem, Settings};

/// Reads bytes as a configuration file.
///
/// # Panics
/// Where an accepted text does not mean the same once it is written anew, a problem does not say
/// where it stands, or a message repeats what may be a key.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match resolve(text) {
        Ok(settings) => check_accepted(text, &settings),
        Err(error) => check_refused(text, &error.problems),
    }
}

fn check_accepted(text: &str, settings: &Settings) {
    let table: Table = text.parse().expect("what is accepted is TOML");
    let anew = toml::to_string(&table).expect("TOML can be written");
    assert_eq!(resolve(&anew).as_ref(), Ok(settings), "written anew");
    let whole = toml::to_string(&settings.config).expect("a configuration can be written");
    let whole = resolve(&whole).map(|whole| whole.config);
    assert_eq!(whole.as_ref(), Ok(&settings.config), "with every default");
    // What stands behind is read as well, and told with its line.
    let longer = format!("{text}\n[stranger]\n");
    let problems = resolve(&longer).expect_err("no section has this name");
    let [problem] = &problems.problems[..] else {
        panic!("one mistake is one problem: {problems}");
    };
    assert_eq!(problem.key, "stranger");
    assert_eq!(line(problem), 2 + breaks(text), "{problem}");
}

fn check_refused(text: &str, problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    for problem in problems {
        assert!((1..=1 + breaks(text)).contains(&line(problem)), "{problem}");
        assert!(!problem.text.is_empty(), "{problem}");
        let is_syntax = problem.text.starts_with("not valid TOML");
        assert!(is_syntax || !problem.key.is_empty(), "which key? {problem}");
        let shown = problem.to_string();
        assert!(shown.starts_with(&format!("{FILE}:{}: ", line(problem))));
    }
    check_secrets(text, problems);
    if !text.starts_with(MARK) {
        // A comment above moves every problem by its one line.
        let moved = resolve(&format!("# above\n{text}")).expect_err("a comment mends nothing");
        let places = |problems: &[Problem], by: usize| -> Vec<_> {
            // Of what is nested too deep the parser gives no place; the first line stands for it.
            let placed = |problem: &&Problem| !problem.text.contains("recursion limit");
            problems
                .iter()
                .filter(placed)
                .map(|problem| {
                    (
                        line(problem) + by,
                        problem.key.clone(),
                        problem.text.clone(),
                    )
                })
                .collect()
        };
        assert_eq!(places(&moved.problems, 0), places(problems, 1));
    }
}

/// No message holds a text value that looks like a key, unless it is a name as well.
fn check_secrets(text: &str, problems: &[Problem]) {
    let Ok(table) = text.parse::<Table>() else {
        return;
    };
    let (mut values, mut names) = (Vec::new(), Vec::new());
    for (section, body) in &table {
        names.push(section.clone());
        // Names of users and groups are shown.
        if section != "access" {
            collect(body, &mut values, &mut names);
        }
    }
    for value in values {
        let is_key = value.starts_with("ac_") && value.len() >= 12;
        if !is_key || names.iter().any(|name| name.contains(&value)) {
            continue;
        }
        for problem in problems
            .iter()
            .filter(|problem| problem.key != "socket.group")
        {
            assert!(!problem.to_string().contains(&value), "a key is shown");
        }
    }
}

fn collect(value: &Value, values: &mut Vec<String>, names: &mut Vec<String>) {
    match value {
        Value::String(text) => values.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, values, names)),
        Value::Table(table) => {
            for (name, value) in table {
                names.push(name.clone());
                collect(value, values, names);
            }
        }
        _ => {}
    }
}

/// The line that a problem names. Each has one, for nothing but the file was read.
fn line(problem: &Problem) -> usize {
    match &problem.origin {
        Origin::File { path, line } if path == Path::new(FILE) => *line,
        other => panic!("{other:?} is no place in the file: {problem}"),
    }
}

fn breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// The settings that this text gives on a machine without variables, with two accounts.
fn resolve(text: &str) -> Result<Settings, ConfigError> {
    let env = Environment::of_pairs(Path::new("/"), [("HOME", "/home/alice")]);
    Settings::of_text(Path::new(FILE), text, &env, &Machine)
}

struct Machine;

impl Accounts for Machine {
    fn uid_of(&self, name: &str) -> Option<u32> {
        (name == "alice").then_some(1000)
    }

    fn gid_of(&self, name: &str) -> Option<u32> {
        (name == "staff").then_some(50)
    }

    fn groups_of(&self, _uid: u32) -> Vec<u32> {
        Vec::new()
    }

    fn own_uid(&self) -> u32 {
        1000
    }
}

const FILE: &str = "/etc/agentchatd.toml";
/// A byte order mark may stand at the beginning and nowhere else.
const MARK: char = '\u{feff}';
