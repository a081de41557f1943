//! Event streams compressed per connection, read event by event: the next is published only when the
//! one before it has been decoded.

use std::convert::Infallible;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;
use tower_http::decompression::DecompressionLayer;
use tower_sse::{Event, KeepAlive, SseBody, SseLayer};

use crate::support::bodies::Script;
use crate::support::net::{get, send, serve, within};

const ENCODINGS: [&str; 4] = ["gzip", "deflate", "br", "zstd"];

type Events = Script<Result<Event, Infallible>>;

/// Serves `events` with the recipe of the docs.
async fn serve_compressed(events: &Events) -> SocketAddr {
    let events = events.clone();
    let service = ServiceBuilder::new()
        // Its heartbeats come all the time, and never between encoded bytes.
        .layer(SseLayer::new().keep_alive(KeepAlive::new().interval(Duration::from_millis(5))))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(0)))
        .service_fn(move |_: Request<Incoming>| {
            let keep_alive = KeepAlive::new().interval(Duration::from_millis(50));
            let body = SseBody::new(events.clone()).keep_alive(keep_alive);
            std::future::ready(Ok::<_, Infallible>(Response::new(body)))
        });
    serve(service).await
}

fn events() -> impl Iterator<Item = String> {
    ["x".to_owned(), String::new(), "long ".repeat(10_000)]
        .into_iter()
        .cycle()
        .zip(0..9)
        .map(|(text, n)| format!("{n} {text}"))
}

#[tokio::test]
async fn a_compressed_stream_has_its_headers() {
    let address = serve_compressed(&Events::new([])).await;
    for encoding in ENCODINGS {
        let request = get(Version::HTTP_11, address, "/").header("accept-encoding", encoding);
        let response = send(address, request.body(Empty::new()).unwrap()).await;
        assert_eq!(response.headers()["content-encoding"], encoding);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-cache");
        assert_eq!(response.headers()["vary"], "accept-encoding");
    }
}

#[tokio::test]
async fn each_event_is_decoded_as_it_comes() {
    let http = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    for encoding in ENCODINGS {
        let script = Events::new([]);
        let address = serve_compressed(&script).await;
        let decoding = DecompressionLayer::new()
            .no_gzip()
            .no_deflate()
            .no_br()
            .no_zstd()
            .gzip(encoding == "gzip")
            .deflate(encoding == "deflate")
            .br(encoding == "br")
            .zstd(encoding == "zstd");
        let client = ServiceBuilder::new().layer(decoding).service(http.clone());
        let request = Request::get(format!("http://{address}/"))
            .body(Empty::new())
            .unwrap();
        let mut body = Box::pin(within(client.oneshot(request)).await.unwrap().into_body());
        let mut text = String::new();
        for data in events() {
            script.push(Ok(Event::new(data.clone())));
            let event = format!("data: {data}\n\n");
            let before = text.len();
            // A heartbeat may come with it.
            while !text[before..].contains(&event) {
                let frame = within(body.frame())
                    .await
                    .expect("the stream continues")
                    .unwrap();
                text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
            }
        }
        let comments = text.lines().filter(|line| *line == ":").count();
        assert!(comments > 0, "{encoding}: the prelude is in it");
    }
}

/// The same with curl, which is no relative of ours.
#[tokio::test(flavor = "multi_thread")]
async fn curl_reads_each_event_as_it_comes() {
    let version = match Command::new("curl").arg("--version").output() {
        Ok(version) => String::from_utf8_lossy(&version.stdout).into_owned(),
        Err(_) => return eprintln!("skipped: there is no curl"),
    };
    for (encoding, feature) in ENCODINGS
        .into_iter()
        .zip(["libz", "libz", "brotli", "zstd"])
    {
        if !version.contains(feature) {
            eprintln!("skipped: curl without {feature}");
            continue;
        }
        let script = Events::new([]);
        let address = serve_compressed(&script).await;
        let reading = tokio::task::spawn_blocking(move || {
            let mut curl = Command::new("curl")
                .args(["-sN", "--compressed", "-H"])
                .arg(format!("accept-encoding: {encoding}"))
                .arg(format!("http://{address}/"))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut lines = BufReader::new(curl.stdout.take().unwrap()).lines();
            for data in events() {
                script.push(Ok(Event::new(data.clone())));
                let expected = format!("data: {data}");
                loop {
                    let line = lines.next().expect("the stream continues").unwrap();
                    if line == expected {
                        break;
                    }
                    assert!(line.is_empty() || line == ":", "{encoding}: {line:?}");
                }
            }
            curl.kill().unwrap();
            curl.wait().unwrap();
        });
        within(reading).await.unwrap();
    }
}
