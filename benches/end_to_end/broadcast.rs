//! Servers of the same shape as `examples/fan_out.rs` on tokio's broadcast channel: axum's events,
//! encoded for each subscriber, or ready bytes.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use bytes::Bytes;
use futures_util::StreamExt;
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::sync::broadcast::{Sender, channel};
use tokio_stream::wrappers::BroadcastStream;
use tower_sse::body::KeepAliveBody;

use crate::Outcome;

/// As far as the hub's publisher runs ahead.
const DISTANCE: usize = 1024;

#[derive(Clone)]
struct App {
    data: Sender<(u64, String)>,
    bytes: Sender<Bytes>,
    ready: bool,
    heartbeat: Duration,
}

async fn events(State(app): State<App>) -> Response {
    if app.ready {
        let frames = BroadcastStream::new(app.bytes.subscribe())
            .filter_map(|bytes| std::future::ready(bytes.ok()))
            .map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
        // axum's own heartbeats need axum's events, and these a first line.
        let prelude = std::future::ready(Ok(Frame::data(Bytes::from_static(b":\n\n"))));
        let frames = futures_util::stream::once(prelude).chain(frames);
        let keep_alive = tower_sse::KeepAlive::new().interval(app.heartbeat);
        let body = KeepAliveBody::new(StreamBody::new(frames), keep_alive);
        let mut response = Response::new(Body::new(body));
        let value = HeaderValue::from_static("text/event-stream");
        response.headers_mut().insert(CONTENT_TYPE, value);
        return response;
    }
    let events = BroadcastStream::new(app.data.subscribe())
        .map(|item| item.map(|(id, data)| Event::default().id(id.to_string()).data(data)));
    let keep_alive = KeepAlive::new().interval(app.heartbeat);
    Sse::new(events).keep_alive(keep_alive).into_response()
}

#[derive(serde::Deserialize)]
struct Publish {
    n: u64,
    size: usize,
    rate: Option<f64>,
    distance: Option<usize>,
}

async fn publish(State(app): State<App>, Query(publish): Query<Publish>) -> String {
    let start = std::time::Instant::now();
    let sender = app.clone();
    let mut ids = 0..publish.n;
    let mut send = move || sender.send(ids.next().unwrap_or_default(), publish.size);
    if let Some(rate) = publish.rate {
        let all = move || crate::fan_out::at_rate(publish.n, rate, send);
        _ = tokio::task::spawn_blocking(all).await;
        return said(publish.n, start);
    }
    // As the hub's wake-up does, it waits for half of them.
    let distance = publish.distance.unwrap_or(DISTANCE);
    for _ in 0..publish.n {
        send();
        if app.len() > distance {
            while app.len() > distance / 2 {
                match distance {
                    0 => tokio::task::yield_now().await,
                    _ => tokio::time::sleep(Duration::from_millis(1)).await,
                }
            }
        }
    }
    said(publish.n, start)
}

fn said(events: u64, start: std::time::Instant) -> String {
    format!(
        "{events} events in {:.3} s\n",
        start.elapsed().as_secs_f64()
    )
}

impl App {
    fn send(&self, id: u64, size: usize) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut data = now.as_nanos().to_string();
        data.extend(std::iter::repeat_n('x', size.saturating_sub(data.len())));
        if self.ready {
            let event = tower_sse::Event::new(data).with_id(id);
            _ = self.bytes.send(event.encode().into_bytes());
        } else {
            _ = self.data.send((id, data));
        }
    }

    fn len(&self) -> usize {
        if self.ready {
            self.bytes.len()
        } else {
            self.data.len()
        }
    }
}

async fn serve(ready: bool, port: u16, heartbeat: Duration) -> std::io::Result<()> {
    let app = App {
        data: channel(2 * DISTANCE).0,
        bytes: channel(2 * DISTANCE).0,
        ready,
        heartbeat,
    };
    let app = Router::new()
        .route("/events", get(events))
        .route("/publish", post(publish))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|io| _ = io.set_nodelay(true));
    axum::serve(listener, app).await
}

pub(crate) fn run(ready: bool, args: &[String]) -> Outcome<()> {
    let flag = |name: &str| args.iter().skip_while(|arg| *arg != name).nth(1);
    let heartbeat = flag("--heartbeat").ok_or("a heartbeat")?.parse()?;
    let mut builder = match flag("--runtime").map(String::as_str) {
        Some("current") => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder.enable_all().build()?;
    let port = flag("--port").ok_or("a port")?.parse()?;
    runtime.block_on(serve(ready, port, Duration::from_millis(heartbeat)))?;
    Ok(())
}
