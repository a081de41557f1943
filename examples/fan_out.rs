//! A server for measuring fan-out: what one event costs to thousands of subscribers.
//!
//! ```sh
//! cargo run --release --example fan_out -- --port 3000 --runtime multi --linger 0
//! curl -N 'localhost:3000/events'
//! curl -X POST 'localhost:3000/publish?n=100000&size=120'             # as fast as it can
//! curl -X POST 'localhost:3000/publish?n=1000&size=120&rate=100'      # at 100 a second
//! curl 'localhost:3000/stats'
//! ```
//!
//! Each event has its ID, and its send time in nanoseconds since the Unix epoch at the beginning of
//! its data. A publisher at full speed is held back by the slowest subscriber; one with a rate is not.
//! `distance=` sets how far it may be ahead, 0 for one event at a time. `--runtime current` serves on one thread; `--heartbeat` sets the interval in milliseconds.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde::Deserialize;
use tower_sse::timer::{Timer, TokioTimer};
use tower_sse::{Event, Hub, KeepAlive, LastEventId};

/// How far a publisher at full speed runs ahead of the slowest subscriber, in events, if nothing is
/// said.
const DISTANCE: u64 = 1024;

/// How long it waits for one that has stalled.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone)]
struct App {
    hub: Hub,
    keep_alive: KeepAlive,
}

#[derive(Deserialize)]
struct Publish {
    #[serde(default = "one")]
    n: u64,
    #[serde(default)]
    size: usize,
    rate: Option<f64>,
    #[serde(default = "distance")]
    distance: u64,
}

fn distance() -> u64 {
    DISTANCE
}

fn one() -> u64 {
    1
}

async fn events(State(app): State<App>, last: Option<LastEventId>) -> impl IntoResponse {
    let keep_alive = app.keep_alive;
    app.hub
        .resume(last)
        .map(|subscription| subscription.keep_alive(keep_alive))
}

async fn publish(State(app): State<App>, Query(publish): Query<Publish>) -> String {
    let start = tokio::time::Instant::now();
    let mut given_up = 0;
    for i in 0..publish.n {
        app.hub.publish(event(publish.size));
        match publish.rate {
            Some(rate) => {
                let next = Duration::from_secs_f64((i + 1) as f64 / rate);
                tokio::time::sleep_until(start + next).await;
            }
            None => {
                let caught_up = app.hub.caught_up(publish.distance);
                given_up += caught_up.or_after(TokioTimer.sleep(PATIENCE)).await;
            }
        }
    }
    if publish.rate.is_none() {
        given_up += app
            .hub
            .caught_up(0)
            .or_after(TokioTimer.sleep(PATIENCE))
            .await;
    }
    let time = start.elapsed().as_secs_f64();
    format!(
        "{} events in {time:.3} s, {given_up} subscribers given up\n",
        publish.n
    )
}

fn event(size: usize) -> Event {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut data = String::with_capacity(size.max(20));
    _ = write!(data, "{}", now.as_nanos());
    while data.len() < size {
        data.push('x');
    }
    Event::new(data)
}

async fn stats(State(app): State<App>) -> String {
    format!("{:#?}\n", app.hub.stats())
}

async fn serve(flags: Flags) -> std::io::Result<()> {
    let hub = Hub::builder().retain_events(8 * 1024).build();
    if !flags.linger.is_zero() {
        tokio::spawn(hub.linger(flags.linger, TokioTimer));
    }
    let keep_alive = KeepAlive::new().interval(flags.heartbeat);
    let app = Router::new()
        .route("/events", get(events))
        .route("/publish", post(publish))
        .route("/stats", get(stats))
        .with_state(App { hub, keep_alive });
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await?;
    println!("http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|io| _ = io.set_nodelay(true));
    axum::serve(listener, app).await
}

struct Flags {
    port: u16,
    runtime: String,
    linger: Duration,
    heartbeat: Duration,
}

impl Flags {
    fn parse(args: Vec<String>) -> Result<Self, Box<dyn std::error::Error>> {
        let mut flags = Self {
            port: 3000,
            runtime: "multi".to_owned(),
            linger: Duration::ZERO,
            heartbeat: Duration::from_secs(15),
        };
        let mut args = args.into_iter();
        while let Some(name) = args.next() {
            let value = args.next().ok_or("every flag has a value")?;
            match &*name {
                "--port" => flags.port = value.parse()?,
                "--runtime" => flags.runtime = value,
                "--linger" => flags.linger = Duration::from_millis(value.parse()?),
                "--heartbeat" => flags.heartbeat = Duration::from_millis(value.parse()?),
                _ => return Err(format!("unknown flag {name}").into()),
            }
        }
        Ok(flags)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run(std::env::args().skip(1).collect())
}

/// `benches/end_to_end.rs` runs it from here.
pub(crate) fn run(args: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse(args)?;
    let mut builder = match &*flags.runtime {
        "current" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()?.block_on(serve(flags))?;
    Ok(())
}
