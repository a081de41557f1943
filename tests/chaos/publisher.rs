//! A publisher: says what it begins to publish, and what became of it.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tower_sse::Event;
use tower_sse::hub::{Hub, Redis};

use crate::process::told;
use crate::rig::payload::Payload;
use crate::rig::resp::Resp;
use crate::rng::Rng;
use crate::{topics, toy};

/// What an event is published with.
enum Log {
    Toy(Option<Resp>, SocketAddr, String),
    Hub(Hub<Redis>),
}

/// What became of it.
enum Published {
    Stored(String),
    NotStored,
    MaybeStored,
}

impl Log {
    async fn publish(&mut self, payload: Payload) -> Published {
        let (name, data) = (topics::name(payload.topic), payload.to_string());
        match self {
            Self::Toy(connection, redis, key) => {
                let words = ["XADD", key, "*", "topic", &name, "data", &data];
                match toy::publish(connection, *redis, &words.map(str::as_bytes)).await {
                    Ok(Some(id)) => Published::Stored(id),
                    Ok(None) => Published::NotStored,
                    Err(_) => Published::MaybeStored,
                }
            }
            Self::Hub(hub) => match hub.topic(&name).publish(Event::new(data)).await {
                Ok(id) => Published::Stored(id.as_str().to_owned()),
                Err(error) if error.may_be_stored() => Published::MaybeStored,
                Err(_) => Published::NotStored,
            },
        }
    }
}

/// `publisher <number> <redis> <key> <rate> <seed> <max events> toy|hub`
pub(crate) async fn main(words: &[&str]) {
    let [number, redis, key, rate, seed, max, kind] = words[..] else {
        panic!("publisher {words:?}");
    };
    let publisher: u32 = number.parse().unwrap();
    let mut rng = Rng::new(seed.parse().unwrap());
    let hub = (kind == "hub").then(|| {
        let hub = Hub::redis(&format!("redis://{redis}/"), key).unwrap();
        hub.max_events(max.parse().unwrap())
            .ring_events(100)
            .build()
            .unwrap()
    });
    let permits = Arc::new(Semaphore::new(0));
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let log = match &hub {
            Some(hub) => Log::Hub(hub.clone()),
            None => Log::Toy(None, redis.parse().unwrap(), key.to_owned()),
        };
        let rng = Rng::new(rng.next());
        let (permits, next) = (Arc::clone(&permits), Arc::clone(&next));
        workers.spawn(work(publisher, log, rng, permits, next));
    }
    let mut lines = told();
    tokio::select! {
        () = pace(rate.parse().unwrap(), &permits) => {}
        _ = lines.next_line() => {}
    }
    permits.close();
    while workers.join_next().await.is_some() {}
    // What it alone knows to be lost, it tells once it is connected.
    if let Some(hub) = hub {
        let connected = async {
            // For a second without a pause in which it might have found something.
            let mut looks = 0;
            while looks < 50 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                let status = hub.status();
                let is_quiet = status.connected && status.behind.is_zero();
                looks = if is_quiet { looks + 1 } else { 0 };
            }
        };
        _ = tokio::time::timeout(Duration::from_secs(60), connected).await;
    }
}

async fn work(
    publisher: u32,
    mut log: Log,
    mut rng: Rng,
    permits: Arc<Semaphore>,
    next: Arc<AtomicU32>,
) {
    while let Ok(permit) = permits.acquire().await {
        permit.forget();
        let topic = u16::try_from(rng.below(topics::COUNT.into())).unwrap();
        let n = next.fetch_add(1, Ordering::Relaxed);
        let payload = Payload {
            topic,
            publisher,
            n,
        };
        say(&format!("b {topic} {n}"));
        match log.publish(payload).await {
            Published::Stored(id) => say(&format!("s {topic} {n} {id}")),
            Published::MaybeStored => say(&format!("m {topic} {n}")),
            Published::NotStored => {
                say(&format!("n {topic} {n}"));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}

/// Lets events be published at a rate; what could not be published in time is left out.
async fn pace(rate: u64, permits: &Semaphore) {
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    let (start, mut given) = (tokio::time::Instant::now(), 0);
    loop {
        ticks.tick().await;
        let due = rate * u64::try_from(start.elapsed().as_millis()).unwrap() / 1000;
        let room = 64usize.saturating_sub(permits.available_permits());
        permits.add_permits(room.min(usize::try_from(due - given).unwrap()));
        given = due;
    }
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // The parent may be gone.
    _ = output.write_all(format!("{line}\n").as_bytes());
    _ = output.flush();
}
