//! The program `contract_service`, driven as LaunchDarkly's suite drives it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tower_sse::{Event, SseBody};

use crate::capabilities::CAPABILITIES;
use crate::client_example::{example, feed};
use crate::support::net::{serve, until, within};

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
    assert_eq!(status, json!({ "capabilities": CAPABILITIES }));
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
