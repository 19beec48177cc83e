//! Small servers on loopback that stand for AWS and what is on the way to it: they answer by
//! what is asked for, and keep what was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// One request as it came in.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Request line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

/// What a server answers: status and body.
pub type Answer = fn(&Asked) -> (u16, String);

/// A running server.
pub struct Server {
    /// Its address, without a slash at the end.
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Starts one.
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let log = Arc::clone(&log);
                thread::spawn(move || serve(stream, answer, &log));
            }
        });
        Self { url, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How many requests had this in their body.
    pub fn count(&self, text: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|it| it.body.contains(text)).count()
    }
}

fn serve(stream: TcpStream, answer: Answer, log: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    while let Some(asked) = read(&mut reader) {
        let (status, body) = answer(&asked);
        log.lock().unwrap().push(asked);
        let reply = format!(
            "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads one request; none at the end of the connection.
pub fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let of_length = name.eq_ignore_ascii_case("content-length");
        of_length.then(|| value.trim().parse::<usize>().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        head,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// STS: who one is, by the key that signed, and roles to assume.
pub fn sts(asked: &Asked) -> (u16, String) {
    let keys = "<Credentials><AccessKeyId>ROLEKEY</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>\
                </Credentials>";
    let reply = |name: &str, result: String| {
        format!("<{name}Response><{name}Result>{result}</{name}Result></{name}Response>")
    };
    let action = form(&asked.body, "Action");
    match action.as_str() {
        "AssumeRole" | "AssumeRoleWithWebIdentity" => (200, reply(&action, keys.to_owned())),
        "GetCallerIdentity" => (
            200,
            reply(
                &action,
                "<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/u</Arn>\
                 <UserId>U</UserId>"
                    .to_owned(),
            ),
        ),
        _ => (400, refusal("InvalidAction", "no such action")),
    }
}

/// A refusal of a query service.
pub fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    )
}

/// A value of a form.
pub fn form(body: &str, name: &str) -> String {
    let found = form_urlencoded::parse(body.as_bytes()).find(|(key, _)| key == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}
