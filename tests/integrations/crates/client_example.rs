//! The example `client`, as a program.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tower_sse::{Event, EventId, EventType, SseBody};

use crate::support::net::{serve, within};

/// A whole `cargo test` builds the examples before it runs tests, next to them.
pub(crate) fn example(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    let path = path
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        path.exists(),
        "cargo build -p integrations --examples makes {}",
        path.display()
    );
    let mut command = Command::new(path);
    command.kill_on_drop(true);
    command
}

/// Serves three events, the last one twice as hard, then says stop; and what was asked.
pub(crate) async fn feed() -> (SocketAddr, Arc<Mutex<Vec<Request<Bytes>>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let service = tower::service_fn(move |request: Request<Incoming>| {
        let log = Arc::clone(&log);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let id = head.headers.get("last-event-id").cloned();
            log.lock().unwrap().push(Request::from_parts(head, body));
            let events = match id.as_ref().map(http::HeaderValue::as_bytes) {
                None => vec![
                    Event::new("kick-off"),
                    Event::new("1 : 0\nMüller")
                        .with_type(EventType::from_static("goal"))
                        .with_id(1u64),
                ],
                Some(b"1") => vec![
                    Event::comment("warm"),
                    Event::new("\u{1b}[31mred").with_id(EventId::from_static("2")),
                ],
                Some(_) => {
                    let mut stop = Response::new(SseBody::new(futures_util::stream::iter(vec![])));
                    *stop.status_mut() = http::StatusCode::NO_CONTENT;
                    return Ok::<_, Infallible>(stop);
                }
            };
            let mut events: Vec<Result<Event, Infallible>> = events.into_iter().map(Ok).collect();
            events.insert(0, Ok(Event::retry(std::time::Duration::from_millis(1))));
            let body = SseBody::new(futures_util::stream::iter(events));
            let response = Response::builder().header("content-type", "text/event-stream");
            Ok(response.body(body).unwrap())
        }
    });
    (serve(service).await, asked)
}

#[tokio::test]
async fn client_prints_events_and_why_it_ended() {
    let (address, asked) = feed().await;
    let out = example("client")
        .args(["--header", "X-Mine: yes", &format!("http://{address}/feed")])
        .output();
    let out = within(out).await.unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let lines: Vec<&str> = text.lines().map(|line| &line[9..]).collect();
    assert_eq!(
        lines,
        [
            "message kick-off",
            "goal #1 1 : 0",
            "Müller",
            "message #2 \\u{1b}[31mred"
        ]
    );
    let notes = String::from_utf8(out.stderr).unwrap();
    assert_eq!(
        notes
            .matches("the event stream has ended; reconnecting")
            .count(),
        2,
        "{notes}"
    );
    assert!(
        notes.ends_with("the server asked the client to stop\n"),
        "{notes}"
    );
    assert_eq!(out.status.code(), Some(0));
    assert!(
        asked
            .lock()
            .unwrap()
            .iter()
            .all(|request| request.headers()["x-mine"] == "yes")
    );
}

#[tokio::test]
async fn client_prints_json() {
    let (address, asked) = feed().await;
    let out = example("client")
        .args(["--json", "--last-event-id", "1", "--data", "question"])
        .arg(format!("http://{address}/feed"))
        .output();
    let out = within(out).await.unwrap();
    let event: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        event,
        json!({ "type": "message", "id": "2", "data": "\u{1b}[31mred" })
    );
    let asked = asked.lock().unwrap();
    assert_eq!(
        (asked[0].method(), &asked[0].body()[..]),
        (&Method::POST, &b"question"[..])
    );
}

/// A server with a certificate of its own for `localhost`, which it gives back as PEM.
async fn serve_tls<S, B>(service: S) -> (SocketAddr, String)
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio_rustls::rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};

    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (acceptor, service) = (acceptor.clone(), service.clone());
            tokio::spawn(async move {
                let Ok(socket) = acceptor.accept(socket).await else {
                    return;
                };
                let service = hyper_util::service::TowerToHyperService::new(service);
                let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                _ = server.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    });
    (address, own.cert.pem())
}

#[tokio::test]
async fn client_speaks_https_and_follows_redirects() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let feed = tower::service_fn(move |request: Request<Incoming>| {
        let headers = request.headers();
        log.lock()
            .unwrap()
            .push((request.version(), headers.clone()));
        let response = match headers.get("last-event-id") {
            None => Response::builder()
                .header("content-type", "text/event-stream")
                .body(Full::<Bytes>::from("id: 1\nretry: 1\ndata: secure\n\n")),
            Some(_) => Response::builder().status(204).body(Full::default()),
        };
        std::future::ready(Ok::<_, Infallible>(response.unwrap()))
    });
    let (address, certificate) = serve_tls(feed).await;
    let ca = std::env::temp_dir().join(format!("tower-sse-{}.pem", std::process::id()));
    std::fs::write(&ca, certificate).unwrap();
    let secure = format!("https://localhost:{}/feed", address.port());
    let location = secure.clone();
    let redirects = tower::service_fn(move |_: Request<Incoming>| {
        let response = Response::builder()
            .status(302)
            .header("location", &location);
        let response = response.body(Full::<Bytes>::default()).unwrap();
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let plain = format!("http://{}/", serve(redirects).await);

    for (url, keeps) in [(&secure, true), (&plain, false)] {
        asked.lock().unwrap().clear();
        let out = example("client")
            .args(["--header", "X-Api-Key: secret", "--ca"])
            .args([ca.as_os_str(), url.as_ref()])
            .output();
        let out = within(out).await.unwrap();
        let notes = String::from_utf8(out.stderr).unwrap();
        assert_eq!(out.status.code(), Some(0), "{notes}");
        assert!(
            String::from_utf8(out.stdout)
                .unwrap()
                .ends_with(" message #1 secure\n")
        );
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        for (version, headers) in &*asked {
            assert_eq!(*version, http::Version::HTTP_2);
            assert_eq!(headers.contains_key("x-api-key"), keeps);
        }
        assert_eq!(asked[1].1["last-event-id"], "1");
    }

    // A certificate that nobody has told it to trust.
    let out = example("client")
        .args(["--max-tries", "1", &secure])
        .output();
    let out = within(out).await.unwrap();
    assert_eq!(out.status.code(), Some(3));
    let notes = String::from_utf8(out.stderr).unwrap();
    assert!(notes.contains("UnknownIssuer"), "{notes}");
    std::fs::remove_file(ca).unwrap();
}

#[tokio::test]
async fn client_tells_refusal_from_absence_and_misuse() {
    let not_found = tower::service_fn(|_: Request<Incoming>| async {
        let mut response = Response::new(Full::<Bytes>::from("no feed here"));
        *response.status_mut() = http::StatusCode::NOT_FOUND;
        Ok::<_, Infallible>(response)
    });
    let address = serve(not_found).await;
    let out = within(example("client").arg(format!("http://{address}/")).output())
        .await
        .unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(
        String::from_utf8(out.stderr)
            .unwrap()
            .ends_with("no feed here\n")
    );

    // A port of this test's own, on which nobody listens.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let nobody = format!("http://{}/", socket.local_addr().unwrap());
    let out = within(
        example("client")
            .args(["--max-tries", "1", &nobody])
            .output(),
    )
    .await
    .unwrap();
    assert_eq!(out.status.code(), Some(3));

    for args in [
        &[][..],
        &["--nonsense"],
        &["ftp://example.org"],
        &["--header", "x", "http://a"],
    ] {
        let out = within(example("client").args(args).output()).await.unwrap();
        assert_eq!(out.status.code(), Some(2), "{args:?}");
    }
}

#[tokio::test]
async fn client_has_a_help() {
    let out = within(example("client").arg("--help").output())
        .await
        .unwrap();
    assert!(out.status.success() && out.stderr.is_empty());
    assert!(out.stdout.starts_with(b"usage: client "));
}

#[cfg(unix)]
#[tokio::test]
async fn client_says_how_to_resume() {
    let service = tower::service_fn(|request: Request<Incoming>| async move {
        assert_eq!(request.headers()["last-event-id"], "41");
        let first = stream::iter([Ok::<_, Infallible>(Event::new("an hour").with_id(42))]);
        let body = SseBody::new(first.chain(stream::pending()));
        Ok::<_, Infallible>(body.into_http_response())
    });
    let url = format!("http://{}/", serve(service).await);
    let mut client = example("client");
    client.args(["--last-event-id", "41", &url]);
    client.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
    let line = within(lines.next_line()).await.unwrap().unwrap();
    assert!(line.ends_with("#42 an hour"), "{line}");
    let id = client.id().unwrap().to_string();
    let interrupt = Command::new("kill").args(["-INT", &id]).status();
    assert!(interrupt.await.unwrap().success());
    let out = within(client.wait_with_output()).await.unwrap();
    assert_eq!(out.status.code(), Some(130));
    let notes = String::from_utf8(out.stderr).unwrap();
    assert!(notes.contains("resume with --last-event-id 42"), "{notes}");
}
