//! Clients that stall do not hold the server.

use std::io::ErrorKind;

use crate::served::Served;

const HEAD: &[u8] = b"POST /v1/recommend HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n";

#[test]
fn half_a_body_ends_with_a_problem_and_the_end_of_the_connection() {
    let served = Served::with(|config| config.timeout_ms = 200);
    let mut client = served.client();
    client.write(HEAD).expect("sent");
    client
        .write(b"Content-Length: 100\r\n\r\n{\"user_id\":")
        .expect("sent");
    let reply = client.reply().expect("answered");
    assert_eq!((reply.status, reply.problem().as_str()), (408, "slow_body"));
    assert_eq!(reply.header("connection"), "close");
    assert!(client.reply().is_err());
}

#[test]
fn a_chunked_body_that_never_ends_is_given_up_as_well() {
    let served = Served::with(|config| config.timeout_ms = 200);
    let mut client = served.client();
    client.write(HEAD).expect("sent");
    client
        .write(b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"use\r\n")
        .expect("sent");
    assert_eq!(client.reply().expect("answered").problem(), "slow_body");
}

#[test]
fn half_a_header_ends_with_the_end_of_the_connection() {
    let served = Served::with(|config| config.timeout_ms = 200);
    let mut client = served.client();
    client.write(HEAD).expect("sent");
    let error = client.reply().expect_err("closed");
    assert_ne!(error.kind(), ErrorKind::WouldBlock, "the server went on waiting");
}

#[test]
fn others_are_served_while_many_stall() {
    let served = Served::tiny();
    let stalling: Vec<_> = (0..64)
        .map(|_| {
            let mut client = served.client();
            client.write(HEAD).expect("sent");
            client.write(b"Content-Length: 100\r\n\r\n{").expect("sent");
            client
        })
        .collect();
    served.client().get("/v1/recommend/u0").ok();
    drop(stalling);
}
