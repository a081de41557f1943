//! Nodes and clients on a stream that is trimmed, flushed, and loses its tail: whatever happens,
//! nobody loses an event in silence, gets one twice or out of order, or is told of a loss that is
//! none.

mod client;
mod node;
mod stream;

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use self::client::SimClient;
use self::node::SimNode;
use self::stream::{Fate, SimRedis};

const TOPICS: [&str; 3] = ["a", "b", "c"];

/// Prints what happens if `TOWER_SSE_SAY` is set.
fn say(what: impl FnOnce() -> String) {
    if std::env::var_os("TOWER_SSE_SAY").is_some() {
        eprintln!("{}", what());
    }
}

fn run(mut random: impl FnMut(usize) -> usize, sums: &mut HashMap<&'static str, usize>) {
    let server = SimRedis::default();
    server.lock().clock = 1_000;
    let ring = 1 + random(12);
    let mut nodes: Vec<SimNode> = (0..3).map(|_| SimNode::new(&server, ring)).collect();
    let mut clients: Vec<SimClient> = (0..6).map(SimClient::new).collect();
    let with_harm = random(4) > 0;
    // Losses follow each other before all nodes have found the first.
    let is_bad = random(3) == 0;
    for _ in 0..600 {
        let may_trim = {
            let mut stream = server.lock();
            stream.is_settled = nodes.iter().all(|node| node.is_settled(&stream));
            nodes.iter().all(|node| node.allows_trimming(&stream))
        };
        match random(24) {
            0 if with_harm && may_trim && random(6) == 0 => {
                let mut stream = server.lock();
                let count = random(stream.records.len() + 1);
                stream.trim(count);
            }
            1 if with_harm && (random(10) == 0 || is_bad && random(2) == 0) => {
                let mut stream = server.lock();
                let count = match random(4) {
                    0 => stream.records.len().saturating_sub(random(3)).max(1),
                    _ => 1 + random(6),
                };
                stream.lose_tail(count);
                for node in &mut nodes {
                    node.machine.fail();
                }
                *sums.entry("losses").or_default() += 1;
            }
            2 if with_harm && server.lock().is_settled && random(40) == 0 => {
                let count = server.lock().records.len();
                server.lock().lose_tail(count);
                *sums.entry("flushes").or_default() += 1;
            }
            3 if random(5) == 0 => {
                let node = random(3);
                nodes[node].is_away = !nodes[node].is_away;
                nodes[node].machine.fail();
            }
            4..=7 => {
                let mut stream = server.lock();
                stream.clock += random(3) as u64;
                let most = if random(8) == 0 { 24 } else { 4 };
                for _ in 0..random(most) {
                    let node = &nodes[random(3)];
                    let is_here = !node.is_away && random(2) == 0;
                    let key = stream.publish(TOPICS[random(3)], is_here);
                    if is_here {
                        node.unread.insert(key);
                    }
                }
            }
            8 | 9 => {
                let (client, node) = (random(6), random(3));
                clients[client].connect(&nodes[node]);
            }
            10..=13 => {
                let client = random(6);
                clients[client].read(&server);
            }
            _ => nodes[random(3)].step(&server, random(30) == 0),
        }
    }
    // In the end, every client has every event or has been told.
    for node in &mut nodes {
        node.is_away = false;
    }
    for _ in 0..30 {
        for node in &mut nodes {
            (0..10).for_each(|_| node.step(&server, false));
        }
        let is_settled = nodes.iter().all(|node| node.is_settled(&server.lock()));
        server.lock().is_settled = is_settled;
        for (at, client) in clients.iter_mut().enumerate() {
            if client.body.is_none() {
                client.connect(&nodes[at % 3]);
            }
            // A few pages each time.
            (0..5).for_each(|_| client.read(&server));
        }
    }
    let stream = server.lock();
    for client in &clients {
        let from = client
            .newest
            .map_or(client.since.unwrap_or(0), |newest| newest + 1);
        for (number, one) in stream.published.iter().enumerate().skip(from) {
            let is_known = one.fate == Fate::Lost && !one.is_seen;
            assert!(
                client.told || is_known || !client.topics.contains(&one.topic),
                "{number} never came"
            );
        }
        assert!(client.owed.is_empty(), "never told of {:?}", client.owed);
        *sums.entry("events").or_default() += client.got.len();
    }
    *sums.entry("pages").or_default() += stream.pages;
    *sums.entry("marks").or_default() += stream.marks.len();
}

#[test]
fn nobody_loses_in_silence_and_nobody_is_told_of_a_loss_that_is_none() {
    // A seed at a time: shuttle bounds the steps of each.
    static SEED: AtomicUsize = AtomicUsize::new(0);
    static SUMS: Mutex<Option<HashMap<&str, usize>>> = Mutex::new(None);
    let seeds = std::env::var("TOWER_SSE_SEEDS").map_or(100, |seeds| seeds.parse().unwrap());
    if let Ok(first) = std::env::var("TOWER_SSE_SEED") {
        SEED.store(first.parse().unwrap(), Ordering::Relaxed);
    }
    for _ in 0..seeds {
        crate::sync::run(|| {
            let seed = SEED.fetch_add(1, Ordering::Relaxed) as u64;
            let failed = Failed(seed);
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let mut sums = SUMS.lock().unwrap();
            run(
                |below| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(seed | 1);
                    usize::try_from((state >> 33) % below as u64).unwrap()
                },
                sums.get_or_insert_default(),
            );
            std::mem::forget(failed);
        });
    }
    let sums = SUMS.lock().unwrap().take().unwrap();
    assert!(
        sums["events"] > 20 * seeds && sums["pages"] > seeds,
        "{sums:?}"
    );
    assert!(
        sums["losses"] > seeds / 2 && sums["flushes"] > seeds / 20,
        "{sums:?}"
    );
}

#[test]
fn what_is_lost_before_its_node_has_a_new_ring_is_told() {
    crate::sync::run(|| {
        let server = SimRedis::default();
        server.lock().clock = 1_000;
        let mut slow = SimNode::new(&server, 2);
        let mut fast = SimNode::new(&server, 2);
        let mut client = SimClient::new(2);
        let step = |node: &mut SimNode| (0..20).for_each(|_| node.step(&server, false));
        let publish = |events| (0..events).for_each(|_| _ = server.lock().publish("a", false));
        let lose = |slow: &mut SimNode, fast: &mut SimNode| {
            server.lock().lose_tail(1);
            slow.machine.fail();
            fast.machine.fail();
        };
        publish(1);
        step(&mut slow);
        step(&mut fast);
        client.connect(&fast);
        client.read(&server);
        publish(2);
        step(&mut slow);
        step(&mut fast);
        client.read(&server);
        // Only one node finds the first loss at once.
        lose(&mut slow, &mut fast);
        step(&mut fast);
        publish(1);
        step(&mut fast);
        client.connect(&fast);
        client.read(&server);
        assert_eq!((client.newest, client.told), (Some(3), false));
        // The second loss takes an event that only the other node knows.
        let key = server.lock().publish("a", true);
        slow.unread.insert(key);
        lose(&mut slow, &mut fast);
        publish(40);
        step(&mut fast);
        client.connect(&fast);
        (0..5).for_each(|_| client.read(&server));
        assert_eq!((client.newest, &*client.owed), (Some(44), &[4][..]));
        step(&mut slow);
        step(&mut fast);
        client.connect(&fast);
        client.read(&server);
        assert!(client.told && client.owed.is_empty());
    });
}

/// Prints the seed that failed.
struct Failed(u64);

impl Drop for Failed {
    fn drop(&mut self) {
        eprintln!("seed {}", self.0);
    }
}
