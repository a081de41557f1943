//! A live football ticker: `cargo run --example live`, then open the address it prints.
//!
//! The page shows the commentary as it comes and keeps books on it: pull the plug, and it comes
//! back by `Last-Event-ID` with nothing missing and nothing twice.
//!
//! `--port 8080` for an address that stays, `--speed 4` for a shorter match.

mod assets;
mod game;
mod history;
mod script;

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::future::pending;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tower_sse::{Block, Event, EventType, KeepAlive, LastEventId, Prelude, SseBody, SseLayer};

use self::history::{History, Reader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_args()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    println!("Live ticker on http://{}/", listener.local_addr()?);

    let ticker = Ticker::start(options.speed);
    let stop = ticker.stop.clone();
    let app = Router::new()
        .route(
            "/events",
            get(events).layer(SseLayer::new().query_fallback()),
        )
        .route("/plug", post(plug))
        .with_state(ticker)
        .merge(assets::routes());
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            if tokio::signal::ctrl_c().await.is_err() {
                pending::<Infallible>().await;
            }
            // The streams would hold the shutdown up for ever; this ends them.
            stop.cancel();
        })
        .await?;
    Ok(())
}

/// What every connection shares.
#[derive(Clone)]
struct Ticker {
    history: Arc<History>,
    /// The server's time, encoded once a second for everybody.
    pings: watch::Receiver<Block>,
    /// The pages whose plug is pulled.
    plugs: broadcast::Sender<String>,
    stop: CancellationToken,
}

impl Ticker {
    fn start(speed: f64) -> Self {
        let history = Arc::new(History::new(256));
        let match_day = Arc::clone(&history);
        tokio::spawn(async move { game::play(&match_day, speed).await });

        let (clock, pings) = watch::channel(ping());
        tokio::spawn(async move {
            let mut second = tokio::time::interval(Duration::from_secs(1));
            while !clock.is_closed() {
                second.tick().await;
                clock.send_modify(|block| *block = ping());
            }
        });
        Self {
            history,
            pings,
            plugs: broadcast::Sender::new(16),
            stop: CancellationToken::new(),
        }
    }
}

/// Without an ID: a ping that had one would stand in the way of resuming where the match was.
fn ping() -> Block {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Event::new(format!("{{\"now\":{}}}", now.as_millis()))
        .with_type(EventType::from_static("ping"))
        .encode()
}

#[derive(Deserialize)]
struct Page {
    /// The name a page has given itself.
    #[serde(default)]
    page: String,
}

async fn events(
    State(ticker): State<Ticker>,
    Query(Page { page }): Query<Page>,
    last: Option<Extension<LastEventId>>,
) -> Response {
    let last = last.as_ref().map(|Extension(last)| last.as_str());
    let mut pings = ticker.pings;
    pings.mark_changed(); // one at once, after what is replayed
    let subscriber = Subscriber {
        reader: ticker.history.read(last),
        pings,
        plugs: ticker.plugs.subscribe(),
        page,
    };
    let events = stream::unfold(subscriber, |mut subscriber| async {
        Some((subscriber.next().await, subscriber))
    });
    let bye = json!({ "text": "The server is stopping. The page waits for it to come back." });
    SseBody::new(events)
        .keep_alive(KeepAlive::default())
        .prelude(Prelude::new().retry(Duration::from_millis(500)))
        .end_when(ticker.stop.cancelled_owned())
        .farewell(Event::new(bye.to_string()).with_type(EventType::from_static("bye")))
        .into_response()
        .map(Body::new) // with feature `axum`, the body is a response as it is
}

/// One open stream: commentary first, pings when there is none, until the plug is pulled.
struct Subscriber {
    reader: Reader,
    pings: watch::Receiver<Block>,
    plugs: broadcast::Receiver<String>,
    page: String,
}

impl Subscriber {
    async fn next(&mut self) -> Result<Block, PlugPulled> {
        tokio::select! {
            biased;
            () = pulled(&mut self.plugs, &self.page) => Err(PlugPulled),
            block = self.reader.next() => Ok(block),
            Ok(()) = self.pings.changed() => Ok(self.pings.borrow_and_update().clone()),
        }
    }
}

async fn pulled(plugs: &mut broadcast::Receiver<String>, page: &str) {
    loop {
        match plugs.recv().await {
            Ok(pulled) if pulled == page => return,
            Err(broadcast::error::RecvError::Closed) => pending().await,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
        }
    }
}

/// The error that a stream fails with when its plug is pulled. It aborts the body, and the server
/// drops the connection where it stands, as a crash or a lost network would.
#[derive(Debug)]
struct PlugPulled;

impl fmt::Display for PlugPulled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the plug was pulled")
    }
}

impl Error for PlugPulled {}

async fn plug(State(ticker): State<Ticker>, Query(Page { page }): Query<Page>) -> StatusCode {
    // An error says that no stream is open, so there is no plug to pull.
    let _ = ticker.plugs.send(page);
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
