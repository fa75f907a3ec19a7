use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::fixture::Place;
use super::keys::{self, KEYS, Kind};
use super::*;

const EXAMPLE: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../config/agentchatd.toml"
));
const MINIMAL: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../config/minimal.toml"
));

#[test]
fn the_example_file_shows_every_key_with_its_default() {
    let shown: Table = EXAMPLE.parse().unwrap();
    let defaults = Table::try_from(Config::default()).unwrap();
    for key in KEYS {
        let default = defaults
            .get(key.section)
            .and_then(|section| section.get(key.name));
        let in_file = shown
            .get(key.section)
            .and_then(|section| section.get(key.name));
        assert_eq!(in_file, default, "{}", key.full_name());
        if default.is_none() {
            let body = EXAMPLE
                .split(&format!("\n[{}]\n", key.section))
                .nth(1)
                .unwrap();
            let body = body.split("\n[").next().unwrap();
            assert!(
                body.contains(&format!("\n# {} = ", key.name)),
                "{}",
                key.full_name()
            );
        }
    }
    let count: usize = shown
        .values()
        .map(|section| section.as_table().unwrap().len())
        .sum();
    let without = KEYS
        .iter()
        .filter(|k| defaults[k.section].get(k.name).is_none())
        .count();
    assert_eq!(count, KEYS.len() - without);
}

#[test]
fn the_example_and_the_minimal_file_can_be_used_as_they_are() {
    let settings = Place::new().with_file(EXAMPLE).resolve().unwrap();
    assert_eq!(settings.config, Config::default());
    let place = Place::new().with_file(MINIMAL);
    let settings = place.resolve().unwrap();
    let key_file = place.path().join(".config/agentchatd/api_key");
    assert_eq!(settings.config.agent.api_key_file, Some(key_file));
}

#[test]
fn the_table_of_keys_and_the_structs_name_the_same_keys() {
    // An unknown key makes serde list the known ones; that list is what is compared.
    let mut fields = BTreeSet::new();
    for section in keys::sections() {
        let text = format!("[{section}]\nno_such_key = 1");
        let error = Config::deserialize(text.parse::<Table>().unwrap()).unwrap_err();
        let (_, listed) = error.message().split_once("expected").unwrap();
        let names = listed.split('`').skip(1).step_by(2);
        fields.extend(names.map(|name| format!("{section}.{name}")));
    }
    let table: BTreeSet<_> = KEYS.iter().map(keys::Key::full_name).collect();
    assert_eq!(fields, table);
}

#[test]
fn each_key_works_by_its_variable_and_by_the_file() {
    let defaults = Table::try_from(Config::default()).unwrap();
    for key in KEYS {
        let (text, in_toml) = other_value(key, &defaults);
        for variable in key.variables() {
            let place = Place::new().with_var(&variable, &text);
            let got = place
                .resolve()
                .unwrap_or_else(|e| panic!("{variable}: {e}"));
            assert_eq!(
                in_table(&got.config, key),
                Some(in_toml.clone()),
                "{variable}"
            );
            let warned = got
                .warnings
                .iter()
                .any(|words| words.contains(variable.as_str()));
            assert!(!warned, "{variable}: {:?}", got.warnings);
        }
        let line = format!("[{}]\n{} = {in_toml}\n", key.section, key.name);
        let got = Place::new().with_file(&line).resolve().unwrap();
        assert_eq!(in_table(&got.config, key), Some(in_toml), "{line}");
    }
}

#[test]
fn both_ends_of_a_range_are_taken_and_what_lies_past_them_is_refused() {
    for key in KEYS {
        let Kind::Integer { min, max } = key.kind else {
            continue;
        };
        let one = |value: i128| {
            let place =
                Place::new().with_file(&format!("[{}]\n{} = {value}", key.section, key.name));
            // Pairs that must be in order are not what this test is about.
            place
                .with_var(
                    "AGENTCHATD_REALTIME_BACKOFF_MIN_MS",
                    ordered(key.name, "backoff_min_ms", "10"),
                )
                .with_var(
                    "AGENTCHATD_REALTIME_BACKOFF_MAX_MS",
                    ordered(key.name, "backoff_max_ms", "3600000"),
                )
                .with_var(
                    "AGENTCHATD_HTTP_BASE_DELAY_MS",
                    ordered(key.name, "base_delay_ms", "1"),
                )
                .with_var(
                    "AGENTCHATD_HTTP_MAX_DELAY_MS",
                    ordered(key.name, "max_delay_ms", "4503599627370496"),
                )
                .resolve()
        };
        assert!(one(min.into()).is_ok(), "{} {min}", key.full_name());
        assert!(one(max.into()).is_ok(), "{} {max}", key.full_name());
        for value in [i128::from(min) - 1, i128::from(max) + 1] {
            let error = one(value).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{value} is out of range; allowed: ")),
                "{error}"
            );
        }
    }
}

#[test]
fn the_ranges_of_the_contract_stand_in_the_table() {
    let allowed = |name: &str| {
        let (section, key) = name.split_once('.').unwrap();
        keys::find(section, key).unwrap().allowed()
    };
    for (name, words) in [
        (
            "socket.max_request_bytes",
            "a whole number from 65536 to 1073741824",
        ),
        ("socket.max_connections", "a whole number from 1 to 65535"),
        ("socket.max_subscriptions", "a whole number from 1 to 4096"),
        ("storage.retention_days", "a whole number from 1 to 3650"),
        ("storage.retention_bytes", "a whole number from 1048576"),
        (
            "realtime.hello_timeout_ms",
            "a whole number from 100 to 60000",
        ),
        ("realtime.gap_window_ms", "a whole number from 0 to 60000"),
        (
            "realtime.backoff_max_ms",
            "a whole number from 10 to 3600000",
        ),
        ("realtime.stable_after_ms", "a whole number from 0"),
        ("realtime.liveness_ms", "a whole number from 500"),
        ("realtime.sync_interval_s", "a whole number from 1 to 86400"),
        ("http.timeout_ms", "a whole number from 100"),
        ("http.max_retries", "a whole number from 0 to 20"),
        ("outbox.concurrency", "a whole number from 1 to 256"),
        ("outbox.expires_in_ms", "a whole number from 1000"),
        ("outbox.rate_per_second", "a whole number from 1 to 1000"),
    ] {
        assert_eq!(allowed(name), words, "{name}");
    }
}

#[test]
fn flags_win_over_the_environment_and_the_environment_over_the_file() {
    let mut place = Place::new()
        .with_file("[socket]\npath = \"/file.sock\"\n[log]\nlevel = \"warn\"\npayloads = true")
        .with_var("AGENTCHATD_LOG_LEVEL", "debug");
    let got = place.resolve().unwrap();
    assert_eq!(got.socket.path, Path::new("/file.sock"));
    assert_eq!(
        (got.config.log.level, got.config.log.payloads),
        (LogLevel::Debug, true)
    );
    place = place.with_var("AGENTCHATD_SOCKET_PATH", "/longer.sock");
    assert_eq!(
        place.resolve().unwrap().socket.path,
        Path::new("/longer.sock")
    );
    place = place.with_var("AGENTCHATD_SOCKET", "/short.sock");
    assert_eq!(
        place.resolve().unwrap().socket.path,
        Path::new("/short.sock")
    );
    place.flags.socket = Some(PathBuf::from("flag.sock"));
    assert_eq!(
        place.resolve().unwrap().socket.path,
        place.path().join("flag.sock")
    );
}

#[test]
fn the_file_is_looked_for_in_the_order_of_the_contract() {
    let level = |settings: &Settings| settings.config.log.level;
    let write = |place: &Place, name: &str, level: &str| {
        let path = place.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("[log]\nlevel = \"{level}\"")).unwrap();
    };
    let mut place = Place::new();
    let got = place.resolve().unwrap();
    assert_eq!(
        (got.config_path.as_deref(), level(&got)),
        (None, LogLevel::Info)
    );
    write(&place, "etc/agentchatd/agentchatd.toml", "off");
    assert_eq!(level(&place.resolve().unwrap()), LogLevel::Off);
    write(&place, ".config/agentchatd/agentchatd.toml", "error");
    assert_eq!(level(&place.resolve().unwrap()), LogLevel::Error);
    write(&place, "xdg/agentchatd/agentchatd.toml", "warn");
    let xdg = place.path().join("xdg");
    place = place.with_var("XDG_CONFIG_HOME", xdg.to_str().unwrap());
    assert_eq!(level(&place.resolve().unwrap()), LogLevel::Warn);
    write(&place, "variable.toml", "debug");
    place = place.with_var("AGENTCHATD_CONFIG", "variable.toml");
    assert_eq!(level(&place.resolve().unwrap()), LogLevel::Debug);
    write(&place, "flag.toml", "trace");
    place.flags.config = Some(PathBuf::from("flag.toml"));
    let got = place.resolve().unwrap();
    assert_eq!(
        (got.config_path, level(&place.resolve().unwrap())),
        (Some(place.path().join("flag.toml")), LogLevel::Trace)
    );
}

#[test]
fn a_reload_tells_which_changes_wait_for_a_restart() {
    let old = Place::new().resolve().unwrap();
    let new = Place::new()
        .with_file("[log]\nlevel = \"debug\"\n[http]\ntimeout_ms = 1000\n[socket]\ngroup = \"staff\"\nmode = \"0660\"")
        .resolve()
        .unwrap();
    assert_eq!(
        old.needs_restart_for(&new),
        ["socket.mode", "socket.group", "http.timeout_ms"]
    );
    assert_eq!(old.reloads_for(&new), ["log.level"]);
    assert!(new.needs_restart_for(&new).is_empty());
    assert!(new.reloads_for(&new).is_empty());
}

/// A good value of the key that is not its default: as a variable, and as TOML.
fn other_value(key: &keys::Key, defaults: &Table) -> (String, Value) {
    let default = defaults[key.section].get(key.name);
    match (key.kind, key.name) {
        (Kind::Integer { .. }, _) => {
            // One less keeps the pairs of first and longest delay in order.
            let number = default.unwrap().as_integer().unwrap();
            let step = if key.name == "backoff_max_ms" || key.name == "max_delay_ms" {
                1
            } else {
                -1
            };
            ((number + step).to_string(), Value::Integer(number + step))
        }
        (Kind::Boolean, _) => ("true".to_owned(), Value::Boolean(true)),
        (Kind::Word(words), _) => {
            let word = words
                .iter()
                .rev()
                .find(|w| default.unwrap().as_str() != Some(*w));
            let word = *word.unwrap_or(&words[0]);
            (word.to_owned(), word.into())
        }
        (Kind::List(_), _) => (
            "alice,@staff".to_owned(),
            Value::Array(vec!["alice".into(), "@staff".into()]),
        ),
        (Kind::Path, _) => ("/some/where".to_owned(), "/some/where".into()),
        (Kind::Text(_), "base_url") => (
            "https://x.example/a".to_owned(),
            "https://x.example/a".into(),
        ),
        (Kind::Text(_), "mode") => ("0666".to_owned(), "0666".into()),
        (Kind::Text(_), "group") => ("staff".to_owned(), "staff".into()),
        (Kind::Text(_), _) => ("http://proxy:1".to_owned(), "http://proxy:1".into()),
    }
}

fn in_table(config: &Config, key: &keys::Key) -> Option<Value> {
    Table::try_from(config).unwrap()[key.section]
        .get(key.name)
        .cloned()
}

/// `value`, or nothing where the key itself is under test.
fn ordered<'a>(key: &str, name: &str, value: &'a str) -> &'a str {
    if key == name { "" } else { value }
}
