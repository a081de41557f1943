//! Runs the client under a public contract suite, LaunchDarkly's sse-contract-tests:
//!
//! ```text
//! cargo run -p integrations --example contract_service -- --port 8123
//! sse-contract-tests --url http://localhost:8123
//! ```

mod capabilities;
#[path = "../../../examples/support/cli.rs"]
mod cli;
#[path = "../../../examples/support/redirects.rs"]
mod redirects;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc};
use tower_http::follow_redirect::FollowRedirect;
use tower_sse::client::{Reconnect, SourceEvent};
use tower_sse::timer::TokioTimer;
use tower_sse::{EventId, EventSource};

use self::capabilities::CAPABILITIES;
use self::cli::{Args, Failure};
use self::redirects::SafeRedirects;

const HELP: &str = "
The service that drives this client for LaunchDarkly's sse-contract-tests.

usage: contract_service [--port N]

  --port N   listen on this port; 8080 by default, or a free port if 8080 is taken
";

type Http = Client<HttpConnector, Full<Bytes>>;
type Source = EventSource<FollowRedirect<Http, SafeRedirects>, Full<Bytes>, TokioTimer>;

/// Commands to a running client, which ends when the sender is dropped.
enum Command {
    Restart,
}

#[derive(Clone)]
struct Service {
    http: Http,
    clients: Arc<Mutex<HashMap<u64, mpsc::UnboundedSender<Command>>>>,
    quit: Arc<Notify>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    stream_url: String,
    callback_url: String,
    tag: Option<String>,
    initial_delay_ms: Option<u64>,
    read_timeout_ms: Option<u64>,
    last_event_id: Option<String>,
    headers: Option<HashMap<String, String>>,
    method: Option<String>,
    body: Option<String>,
    report_open: Option<bool>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = TcpListener::from_std(Args::new(HELP).listen()?)?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let service = Service {
        http: Client::builder(TokioExecutor::new()).build(connector),
        clients: Arc::default(),
        quit: Arc::default(),
    };
    let quit = Arc::clone(&service.quit);
    let router = Router::new()
        .route("/", get(status).post(create).delete(stop))
        .route("/clients/{id}", post(command).delete(end))
        .with_state(service);
    println!("listening on http://{}", listener.local_addr()?);
    let server = axum::serve(listener, router);
    server
        .with_graceful_shutdown(async move {
            tokio::select! {
                () = quit.notified() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        })
        .await?;
    Ok(())
}

async fn status() -> Json<Value> {
    Json(json!({ "capabilities": CAPABILITIES }))
}

async fn stop(State(service): State<Service>) -> StatusCode {
    service.clients.lock().unwrap().clear();
    service.quit.notify_one();
    StatusCode::NO_CONTENT
}

async fn create(State(service): State<Service>, Json(params): Json<Params>) -> Response {
    let source = match source(service.http.clone(), &params) {
        Ok(source) => source,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    println!(
        "{}",
        params.tag.as_deref().unwrap_or("a client without a tag")
    );
    let callback = Callback {
        http: service.http,
        url: params.callback_url,
        count: 0,
    };
    let (sender, commands) = mpsc::unbounded_channel();
    let id = {
        let mut clients = service.clients.lock().unwrap();
        let id = clients.keys().max().map_or(1, |id| id + 1);
        clients.insert(id, sender);
        id
    };
    tokio::spawn(run(
        source,
        callback,
        params.report_open == Some(true),
        commands,
    ));
    (StatusCode::CREATED, [(LOCATION, format!("/clients/{id}"))]).into_response()
}

async fn command(
    State(service): State<Service>,
    Path(id): Path<u64>,
    Json(command): Json<Value>,
) -> StatusCode {
    let clients = service.clients.lock().unwrap();
    match (clients.get(&id), command["command"].as_str()) {
        (None, _) => StatusCode::NOT_FOUND,
        (Some(client), Some("restart")) => match client.send(Command::Restart) {
            Ok(()) => StatusCode::ACCEPTED,
            // It failed in the meantime.
            Err(_) => StatusCode::GONE,
        },
        _ => StatusCode::BAD_REQUEST,
    }
}

async fn end(State(service): State<Service>, Path(id): Path<u64>) -> StatusCode {
    match service.clients.lock().unwrap().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

fn source(http: Http, params: &Params) -> Result<Source, Box<dyn Error>> {
    let mut headers = HeaderMap::new();
    for (name, value) in params.headers.iter().flatten() {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    let body = Full::from(params.body.clone().unwrap_or_default());
    let mut request = Request::builder()
        .method(params.method.as_deref().unwrap_or("GET"))
        .uri(&params.stream_url)
        .body(body)?;
    *request.headers_mut() = headers;

    let http = FollowRedirect::with_policy(http, SafeRedirects::default());
    // The suite expects any method to be repeated after any end.
    let mut source = EventSource::new(http, request)
        .comments()
        .reconnect_when(Reconnect::Always);
    if let Some(time) = params.initial_delay_ms {
        source = source.initial_reconnection_time(Duration::from_millis(time));
    }
    if let Some(time) = params.read_timeout_ms {
        source = source.idle_timeout(Duration::from_millis(time));
    }
    if let Some(id) = &params.last_event_id {
        source = source.resume_after(EventId::try_from(&**id)?);
    }
    Ok(source)
}

async fn run(
    mut source: Source,
    mut callback: Callback,
    report_open: bool,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    loop {
        let event = tokio::select! {
            event = source.next() => event,
            command = commands.recv() => match command {
                Some(Command::Restart) => {
                    source.reconnect();
                    continue;
                }
                None => return,
            },
        };
        let report = match event {
            Some(SourceEvent::Open(_)) if report_open => json!({ "kind": "open" }),
            Some(SourceEvent::Message(event)) => json!({
                "kind": "event",
                "event": {
                    "type": event.event_type(),
                    "data": event.data(),
                    "id": event.last_event_id(),
                },
            }),
            Some(SourceEvent::Comment(comment)) => json!({ "kind": "comment", "comment": comment }),
            Some(SourceEvent::Error(error) | SourceEvent::Failed(error)) => {
                json!({ "kind": "error", "error": error.to_string() })
            }
            Some(_) => continue,
            None => break,
        };
        callback.post(&report).await;
    }
    if report_open {
        callback.post(&json!({ "kind": "closed" })).await;
    }
}

/// Posts reports, numbered.
struct Callback {
    http: Http,
    url: String,
    count: u64,
}

impl Callback {
    async fn post(&mut self, report: &Value) {
        self.count += 1;
        let request = Request::post(format!("{}/{}", self.url, self.count))
            .header("content-type", "application/json")
            .body(Full::from(report.to_string()));
        let sent = match request {
            Ok(request) => self.http.request(request).await.map_err(Box::from),
            Err(error) => Err(Box::<dyn Error + Send + Sync>::from(error)),
        };
        match sent {
            // Read to its end, so that the connection is reused.
            Ok(response) => _ = response.into_body().collect().await,
            Err(error) => eprintln!("{}/{}: {error}", self.url, self.count),
        }
    }
}
