//! axum: its events, encoded for each subscriber, from tokio's broadcast channel. Also the hub under
//! axum, with the layer.

use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use futures_util::StreamExt;
use tokio::sync::broadcast::{Sender, channel};
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
