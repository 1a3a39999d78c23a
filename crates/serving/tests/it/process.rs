//! The program: how it starts, how it fails, how it stops.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use catchment_pipeline::testing::TinyBundle;
use serde_json::json;

use crate::client::Client;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_catchment-serve");

/// A running `catchment-serve`, killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    stderr: BufReader<ChildStderr>,
}

impl Process {
    /// Starts `command` and waits until it says where it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("started");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        let address = loop {
            let mut line = String::new();
            let length = stderr.read_line(&mut line).expect("readable");
            said.push_str(&line);
            assert!(length > 0, "the server ended: {said}");
            if let Some(rest) = line.strip_prefix("serving ") {
                let rest = rest.split_once("http://").expect("an address").1;
                break rest
                    .split(' ')
                    .next()
                    .expect("an address")
                    .parse()
                    .expect("an address");
            }
        };
        Self {
            child,
            address,
            stderr,
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address).expect("connected")
    }

    /// `kill -9`. Returns what it had written to stderr.
    pub(crate) fn kill(mut self) -> String {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
        let mut said = String::new();
        let _ = self.stderr.read_to_string(&mut said);
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command for the folders below `folder`, on ports that the system chooses.
pub(crate) fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let (bundles, data) = (folder.join("bundles"), folder.join("state"));
    command
        .env_clear()
        .arg("--bundles")
        .arg(bundles)
        .arg("--data")
        .arg(data);
    command.args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    command
}

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("temporary folder");
    TinyBundle::default()
        .publish(folder.path().join("bundles"))
        .expect("published");
    folder
}

/// What a server that cannot start says, with its exit code.
fn fails(command: &mut Command) -> (i32, String) {
    let Output {
        status,
        stderr,
        stdout,
    } = command.output().expect("run");
    assert!(stdout.is_empty());
    (
        status.code().expect("no signal"),
        String::from_utf8(stderr).expect("text"),
    )
}

#[test]
fn a_port_in_use_is_a_clear_error() {
    let folder = folder();
    let taken = TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("address").to_string();
    for flag in ["--listen", "--admin"] {
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .arg("--bundles")
            .arg(folder.path().join("bundles"));
        command
            .arg("--data")
            .arg(folder.path().join("state"))
            .arg(flag)
            .arg(&address);
        let other = if flag == "--listen" { "--admin" } else { "--listen" };
        let (code, said) = fails(command.args([other, "127.0.0.1:0"]));
        assert_eq!(code, 1);
        assert!(
            said.contains(&format!("error: cannot listen on {address}: ")),
            "{said}"
        );
        assert!(
            said.contains("help: another program may use the address"),
            "{said}"
        );
    }
}

#[test]
fn two_servers_cannot_share_a_data_folder() {
    let folder = folder();
    let first = Process::start(&mut command(PROGRAM, folder.path()));
    let (code, said) = fails(&mut command(PROGRAM, folder.path()));
    assert_eq!(code, 1);
    assert!(
        said.contains("is used by another server\nhelp: stop the other server"),
        "{said}"
    );
    for flag in ["--data", "--listen", "--admin"] {
        assert!(said.contains(flag), "{said}");
    }
    first.client().get("/v1/recommend/u0").ok();
    first.kill();
    Process::start(&mut command(PROGRAM, folder.path()));
}

#[test]
fn what_keeps_it_from_starting_is_said_with_a_remedy() {
    let empty = tempfile::tempdir().expect("temporary folder");
    fs::create_dir(empty.path().join("bundles")).expect("made");
    let (code, said) = fails(&mut command(PROGRAM, empty.path()));
    assert_eq!(code, 1);
    assert!(
        said.contains("nothing was published there\nhelp: publish a bundle there first"),
        "{said}"
    );

    let folder = folder();
    fs::create_dir(folder.path().join("state")).expect("made");
    fs::write(
        folder.path().join("state/events.log"),
        "catchment events 1\n0123 {}\n",
    )
    .expect("written");
    let (code, said) = fails(&mut command(PROGRAM, folder.path()));
    assert_eq!(code, 1);
    assert!(said.contains("events.log, line 2: "), "{said}");
    assert!(said.contains("help: move the file away"), "{said}");
}

#[test]
fn wrong_use_has_its_own_exit_code() {
    for arguments in [
        &["--bundle", "x"][..],
        &[],
        &["--bundles", "x", "--listen", "nowhere"],
        &["--bundles", "x", "--timeout-ms", "0"],
        &[
            "--bundles",
            "/there/is/no/such/folder",
            "--data",
            "/dev/null/state",
        ],
    ] {
        let (code, said) = fails(Command::new(PROGRAM).env_clear().args(arguments));
        assert_eq!(code, 2, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn flags_come_from_the_environment_logs_go_to_stderr_and_a_signal_stops_it_in_order() {
    let folder = folder();
    let mut command = Command::new(PROGRAM);
    command
        .env_clear()
        .env("CATCHMENT_SERVE_BUNDLES", folder.path().join("bundles"))
        .env("CATCHMENT_SERVE_DATA", folder.path().join("state"))
        .env("CATCHMENT_SERVE_LISTEN", "127.0.0.1:0")
        .env("CATCHMENT_SERVE_ADMIN", "127.0.0.1:0")
        .env("CATCHMENT_SERVE_LOG", "warn,catchment_serving=debug");
    let mut process = Process::start(&mut command);
    process.client().get("/v1/recommend/u0").ok();
    let id = process.child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("run")
            .success()
    );
    let status = process.child.wait().expect("ended");
    assert_eq!(status.code(), Some(0));
    let mut said = String::new();
    process.stderr.read_to_string(&mut said).expect("text");
    assert!(
        said.contains("answered") && said.contains("path=\"/v1/recommend/u0\"") && said.contains("stopping"),
        "{said}"
    );
}

/// A limit on the size of files does to the log what a full disk does: a write stops in the middle of a line.
#[cfg(unix)]
#[test]
fn a_full_disk_is_answered_and_leaves_nothing_half_written() {
    let folder = folder();
    let mut limited = command("sh", folder.path());
    let arguments: Vec<_> = limited.get_args().map(ToOwned::to_owned).collect();
    limited = Command::new("sh");
    limited
        .env_clear()
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\"", PROGRAM])
        .args(arguments);
    let process = Process::start(&mut limited);
    let mut client = process.client();
    let events = |first: u64, n: u64| {
        let event =
            |number| json!({ "event_id": number, "user_id": "full", "item_id": "110", "timestamp": number });
        json!({ "events": (first..first + n).map(event).collect::<Vec<_>>() })
    };
    let mut acknowledged = 0;
    let refused = loop {
        let reply = client.post("/v1/events", &events(acknowledged, 7));
        if reply.status != 200 {
            break reply;
        }
        acknowledged += 7;
        assert!(acknowledged < 1000, "the limit does not hold");
    };
    assert_eq!((refused.status, refused.problem().as_str()), (503, "not_durable"));
    assert!(acknowledged > 0);
    let total = |client: &mut Client| client.get("/v1/users/full/history").ok()["total"].as_u64();
    assert_eq!(total(&mut client), Some(acknowledged));
    // It still answers, and goes on refusing what does not fit.
    client.get("/v1/recommend/full").ok();
    assert_eq!(
        client.post("/v1/events", &events(acknowledged, 7)).problem(),
        "not_durable"
    );
    let log = fs::read(folder.path().join("state/events.log")).expect("read");
    assert_eq!(
        log.split(|&byte| byte == b'\n').count() as u64 - 1,
        acknowledged + 1
    );
    assert_eq!(log.last(), Some(&b'\n'));
    drop(client);
    process.kill();
    // With room again, the events that were refused are taken when they are sent again.
    let process = Process::start(&mut command(PROGRAM, folder.path()));
    let mut client = process.client();
    assert_eq!(total(&mut client), Some(acknowledged));
    assert_eq!(
        client.post("/v1/events", &events(acknowledged, 7)).ok()["accepted"],
        7
    );
}
