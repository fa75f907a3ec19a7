use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use secrecy::ExposeSecret;
use tempfile::TempDir;

use super::load::Permissions;
use super::*;
use crate::config::{Environment, Flags, Settings, SystemAccounts};

#[test]
fn the_sources_are_asked_in_the_order_of_the_contract() {
    let place = Place::new();
    let mut sources = place.sources();
    assert!(matches!(load(&sources), KeyState::NotConfigured));
    place.write("credentials.toml", 0o600, "api_key = \"saved\"");
    assert_eq!(key_of(&sources), "saved");
    sources.config = Some(place.write("config", 0o600, "config\n"));
    assert_eq!(key_of(&sources), "config");
    sources.systemd = Some(place.dir.path().join("agentchat_api_key"));
    assert_eq!(key_of(&sources), "config"); // named by systemd, but not there
    place.write("agentchat_api_key", 0o400, "systemd\r\n");
    assert_eq!(key_of(&sources), "systemd");
    sources.variable = Some("variable".to_owned().into());
    assert_eq!(key_of(&sources), "variable");
    sources.flag = Some(place.write("flag", 0o600, "flag"));
    assert_eq!(key_of(&sources), "flag");
}

#[test]
fn settings_and_environment_name_the_sources() {
    let place = Place::new();
    let root = place.dir.path();
    let env = Environment::of_pairs(
        root,
        [
            ("AGENTCHATD_STATE_DIR", "/state"),
            ("AGENTCHATD_AGENT_API_KEY_FILE", "/config"),
            ("AGENTCHAT_API_KEY", "variable"),
            ("CREDENTIALS_DIRECTORY", "/creds"),
        ],
    );
    let flags = Flags {
        api_key_file: Some("flag".into()),
        ..Default::default()
    };
    let settings = Settings::resolve(&flags, &env, &SystemAccounts).unwrap();
    let sources = Sources::of(&settings, &env);
    assert_eq!(sources.flag, Some(root.join("flag")));
    assert_eq!(
        sources.systemd,
        Some(PathBuf::from("/creds/agentchat_api_key"))
    );
    assert_eq!(sources.config, Some(PathBuf::from("/config")));
    assert_eq!(sources.saved, PathBuf::from("/state/credentials.toml"));
    assert!(
        !format!("{sources:?} {settings:?} {env:?}").contains("variable\""),
        "{sources:?}"
    );
    assert_eq!(sources.variable.unwrap().expose_secret(), "variable");
}

#[test]
fn a_file_that_group_or_others_can_read_is_refused_and_no_other_source_is_asked() {
    let place = Place::new();
    place.write("credentials.toml", 0o600, "api_key = \"saved\"");
    for mode in [0o640, 0o604, 0o660, 0o644, 0o601] {
        let mut sources = place.sources();
        let file = place.write("key", mode, "secret");
        sources.flag = Some(file.clone());
        let refusal = refusal_of(&sources);
        assert_eq!(refusal.reason, RefusalReason::Mode(mode));
        let text = refusal.to_string();
        assert!(text.contains(file.to_str().unwrap()) && text.contains(&format!("{mode:04o}")));
    }
    place.write("credentials.toml", 0o640, "api_key = \"saved\"");
    assert_eq!(
        refusal_of(&place.sources()).reason,
        RefusalReason::Mode(0o640)
    );
}

#[test]
fn a_credential_of_systemd_may_look_group_readable_to_the_user_of_the_service() {
    let place = Place::new();
    let file = place.write("agentchat_api_key", 0o440, "systemd");
    let meta = fs::metadata(&file).unwrap();
    let root_owned = meta.uid() == 0 && meta.gid() == 0;
    let allowed = |own_uid| Permissions::Systemd { own_uid }.allow(&meta);
    assert_eq!((allowed(990), allowed(0)), (root_owned, false));
    assert!(!Permissions::Strict.allow(&meta));
    let open = fs::metadata(place.write("open", 0o444, "systemd")).unwrap();
    assert!(!Permissions::Systemd { own_uid: 990 }.allow(&open));
}

#[test]
fn a_file_that_is_named_and_missing_or_no_file_is_refused() {
    let place = Place::new();
    let mut sources = place.sources();
    sources.config = Some(place.dir.path().join("none"));
    assert_eq!(
        refusal_of(&sources).reason,
        RefusalReason::Unreadable(io::ErrorKind::NotFound)
    );
    sources.config = Some(place.dir.path().to_path_buf());
    assert_eq!(refusal_of(&sources).reason, RefusalReason::NotAFile);
}

#[test]
fn what_cannot_stand_in_a_header_is_refused_and_not_shown() {
    let place = Place::new();
    for (text, reason) in [
        ("", MalformedKey::Empty),
        ("\n\r\n", MalformedKey::Empty),
        ("hunter2 ", MalformedKey::NotPrintable),
        ("hunter2\nmore\n", MalformedKey::NotPrintable),
        ("hunter2\u{7f}", MalformedKey::NotPrintable),
        ("hunter2é", MalformedKey::NotPrintable),
    ] {
        let mut sources = place.sources();
        sources.flag = Some(place.write("key", 0o600, text));
        let refusal = refusal_of(&sources);
        assert_eq!(refusal.reason, RefusalReason::Malformed(reason), "{text:?}");
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
    }
    assert_eq!(
        ApiKey::parse(&"k".repeat(4097)).unwrap_err(),
        MalformedKey::TooLong
    );
}

#[test]
fn a_broken_credentials_file_is_refused_by_line_and_not_shown() {
    let place = Place::new();
    for (text, line) in [
        ("# x\napi_key = hunter2", 2),
        ("\n\napi_key = \"hunter2", 3),
        ("x = 1", 1),
    ] {
        place.write("credentials.toml", 0o600, text);
        let refusal = refusal_of(&place.sources());
        assert_eq!(refusal.reason, RefusalReason::NotToml(line), "{text:?}");
        assert!(!format!("{refusal} {refusal:?}").contains("hunter2"));
    }
}

#[test]
fn a_source_that_still_yields_the_replaced_key_loses_against_the_saved_one() {
    let place = Place::new();
    let old = ApiKey::parse("old").unwrap();
    let saved = format!(
        "api_key = \"new\"\nreplaces_sha256 = \"{}\"\n",
        old.sha256().to_uppercase()
    );
    place.write("credentials.toml", 0o600, &saved);
    let mut sources = place.sources();
    sources.variable = Some("old".to_owned().into());
    let KeyState::Ready(credential) = load(&sources) else {
        panic!("refused")
    };
    assert_eq!(credential.key.expose(), "new");
    assert_eq!(credential.source, KeySource::Saved(sources.saved.clone()));
    assert!(
        credential
            .warning
            .unwrap()
            .contains("$AGENTCHAT_API_KEY still holds")
    );
    sources.variable = Some("third".to_owned().into());
    assert_eq!(key_of(&sources), "third");
}

#[test]
fn a_hash_is_sha_256_in_hexadecimal() {
    // The first test vector of FIPS 180.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(ApiKey::parse("abc").unwrap().sha256(), expected);
}

#[test]
fn debug_output_shows_nothing_of_a_key() {
    let key = ApiKey::parse("hunter2").unwrap();
    let credential = Credential {
        key,
        source: KeySource::Variable,
        warning: None,
    };
    let shown = format!("{credential:?} {:?}", KeyState::Ready(credential.clone()));
    assert!(
        !shown.contains("hunter2") && shown.contains("ApiKey(..)"),
        "{shown}"
    );
}

struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
        }
    }

    fn sources(&self) -> Sources {
        Sources {
            flag: None,
            variable: None,
            systemd: None,
            config: None,
            saved: self.dir.path().join("credentials.toml"),
            own_uid: 0,
        }
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

fn key_of(sources: &Sources) -> String {
    match load(sources) {
        KeyState::Ready(credential) => credential.key.expose().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn refusal_of(sources: &Sources) -> Refusal {
    match load(sources) {
        KeyState::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}
