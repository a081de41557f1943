//! The endpoints, and what their connections share.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::watch;
use tower_sse::hub::{Hub, Start};
use tower_sse::{Event, EventId, EventType, KeepAlive, LastEventId, Prelude};

use super::game;
use super::plug::Plugs;
use super::wire::Wire;

#[derive(Clone)]
pub(crate) struct Ticker {
    pub(crate) hub: Hub,
    /// A topic for each page: what goes over its wire. It stays open in a shutdown, to show the farewell.
    wires: Hub,
    progress: watch::Receiver<Progress>,
    plugs: Plugs,
}

/// How far the match has got.
#[derive(Clone)]
pub(crate) struct Progress {
    /// The place in the hub's log where this match begins.
    pub(crate) kick_off: EventId,
    /// The number of the latest line.
    pub(crate) latest: u64,
}

impl Ticker {
    pub(crate) fn start(speed: f64, plug: Duration) -> Self {
        let bye = json!({ "text": "The server is stopping." }).to_string();
        let wires = Hub::builder()
            .retain_events(40)
            .retain_for(Duration::from_secs(300))
            .build();
        let hub = Hub::builder()
            .retain_events(256)
            .farewell(Event::new(bye).with_type(EventType::from_static("bye")))
            .build();
        let (sender, progress) = watch::channel(Progress {
            kick_off: hub.last_event_id(),
            latest: 0,
        });
        tokio::spawn(game::play(hub.clone(), sender, speed));
        tokio::spawn(tell_the_time(hub.clone()));
        Self {
            hub,
            wires,
            progress,
            plugs: Plugs::new(plug),
        }
    }
}

/// Publishes the server's clock and the number of subscribers once a second. Old ones are useless, so
/// they are not retained.
async fn tell_the_time(hub: Hub) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let subscribers = hub.stats().subscribers;
        let data = json!({ "now": now.as_secs(), "subscribers": subscribers });
        let ping = Event::new(data.to_string()).with_type(EventType::from_static("ping"));
        hub.publish_transient(ping);
    }
}

#[derive(Deserialize)]
pub(crate) struct Visit {
    /// The name that a browser has given itself, the same in all of its tabs.
    #[serde(default)]
    page: String,
    /// Present if the page cannot stream.
    #[serde(rename = "long-poll")]
    long_poll: Option<String>,
}

pub(crate) async fn events(
    State(ticker): State<Ticker>,
    Query(Visit { page, long_poll }): Query<Visit>,
    last: Option<Extension<LastEventId>>,
    parts: Parts,
) -> Response {
    let wire = Wire::request(&ticker.wires, &page, &parts);
    // While the plug is out, a stream waits for its response. A poll is refused, so that the page can
    // tell it from a server without news.
    if long_poll.is_none() {
        ticker.plugs.back_in(&page).await;
    } else if ticker.plugs.out_for(&page).is_some() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // A new page sees this match from its start.
    let start = Start::After(ticker.progress.borrow().kick_off.clone());
    let subscriber = ticker.hub.subscriber().start(start).after(seen(last));
    let subscription = match subscriber.subscribe() {
        Ok(subscription) => subscription,
        Err(refused) => return refused.into_http_response(),
    };
    let body = match long_poll {
        Some(_) => subscription.long_poll(Duration::from_secs(25)),
        None => subscription
            .keep_alive(KeepAlive::default())
            .prelude(Prelude::new().retry(Duration::from_millis(500))),
    };
    wire.response(body.into_http_response().map(Body::new))
        .map(|body| ticker.plugs.plug_in(page, body))
}

/// Streams what goes over this page's wire.
pub(crate) async fn wire(
    State(ticker): State<Ticker>,
    Query(Visit { page, .. }): Query<Visit>,
    last: Option<Extension<LastEventId>>,
) -> Response {
    let subscriber = ticker.wires.subscriber().topic(page);
    match subscriber
        .start(Start::Oldest)
        .after(seen(last))
        .subscribe()
    {
        Ok(subscription) => subscription
            .keep_alive(KeepAlive::default())
            .into_http_response()
            .map(Body::new),
        Err(refused) => refused.into_http_response(),
    }
}

fn seen(last: Option<Extension<LastEventId>>) -> Option<LastEventId> {
    last.map(|Extension(last)| last)
}

#[derive(Serialize)]
pub(crate) struct Status {
    /// The number of the latest line.
    latest: u64,
    /// For how many milliseconds this page's plug is still out.
    plug_out: u128,
}

/// What a page asks for while it is disconnected, and once it has reconnected.
pub(crate) async fn status(
    State(ticker): State<Ticker>,
    Query(Visit { page, .. }): Query<Visit>,
) -> Json<Status> {
    let out = ticker.plugs.out_for(&page).unwrap_or_default();
    Json(Status {
        latest: ticker.progress.borrow().latest,
        plug_out: out.as_millis(),
    })
}

pub(crate) async fn pull(ticker: State<Ticker>, visit: Query<Visit>) -> Json<Status> {
    ticker.plugs.pull(&visit.page);
    status(ticker, visit).await
}

pub(crate) async fn put_back(ticker: State<Ticker>, visit: Query<Visit>) -> Json<Status> {
    ticker.plugs.put_back(&visit.page);
    status(ticker, visit).await
}
