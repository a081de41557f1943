//! A live football ticker: `cargo run --example live`, then open the address it prints.
//!
//! The page shows the commentary as it comes and keeps books on it: pull the plug, and it comes
//! back by `Last-Event-ID` with nothing missing and nothing twice. Without `EventSource`, or told so
//! by `?transport=poll`, it asks the same endpoint in long polls.
//!
//! `--port 8080` for an address that stays, `--speed 4` for a shorter match.

mod assets;
mod game;
mod plug;
mod script;

use std::convert::Infallible;
use std::error::Error;
use std::future::{IntoFuture, pending};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tower_sse::hub::Hub;
use tower_sse::{Event, EventId, EventType, KeepAlive, LastEventId, Prelude, SseLayer};

use self::plug::Plugs;

/// How long a shutdown takes at most.
const GRACE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    println!("Live ticker on http://{}/", listener.local_addr()?);

    let ticker = Ticker::start(options.speed);
    let hub = ticker.hub.clone();
    let app = Router::new()
        .route(
            "/events",
            get(events).layer(SseLayer::new().query_fallback()),
        )
        .route("/plug", post(plug))
        .with_state(ticker)
        .merge(assets::routes());
    let closed = Arc::new(Notify::new());
    let (closing, ticker) = (Arc::clone(&closed), hub.clone());
    let serve = axum::serve(listener, app).with_graceful_shutdown(async move {
        if tokio::signal::ctrl_c().await.is_err() {
            pending::<Infallible>().await;
        }
        // The streams would hold the shutdown up for ever; this ends them with a farewell.
        ticker.close();
        closing.notify_one();
    });
    let stalled = async {
        closed.notified().await;
        // A client that has stopped reading cannot be told, and would be waited for for ever.
        match hub.drain().or_after(tokio::time::sleep(GRACE)).await {
            0 => pending().await,
            left => left,
        }
    };
    tokio::select! {
        served = serve.into_future() => served?,
        left = stalled => println!("Left {left} behind that had stopped reading"),
    }
    Ok(())
}

/// What every connection shares.
#[derive(Clone)]
struct Ticker {
    hub: Hub,
    /// The place in the hub's log where this match begins.
    kick_off: watch::Receiver<EventId>,
    plugs: Plugs,
}

impl Ticker {
    fn start(speed: f64) -> Self {
        let bye = json!({ "text": "The server is stopping. The page waits for it to come back." });
        let hub = Hub::builder()
            .retain_events(256)
            .farewell(Event::new(bye.to_string()).with_type(EventType::from_static("bye")))
            .build();
        let (mark, kick_off) = watch::channel(hub.last_event_id());
        tokio::spawn(game::play(hub.clone(), mark, speed));
        tokio::spawn(tell_the_time(hub.clone()));
        Self {
            hub,
            kick_off,
            plugs: Plugs::new(),
        }
    }
}

/// Live, to whoever is there, and not for the history: nobody wants to catch up on the time.
async fn tell_the_time(hub: Hub) {
    let mut second = tokio::time::interval(Duration::from_secs(1));
    loop {
        second.tick().await;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let data = format!("{{\"now\":{}}}", now.as_millis());
        hub.publish_transient(Event::new(data).with_type(EventType::from_static("ping")));
    }
}

#[derive(Deserialize)]
struct Visit {
    /// The name a page has given itself.
    #[serde(default)]
    page: String,
    /// There if the page cannot stream.
    #[serde(rename = "long-poll")]
    long_poll: Option<String>,
}

async fn events(
    State(ticker): State<Ticker>,
    Query(Visit { page, long_poll }): Query<Visit>,
    last: Option<Extension<LastEventId>>,
) -> Response {
    // Who comes for the first time sees this match from its start.
    let after = match last {
        Some(Extension(last)) => EventId::from(last),
        None => ticker.kick_off.borrow().clone(),
    };
    let subscription = match ticker.hub.resume(after) {
        Ok(subscription) => subscription,
        Err(refused) => return refused.into_http_response(),
    };
    let body = match long_poll {
        Some(_) => subscription.long_poll(Duration::from_secs(25)),
        None => subscription
            .keep_alive(KeepAlive::default())
            .prelude(Prelude::new().retry(Duration::from_millis(500))),
    };
    body.into_http_response()
        .map(|body| ticker.plugs.plug_in(page, Body::new(body)))
}

async fn plug(State(ticker): State<Ticker>, Query(Visit { page, .. }): Query<Visit>) -> StatusCode {
    ticker.plugs.pull(page);
    StatusCode::NO_CONTENT
}

struct Options {
    port: u16,
    speed: f64,
}

impl Options {
    fn from_args() -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            port: 0,
            speed: 1.0,
        };
        let mut args = std::env::args().skip(1);
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--port" => options.port = value.parse()?,
                "--speed" => options.speed = value.parse()?,
                _ => {
                    return Err(
                        format!("unknown option {name}; there are --port and --speed").into(),
                    );
                }
            }
        }
        if !(0.01..=1000.0).contains(&options.speed) {
            return Err("--speed is between 0.01 and 1000".into());
        }
        Ok(options)
    }
}
