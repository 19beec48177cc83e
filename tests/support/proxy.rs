//! A small HTTP/1.1 proxy on loopback that lets one call of many go wrong: between the
//! binary and an emulator, so that what breaks is a real connection.
//!
//! Writes with a condition are sent on one at a time: moto looks at the condition and writes,
//! and another write may come in between, which S3 rules out.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The client is killed before the call gets anywhere.
    KillBefore,
    /// The client is killed while the call is under way: it takes effect later.
    KillInFlight,
    /// The client is killed after the call took effect, before it hears of it.
    KillAfter,
    /// The connection breaks before the call gets anywhere.
    Reset,
    /// The connection breaks after the call took effect.
    LostReply,
    /// Half of the reply arrives.
    Malformed,
    /// The service is not well.
    Status(u16),
    /// The service asks to slow down, in its own way.
    Throttle,
    /// Nothing comes back for longer than the client's patience.
    Silence,
}

struct Shared {
    /// The emulator's port.
    to: u16,
    /// Which call, from 1, and what happens to it.
    plan: Mutex<(usize, Trouble)>,
    seen: AtomicUsize,
    victim: AtomicU32,
    struck: AtomicBool,
    /// Calls that go on after their client is dead.
    late: AtomicUsize,
    /// How much longer each call takes, in milliseconds.
    slow: AtomicU64,
    /// Held while a write with a condition is under way.
    conditional: Mutex<()>,
    /// All requests so far.
    log: Mutex<Vec<Vec<u8>>>,
}

/// A running proxy.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Starts one in front of a port on loopback.
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            to,
            plan: Mutex::new((0, Trouble::Reset)),
            seen: AtomicUsize::new(0),
            victim: AtomicU32::new(0),
            struck: AtomicBool::new(false),
            late: AtomicUsize::new(0),
            slow: AtomicU64::new(0),
            conditional: Mutex::default(),
            log: Mutex::default(),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A broken connection is what this is about.
                thread::spawn(move || drop(shared.serve(client)));
            }
        });
        Self { port, shared }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets the `at`th call from now (from 1; 0: none) go wrong.
    pub fn expect(&self, at: usize, trouble: Trouble) {
        *self.shared.plan.lock().unwrap() = (at, trouble);
        self.shared.seen.store(0, Ordering::SeqCst);
        self.shared.struck.store(false, Ordering::SeqCst);
        self.shared.victim.store(0, Ordering::SeqCst);
    }

    /// Lets every call take so much longer from now on.
    pub fn slow(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap();
        self.shared.slow.store(millis, Ordering::SeqCst);
    }

    /// Whom a kill is meant for.
    pub fn aim(&self, pid: u32) {
        self.shared.victim.store(pid, Ordering::SeqCst);
    }

    /// Whether it went wrong, once calls in flight have landed.
    pub fn struck(&self) -> bool {
        while self.shared.late.load(Ordering::SeqCst) > 0 {
            thread::sleep(Duration::from_millis(10));
        }
        self.shared.struck.load(Ordering::SeqCst)
    }

    /// All requests so far, as they came: head and body.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many calls there were since [`Proxy::expect`].
    pub fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Some(request) = read_request(&client)? else {
            return Ok(());
        };
        self.log.lock().unwrap().push(request.clone());
        let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let (at, trouble) = *self.plan.lock().unwrap();
        if number != at {
            return client.write_all(&self.forward(&request)?);
        }
        self.struck.store(true, Ordering::SeqCst);
        match trouble {
            Trouble::KillBefore => self.kill(),
            Trouble::KillInFlight => {
                self.late.fetch_add(1, Ordering::SeqCst);
                self.kill();
                let landed = self.forward(&request);
                self.late.fetch_sub(1, Ordering::SeqCst);
                landed?;
            }
            Trouble::KillAfter => {
                self.forward(&request)?;
                self.kill();
            }
            Trouble::Reset => {}
            Trouble::LostReply => drop(self.forward(&request)?),
            Trouble::Malformed => {
                let reply = self.forward(&request)?;
                let head = end_of_head(&reply).unwrap_or(reply.len());
                client.write_all(&reply[..head + (reply.len() - head) / 2])?;
            }
            Trouble::Status(status) => client.write_all(&plain(status, "", "{}"))?,
            Trouble::Throttle => client.write_all(&throttle(&service(&request)))?,
            Trouble::Silence => thread::sleep(Duration::from_secs(70)),
        }
        Ok(())
    }

    fn kill(&self) {
        while self.victim.load(Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        let pid = self.victim.load(Ordering::SeqCst).to_string();
        let killed = Command::new("kill").args(["-9", &pid]).status().unwrap();
        assert!(killed.success());
    }

    /// Sends a request on; the whole reply. The connection is for this one only.
    fn forward(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        thread::sleep(Duration::from_millis(self.slow.load(Ordering::SeqCst)));
        let _alone = is_conditional(request).then(|| self.conditional.lock().unwrap());
        let mut stream = TcpStream::connect(("127.0.0.1", self.to))?;
        let end = request.windows(2).position(|two| two == b"\r\n");
        let (first, rest) = request.split_at(end.unwrap_or(0) + 2);
        stream.write_all(first)?;
        stream.write_all(b"Connection: close\r\n")?;
        stream.write_all(rest)?;
        let mut reply = Vec::new();
        stream.read_to_end(&mut reply)?;
        Ok(reply)
    }
}

/// A request with its body; none when the client closed.
fn read_request(client: &TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut reader = BufReader::new(client);
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reader.read_until(b'\n', &mut request)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        assert!(!line.starts_with("transfer-encoding:"), "{line}");
        if line == "\r\n" {
            break;
        }
    }
    let head = request.len();
    request.resize(head + length, 0);
    reader.read_exact(&mut request[head..])?;
    Ok(Some(request))
}

/// Whether it is a write that is to take place only if a condition holds.
fn is_conditional(request: &[u8]) -> bool {
    let head = &request[..end_of_head(request).unwrap_or(request.len())];
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    head.starts_with("put ")
        && (head.contains("\r\nif-match:") || head.contains("\r\nif-none-match:"))
}

fn end_of_head(reply: &[u8]) -> Option<usize> {
    let end = reply.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

/// The signing name out of the request's signature.
fn service(request: &[u8]) -> String {
    let text = String::from_utf8_lossy(request);
    let scope = text.split_once("Credential=").map(|(_, rest)| rest);
    let service = scope.and_then(|scope| scope.split('/').nth(3));
    service.unwrap_or_default().to_owned()
}

fn plain(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\n{headers}Content-Length: {length}\r\n");
    format!("{head}Connection: close\r\n\r\n{body}").into_bytes()
}

/// Each service's own way to say it (codes of the AWS service models).
fn throttle(service: &str) -> Vec<u8> {
    let json = |code: &str| format!("{{\"__type\": \"{code}\", \"message\": \"Rate exceeded\"}}");
    let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>Rate</Message></Error>");
    match service {
        "apigateway" | "lambda" => plain(
            429,
            "x-amzn-errortype: TooManyRequestsException\r\n",
            &json("TooManyRequestsException"),
        ),
        "sqs" => plain(403, "", &json("com.amazonaws.sqs#RequestThrottled")),
        "logs" => plain(400, "", &json("ThrottlingException")),
        "s3" => plain(503, "", &xml("SlowDown")),
        _ => plain(
            400,
            "",
            &format!("<ErrorResponse>{}</ErrorResponse>", xml("Throttling")),
        ),
    }
}
