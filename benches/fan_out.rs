//! One event to 1,000 bodies: publishing it and polling each body until it is pending again.
//!
//! Contestants take turns, and ratios are medians over the rounds' ratios, since the machine drifts.
//! Before the time is taken, everybody's bytes are compared.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use axum::response::sse::{Event as AxumEvent, Sse};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::broadcast::{Sender, channel};
use tokio_stream::wrappers::BroadcastStream;
use tower_sse::{Event, EventType, Hub, KeepAlive};

const BODIES: usize = 1_000;
const TYPE: EventType = EventType::from_static("score");
const CAPACITY: usize = 1_024;
const SETTLED: Duration = Duration::from_millis(50);

/// Somebody's way from one event to many bodies.
struct Contestant {
    name: &'static str,
    peer: bool,
    publish: Box<dyn FnMut(u64)>,
    bodies: Box<dyn Bodies>,
}

/// A thousand bodies of one type, as a server has them.
trait Bodies {
    /// Polls each until it is pending; gives the number of bytes.
    fn drain(&mut self, wakers: &[Waker]) -> usize;
    /// The same with a copy of what each body gives.
    fn collect(&mut self, wakers: &[Waker]) -> Vec<Vec<u8>>;
    /// Hands each to a task of its own.
    fn spawn(&mut self, received: &Arc<AtomicU64>);
}

impl<B> Bodies for Vec<Pin<Box<B>>>
where
    B: Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static,
{
    fn drain(&mut self, wakers: &[Waker]) -> usize {
        let mut bytes = 0;
        for (body, waker) in self.iter_mut().zip(wakers) {
            drain(body.as_mut(), waker, |frame| bytes += frame.len());
        }
        bytes
    }

    fn collect(&mut self, wakers: &[Waker]) -> Vec<Vec<u8>> {
        let bodies = self.iter_mut().zip(wakers);
        let all = bodies.map(|(body, waker)| {
            let mut bytes = Vec::new();
            drain(body.as_mut(), waker, |frame| bytes.extend_from_slice(frame));
            bytes
        });
        all.collect()
    }

    fn spawn(&mut self, received: &Arc<AtomicU64>) {
        for mut body in self.drain(..) {
            let received = Arc::clone(received);
            tokio::spawn(async move {
                while let Some(frame) = body.frame().await {
                    let frame = frame.expect("nobody lags");
                    let bytes = frame.data_ref().expect("data").len() as u64;
                    // Preludes and positions are short, and come before the count begins.
                    received.fetch_add(bytes, Ordering::Relaxed);
                }
            });
        }
    }
}

fn bodies<B>(make: impl FnMut(usize) -> B) -> Box<dyn Bodies>
where
    B: Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static,
{
    let bodies: Vec<_> = (0..BODIES).map(make).map(Box::pin).collect();
    Box::new(bodies)
}

fn data(n: u64) -> String {
    format!("{n:0120}")
}

fn hub<B>(name: &'static str, body: impl Fn(tower_sse::Subscription) -> B) -> Contestant
where
    B: Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static,
{
    let hub = Hub::builder().epoch(36).build();
    let bodies = bodies(|_| body(hub.subscribe().unwrap()));
    Contestant {
        name,
        peer: false,
        bodies,
        publish: Box::new(move |n| {
            hub.publish(Event::new(data(n)).with_type(TYPE));
        }),
    }
}

fn broadcast<T, B>(
    name: &'static str,
    make: impl Fn(u64) -> T + 'static,
    body: impl Fn(BroadcastStream<T>) -> B,
) -> Contestant
where
    T: Clone + Send + 'static,
    B: Body<Data = Bytes, Error: std::fmt::Debug> + Send + 'static,
{
    let (sender, _): (Sender<T>, _) = channel(CAPACITY);
    let bodies = bodies(|_| body(BroadcastStream::new(sender.subscribe())));
    Contestant {
        name,
        peer: true,
        bodies,
        publish: Box::new(move |n| _ = sender.send(make(n))),
    }
}

fn axum_event(n: u64, data: &str) -> AxumEvent {
    AxumEvent::default()
        .event("score")
        .id(format!("10-{n}"))
        .data(data)
}

fn ready_bytes(n: u64) -> Bytes {
    let event = Event::new(data(n)).with_type(TYPE);
    let id = tower_sse::EventId::try_from(format!("10-{n}")).unwrap();
    event.with_id(id).encode().into_bytes()
}

/// All of them, or those of one name, for a profiler.
fn contestants() -> Vec<Contestant> {
    let mut contestants = all();
    if let Ok(only) = std::env::var("ONLY") {
        contestants.retain(|one| one.name == only);
    }
    contestants
}

fn all() -> Vec<Contestant> {
    vec![
        hub("hub", |body| body),
        hub("hub, with heartbeats", |body| {
            body.keep_alive(KeepAlive::default())
        }),
        broadcast(
            "axum, broadcast data",
            |n| Arc::new((n, data(n))),
            |stream| {
                let events = stream.map(|item| item.map(|item| axum_event(item.0, &item.1)));
                Sse::new(events).into_response().into_body()
            },
        ),
        broadcast(
            "axum, broadcast events",
            |n| axum_event(n, &data(n)),
            |stream| Sse::new(stream).into_response().into_body(),
        ),
        broadcast("ready bytes, broadcast", ready_bytes, |stream| {
            StreamBody::new(stream.map(|item| item.map(Frame::data)))
        }),
    ]
}

/// A waker that costs what a task's does: a count of references.
struct Task;

impl Wake for Task {
    fn wake(self: Arc<Self>) {}

    // As with a task's, no reference is counted for it.
    fn wake_by_ref(self: &Arc<Self>) {}
}

/// Polls until nothing more is there; gives what came.
#[inline]
fn drain<B>(mut body: Pin<&mut B>, waker: &Waker, mut each: impl FnMut(&Bytes))
where
    B: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    let mut cx = Context::from_waker(waker);
    while let Poll::Ready(frame) = body.as_mut().poll_frame(&mut cx) {
        let frame = frame.expect("nobody ends").expect("nobody lags");
        each(frame.data_ref().expect("data"));
    }
}

fn wakers() -> Vec<Waker> {
    (0..BODIES).map(|_| Waker::from(Arc::new(Task))).collect()
}

/// Everybody has to say the same, whatever is left of blank space.
fn check(contestant: &mut Contestant, wakers: &[Waker]) {
    // A prelude and a position.
    contestant.bodies.drain(wakers);
    for n in 1..=16 {
        (contestant.publish)(n);
    }
    let mut expected: Vec<String> = Vec::new();
    for n in 1..=16 {
        let block = String::from_utf8(ready_bytes(n).to_vec()).unwrap();
        expected.push(sorted(block.trim_end()));
    }
    for bytes in contestant.bodies.collect(wakers) {
        let text = String::from_utf8(bytes).unwrap();
        let blocks: Vec<String> = text.split_terminator("\n\n").map(sorted).collect();
        assert_eq!(blocks, expected, "{}", contestant.name);
    }
}

/// A block's fields in an order of their own: axum writes them in that of the calls.
fn sorted(block: &str) -> String {
    let mut lines: Vec<&str> = block.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

struct Result {
    name: &'static str,
    peer: bool,
    rounds: Vec<f64>,
}

fn polled(burst: u64, rounds: usize) -> Vec<Result> {
    // For the heartbeats' clock.
    let runtime = runtime();
    let _guard = runtime.enter();
    let wakers = wakers();
    let mut contestants = contestants();
    for contestant in &mut contestants {
        check(contestant, &wakers);
    }
    let mut results = results(&contestants);
    let mut n = 16;
    for _ in 0..rounds {
        for (contestant, result) in contestants.iter_mut().zip(&mut results) {
            let times = (64 / burst).max(8);
            let (mut bytes, mut time) = (0, Duration::ZERO);
            for _ in 0..times {
                let start = Instant::now();
                for i in 0..burst {
                    (contestant.publish)(n + i);
                }
                bytes += contestant.bodies.drain(&wakers);
                time += start.elapsed();
            }
            assert!(bytes > 120 * BODIES * usize::try_from(times * burst).unwrap());
            result.rounds.push(per_delivery(time, times * burst));
        }
        let floor = floor(burst);
        results.last_mut().unwrap().rounds.push(floor);
        n += burst;
    }
    results
}

/// What cannot be avoided: a reference for each body and event.
fn floor(burst: u64) -> f64 {
    let blocks: Vec<Bytes> = (0..burst).map(ready_bytes).collect();
    let start = Instant::now();
    for _ in 0..8 {
        for _ in 0..BODIES {
            for block in &blocks {
                std::hint::black_box(block.clone());
            }
        }
    }
    per_delivery(start.elapsed(), 8 * burst)
}

fn tasks(burst: u64, rounds: usize) -> Vec<Result> {
    let runtime = runtime();
    let mut contestants = contestants();
    let mut results = results(&contestants);
    results.pop();
    let received: Vec<Arc<AtomicU64>> = contestants.iter().map(|_| Arc::default()).collect();
    runtime.block_on(async {
        for (contestant, received) in contestants.iter_mut().zip(&received) {
            contestant.bodies.spawn(received);
        }
        tokio::time::sleep(SETTLED).await;
        for (contestant, received) in contestants.iter_mut().zip(&received) {
            received.store(0, Ordering::Relaxed);
            (contestant.publish)(1);
            tokio::time::sleep(SETTLED).await;
            assert!(
                received.load(Ordering::Relaxed) > 120 * BODIES as u64,
                "{}",
                contestant.name
            );
        }
        let mut n = 100;
        for _ in 0..rounds {
            for ((contestant, received), result) in
                contestants.iter_mut().zip(&received).zip(&mut results)
            {
                let times = (64 / burst).max(8);
                let mut time = Duration::ZERO;
                for _ in 0..times {
                    received.store(0, Ordering::Relaxed);
                    let start = Instant::now();
                    for i in 0..burst {
                        (contestant.publish)(n + i);
                    }
                    while received.load(Ordering::Relaxed) < 120 * burst * BODIES as u64 {
                        tokio::task::yield_now().await;
                    }
                    // Those that have been polled look once more before they wait.
                    tokio::task::yield_now().await;
                    time += start.elapsed();
                }
                result.rounds.push(per_delivery(time, times * burst));
            }
            n += burst;
        }
    });
    results
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn results(contestants: &[Contestant]) -> Vec<Result> {
    let names = contestants.iter().map(|one| (one.name, one.peer));
    names
        .chain([("floor: a clone of Bytes", false)])
        .map(|(name, peer)| Result {
            name,
            peer,
            rounds: Vec::new(),
        })
        .collect()
}

fn per_delivery(time: Duration, events: u64) -> f64 {
    time.as_nanos() as f64 / (events * BODIES as u64) as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(title: &str, results: &[Result]) {
    println!("{title}");
    let ours = &results[0];
    for result in results {
        let time = median(result.rounds.iter().copied());
        print!("  {:<26}{time:>9.1} ns", result.name);
        if result.peer {
            let ratios = result.rounds.iter().zip(&ours.rounds);
            print!(
                "{:>9.1}x the hub's",
                median(ratios.map(|(peer, own)| peer / own))
            );
        }
        println!();
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rounds = if args.iter().any(|arg| arg == "--bench") {
        31
    } else {
        1
    };
    let filter = args.iter().find(|arg| !arg.starts_with('-'));
    for burst in [1, 16] {
        for (how, run) in [("polled", polled as fn(u64, usize) -> _), ("tasks", tasks)] {
            let title = format!("{BODIES} bodies, {how}, burst {burst}");
            if filter.is_none_or(|filter| title.contains(filter)) {
                print(&title, &run(burst, rounds));
            }
        }
    }
}
