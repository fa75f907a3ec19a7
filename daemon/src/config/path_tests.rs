//! Where socket and state directory end up, row by row of the contract's table.

use std::path::{Path, PathBuf};

use super::fixture::Place;
use super::*;

#[test]
fn the_state_dir_follows_the_order_of_the_contract() {
    let mut place = Place::new();
    let home = place.path().to_path_buf();
    let state_dir = |place: &Place| place.resolve().unwrap().state_dir;
    assert_eq!(state_dir(&place), home.join(".local/state/agentchatd"));
    place = place.with_var("XDG_STATE_HOME", "/xdg");
    assert_eq!(state_dir(&place), Path::new("/xdg/agentchatd"));
    place = place.with_var("STATE_DIRECTORY", "/var/lib/agentchatd:/var/lib/other");
    assert_eq!(state_dir(&place), Path::new("/var/lib/agentchatd"));
    place = place.with_var("AGENTCHATD_STATE_DIR", "/by-variable");
    assert_eq!(state_dir(&place), Path::new("/by-variable"));
    place.flags.state_dir = Some(PathBuf::from("by-flag"));
    assert_eq!(state_dir(&place), home.join("by-flag"));
    let warnings = place.resolve().unwrap().warnings;
    assert!(
        !warnings.iter().any(|words| words.contains("STATE_DIR")),
        "{warnings:?}"
    );
}

#[test]
fn without_a_home_the_state_dir_has_to_be_named() {
    let place = Place::new().with_var("HOME", "");
    let error = place.resolve().unwrap_err().to_string();
    assert!(error.contains("--state-dir"), "{error}");
}

#[test]
fn a_user_gets_a_private_socket_in_the_runtime_dir() {
    let place = Place::new().with_var("XDG_RUNTIME_DIR", "/run/user/1000");
    let settings = place.resolve().unwrap();
    assert_eq!(settings.kind, ServiceKind::User);
    assert_eq!(
        settings.socket,
        SocketSettings {
            path: PathBuf::from("/run/user/1000/agentchatd/agentchatd.sock"),
            mode: FileMode::PRIVATE,
            dir_mode: 0o700,
            gid: None,
            handed_over: false,
        }
    );
}

#[test]
fn without_a_runtime_dir_the_socket_lies_in_the_state_dir() {
    let place = Place::new().with_var("AGENTCHATD_STATE_DIR", "/s");
    assert_eq!(
        place.resolve().unwrap().socket.path,
        Path::new("/s/agentchatd.sock")
    );
}

#[test]
fn root_and_a_system_service_get_the_system_socket() {
    let mut root = Place::new().with_var("XDG_RUNTIME_DIR", "/run/user/0");
    root.uid = 0;
    let mut service = Place::new().with_var("STATE_DIRECTORY", "/var/lib/agentchatd");
    service.uid = 990;
    for place in [&mut root, &mut service] {
        place.groups.push(("agentchat", 61));
        let settings = place.resolve().unwrap();
        assert_eq!(settings.kind, ServiceKind::System);
        assert_eq!(
            settings.socket,
            SocketSettings {
                path: PathBuf::from("/run/agentchatd/agentchatd.sock"),
                mode: FileMode::GROUP,
                dir_mode: 0o750,
                gid: Some(61),
                handed_over: false,
            }
        );
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }
}

#[test]
fn a_user_service_of_systemd_stays_a_user_service() {
    let place = Place::new()
        .with_var("STATE_DIRECTORY", "/alice/.local/state/agentchatd")
        .with_var("XDG_RUNTIME_DIR", "/run/user/1000");
    assert_eq!(place.resolve().unwrap().kind, ServiceKind::User);
}

#[test]
fn without_the_group_the_system_socket_is_private_and_a_warning_says_so() {
    let mut place = Place::new();
    place.uid = 0;
    let settings = place.resolve().unwrap();
    assert_eq!(
        (settings.socket.mode, settings.socket.gid),
        (FileMode::PRIVATE, None)
    );
    assert_eq!(settings.warnings.len(), 1);
    assert!(
        settings.warnings[0].contains("\"agentchat\" does not exist"),
        "{settings:?}"
    );
}

#[test]
fn a_socket_that_was_handed_over_is_taken_as_it_is() {
    let mut place = Place::new();
    place.uid = 0;
    let path = PathBuf::from("/run/hub.sock");
    place.socket = Some(GivenSocket {
        path: path.clone(),
        access: Some((FileMode::GROUP, 61)),
    });
    let settings = place.resolve().unwrap();
    assert_eq!(
        settings.socket,
        SocketSettings {
            path,
            mode: FileMode::GROUP,
            dir_mode: 0o700,
            gid: Some(61),
            handed_over: true,
        }
    );
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn what_does_not_count_for_a_socket_that_was_handed_over_is_told() {
    let given = |access| GivenSocket {
        path: PathBuf::from("/run/hub.sock"),
        access,
    };
    let mut place = Place::new().with_file("[socket]\nmode = \"0660\"");
    place.flags.socket = Some(PathBuf::from("/elsewhere.sock"));
    place.socket = Some(given(Some((FileMode::PRIVATE, 0))));
    let warnings = place.resolve().unwrap().warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("/elsewhere.sock"), "{warnings:?}");
    assert!(warnings[1].contains("SocketMode="), "{warnings:?}");
    let mut place = Place::new();
    let open = Some((FileMode::of_file(0o140_666), 0));
    for (access, words) in [(open, "every user"), (None, "cannot be looked at")] {
        place.socket = Some(given(access));
        let settings = place.resolve().unwrap();
        let warnings = &settings.warnings;
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(words), "{warnings:?}");
        assert!(settings.socket.mode.lets_all_in());
    }
}

#[test]
fn a_mode_and_a_group_that_were_asked_for_are_used() {
    let place = Place::new().with_file("[socket]\ngroup = \"staff\"\nmode = \"0660\"");
    let socket = place.resolve().unwrap().socket;
    assert_eq!(
        (socket.mode, socket.dir_mode, socket.gid),
        (FileMode::GROUP, 0o750, Some(50))
    );
    let place = Place::new().with_file("[socket]\ngroup = \"staff\"");
    let settings = place.resolve().unwrap();
    assert_eq!(
        (settings.socket.mode, settings.socket.dir_mode),
        (FileMode::PRIVATE, 0o700)
    );
    assert!(
        settings.warnings[0].contains("keeps the group out"),
        "{settings:?}"
    );
}

#[test]
fn a_socket_path_of_107_bytes_is_taken_and_one_more_is_refused() {
    let mut place = Place::new();
    place.flags.socket = Some(PathBuf::from(format!("/{}", "s".repeat(106))));
    assert!(place.resolve().is_ok());
    let long = format!("/{}", "s".repeat(107));
    place.flags.socket = Some(PathBuf::from(&long));
    let error = place.resolve().unwrap_err().to_string();
    assert!(
        error.contains(&long) && error.contains("109 bytes") && error.contains("108"),
        "{error}"
    );
}

#[test]
fn a_relative_path_starts_where_it_was_written() {
    let place = Place::new().with_file("[agent]\napi_key_file = \"key\"");
    let got = place.resolve().unwrap().config.agent.api_key_file;
    assert_eq!(got, Some(place.file().with_file_name("key")));
    let place = Place::new().with_var("AGENTCHATD_AGENT_API_KEY_FILE", "key");
    let got = place.resolve().unwrap().config.agent.api_key_file;
    assert_eq!(got, Some(place.path().join("key")));
}
