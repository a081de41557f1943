//! Ten thousand subscribers over real sockets: each gets every event, once and in order.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::example_process::Example;

const SUBSCRIBERS: usize = 10_000;
const EVENTS: u64 = 50;

/// As many as the system lets each of both processes have sockets.
fn subscribers() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    SUBSCRIBERS.min(soft.unwrap_or(1_024_usize).saturating_sub(200))
}

async fn ask(authority: &str, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(authority).await.unwrap();
    // HTTP/1.0 has no chunks: what follows the head is the body.
    let request = format!("{head} HTTP/1.0\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

/// Reads every event and looks at each ID.
async fn follow(mut stream: TcpStream) {
    let mut bytes = Vec::with_capacity(4096);
    let mut next = 1;
    loop {
        while let Some(end) = memchr::memmem::find(&bytes, b"\n\n") {
            let block = String::from_utf8(bytes.drain(..end + 2).collect()).unwrap();
            let Some((_, data)) = block.split_once("\ndata: ") else {
                continue;
            };
            let id = block
                .lines()
                .find_map(|line| line.strip_prefix("id: "))
                .unwrap();
            let (_, number) = id.split_once('-').unwrap();
            assert_eq!(number.parse::<u64>().unwrap(), next);
            assert_eq!(data.trim_end().len(), 120);
            next += 1;
        }
        if next > EVENTS {
            return;
        }
        assert!(
            stream.read_buf(&mut bytes).await.unwrap() > 0,
            "ended at {next}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_get_every_event_once_and_in_order() {
    let count = subscribers();
    let example = Example::start("fan_out", &["--port", "0"]);
    let idle = example.resident();
    let mut followers = JoinSet::new();
    for _ in 0..count {
        followers.spawn(follow(ask(&example.authority, "GET /events").await));
    }
    // All are there when the server says so.
    loop {
        let mut text = String::new();
        let mut stream = ask(&example.authority, "GET /stats").await;
        stream.read_to_string(&mut text).await.unwrap();
        if text.contains(&format!("subscribers: {count},")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let connected = example.resident();
    let start = Instant::now();
    let path = format!("POST /publish?n={EVENTS}&size=120");
    let mut publisher = ask(&example.authority, &path).await;
    while let Some(follower) = followers.join_next().await {
        follower.unwrap();
    }
    let time = start.elapsed();
    let mut said = String::new();
    publisher.read_to_string(&mut said).await.unwrap();
    assert!(said.contains(" 0 subscribers given up"), "{said}");
    if let (Some(idle), Some(connected), Some(after)) = (idle, connected, example.resident()) {
        println!(
            "{count} subscribers: {} KB of the server's memory each; {EVENTS} events in {time:?}; \
             {} MB before, {} MB after",
            (connected - idle) / 1_000 / count as u64,
            idle / 1_000_000,
            after / 1_000_000,
        );
    }
}
