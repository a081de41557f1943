//! Ten thousand subscribers over real sockets: each gets every event, once and in order.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::{open_files, serve};

const SUBSCRIBERS: usize = 10_000;
const EVENTS: u64 = 50;

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

pub(crate) async fn run() -> String {
    let count = SUBSCRIBERS.min(open_files().saturating_sub(200));
    let server = serve(&[]);
    let mut followers = JoinSet::new();
    for _ in 0..count {
        followers.spawn(follow(ask(&server.authority, "GET /events").await));
    }
    // All are there when the server says so.
    loop {
        let mut text = String::new();
        let mut stream = ask(&server.authority, "GET /stats").await;
        stream.read_to_string(&mut text).await.unwrap();
        if text.contains(&format!("subscribers: {count},")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let start = Instant::now();
    let path = format!("POST /publish?n={EVENTS}&size=120");
    let mut publisher = ask(&server.authority, &path).await;
    while let Some(follower) = followers.join_next().await {
        follower.unwrap();
    }
    let time = start.elapsed();
    let mut said = String::new();
    publisher.read_to_string(&mut said).await.unwrap();
    assert!(said.contains(" 0 subscribers given up"), "{said}");
    format!("{count} subscribers received {EVENTS} events in {time:.1?}")
}
