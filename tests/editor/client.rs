//! A client of the YAML language server: messages over its streams, each waited for no longer than
//! a limit.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How long one answer may take; the first one reads the schema.
const LIMIT: Duration = Duration::from_secs(60);

/// Node.js and npm: in the folder that `STACKCTL_NODE_DIR` names, or those of `PATH`.
fn command(name: &str) -> Command {
    match std::env::var_os("STACKCTL_NODE_DIR") {
        Some(folder) => {
            let mut command = Command::new(Path::new(&folder).join(name));
            let mut path = vec![PathBuf::from(&folder)];
            path.extend(std::env::split_paths(
                &std::env::var_os("PATH").unwrap_or_default(),
            ));
            command.env("PATH", std::env::join_paths(path).unwrap());
            command
        }
        None => Command::new(name),
    }
}

/// The server's script, fetched once into a folder outside of the project: what the lock file
/// says, each package by its hash.
fn script() -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/editor");
    let package = std::fs::read_to_string(from.join("package.json")).unwrap();
    let package: Value = serde_json::from_str(&package).unwrap();
    let version = package["dependencies"]["yaml-language-server"]
        .as_str()
        .unwrap();
    let cache = std::env::var_os("STACKCTL_CI_TOOLS").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/stackctl-ci"),
        PathBuf::from,
    );
    let folder = cache.join(format!("yaml-language-server-{version}"));
    let script = folder.join("node_modules/yaml-language-server/bin/yaml-language-server");
    let whole = folder.join("whole");
    if !whole.exists() {
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["package.json", "package-lock.json"] {
            std::fs::copy(from.join(name), folder.join(name)).unwrap();
        }
        let npm = command("npm")
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--silent",
            ])
            .current_dir(&folder)
            .status()
            .expect("npm; see CONTRIBUTING.md");
        assert!(npm.success(), "npm ci in {}", folder.display());
        std::fs::write(whole, "").unwrap();
    }
    script
}

/// A running server, for as long as it is held.
pub(super) struct Client {
    child: Child,
    stdin: ChildStdin,
    messages: Receiver<Value>,
    last: i64,
    /// The mistakes by file, as they were published last.
    diagnostics: BTreeMap<String, Vec<Value>>,
}

impl Client {
    pub(super) fn start() -> Self {
        let mut child = command("node")
            .arg(script())
            .arg("--stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node; see CONTRIBUTING.md");
        let stdin = child.stdin.take().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let (send, messages) = channel();
        thread::spawn(move || {
            while let Some(message) = read(&mut stdout) {
                if send.send(message).is_err() {
                    break;
                }
            }
        });
        let mut client = Self {
            child,
            stdin,
            messages,
            last: 0,
            diagnostics: BTreeMap::new(),
        };
        let item = json!({"snippetSupport": true, "documentationFormat": ["markdown"]});
        client.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": null,
                "capabilities": {"textDocument": {
                    "completion": {"completionItem": item},
                    "hover": {"contentFormat": ["markdown"]},
                    "publishDiagnostics": {},
                }},
            }),
        );
        client.tell("initialized", &json!({}));
        // Nothing is fetched: the schema is the one that the file names.
        let yaml = json!({"schemaStore": {"enable": false}, "validate": true, "hover": true, "completion": true});
        client.tell(
            "workspace/didChangeConfiguration",
            &json!({"settings": {"yaml": yaml}}),
        );
        client
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.stdin, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.stdin.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        let end = Instant::now() + LIMIT;
        loop {
            let message = self.next(end, method);
            if message.get("method").is_none() && message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
        }
    }

    /// The next message; what the server asks is answered with nothing.
    fn next(&mut self, end: Instant, what: &str) -> Value {
        let left = end.saturating_duration_since(Instant::now());
        let message = self.messages.recv_timeout(left);
        let message = message.unwrap_or_else(|error| panic!("no answer to {what}: {error}"));
        if message["method"] == "textDocument/publishDiagnostics" {
            let uri = message["params"]["uri"].as_str().unwrap().to_owned();
            let all = message["params"]["diagnostics"].as_array().cloned();
            self.diagnostics.insert(uri, all.unwrap_or_default());
        } else if message.get("method").is_some() && message.get("id").is_some() {
            self.send(&json!({"jsonrpc": "2.0", "id": message["id"], "result": null}));
        }
        message
    }

    /// Opens a file with this text.
    pub(super) fn open(&mut self, path: &Path, text: &str) {
        let document = json!({"uri": uri(path), "languageId": "yaml", "version": 1, "text": text});
        self.tell("textDocument/didOpen", &json!({"textDocument": document}));
    }

    /// The mistakes in a file that was opened.
    pub(super) fn mistakes(&mut self, path: &Path) -> Vec<Value> {
        let uri = uri(path);
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(found) = self.diagnostics.get(&uri) {
                return found.clone();
            }
            self.next(end, &uri);
        }
    }

    /// Opens a file, and asks at the `|` in its text.
    fn at(&mut self, method: &str, path: &Path, text: &str) -> Value {
        let (before, after) = text.split_once('|').unwrap();
        self.open(path, &format!("{before}{after}"));
        let line = before.matches('\n').count();
        let character = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
        let params = json!({
            "textDocument": {"uri": uri(path)},
            "position": {"line": line, "character": character},
        });
        self.ask(method, &params)
    }

    /// The completions at the `|`, by label.
    pub(super) fn completions(&mut self, path: &Path, text: &str) -> BTreeMap<String, Value> {
        let found = self.at("textDocument/completion", path, text);
        let items = found["items"].as_array().cloned().unwrap_or_default();
        let label = |item: &Value| item["label"].as_str().unwrap().to_owned();
        items.into_iter().map(|item| (label(&item), item)).collect()
    }

    /// What is shown of what stands at the `|`.
    pub(super) fn hover(&mut self, path: &Path, text: &str) -> String {
        let found = self.at("textDocument/hover", path, text);
        found["contents"]["value"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // By itself it ends all of its processes: the command may be a script that starts another.
        let exit = json!({"jsonrpc": "2.0", "method": "exit"}).to_string();
        let _ = write!(self.stdin, "Content-Length: {}\r\n\r\n{exit}", exit.len());
        let end = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// One message: headers, an empty line, and as many bytes as the header says.
fn read(stream: &mut impl BufRead) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        }
    }
    let mut bytes = vec![0; length?];
    stream.read_exact(&mut bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The patterns of a schema that JavaScript does not take in its strict notation, as JSON.
pub(super) fn wrong_patterns(schema: &Value) -> String {
    let script = "
        const wrong = new Set();
        const named = ['properties', 'definitions', 'patternProperties', 'dependencies'];
        const test = (text) => { try { new RegExp(text, 'u') } catch { wrong.add(text) } };
        const walk = (at, names) => {
            if (Array.isArray(at)) at.forEach((it) => walk(it, false));
            else if (at && typeof at === 'object') for (const [key, it] of Object.entries(at)) {
                if (!names && key === 'pattern') test(it);
                if (!names && key === 'patternProperties') Object.keys(it).forEach(test);
                walk(it, !names && named.includes(key));
            }
        };
        walk(JSON.parse(require('fs').readFileSync(0, 'utf8')), false);
        process.stdout.write(JSON.stringify([...wrong]));";
    let mut child = command("node")
        .args(["-e", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = schema.to_string();
    let writing = thread::spawn(move || stdin.write_all(text.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(ended.status.success());
    String::from_utf8(ended.stdout).unwrap()
}
