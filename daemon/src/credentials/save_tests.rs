use std::os::unix::fs::symlink;

use tempfile::TempDir;

use super::*;

/// A state dir and a folder for other sources.
struct Place {
    dir: TempDir,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("state")).unwrap();
        Self { dir }
    }

    fn sources(&self) -> Sources {
        Sources {
            flag: None,
            variable: None,
            systemd: None,
            config: None,
            saved: self.dir.path().join("state/credentials.toml"),
            own_uid: 1000,
        }
    }

    fn write(&self, name: &str, mode: u32, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// What is in a folder.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.dir.path().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn key(text: &str) -> ApiKey {
    ApiKey::parse(text).unwrap()
}

fn loaded(sources: &Sources) -> String {
    match load(sources) {
        KeyState::Ready(credential) => credential.key.expose().to_owned(),
        other => panic!("a key, not {other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_first_key_goes_into_the_state_dir_for_its_owner_alone() {
    let place = Place::new();
    let sources = place.sources();
    reserve(&sources, Agent::New).unwrap();
    assert_eq!(place.names("state"), [""; 0], "looking writes nothing");
    let kept = save(&sources, Agent::New, &key("ac_\"odd\\key'"), None).unwrap();
    assert_eq!(kept.path, sources.saved);
    assert_eq!(kept.warning, None);
    assert_eq!(loaded(&sources), "ac_\"odd\\key'");
    assert_eq!(mode(&sources.saved), 0o600);
    assert_eq!(place.names("state"), ["credentials.toml"]);
    assert!(
        !fs::read_to_string(&sources.saved)
            .unwrap()
            .contains("replaces")
    );
    let again = save(&sources, Agent::New, &key("other"), None);
    assert!(matches!(again, Err(NotKept::Taken(_))), "{again:?}");
    assert_eq!(loaded(&sources), "ac_\"odd\\key'");
}

#[test]
fn a_rotated_key_goes_where_the_old_one_came_from() {
    let place = Place::new();
    for source in ["flag", "config"] {
        let file = place.write(source, 0o600, "old");
        let mut sources = place.sources();
        match source {
            "flag" => sources.flag = Some(file.clone()),
            _ => sources.config = Some(file.clone()),
        }
        let kept = save(&sources, Agent::Same, &key("new"), None).unwrap();
        assert_eq!((kept.path, kept.warning), (file.clone(), None));
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(mode(&file), 0o600);
        assert_eq!(loaded(&sources), "new");
        assert_eq!(place.names("state"), [""; 0]);
    }
}

#[test]
fn a_link_to_a_key_file_stays_a_link() {
    let place = Place::new();
    let file = place.write("real", 0o600, "old");
    let link = place.dir.path().join("link");
    symlink(&file, &link).unwrap();
    let sources = Sources {
        flag: Some(link.clone()),
        ..place.sources()
    };
    save(&sources, Agent::Same, &key("new"), None).unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
    // One that leads nowhere is left alone.
    fs::remove_file(&file).unwrap();
    assert!(save(&sources, Agent::Same, &key("newer"), None).is_err());
    assert!(link.is_symlink() && !file.exists());
}

#[test]
fn what_cannot_be_written_loses_against_the_state_dir_and_the_answer_says_so() {
    let place = Place::new();
    let read_only = place.write("read-only", 0o400, "old");
    let systemd = place.write("systemd", 0o400, "old");
    let cases = [
        Sources {
            flag: Some(read_only.clone()),
            ..place.sources()
        },
        Sources {
            variable: Some("old".to_owned().into()),
            ..place.sources()
        },
        Sources {
            systemd: Some(systemd),
            ..place.sources()
        },
        Sources {
            config: Some(read_only),
            ..place.sources()
        },
    ];
    for sources in cases {
        let kept = save(&sources, Agent::Same, &key("new"), None).unwrap();
        assert_eq!(kept.path, sources.saved);
        let warning = kept.warning.unwrap();
        assert!(warning.contains("still holds") && warning.contains("credentials.toml"));
        assert!(
            !warning.contains("\"old\"") && !warning.contains("new\""),
            "{warning}"
        );
        assert_eq!(loaded(&sources), "new");
        // A second rotation does not bring the first key back.
        save(&sources, Agent::Same, &key("newer"), None).unwrap();
        assert_eq!(loaded(&sources), "newer");
        let text = fs::read_to_string(&sources.saved).unwrap();
        for replaced in ["old", "new"] {
            assert!(text.contains(&key(replaced).sha256()), "{text}");
        }
        fs::remove_file(&sources.saved).unwrap();
    }
}

#[test]
fn only_so_many_replaced_keys_are_remembered_and_the_one_of_the_source_among_them() {
    let place = Place::new();
    let sources = Sources {
        variable: Some("key0".to_owned().into()),
        ..place.sources()
    };
    for number in 1..=2 * MOST_HASHES {
        save(&sources, Agent::Same, &key(&format!("key{number}")), None).unwrap();
    }
    assert_eq!(replaced(&sources.saved).len(), MOST_HASHES);
    assert_eq!(loaded(&sources), format!("key{}", 2 * MOST_HASHES));
}

#[test]
fn a_file_that_is_named_and_not_there_yet_is_made() {
    let place = Place::new();
    let sources = Sources {
        flag: Some(place.dir.path().join("to-come")),
        ..place.sources()
    };
    let kept = save(&sources, Agent::New, &key("first"), None).unwrap();
    assert_eq!(Some(kept.path.clone()), sources.flag);
    assert_eq!(
        (mode(&kept.path), loaded(&sources)),
        (0o600, "first".to_owned())
    );
}

#[test]
fn a_refused_source_is_written_only_where_that_throws_nothing_away() {
    let place = Place::new();
    let open = place.write("open", 0o644, "old");
    let sources = Sources {
        config: Some(open.clone()),
        ..place.sources()
    };
    // Others could read it: a new agent's key does not take its place, the same one's does.
    assert!(matches!(
        reserve(&sources, Agent::New),
        Err(NotKept::Refused(_))
    ));
    assert_eq!(fs::read_to_string(&open).unwrap(), "old");
    save(&sources, Agent::Same, &key("new"), None).unwrap();
    assert_eq!((mode(&open), loaded(&sources)), (0o600, "new".to_owned()));
    // A text that is no key may be anything.
    let text = place.write("diary", 0o600, "dear diary");
    let sources = Sources {
        flag: Some(text.clone()),
        ..place.sources()
    };
    for agent in [Agent::New, Agent::Same] {
        assert!(matches!(
            save(&sources, agent, &key("new"), None),
            Err(NotKept::Refused(_))
        ));
    }
    assert_eq!(fs::read_to_string(&text).unwrap(), "dear diary");
    let sources = Sources {
        variable: Some("no key".to_owned().into()),
        ..place.sources()
    };
    assert!(matches!(
        save(&sources, Agent::Same, &key("new"), None),
        Err(NotKept::Refused(_))
    ));
    assert_eq!(place.names("state"), [""; 0]);
}

#[test]
fn a_file_that_fails_is_told_and_leaves_all_as_it_was() {
    let place = Place::new();
    let sources = Sources {
        saved: place.dir.path().join("not there/credentials.toml"),
        ..place.sources()
    };
    let failed = save(&sources, Agent::New, &key("ac_secret"), None).unwrap_err();
    let text = format!("{failed} {failed:?}");
    assert!(
        text.contains("not there") && !text.contains("secret"),
        "{text}"
    );
    let sources = Sources {
        flag: Some(place.dir.path().join("nor this/key")),
        ..place.sources()
    };
    let failed = save(&sources, Agent::New, &key("ac_secret"), None).unwrap_err();
    assert!(failed.to_string().contains("nor this"), "{failed}");
    assert_eq!(place.names("state"), [""; 0], "where it would be hidden");
}

#[test]
fn room_is_reserved_on_disk_and_then_used() {
    let place = Place::new();
    let sources = place.sources();
    let reserved = reserve(&sources, Agent::Same).unwrap();
    let [name] = place.names("state").try_into().unwrap();
    let file = place.dir.path().join("state").join(name);
    assert_eq!(fs::metadata(&file).unwrap().len(), TEXT_BYTES as u64);
    let inode = fs::metadata(&file).unwrap().ino();
    save(&sources, Agent::Same, &key("ac_room"), Some(reserved)).unwrap();
    assert_eq!(fs::metadata(&sources.saved).unwrap().ino(), inode);
    assert_eq!(place.names("state"), ["credentials.toml"]);
    drop(reserve(&sources, Agent::Same).unwrap());
    assert_eq!(place.names("state"), ["credentials.toml"]);
}

#[test]
fn what_a_killed_daemon_left_over_is_removed_and_nothing_of_anothers() {
    let place = Place::new();
    let config = place.write("dora", 0o600, "ac_dora");
    let sources = Sources {
        config: Some(config),
        ..place.sources()
    };
    for left in [
        "state/.agentchatd-key-credentials.toml-aB3xYz",
        ".agentchatd-key-dora-aB3xYz",
        ".agentchatd-key-dora-b-aB3xYz",
    ] {
        place.write(left, 0o600, "ac_left");
    }
    sweep(&sources);
    assert_eq!(place.names("state"), Vec::<String>::new());
    let names = place.names(".");
    assert_eq!(names, [".agentchatd-key-dora-b-aB3xYz", "dora", "state"]);
}
