//! axum: its events, encoded for each subscriber, from tokio's broadcast channel. Also the hub under
//! axum, with the layer, and the least that an idle subscriber takes there.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use hyper::body::Frame;
use pin_project_lite::pin_project;
use tokio::sync::broadcast::{Sender, channel};
use tokio::time::{Instant, Sleep, sleep};
use tokio_stream::wrappers::BroadcastStream;
use tower_sse::SseLayer;
use tower_sse::hub::{Hub, HubService};

use super::{Channel, Flags};
use crate::Outcome;

#[derive(Clone)]
struct App {
    sender: Sender<(u64, String)>,
    heartbeat: Duration,
}

impl Channel for Sender<(u64, String)> {
    fn send(&self, id: u64, data: String) {
        _ = Sender::send(self, (id, data));
    }

    async fn send_soon(&self, id: u64, data: String) {
        Channel::send(self, id, data);
    }

    fn behind(&self) -> usize {
        self.len()
    }
}

async fn events(State(app): State<App>) -> impl IntoResponse {
    let events = BroadcastStream::new(app.sender.subscribe())
        .map(|item| item.map(|(id, data)| Event::default().id(id.to_string()).data(data)));
    Sse::new(events).keep_alive(KeepAlive::new().interval(app.heartbeat))
}

async fn publish(State(app): State<App>, RawQuery(query): RawQuery) -> String {
    super::publish(app.sender, query.unwrap_or_default()).await
}

async fn serve(app: Router, port: u16) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|io| _ = io.set_nodelay(true));
    axum::serve(listener, app).await
}

pub(crate) fn run(flags: Flags) -> Outcome<()> {
    let app = App {
        sender: channel(2 * 1024).0,
        heartbeat: flags.heartbeat,
    };
    let app = Router::new()
        .route("/events", get(events))
        .route("/publish", post(publish))
        .with_state(app);
    Ok(flags.runtime()?.block_on(serve(app, flags.port))?)
}

pub(crate) fn run_hub(flags: Flags) -> Outcome<()> {
    let keep_alive = tower_sse::KeepAlive::new().interval(flags.heartbeat);
    let events = HubService::new(Hub::new()).keep_alive(keep_alive);
    let app = Router::new()
        .route_service("/events", events)
        .layer(SseLayer::new());
    Ok(flags.runtime()?.block_on(serve(app, flags.port))?)
}

pin_project! {
    /// A first frame at once, as the hub sends the subscriber's place, heartbeats, and what a publisher
    /// and a subscriber need of each other at least: a waker, and how far it has read.
    struct Silent {
        #[pin]
        sleep: Sleep,
        every: Duration,
        wakers: Arc<Mutex<Vec<Waker>>>,
        index: Option<usize>,
        read: u64,
    }
}

impl HttpBody for Silent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut this = self.project();
        let text = match this.index {
            None => {
                let mut wakers = this.wakers.lock().expect("nothing panics");
                *this.index = Some(wakers.len());
                wakers.push(cx.waker().clone());
                *this.read += 1;
                "id: 10-0\n\n"
            }
            Some(_) => {
                ready!(this.sleep.as_mut().poll(cx));
                this.sleep.reset(Instant::now() + *this.every);
                ":\n"
            }
        };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}

async fn silence(State((every, wakers)): State<(Duration, Arc<Mutex<Vec<Waker>>>)>) -> Response {
    let body = Silent {
        sleep: sleep(every),
        every,
        wakers,
        index: None,
        read: 0,
    };
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::new(body)).into_response()
}

pub(crate) fn run_silent(flags: Flags) -> Outcome<()> {
    let app = Router::new()
        .route("/events", get(silence))
        .with_state((flags.heartbeat, Arc::default()));
    Ok(flags.runtime()?.block_on(serve(app, flags.port))?)
}
