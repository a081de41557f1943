//! A publisher: says what it begins to publish, and what became of it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::process::told;
use crate::rig::payload::Payload;
use crate::rng::Rng;
use crate::{topics, toy};

/// What became of an event.
pub(crate) enum Result {
    Stored(String),
    NotStored,
    MaybeStored,
}

/// `publisher <number> <redis> <key> <rate> <seed> <max events> toy|hub`
pub(crate) async fn main(words: &[&str]) {
    let [number, redis, key, rate, seed, _max, "toy"] = words[..] else {
        panic!("publisher {words:?}");
    };
    let publisher: u32 = number.parse().unwrap();
    let rate: u64 = rate.parse().unwrap();
    let mut rng = Rng::new(seed.parse().unwrap());
    let next = AtomicU32::new(0);
    let permits = Arc::new(Semaphore::new(0));
    let (redis, key) = (redis.parse().unwrap(), key.to_owned());
    let mut workers = tokio::task::JoinSet::new();
    let next = Arc::new(next);
    for _ in 0..16 {
        let (permits, next, key) = (Arc::clone(&permits), Arc::clone(&next), key.clone());
        let mut rng = Rng::new(rng.next());
        workers.spawn(async move {
            let mut connection = None;
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
                let (name, data) = (topics::name(topic), payload.to_string());
                let words = ["XADD", &key, "*", "topic", &name, "data", &data].map(str::as_bytes);
                let result = match toy::publish(&mut connection, redis, &words).await {
                    Ok(Some(id)) => Result::Stored(id),
                    Ok(None) => Result::NotStored,
                    Err(_) => Result::MaybeStored,
                };
                match result {
                    Result::Stored(id) => say(&format!("s {topic} {n} {id}")),
                    Result::NotStored => {
                        say(&format!("n {topic} {n}"));
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    Result::MaybeStored => say(&format!("m {topic} {n}")),
                }
            }
        });
    }
    let pace = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let (start, mut given) = (tokio::time::Instant::now(), 0);
        loop {
            ticks.tick().await;
            let due = rate * u64::try_from(start.elapsed().as_millis()).unwrap() / 1000;
            // What could not be published in time is left out.
            let room = 64usize.saturating_sub(permits.available_permits());
            permits.add_permits(room.min(usize::try_from(due - given).unwrap()));
            given = due;
        }
    };
    let mut lines = told();
    tokio::select! {
        () = pace => {}
        _ = lines.next_line() => {}
    }
    permits.close();
    while workers.join_next().await.is_some() {}
    say("end");
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // The parent may be gone.
    _ = output.write_all(format!("{line}\n").as_bytes());
    _ = output.flush();
}
