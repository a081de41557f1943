//! Peers that lie in HTTP itself, byte by byte, behind hyper-util's client; and much of everything.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tower_sse::EventSource;
use tower_sse::client::{ClientError, Reconnect, SourceEvent};

use crate::hostile::source;
use crate::script::say;
use crate::support::net::{DEADLINE, within};

/// Answers the first request with these bytes, closes the connection if told to, and answers all
/// others with 204.
async fn answer(bytes: Vec<u8>, closes: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut bytes = Some(bytes);
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let bytes = bytes.take();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(socket.read_u8().await.unwrap());
                }
                let stop = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                let bytes = bytes.unwrap_or(stop.to_vec());
                // A client that has enough closes first.
                _ = socket.write_all(&bytes).await;
                if !closes {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    address
}

async fn heard(bytes: impl AsRef<[u8]>, closes: bool) -> Vec<String> {
    heard_within(DEADLINE, bytes, closes).await
}

/// The same of a client with this idle timeout.
async fn heard_within(idle: Duration, bytes: impl AsRef<[u8]>, closes: bool) -> Vec<String> {
    let address = answer(bytes.as_ref().to_vec(), closes).await;
    let mut source = source(address, false).idle_timeout(idle);
    let mut heard = Vec::new();
    while let Some(event) = within(source.next()).await {
        heard.push(say(&event));
    }
    assert_eq!(heard.pop().unwrap(), STOP);
    heard
}

const STOP: &str = "failed: the response is not an event stream: 204 No Content";
const FAILED: &str = "error: the connection failed";
const ENDED: &str = "error: the event stream has ended";
const CUT: &str = "error: the event stream ended in the middle of an event";
const OPEN: &str = "open 200 OK";
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";

#[tokio::test]
async fn about_the_length() {
    let body = "data: a\n\ndata: b\n\n";
    let long = format!("{HEAD}content-length: 1000\r\n\r\n{body}");
    assert_eq!(
        heard(long, true).await,
        [OPEN, "message a", "message b", FAILED]
    );
    let short = format!("{HEAD}content-length: 13\r\n\r\n{body}");
    assert_eq!(heard(short, true).await, [OPEN, "message a", CUT]);
    let none = format!("{HEAD}content-length: 0\r\n\r\n{body}");
    assert_eq!(heard(none, true).await, [OPEN, ENDED]);
    let two = format!("{HEAD}content-length: 9\r\ncontent-length: 18\r\n\r\n{body}");
    assert_eq!(heard(two, true).await, [FAILED]);
    let negative = format!("{HEAD}content-length: -1\r\n\r\n{body}");
    assert_eq!(heard(negative, true).await, [FAILED]);
}

#[tokio::test]
async fn about_chunks() {
    let head = format!("{HEAD}transfer-encoding: chunked\r\n\r\n");
    for (chunks, last) in [
        ("9\r\ndata: a\n\n\r\n", FAILED),
        ("9\r\ndata: a\n\n\r\nzz\r\n", FAILED),
        ("9\r\ndata: a\n\n\r\nffffffffffffffffff\r\nx", FAILED),
        ("9\r\ndata: a\n\n\r\n-1\r\n", FAILED),
        ("9\r\ndata: a\n\n\r\n0\r\n\r\n", ENDED),
        ("9\r\ndata: a\n\n\r\n2\r\nda\r\n0\r\n\r\n", CUT),
        (
            "9\r\ndata: a\n\n\r\n0\r\ndata: forged\r\n\r\ndata: b\n\n",
            ENDED,
        ),
    ] {
        assert_eq!(
            heard(format!("{head}{chunks}"), true).await,
            [OPEN, "message a", last],
            "{chunks:?}"
        );
    }
}

#[tokio::test]
async fn about_http() {
    for garbage in [
        "",
        "\r\n\r\n",
        "data: a\n\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}",
    ] {
        assert_eq!(heard(garbage, true).await, [FAILED], "{garbage:?}");
    }
}

#[tokio::test]
async fn with_too_many_headers_and_too_long_ones() {
    let long = format!("{HEAD}x: {}\r\n\r\n", "x".repeat(2_000_000));
    assert_eq!(heard(long, false).await, [FAILED]);
    let lines: String = (0..10_000).map(|n| format!("x-{n}: x\r\n")).collect();
    assert_eq!(heard(format!("{HEAD}{lines}\r\n"), false).await, [FAILED]);
}

#[tokio::test]
async fn by_falling_silent_anywhere() {
    let whole = format!("{HEAD}\r\ndata: a\n\ndata");
    let body = HEAD.len() + 2;
    for at in [0, 1, 10, HEAD.len(), body, body + 5, whole.len()] {
        // On a busy machine, what is sent may come later than that, too.
        let mut last = (Vec::new(), Vec::new());
        for idle in [0.3, 3.0, 30.0] {
            let time = Duration::from_secs_f64(idle);
            let mut expected = vec![format!("error: no data received for {idle} s")];
            if at >= body {
                expected.insert(0, OPEN.to_owned());
            }
            if at == whole.len() {
                expected.insert(1, "message a".to_owned());
            }
            last = (heard_within(time, &whole[..at], false).await, expected);
            if last.0 == last.1 {
                break;
            }
        }
        assert_eq!(last.0, last.1, "{at}");
    }
}

/// A service that answers each request with these bytes, and then breaks.
fn breaking(
    bytes: Bytes,
) -> impl tower::Service<
    Request<String>,
    Response = Response<impl http_body::Body<Data = Bytes, Error = std::io::Error>>,
    Error = std::io::Error,
    Future: Unpin,
> {
    let count = AtomicUsize::new(0);
    tower::service_fn(move |_: Request<String>| {
        let id = Bytes::from(format!(
            "id: {}\ndata: x\n\n",
            count.fetch_add(1, Ordering::Relaxed)
        ));
        let frames = [
            Ok(Frame::data(id)),
            Ok(Frame::data(bytes.clone())),
            Err(std::io::Error::other("broken")),
        ];
        let response = Response::builder().header("content-type", "text/event-stream");
        let body = StreamBody::new(futures_util::stream::iter(frames));
        std::future::ready(Ok(response.body(body).unwrap()))
    })
}

#[tokio::test(start_paused = true)]
async fn a_hundred_thousand_comments() {
    let comments = Bytes::from(": comment\n".repeat(100_000));
    let mut messages = EventSource::new(breaking(comments.clone()), Request::default())
        .max_event_len(1_000)
        .into_messages();
    for _ in 0..3 {
        assert_eq!(messages.next().await.unwrap().unwrap().data(), "x");
    }
    let source = EventSource::new(breaking(comments), Request::default());
    let source = source.comments().reconnect_when(Reconnect::Never);
    let count = source
        .filter(|event| std::future::ready(matches!(event, SourceEvent::Comment(_))))
        .count()
        .await;
    assert_eq!(count, 100_000);
}

/// The process's resident memory in bytes, without what it has mapped of its own file.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    let kilobytes: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
    kilobytes * 1024
}

/// Runs once more as a process of its own, so that the memory is its own.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_reconnections_need_no_memory() {
    const ALONE: &str = "TOWER_SSE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "lies::ten_thousand_reconnections_need_no_memory";
        let out = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(ALONE, "1")
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        // Events that are cut, a long line, and an ID of its own on each connection.
        let rest = Bytes::from(format!("id: cut\ndata: {}\ndata: cu", "x".repeat(10_000)));
        let mut source = EventSource::new(breaking(rest), Request::default());
        let mut reconnections = async |count: usize| {
            let mut seen = 0;
            while seen < count {
                let event = source.next().await.unwrap();
                seen += usize::from(matches!(
                    event,
                    SourceEvent::Error(ClientError::Transport(_))
                ));
            }
            resident()
        };
        let before = reconnections(1_000).await;
        let after = reconnections(10_000).await;
        assert!(
            after <= before + 256 * 1024,
            "{before} bytes before, {after} after"
        );
    });
}
