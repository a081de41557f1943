//! The crate's own compression, read by other implementations, event by event: the next is published
//! only when the one before it has been decoded.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::decompression::DecompressionLayer;
use tower_sse::client::SourceEvent;
use tower_sse::compression::Compression;
use tower_sse::{Event, EventSource, Hub, HubService, KeepAlive, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::gunzip::Gunzip;
use crate::support::net::{get, send, serve, within};

/// A served stream, and how to publish on it.
struct Feed {
    name: &'static str,
    address: SocketAddr,
    publish: Arc<dyn Fn(String) + Send + Sync>,
    close: Box<dyn Fn()>,
}

fn heartbeats() -> KeepAlive {
    KeepAlive::new().interval(Duration::from_millis(20))
}

/// A handler's stream behind the layer, and a hub's.
async fn feeds() -> [Feed; 2] {
    let script = Script::<Result<Event, Infallible>>::new([]);
    let events = script.clone();
    let service = ServiceBuilder::new()
        .layer(SseLayer::new().compression(Compression::new()))
        .service_fn(move |_: Request<Incoming>| {
            let body = SseBody::new(events.clone()).keep_alive(heartbeats());
            std::future::ready(Ok::<_, Infallible>(Response::new(body)))
        });
    let single = Feed {
        name: "layer",
        address: serve(service).await,
        publish: Arc::new({
            let script = script.clone();
            move |data| script.push(Ok(Event::new(data)))
        }),
        close: Box::new(move || script.close()),
    };
    let hub = Hub::new();
    let service = HubService::new(hub.clone())
        .keep_alive(heartbeats())
        .compression(Compression::new());
    let shared = Feed {
        name: "hub",
        address: serve(service).await,
        publish: Arc::new({
            let hub = hub.clone();
            move |data| _ = hub.publish(Event::new(data))
        }),
        close: Box::new(move || hub.close()),
    };
    [single, shared]
}

fn texts() -> impl Iterator<Item = String> {
    ["x".to_owned(), String::new(), "long ".repeat(30_000)]
        .into_iter()
        .cycle()
        .zip(0..30)
        .map(|(text, n)| format!("{n} {text}"))
}

#[tokio::test]
async fn zlib_reads_each_event_as_it_comes() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        for feed in feeds().await {
            let request = get(version, feed.address, "/").header("accept-encoding", "gzip");
            let response = send(feed.address, request.body(Empty::new()).unwrap()).await;
            assert_eq!(response.headers()["content-encoding"], "gzip");
            let mut body = response.into_body();
            let mut gunzip = Gunzip::new();
            let frame = within(body.frame()).await.unwrap().unwrap();
            gunzip.read(&frame.into_data().unwrap());
            for text in texts() {
                (feed.publish)(text.clone());
                let event = format!("data: {text}\n\n");
                while !has_arrived(gunzip.text(), &event) {
                    let frame = within(body.frame())
                        .await
                        .expect("the stream continues")
                        .unwrap();
                    gunzip.read(&frame.into_data().unwrap());
                }
            }
            (feed.close)();
            while let Some(frame) = within(body.frame()).await {
                gunzip.read(&frame.unwrap().into_data().unwrap());
            }
            assert!(gunzip.is_complete(), "{}", feed.name);
        }
    }
}

/// Whether the event is among the last bytes, before at most some heartbeats.
fn has_arrived(text: &[u8], event: &str) -> bool {
    let from = text.len().saturating_sub(event.len() + 1_000);
    text[from..]
        .windows(event.len())
        .any(|window| window == event.as_bytes())
}

#[tokio::test]
async fn the_client_reads_each_event_above_a_layer_that_decodes() {
    for feed in feeds().await {
        let http = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let client = ServiceBuilder::new()
            .layer(DecompressionLayer::new())
            .service(http);
        let request = Request::get(format!("http://{}/", feed.address));
        let mut source = EventSource::new(client, request.body(Empty::new()).unwrap());
        let Some(SourceEvent::Open(head)) = within(source.next()).await else {
            panic!("not open");
        };
        assert_eq!(head.headers()["vary"], "accept-encoding");
        assert!(!head.headers().contains_key("content-encoding"));
        for text in texts() {
            (feed.publish)(text.clone());
            let Some(SourceEvent::Message(message)) = within(source.next()).await else {
                panic!("{}: no message", feed.name);
            };
            assert_eq!(message.data(), text);
        }
        // An end without the gzip trailer would be another error.
        (feed.close)();
        let Some(SourceEvent::Error(error)) = within(source.next()).await else {
            panic!("{}: no end", feed.name);
        };
        assert_eq!(error.to_string(), "the event stream has ended");
    }
}

#[tokio::test]
async fn a_client_that_does_not_ask_gets_the_plain_stream() {
    for feed in feeds().await {
        let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
        let request = Request::get(format!("http://{}/", feed.address));
        let response = client.oneshot(request.body(Empty::new()).unwrap()).await;
        let response = response.unwrap();
        assert!(!response.headers().contains_key("content-encoding"));
        let mut body = response.into_body();
        let frame = within(body.frame()).await.unwrap().unwrap();
        assert!(frame.into_data().unwrap().starts_with(b":"));
    }
}

#[tokio::test]
async fn a_stream_that_fails_looks_cut() {
    let service = ServiceBuilder::new()
        .layer(SseLayer::new().compression(Compression::new()))
        .service_fn(|_: Request<Incoming>| {
            let events = futures_util::stream::iter([Ok(Event::new("x")), Err("gone")]);
            std::future::ready(Ok::<_, Infallible>(Response::new(SseBody::new(events))))
        });
    let address = serve(service).await;
    let request = get(Version::HTTP_11, address, "/").header("accept-encoding", "gzip");
    let response = send(address, request.body(Empty::new()).unwrap()).await;
    let mut body = response.into_body();
    let mut gunzip = Gunzip::new();
    while let Ok(frame) = within(body.frame()).await.expect("no clean end") {
        gunzip.read(&frame.into_data().unwrap());
    }
    assert_eq!(gunzip.text(), b"data: x\n\n");
    assert!(!gunzip.is_complete());
}

/// A program that prints the stream at the address it is given, after a line that says that it is
/// compressed. It must be installed.
async fn reads_each_event_as_it_comes(program: &str, args: &[&str], compressed: &str) {
    if Command::new(program).arg("--help").output().is_err() {
        return eprintln!("skipped: there is no {program}");
    }
    for feed in feeds().await {
        let mut process = Command::new(program)
            .args(args)
            .arg(format!("http://{}/", feed.address))
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/readers"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let publish = Arc::clone(&feed.publish);
        let compressed = compressed.to_owned();
        let reading = tokio::task::spawn_blocking(move || {
            let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
            let mut next = || lines.next().expect("the stream continues").unwrap();
            while next() != compressed {}
            while next() != ":" {}
            for text in texts() {
                publish(text.clone());
                let expected = format!("data: {text}");
                loop {
                    let line = next();
                    if line == expected {
                        break;
                    }
                    let is_other = line.is_empty() || line == ":" || line.starts_with("id: ");
                    assert!(is_other, "{line:?}");
                }
            }
            (process, lines)
        });
        let (mut process, lines) = within(reading).await.unwrap();
        // A program that ends without an error has checked the gzip trailer.
        (feed.close)();
        let ending = tokio::task::spawn_blocking(move || {
            lines.for_each(|line| _ = line.unwrap());
            process.wait().unwrap()
        });
        let status = within(ending).await.unwrap();
        assert!(status.success(), "{}: {status}", feed.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_reads_each_event_as_it_comes() {
    let args = ["-sN", "--compressed", "-D", "-"];
    reads_each_event_as_it_comes("curl", &args, "content-encoding: gzip").await;
}

/// Its decoder returns nothing before an empty stored block.
#[tokio::test(flavor = "multi_thread")]
async fn go_reads_each_event_as_it_comes() {
    reads_each_event_as_it_comes("go", &["run", "read.go"], "decoded: true").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn node_reads_each_event_as_it_comes() {
    reads_each_event_as_it_comes("node", &["read.mjs"], "decoded: true").await;
}
