//! Whose files the daemon opens.

use serde_json::json;

use super::harness::Server;

/// A user that no test runs as.
const ANOTHER: u32 = 4_294_967_000;

#[tokio::test]
async fn a_path_of_another_user_is_refused_with_what_to_do_instead() {
    let server = Server::for_files_of(ANOTHER).await;
    let mut client = server.client().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.png");
    std::fs::write(&path, b"\x89PNG\r\n\x1a\n").unwrap();
    let new = folder.path().join("new");
    for (method, params) in [
        ("attachments.upload", json!({"to": "bob", "path": path})),
        (
            "attachments.download",
            json!({"attachment_id": "att_1", "path": new}),
        ),
        ("agents.set_avatar", json!({"path": path})),
        (
            "groups.set_avatar",
            json!({"group_id": "grp_1", "path": path}),
        ),
    ] {
        let answer = client.call(method, params).await;
        let error = &answer["error"];
        assert_eq!(error["code"], -32004, "{method}: {answer}");
        let hint = error["data"]["hint"].as_str().unwrap();
        assert!(hint.contains("data_base64"), "{hint}");
    }
    assert!(!new.exists());
    let bytes = json!({"handle": "me", "data_base64": "iVBORw0KGgo="});
    let answer = client.call("agents.set_avatar", bytes).await;
    assert!(answer["result"].is_object(), "{answer}");
}
