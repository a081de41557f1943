//! A node in a process of its own: a hub on Redis, or the floor, behind HTTP. It publishes what it is told
//! to.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use support::process;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tower_sse::Event;
use tower_sse::hub::{Hub, HubService, Redis};

use crate::floor::{self, Floor};
use crate::{Kind, Outcome, STREAM};

/// The process, seen from outside, until it is dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) address: String,
}

/// What a node says of itself.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) subscribers: u64,
    pub(crate) entries: u64,
    pub(crate) reads: u64,
    pub(crate) pages: u64,
}

impl Node {
    /// Returns once it reads the stream.
    pub(crate) fn start(kind: Kind, url: &str, ring: usize) -> Outcome<Self> {
        let flag = match kind {
            Kind::Hub => "--node",
            Kind::Floor => "--floor",
        };
        let mut child = Command::new(std::env::current_exe()?)
            .args([flag, url, &ring.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let stdout = child.stdout.take().ok_or("a pipe")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().to_owned();
        Ok(Self { child, address })
    }

    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        Ok(process::cpu(self.child.id())?)
    }

    /// Publishes; how long that took.
    pub(crate) async fn publish(&self, query: &str) -> Outcome<Duration> {
        let path = format!("/publish?{query}");
        let seconds = process::request(&self.address, "POST", &path).await?;
        Ok(Duration::from_secs_f64(
            seconds.parse().map_err(|_| seconds)?,
        ))
    }

    pub(crate) async fn said(&self) -> Outcome<Said> {
        let text = process::request(&self.address, "GET", "/status").await?;
        let mut numbers = text.split(' ').map(str::parse::<u64>);
        let mut next = || numbers.next().ok_or("a number");
        Ok(Said {
            subscribers: next()??,
            entries: next()??,
            reads: next()??,
            pages: next()??,
        })
    }

    /// Waits until it says so.
    pub(crate) async fn until(&self, enough: impl Fn(&Said) -> bool) -> Outcome<Said> {
        let deadline = Instant::now() + Duration::from_secs(120);
        loop {
            let said = self.said().await?;
            if enough(&said) {
                return Ok(said);
            }
            assert!(Instant::now() < deadline, "{said:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The process itself.
pub(crate) async fn serve(url: &str, ring: &str) -> Outcome<()> {
    let hub = Hub::redis(url, STREAM)?
        .ring_events(ring.parse()?)
        .ring_bytes(64 << 20)
        .max_events(1_000_000)
        .build()?;
    while !hub.status().connected {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let app = Router::new().route_service("/events", HubService::new(hub.clone()));
    answer(app, Source::Hub(hub)).await
}

/// The floor's process.
pub(crate) async fn serve_floor(url: &str) -> Outcome<()> {
    let floor = Floor::open(url).await?;
    let app = Router::new().route("/events", get(floor::events));
    answer(app.with_state(floor.clone()), Source::Floor(floor)).await
}

#[derive(Clone)]
enum Source {
    Hub(Hub<Redis>),
    Floor(Floor),
}

impl Source {
    async fn publish(&self, data: String) -> Result<(), String> {
        match self {
            Self::Hub(hub) => {
                let published = hub.publish(Event::new(data)).await;
                published.map(drop).map_err(|error| error.to_string())
            }
            Self::Floor(floor) => floor
                .publish(&data)
                .await
                .map_err(|error| error.to_string()),
        }
    }
}

async fn answer(app: Router, source: Source) -> Outcome<()> {
    let own = Router::new()
        .route("/publish", post(publish))
        .route("/status", get(say))
        .with_state(source);
    let app = app.merge(own);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
    let mut stdin = tokio::io::stdin();
    tokio::select! {
        served = axum::serve(listener, app) => Ok(served?),
        // Ends with its parent.
        _ = stdin.read_u8() => Ok(()),
    }
}

async fn say(State(source): State<Source>) -> String {
    let hub = match source {
        Source::Hub(hub) => hub,
        Source::Floor(floor) => return floor.say(),
    };
    let (subscribers, status) = (hub.stats().subscribers, hub.status());
    let (entries, reads, pages) = (status.entries, status.reads, status.pages);
    format!("{subscribers} {entries} {reads} {pages}")
}

/// Text that begins with the time, in nanoseconds.
fn data(size: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut data = String::with_capacity(size);
    data.push_str(&now.unwrap_or_default().as_nanos().to_string());
    data.extend(std::iter::repeat_n("x", size.saturating_sub(data.len())));
    data
}

/// `n` events of `size` bytes: `rate` in a second, or `in_flight` at once for as long as it takes.
async fn publish(State(source): State<Source>, RawQuery(query): RawQuery) -> String {
    let query = query.unwrap_or_default();
    let get = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.find(|(key, _)| *key == name)?.1;
        value.parse::<usize>().ok()
    };
    let (n, size) = (get("n").unwrap_or(1), get("size").unwrap_or(200));
    let mut publishers = JoinSet::new();
    let start = Instant::now();
    if let Some(rate) = get("rate") {
        let mut ticks =
            tokio::time::interval(Duration::from_secs(1) / rate.try_into().unwrap_or(1));
        for _ in 0..n {
            ticks.tick().await;
            let source = source.clone();
            publishers.spawn(async move { source.publish(data(size)).await });
        }
    } else {
        let in_flight = get("in_flight").unwrap_or(1);
        for _ in 0..in_flight {
            let source = source.clone();
            publishers.spawn(async move {
                for _ in 0..n / in_flight {
                    source.publish(data(size)).await?;
                }
                Ok(())
            });
        }
    }
    while let Some(published) = publishers.join_next().await {
        if let Ok(Err(error)) = published {
            return error;
        }
    }
    start.elapsed().as_secs_f64().to_string()
}
