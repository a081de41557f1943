//! The examples, as programs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower_sse::{Event, EventId, EventType, SseBody};

use crate::support::net::{serve, until, within};

/// A whole `cargo test` builds the examples before it runs tests, next to them.
fn example(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    let path = path
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION);
    assert!(
        path.exists(),
        "cargo build --examples --all-features makes {}",
        path.display()
    );
    let mut command = Command::new(path);
    command.kill_on_drop(true);
    command
}

/// Serves three events, the last one twice as hard, then says stop; and what was asked.
async fn feed() -> (SocketAddr, Arc<Mutex<Vec<Request<Bytes>>>>) {
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
    assert!(notes.ends_with("the server said stop\n"), "{notes}");
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

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
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

/// The contract service as a suite drives it.
struct Suite {
    service: String,
    child: Child,
    callback: SocketAddr,
    reports: Arc<Mutex<BTreeMap<usize, Value>>>,
}

impl Suite {
    async fn start() -> Self {
        let mut child = example("contract_service")
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = within(lines.next_line()).await.unwrap().unwrap();
        let service = line.strip_prefix("listening on ").unwrap().to_owned();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });

        let reports = Arc::new(Mutex::new(BTreeMap::new()));
        let log = Arc::clone(&reports);
        let callback = tower::service_fn(move |request: Request<Incoming>| {
            let log = Arc::clone(&log);
            async move {
                let path = request.uri().path().strip_prefix("/callback/").unwrap();
                let number: usize = path.parse().unwrap();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let report = serde_json::from_slice(&body).unwrap();
                assert!(log.lock().unwrap().insert(number, report).is_none());
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
            }
        });
        Self {
            service,
            child,
            callback: serve(callback).await,
            reports,
        }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Response<Bytes> {
        use hyper_util::client::legacy::Client;
        let client = Client::builder(hyper_util::rt::TokioExecutor::new()).build_http();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.service))
            .header("content-type", "application/json")
            .body(Full::<Bytes>::from(body.to_string()))
            .unwrap();
        let (head, body) = within(client.request(request)).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    async fn reports(&self, count: usize) -> Vec<Value> {
        until("the reports come", || {
            self.reports.lock().unwrap().len() >= count
        })
        .await;
        let reports = self.reports.lock().unwrap();
        assert!(reports.keys().copied().eq(1..=reports.len()));
        reports.values().cloned().collect()
    }
}

#[tokio::test]
async fn contract_service_does_what_the_suite_wants() {
    let mut suite = Suite::start().await;
    let status = suite.send("GET", "/", Value::Null).await;
    let status: Value = serde_json::from_slice(status.body()).unwrap();
    for capability in [
        "bom",
        "comments",
        "headers",
        "post",
        "report",
        "last-event-id",
        "read-timeout",
        "restart",
        "server-directed-shutdown-request",
        "open-messages",
    ] {
        assert!(
            status["capabilities"]
                .as_array()
                .unwrap()
                .contains(&json!(capability))
        );
    }
    assert_eq!(
        suite
            .send("POST", "/", json!({ "tag": "no URLs" }))
            .await
            .status(),
        422
    );

    let (address, asked) = feed().await;
    let params = json!({
        "streamUrl": format!("http://{address}/feed"),
        "callbackUrl": format!("http://{}/callback", suite.callback),
        "tag": "test",
        "initialDelayMs": 0,
        "readTimeoutMs": null,
        "headers": { "x-mine": "yes" },
        "method": "REPORT",
        "body": "question",
        "reportOpen": true,
    });
    let created = suite.send("POST", "/", params).await;
    assert_eq!(created.status(), 201);
    let client = created.headers()["location"].to_str().unwrap();

    let event = |event_type: &str, data: &str, id: &str| json!({ "kind": "event", "event": { "type": event_type, "data": data, "id": id } });
    let ended = json!({ "kind": "error", "error": "the event stream has ended" });
    let reports = suite.reports(10).await;
    assert_eq!(
        reports[..8],
        [
            json!({ "kind": "open" }),
            event("message", "kick-off", ""),
            event("goal", "1 : 0\nMüller", "1"),
            ended.clone(),
            json!({ "kind": "open" }),
            json!({ "kind": "comment", "comment": " warm" }),
            event("message", "\u{1b}[31mred", "2"),
            ended,
        ]
    );
    assert_eq!(reports[8]["kind"], "error");
    assert_eq!(reports[9], json!({ "kind": "closed" }));
    {
        let asked = asked.lock().unwrap();
        assert_eq!(
            (asked[2].method().as_str(), &asked[2].body()[..]),
            ("REPORT", &b"question"[..])
        );
        assert_eq!(asked[2].headers()["x-mine"], "yes");
    }
    assert_eq!(
        suite.send("DELETE", client, Value::Null).await.status(),
        204
    );
    assert_eq!(
        suite.send("DELETE", client, Value::Null).await.status(),
        404
    );
    assert_eq!(suite.send("DELETE", "/", Value::Null).await.status(), 204);
    assert!(within(suite.child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn contract_service_restarts_and_ends_clients() {
    let suite = Suite::start().await;
    let open = Arc::new(Mutex::new(Vec::new()));
    let senders = Arc::clone(&open);
    let stays = tower::service_fn(move |_: Request<Incoming>| {
        let (sender, events) = unbounded_channel();
        sender
            .send(Ok::<_, Infallible>(Event::new("hello")))
            .unwrap();
        senders.lock().unwrap().push(sender);
        let events = tokio_stream::wrappers::UnboundedReceiverStream::new(events);
        let response = Response::builder().header("content-type", "text/event-stream");
        std::future::ready(Ok::<_, Infallible>(
            response.body(SseBody::new(events)).unwrap(),
        ))
    });
    let address = serve(stays).await;
    let params = json!({
        "streamUrl": format!("http://{address}/feed"),
        "callbackUrl": format!("http://{}/callback", suite.callback),
    });
    let created = suite.send("POST", "/", params).await;
    let client = created.headers()["location"].to_str().unwrap();
    suite.reports(1).await;
    let restart = json!({ "command": "restart" });
    assert!(
        suite
            .send("POST", client, restart.clone())
            .await
            .status()
            .is_success()
    );
    let reports = suite.reports(2).await;
    assert_eq!(
        (reports[1]["kind"].as_str(), open.lock().unwrap().len()),
        (Some("event"), 2)
    );
    assert_eq!(
        suite
            .send("POST", client, json!({ "command": "dance" }))
            .await
            .status(),
        400
    );
    assert_eq!(
        suite.send("POST", "/clients/77", restart).await.status(),
        404
    );

    assert_eq!(
        suite.send("DELETE", client, Value::Null).await.status(),
        204
    );
    let senders = std::mem::take(&mut *open.lock().unwrap());
    until("its connections are gone", || {
        senders.iter().all(UnboundedSender::is_closed)
    })
    .await;
}
