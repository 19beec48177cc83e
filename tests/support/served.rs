//! `stackctl local` on a free port, for as long as it is held.

use super::{Project, hearing};
use aws_credential_types::Credentials;
use serde_json::Value;
use stackctl::resource::aws::Aws;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that serves a project's local cloud.
pub struct Served {
    child: Child,
    address: SocketAddr,
}

impl Served {
    /// Starts one, and waits until it listens.
    pub fn start(project: &Project) -> Self {
        let command = project.command(&["local", "--port", "0", "--json"]);
        let mut child = hearing(&command)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(said["pid"], child.id());
        let address: SocketAddr = said["address"].as_str().unwrap().parse().unwrap();
        assert_eq!(said["port"], address.port());
        Self { child, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, and waits for its end: the exit code.
    pub fn end(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &id])
            .status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// Clients over HTTP that send each call once, with the keys of the owner.
    pub async fn clients(&self) -> Aws {
        self.clients_of("test").await
    }

    /// The same with another access key id.
    pub async fn clients_of(&self, key: &str) -> Aws {
        let config = aws_config::defaults(aws_config::BehaviorVersion::v2026_01_12())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .retry_config(aws_config::retry::RetryConfig::disabled())
            .credentials_provider(Credentials::from_keys(key, "test", None))
            .region(aws_config::Region::new("us-west-2"))
            .endpoint_url(self.url())
            .load()
            .await;
        Aws::new(config, true)
    }

    /// Sends bytes as they are: what comes back until the other side closes, or for a second.
    pub fn raw(&self, sent: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(1)))
            .unwrap();
        // It may refuse before all is sent.
        let _ = stream.write_all(sent);
        let mut reply = Vec::new();
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut part) {
            reply.extend_from_slice(&part[..length]);
        }
        String::from_utf8_lossy(&reply).into_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
