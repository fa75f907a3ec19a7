//! Lays the file and the environment over the defaults, one key at a time.
//!
//! Each value is checked alone, with the place it came from, so that one bad key hides no other.
//! Only what passed is put together and read into [`Config`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::environment::Environment;
use super::keys::{self, Key, Kind};
use super::problem::{Origin, Problem};
use super::sections::Config;

/// What file and environment say, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) file: Option<PathBuf>,
    pub(super) origins: Origins,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
}

/// Which place each key that is not at its default came from.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// The place that `key` (`section.key`) came from.
    pub(super) fn of(&self, key: &str) -> Origin {
        self.0.get(key).cloned().unwrap_or(Origin::Default)
    }
}

/// Reads the file that the flag, the environment or the usual places name, and the variables.
pub(super) fn load(flag: Option<&Path>, env: &Environment) -> Loaded {
    let mut overlay = Overlay::new(env);
    if let Some((path, origin)) = find_file(flag, env) {
        overlay.add_file(path, origin);
    }
    overlay.add_variables();
    overlay.finish()
}

/// Reads this text as if it stood in that file, and the variables.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn load_text(path: &Path, text: &str, env: &Environment) -> Loaded {
    let mut overlay = Overlay::new(env);
    overlay.add_text(path.to_path_buf(), text);
    overlay.add_variables();
    overlay.finish()
}

/// The file to read. One that was asked for by name has to exist; the usual places need not.
fn find_file(flag: Option<&Path>, env: &Environment) -> Option<(PathBuf, Option<Origin>)> {
    if let Some(path) = flag {
        return Some((env.absolute(path), Some(Origin::Flag("--config"))));
    }
    if let Some(path) = env.path(keys::CONFIG_VARIABLE) {
        return Some((
            path,
            Some(Origin::Variable(keys::CONFIG_VARIABLE.to_owned())),
        ));
    }
    let personal = env
        .xdg("XDG_CONFIG_HOME")
        .or_else(|| env.home().map(|home| home.join(".config")))
        .map(|dir| dir.join("agentchatd/agentchatd.toml"));
    // One that exists and cannot be read is an error later on, not a reason to go to the next.
    personal
        .into_iter()
        .chain([env.system_config().to_path_buf()])
        .find(|path| !matches!(fs::metadata(path), Err(e) if is_absent(&e)))
        .map(|path| (path, None))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

struct Overlay<'a> {
    env: &'a Environment,
    values: Table,
    loaded: Loaded,
}

impl<'a> Overlay<'a> {
    fn new(env: &'a Environment) -> Self {
        Self {
            env,
            values: Table::new(),
            loaded: Loaded::default(),
        }
    }

    fn add_file(&mut self, path: PathBuf, asked_by: Option<Origin>) {
        match read_bounded(&path) {
            Ok(text) => self.add_text(path, &text),
            Err(error) => {
                let origin = asked_by.unwrap_or_else(|| Origin::File {
                    path: path.clone(),
                    line: 0,
                });
                let text = format!("cannot read {}: {error}", path.display());
                self.loaded.problems.push(Problem::new(origin, "", text));
            }
        }
    }

    fn add_text(&mut self, path: PathBuf, text: &str) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let at = |offset| Origin::File {
            path: path.clone(),
            line: line_of(text, offset),
        };
        for error in &errors {
            // The library's own rendering would print the line, and with it what stands there.
            let origin = at(error.span().map_or(0, |span| span.start));
            let words = format!("not valid TOML: {}", error.message());
            self.loaded.problems.push(Problem::new(origin, "", words));
        }
        if errors.is_empty() {
            let base = path.parent().unwrap_or_else(|| Path::new("/"));
            for (section, body) in table.get_ref() {
                self.add_section(section, body, base, &at);
            }
        }
        self.loaded.file = Some(path);
    }

    fn add_section(
        &mut self,
        section: &Spanned<Cow<'_, str>>,
        body: &Spanned<DeValue<'_>>,
        base: &Path,
        at: &dyn Fn(usize) -> Origin,
    ) {
        let name = section.get_ref().as_ref();
        let known: Vec<_> = keys::KEYS.iter().filter(|k| k.section == name).collect();
        let start = section.span().start;
        if known.is_empty() {
            let words = format!("unknown section; allowed: {}", keys::sections().join(", "));
            self.loaded
                .problems
                .push(Problem::new(at(start), name, words));
            return;
        }
        let DeValue::Table(entries) = body.get_ref() else {
            let words = format!("must be a section: [{name}]");
            self.loaded
                .problems
                .push(Problem::new(at(start), name, words));
            return;
        };
        for (entry, value) in entries {
            let origin = at(entry.span().start);
            let Some(key) = keys::find(name, entry.get_ref()) else {
                let names: Vec<_> = known.iter().map(|key| key.name).collect();
                let words = format!("unknown key; allowed in [{name}]: {}", names.join(", "));
                let full = format!("{name}.{}", entry.get_ref());
                self.loaded.problems.push(Problem::new(origin, full, words));
                continue;
            };
            match plain_value(value.get_ref()) {
                Some(value) => self.add(key, value, base, origin),
                None => self.refuse(key, origin, "of the wrong type"),
            }
        }
    }

    fn add_variables(&mut self) {
        let mut known = vec![
            keys::CONFIG_VARIABLE.to_owned(),
            keys::STATE_DIR_VARIABLE.to_owned(),
        ];
        for key in keys::KEYS {
            let names = key.variables();
            if let Some((name, text)) = names
                .iter()
                .find_map(|name| self.env.var(name).map(|text| (name, text)))
            {
                let origin = Origin::Variable(name.clone());
                match value_of_variable(key, text) {
                    Some(value) => {
                        let base = self.env.working_dir().to_path_buf();
                        self.add(key, value, &base, origin);
                    }
                    None => self.refuse(key, origin, "of the wrong type"),
                }
            }
            known.extend(names);
        }
        for name in self.env.names_with(VARIABLE_PREFIX) {
            if !known.iter().any(|k| k == name) {
                let words =
                    format!("${name} is not a variable that agentchatd knows; it is ignored");
                self.loaded.warnings.push(words);
            }
        }
    }

    /// Takes a value up where it is good, puts a problem down where it is not.
    fn add(&mut self, key: &'static Key, value: Value, base: &Path, origin: Origin) {
        let value = match (key.kind, value) {
            (Kind::Path, Value::String(text)) => Value::String(
                self.resolve_path(&text, base)
                    .to_string_lossy()
                    .into_owned(),
            ),
            (_, value) => value,
        };
        if let Err(reason) = check_kind(key, &value) {
            return self.refuse(key, origin, &reason);
        }
        let mut alone = Table::new();
        let entry = Table::from_iter([(key.name.to_owned(), value.clone())]);
        alone.insert(key.section.to_owned(), entry.into());
        if let Err(error) = Config::deserialize(Value::Table(alone)) {
            return self.refuse(key, origin, error.message());
        }
        let section = self
            .values
            .entry(key.section)
            .or_insert_with(|| Table::new().into());
        if let Value::Table(section) = section {
            section.insert(key.name.to_owned(), value);
        }
        self.loaded.origins.0.insert(key.full_name(), origin);
    }

    fn refuse(&mut self, key: &Key, origin: Origin, reason: &str) {
        let words = format!("{reason}; allowed: {}", key.allowed());
        self.loaded
            .problems
            .push(Problem::new(origin, key.full_name(), words));
    }

    /// A path from where it was written: `~/` is the home directory, a relative one starts at
    /// the folder of the file, or at the working directory for a variable.
    fn resolve_path(&self, text: &str, base: &Path) -> PathBuf {
        match (text.strip_prefix("~/"), self.env.home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => base.join(text),
        }
    }

    fn finish(mut self) -> Loaded {
        match Config::deserialize(Value::Table(self.values)) {
            Ok(config) => self.loaded.config = config,
            // Each part was read alone before; should the whole ever fail, it must not pass.
            Err(error) => {
                let problem = Problem::new(Origin::Default, "", error.message());
                self.loaded.problems.push(problem);
            }
        }
        self.loaded
    }
}

/// Type and range of a value; what a serde type checks by itself is left to it.
fn check_kind(key: &Key, value: &Value) -> Result<(), String> {
    let wrong_type = || Err("of the wrong type".to_owned());
    match (key.kind, value) {
        (Kind::Text(_) | Kind::Path, Value::String(text)) if text.contains('\0') => {
            Err("holds a NUL character".to_owned())
        }
        (Kind::Text(_) | Kind::Path, Value::String(text)) if text.is_empty() => {
            Err("empty".to_owned())
        }
        (Kind::Text(_) | Kind::Path, Value::String(_)) | (Kind::Boolean, Value::Boolean(_)) => {
            Ok(())
        }
        (Kind::Integer { min, max }, Value::Integer(number)) => match u64::try_from(*number) {
            Ok(n) if (min..=max).contains(&n) => Ok(()),
            _ => Err(format!("{number} is out of range")),
        },
        (Kind::Word(words), Value::String(text)) => {
            if words.contains(&text.as_str()) {
                Ok(())
            } else {
                Err("not one of the known words".to_owned())
            }
        }
        (Kind::List(_), Value::Array(items)) if items.iter().all(Value::is_str) => Ok(()),
        _ => wrong_type(),
    }
}

fn value_of_variable(key: &Key, text: &OsStr) -> Option<Value> {
    let text = text.to_str()?;
    match key.kind {
        Kind::Text(_) | Kind::Path | Kind::Word(_) => Some(Value::String(text.to_owned())),
        Kind::Integer { .. } => text.trim().parse().ok().map(Value::Integer),
        Kind::Boolean => match text.trim() {
            "true" | "1" => Some(Value::Boolean(true)),
            "false" | "0" => Some(Value::Boolean(false)),
            _ => None,
        },
        Kind::List(_) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::Array(
                items.map(|item| Value::String(item.to_owned())).collect(),
            ))
        }
    }
}

/// A value without its spans. Tables, dates and fractions are the type of no key.
fn plain_value(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::String(text.as_ref().to_owned())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(Value::Integer),
        DeValue::Boolean(flag) => Some(Value::Boolean(*flag)),
        DeValue::Array(items) => items
            .iter()
            .map(|item| plain_value(item.get_ref()))
            .collect::<Option<_>>()
            .map(Value::Array),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

fn read_bounded(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other(format!(
            "larger than {MAX_FILE_BYTES} bytes"
        )));
    }
    fs::read_to_string(path)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes()
        .take(offset)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

const VARIABLE_PREFIX: &str = "AGENTCHATD_";
const MAX_FILE_BYTES: u64 = 1024 * 1024;
