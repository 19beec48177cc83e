//! The way to AWS: proxies, and certificates of an authority of one's own.

use crate::support::Project;
use crate::support::aws::{Server, read, sts};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

/// A certificate of `sts.example.test` and its authority; see the folder's README.
fn tls(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/credentials/tls")
        .join(name)
}

/// STS behind TLS: its port.
fn sts_over_tls() -> u16 {
    let certificate = CertificateDer::from_pem_file(tls("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let connection = ServerConnection::new(config).unwrap();
                let mut reader = BufReader::new(StreamOwned::new(connection, stream));
                while let Some(asked) = read(&mut reader) {
                    let (status, body) = sts(&asked);
                    let head = format!("HTTP/1.1 {status} x\r\nContent-Length: {}", body.len());
                    let reply = format!("{head}\r\n\r\n{body}");
                    reader.get_mut().write_all(reply.as_bytes()).unwrap();
                    reader.get_mut().flush().unwrap();
                }
            });
        }
    });
    port
}

/// A proxy that tunnels whatever host is asked for to one port, and keeps what was asked.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// With port 0 it refuses.
    fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                // A broken tunnel ends its thread.
                thread::spawn(move || tunnel(client, to, &log).ok());
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn tunnel(mut client: TcpStream, to: u16, log: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    log.lock().unwrap().push(head);
    if to == 0 {
        return client.write_all(b"HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n");
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let mut server = TcpStream::connect(("127.0.0.1", to))?;
    let (mut back, mut out) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || std::io::copy(&mut back, &mut out).ok());
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = reader.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        server.write_all(&buffer[..length])?;
    }
}

/// A stack whose plan asks STS alone, at `url`.
fn project(url: &str) -> Project {
    let mut project = Project::new();
    project.flags.clear();
    project.write(
        "stacks/p.yaml",
        "name: p\nproviders: {aws: {region: us-west-2}}\nresources:\n  \
         q: {type: aws:sqs:Queue, properties: {name: q}}\n",
    );
    project
        .env("AWS_ACCESS_KEY_ID", "KEY")
        .env("AWS_SECRET_ACCESS_KEY", "s")
        .env("AWS_ENDPOINT_URL_STS", url);
    project
}

const HOST: &str = "https://sts.example.test";

#[test]
fn calls_go_through_the_proxy_that_the_environment_names() {
    let port = sts_over_tls();
    let bundle = tls("ca.pem");
    for (name, scheme) in [
        ("HTTPS_PROXY", "http://"),
        ("https_proxy", ""),
        ("ALL_PROXY", "http://"),
    ] {
        let proxy = Proxy::start(port);
        let mut project = project(HOST);
        project.env(name, &format!("{scheme}who:pass@{}", proxy.address));
        project.env("AWS_CA_BUNDLE", bundle.to_str().unwrap());
        project.run(&["plan"]).expect(0);
        let asked = proxy.asked();
        assert_eq!(asked.len(), 1, "{name}: {asked:?}");
        assert!(
            asked[0].starts_with("CONNECT sts.example.test:443 "),
            "{asked:?}"
        );
        // who:pass
        let head = asked[0].to_ascii_lowercase();
        assert!(
            head.contains("proxy-authorization: basic d2hvonbhc3m="),
            "{asked:?}"
        );
    }
}

#[test]
fn a_plain_endpoint_goes_through_the_proxy_too() {
    let proxy = Server::start(sts);
    let mut project = project("http://sts.example.test");
    project.env("HTTP_PROXY", &proxy.url);
    project.run(&["plan"]).expect(0);
    let asked = proxy.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].head.contains("sts.example.test"), "{asked:?}");
}

#[test]
fn what_is_near_and_what_is_excluded_stays_outside_the_proxy() {
    let proxy = Proxy::start(0);
    let server = Server::start(sts);
    let address = format!("http://{}", proxy.address);
    // On loopback.
    let mut near = project(&server.url);
    near.env("HTTP_PROXY", &address)
        .env("HTTPS_PROXY", &address);
    near.run(&["plan"]).expect(0);
    // The metadata of a task: the link's own address, which nothing answers here.
    let mut task = project(HOST);
    task.unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    task.env("HTTP_PROXY", &address).env(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &format!("{}/creds", server.url),
    );
    task.run(&["plan"]).expect(1);
    assert!(
        server
            .asked()
            .iter()
            .any(|it| it.head.starts_with("GET /creds")),
        "{:?}",
        server.asked()
    );
    // By name: nobody has it, so the call fails, but not at the proxy.
    for (name, value) in [
        ("NO_PROXY", "example.test"),
        ("no_proxy", "10.0.0.0/8, .example.test"),
        ("NO_PROXY", "*"),
    ] {
        let mut excluded = project(HOST);
        excluded.env("HTTPS_PROXY", &address).env(name, value);
        excluded.env("AWS_MAX_ATTEMPTS", "1");
        excluded.run(&["plan"]).expect(1);
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[test]
fn a_proxy_that_refuses_is_told() {
    let proxy = Proxy::start(0);
    let mut project = project(HOST);
    project.env("HTTPS_PROXY", &format!("http://{}", proxy.address));
    let ended = project.run(&["plan"]).expect(1);
    assert!(
        ended.stderr.contains("next: Check the proxy (HTTPS_PROXY"),
        "{}",
        ended.stderr
    );
    project.env("HTTPS_PROXY", "socks5://user:hidden@127.0.0.1:1080");
    let ended = project.run(&["plan"]).expect(1);
    assert!(
        ended
            .stderr
            .contains("HTTPS_PROXY is not the address of an HTTP proxy"),
        "{}",
        ended.stderr
    );
    assert!(!ended.stderr.contains("hidden"), "{}", ended.stderr);
}

#[test]
fn an_authority_of_ones_own_is_trusted_by_its_bundle() {
    let port = sts_over_tls();
    let url = format!("https://localhost:{port}");
    let mut trusting = project(&url);
    trusting.env("AWS_CA_BUNDLE", tls("ca.pem").to_str().unwrap());
    trusting.run(&["plan"]).expect(0);
    // The same by the profile.
    let mut by_profile = project(&url);
    by_profile.unset("AWS_ACCESS_KEY_ID");
    by_profile.env("AWS_PROFILE", "lab");
    by_profile.write(
        ".aws/config",
        format!(
            "[profile lab]\naws_access_key_id = K\naws_secret_access_key = s\nca_bundle = {}\n",
            tls("ca.pem").display()
        ),
    );
    by_profile.run(&["plan"]).expect(0);
    let ended = project(&url).run(&["plan"]).expect(1);
    assert!(ended.stderr.contains("AWS_CA_BUNDLE"), "{}", ended.stderr);
    let mut wrong = project(&url);
    wrong.write("bundle.pem", "no certificate");
    wrong.env("AWS_CA_BUNDLE", "bundle.pem");
    let ended = wrong.run(&["plan"]).expect(1);
    assert!(
        ended
            .stderr
            .contains("The certificate bundle bundle.pem holds no certificate."),
        "{}",
        ended.stderr
    );
}
