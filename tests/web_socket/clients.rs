//! A client that others wrote: the Python package websockets.

use super::chat;
use crate::support::moto::python;
use crate::support::served::Served;
use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs the Python package websockets; see CONTRIBUTING.md"]
fn websockets_of_python_talk_to_an_api() {
    let (project, api) = chat();
    let served = Served::start(&project);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/emulator/websocket.py");
    let url = format!("ws://{}/_api/{api}/live", served.address());
    let mut command = Command::new(python());
    let ping = r#"{"action": "ping"}"#;
    let output = command.arg(script).args([&url, ping, ping]).output();
    let output = output.unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let pong = r#"{"pong": true, "route": "ping"}"#;
    let out = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines, [pong, pong, "1003", "403"]);
}
