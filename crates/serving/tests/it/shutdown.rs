//! A server that is told to stop says so, answers what has begun, and ends.

use std::thread;
use std::time::{Duration, Instant};

use catchment_recall::Stopwatch;
use catchment_serving::clock::RequestClock;
use catchment_serving::warm_up::warm_up;

use crate::client::Client;
use crate::served::Served;

#[test]
fn ready_says_no_while_requests_are_still_answered() {
    let mut served = Served::with(|config| config.drain_ms = 1500);
    let mut client = served.client();
    client.get("/health/ready").ok();
    served.tell_to_stop();
    let begin = Instant::now();
    let reply = loop {
        let reply = client.get("/health/ready");
        if reply.status != 200 {
            break reply;
        }
        assert!(begin.elapsed() < Duration::from_mins(1));
    };
    assert_eq!((reply.status, reply.problem().as_str()), (503, "stopping"));
    // New clients are let in until the time to drain is over, and both addresses answer.
    served.client().get("/v1/recommend/u0").ok();
    served.client().get("/health/live").ok();
    assert_eq!(served.admin_client().get("/health/ready").problem(), "stopping");
    let address = served.address;
    served.ended();
    assert!(Client::connect(address).is_err());
}

#[test]
fn a_request_that_has_begun_is_answered_after_the_word_to_stop() {
    let mut served = Served::tiny();
    let mut client = served.client();
    let all = u32::try_from(served.state.workers.available_permits()).expect("few");
    let state = served.state.clone();
    let taken = state.workers.try_acquire_many(all).expect("all are free");
    client
        .write(b"GET /v1/recommend/u0 HTTP/1.1\r\nHost: test\r\n\r\n")
        .expect("sent");
    // The request waits for a worker when the server is told to stop.
    thread::sleep(Duration::from_millis(100));
    served.tell_to_stop();
    thread::sleep(Duration::from_millis(100));
    drop(taken);
    client.reply().expect("answered").ok();
    served.ended();
}

#[test]
fn a_warm_up_asks_for_as_many_users_as_there_are_at_most() {
    let served = Served::with(|config| config.warm_up = 0);
    let live = served.state.live.load_full();
    assert_eq!(warm_up(&live, 3), 3);
    assert_eq!(warm_up(&live, 1_000_000), 48);
    assert!(RequestClock::start(Duration::ZERO).micros() < u64::MAX);
}
