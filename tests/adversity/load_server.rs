//! A server for measuring what an event costs to thousands of subscribers.
//!
//! ```sh
//! cargo test --release --all-features --test adversity -- --serve --port 3000
//! curl -N 'localhost:3000/events'
//! curl -X POST 'localhost:3000/publish?n=100000&size=120'             # as fast as it can
//! curl -X POST 'localhost:3000/publish?n=1000&size=120&rate=100'      # at 100 a second
//! curl 'localhost:3000/stats'
//! ```
//!
//! Each event has its ID, and its send time in nanoseconds since the Unix epoch at the beginning of
//! its data. A publisher at full speed waits for the slowest subscriber; a publisher with a rate
//! does not. `distance=` sets how many events it may be ahead, 0 for one at a time, and `batch=`
//! after how many events it checks that. With `yield=1` it lets other tasks run after each event.
//! `--runtime current` serves on one thread; `--linger` and `--heartbeat` are in milliseconds.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::io::{self, Error};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;
use tower_sse::hub::{Hub, HubService, Subscription};
use tower_sse::timer::{Timer, TokioTimer};
use tower_sse::{Event, KeepAlive, SseBody};

/// The default number of events that a publisher at full speed may be ahead of the slowest
/// subscriber.
const DISTANCE: u64 = 1024;

/// How long it waits for a stalled subscriber.
const PATIENCE: Duration = Duration::from_secs(60);

/// The limits for the requested events per second and their size in bytes.
const RATES: RangeInclusive<f64> = 0.001..=1e7;
const MAX_SIZE: usize = 16 << 20;

type Answer = Response<Either<SseBody<Subscription, TokioTimer>, Full<Bytes>>>;

/// The request to the publisher.
pub(crate) struct Publish {
    pub(crate) n: u64,
    pub(crate) size: usize,
    pub(crate) rate: Option<f64>,
    pub(crate) distance: u64,
    pub(crate) batch: u64,
    pub(crate) yields: bool,
}

impl Publish {
    pub(crate) fn from_query(query: &str) -> Self {
        let value = |name| {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .filter(|(key, _)| *key == name)
                .map(|(_, value)| value)
                .next()
        };
        let number = |name| value(name).and_then(|value| value.parse().ok());
        Self {
            n: number("n").unwrap_or(1),
            size: value("size")
                .and_then(|size| size.parse().ok())
                .unwrap_or(0)
                .min(MAX_SIZE),
            rate: value("rate")
                .and_then(|rate| rate.parse().ok())
                .filter(|rate| RATES.contains(rate)),
            distance: number("distance").unwrap_or(DISTANCE),
            batch: number("batch").unwrap_or(1).max(1),
            yields: number("yield") == Some(1),
        }
    }

    async fn run(self, hub: Hub) -> String {
        let start = Instant::now();
        let mut given_up = 0;
        if let Some(rate) = self.rate {
            let publish = move || _ = hub.publish(event(self.size));
            _ = tokio::task::spawn_blocking(move || at_rate(self.n, rate, publish)).await;
        } else {
            for n in 1..=self.n {
                hub.publish(event(self.size));
                if n % self.batch == 0 {
                    given_up += wait(&hub, self.distance).await;
                }
                if self.yields {
                    tokio::task::yield_now().await;
                }
            }
            given_up += wait(&hub, 0).await;
        }
        let time = start.elapsed().as_secs_f64();
        format!(
            "{} events in {time:.3} s, {given_up} subscribers given up\n",
            self.n
        )
    }
}

/// Publishes evenly, from its own thread: with the runtime's timer, events would come in bursts, a
/// millisecond apart.
pub(crate) fn at_rate(n: u64, rate: f64, mut publish: impl FnMut()) {
    let start = Instant::now();
    for i in 0..n {
        publish();
        let next = start + Duration::from_secs_f64((i + 1) as f64 / rate);
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
}

async fn wait(hub: &Hub, distance: u64) -> usize {
    hub.caught_up(distance)
        .or_after(TokioTimer.sleep(PATIENCE))
        .await
}

fn event(size: usize) -> Event {
    Event::new(data(size))
}

/// The time, and padding up to the size.
pub(crate) fn data(size: usize) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let mut data = String::with_capacity(size.max(20));
    _ = write!(data, "{}", now.as_nanos());
    while data.len() < size {
        data.push('x');
    }
    data
}

async fn answer(events: HubService<TokioTimer>, hub: Hub, request: Request<Incoming>) -> Answer {
    let text = match (request.method(), request.uri().path()) {
        (_, "/events") => {
            let Ok(response) = events.oneshot(request).await;
            return response.map(Either::Left);
        }
        (&Method::POST, "/publish") => {
            let publish = Publish::from_query(request.uri().query().unwrap_or_default());
            publish.run(hub).await
        }
        (_, "/stats") => format!("{:#?}\n", hub.stats()),
        _ => {
            let mut response = Response::new(Either::Right(Full::default()));
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
    };
    Response::new(Either::Right(Full::from(text)))
}

async fn connection(socket: TcpStream, events: HubService<TokioTimer>, hub: Hub) {
    _ = socket.set_nodelay(true);
    // The connection reserves space for a future for its whole life. For a box, that is two words.
    let service = service_fn(move |request| {
        let answer = answer(events.clone(), hub.clone(), request);
        Box::pin(async { Ok::<_, Infallible>(answer.await) })
    });
    // An error means that the client has disconnected, which is how most connections end.
    _ = http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await;
}

async fn serve(flags: Flags) -> io::Result<()> {
    let hub = Hub::builder().retain_events(2 * 1024).build();
    if !flags.linger.is_zero() {
        tokio::spawn(hub.linger(flags.linger));
    }
    let keep_alive = KeepAlive::new().interval(flags.heartbeat);
    let events = HubService::new(hub.clone()).keep_alive(keep_alive);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, flags.port)).await;
    let listener = listener
        .map_err(|error| Error::new(error.kind(), format!("port {}: {error}", flags.port)))?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            stop = tokio::signal::ctrl_c() => return stop,
        };
        tokio::spawn(connection(socket, events.clone(), hub.clone()));
    }
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

/// Serves until Ctrl-C, as these arguments say.
pub(crate) fn run(args: Vec<String>) -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse(args)?;
    let mut builder = match &*flags.runtime {
        "current" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    builder.enable_all().build()?.block_on(serve(flags))?;
    Ok(())
}
