//! Headless Chromium, as far as the tests need it: one page, asked through its protocol for developers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

pub(crate) struct Browser {
    child: Child,
    stream: BufReader<TcpStream>,
    next_id: u64,
    _profile: TempDir,
}

impl Browser {
    /// Opens a page; `None` where there is no Chromium.
    pub(crate) fn open(address: &str) -> Option<Self> {
        let runs = |program: &&&str| {
            let quiet = Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            quiet.is_ok_and(|status| status.success())
        };
        let program = PROGRAMS.iter().find(runs)?;
        let profile = tempfile::tempdir().expect("temporary folder");
        let mut child = Command::new(program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--remote-debugging-port=0", "--window-size=1280,900"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(address)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let devtools = lines.find_map(|line| {
            let line = line.ok()?;
            let rest = line.strip_prefix("DevTools listening on ws://")?;
            rest.split('/').next().map(str::to_owned)
        });
        // Somebody has to go on reading, or the browser would wait.
        std::thread::spawn(move || lines.for_each(drop));
        let host = devtools.expect("an address of the browser");
        let path = page_path(&host);
        let mut stream = TcpStream::connect(&host).expect("connected");
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .expect("set");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        .expect("sent");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).expect("an answer");
        }
        Some(Self {
            child,
            stream,
            next_id: 0,
            _profile: profile,
        })
    }

    /// One command of the protocol.
    pub(crate) fn command(&mut self, method: &str, parameters: &Value) -> Value {
        self.next_id += 1;
        let message = json!({ "id": self.next_id, "method": method, "params": parameters }).to_string();
        // A whole text in one frame, under the mask of four zeros.
        let mut frame = vec![0x81, 0x80 | 127];
        frame.extend((message.len() as u64).to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(message.as_bytes());
        self.stream.get_mut().write_all(&frame).expect("sent");
        loop {
            let answer: Value = serde_json::from_slice(&self.message()).expect("JSON");
            if answer["id"] == self.next_id {
                return answer["result"].clone();
            }
        }
    }

    fn message(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).expect("a frame");
            let mut long = [0; 8];
            let length = match head[1] & 0x7f {
                126 => {
                    self.stream.read_exact(&mut long[6..]).expect("a length");
                    u64::from_be_bytes(long)
                }
                127 => {
                    self.stream.read_exact(&mut long).expect("a length");
                    u64::from_be_bytes(long)
                }
                short => u64::from(short),
            };
            let mut part = vec![0; usize::try_from(length).expect("fits")];
            self.stream.read_exact(&mut part).expect("a payload");
            whole.extend(part);
            if head[0] & 0x80 != 0 {
                return whole;
            }
        }
    }

    /// The value of a JavaScript expression.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let answer = self.command("Runtime.evaluate", &parameters);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until the expression is true.
    pub(crate) fn wait(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(expression) != true {
            assert!(
                begin.elapsed() < Duration::from_mins(1),
                "never: {expression}\n{}",
                self.value("document.body.innerText")
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key as a person does.
    pub(crate) fn press(&mut self, key: &str) {
        let text = if key.len() == 1 { key } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let parameters =
                json!({ "type": kind, "key": key, "text": if kind == "keyDown" { text } else { "" } });
            self.command("Input.dispatchKeyEvent", &parameters);
        }
    }
}

/// The way to the one page that is open.
fn page_path(host: &str) -> String {
    let begin = Instant::now();
    loop {
        let mut stream = TcpStream::connect(host).expect("connected");
        write!(
            stream,
            "GET /json/list HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .expect("sent");
        let mut reply = String::new();
        // It may leave the connection open after all.
        stream
            .set_read_timeout(Some(Duration::from_secs(2)))
            .expect("set");
        let _ = stream.read_to_string(&mut reply);
        let body = reply.split_once("\r\n\r\n").map_or("", |parts| parts.1);
        let targets: Value = serde_json::from_str(body).unwrap_or_default();
        let page = targets
            .as_array()
            .into_iter()
            .flatten()
            .find(|target| target["type"] == "page");
        if let Some(url) = page.and_then(|page| page["webSocketDebuggerUrl"].as_str()) {
            return url
                .trim_start_matches("ws://")
                .trim_start_matches(host)
                .to_owned();
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "{targets}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
