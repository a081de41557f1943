//! Hubs that are fed by an outer log, against a model that keeps all entries in a list: topics with
//! limits of their own, ends, keys, prefixes, filters, and handles that move and end clients, while
//! the log is trimmed and marked, the rings are cut and begin again, and clients come with any ID
//! from any node.
//!
//! The other half, of what an application can reach, is `tests/hub/model.rs`.

mod fed_client;
mod fed_log;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use self::fed_client::FedClient;
use self::fed_log::{FedEntry, FedLog, FedNode, FedWhat};

const TOPICS: [&str; 5] = ["a", "b", "b/1", "b/2", "c"];
const LABELS: [&str; 2] = ["x", "y"];

fn pick<'a, T>(list: &'a [T], random: &mut dyn FnMut(usize) -> usize) -> &'a T {
    &list[random(list.len())]
}

fn run(random: &mut dyn FnMut(usize) -> usize) -> [usize; 3] {
    let log = Arc::new(Mutex::new(FedLog::default()));
    log.lock().unwrap().all.push(FedEntry {
        key: 5 << 64,
        topic: "",
        what: FedWhat::Place,
    });
    let polls = Arc::new(AtomicUsize::new(0));
    let mut nodes: Vec<_> = (0..3).map(|_| FedNode::new(&log, &polls, random)).collect();
    let mut clients: Vec<_> = (0..6).map(|_| FedClient::new(random)).collect();
    let mut places = 0;
    for _ in 0..300 {
        polls.store(random(4), Ordering::Relaxed);
        let (client, at) = (random(clients.len()), random(nodes.len()));
        match random(20) {
            0 if random(3) == 0 => {
                let mut log = log.lock().unwrap();
                let most = log.all.len() - log.start;
                log.start += random(most);
            }
            1 if random(3) == 0 => nodes[at].break_off(at, &mut clients),
            1 if nodes[at].begin.is_none() => {
                let log = log.lock().unwrap();
                let begin = pick(&log.all[log.start..], random).key;
                nodes[at].begin(begin, &log, random(20));
            }
            2..=5 => {
                for _ in 0..random(6) {
                    log.lock().unwrap().grow(random);
                }
            }
            6..=9 => nodes[at].feed(at, &log.lock().unwrap(), random(20), &mut clients),
            10 | 11 => {
                let log = copy(&log);
                clients[client].connect(at, &nodes[at], &log, random);
            }
            12 | 13 => {
                let node = clients[client].node;
                clients[client].steer(&nodes[node], random);
            }
            14 => places += usize::from(clients[client].place(&copy(&log))),
            _ => {
                let node = clients[client].node;
                clients[client].read(&copy(&log), &nodes[node], 1 + random(20));
            }
        }
    }
    // In the end, everybody has everything.
    let end = copy(&log);
    for (at, node) in nodes.iter_mut().enumerate() {
        if node.begin.is_none() {
            node.begin(end.oldest(), &end, usize::MAX);
        }
        node.feed(at, &end, usize::MAX, &mut clients);
    }
    for client in &mut clients {
        for at in 0..6 {
            if !client.is_there() {
                client.connect(at % 3, &nodes[at % 3], &end, random);
            }
            client.read(&end, &nodes[client.node], usize::MAX);
        }
        client.check_all(&end);
    }
    for node in &nodes {
        node.hub.close();
    }
    for client in &mut clients {
        client.is_cut = true;
        client.read(&end, &nodes[client.node], usize::MAX);
        assert!(!client.is_there(), "closed, and not ended");
    }
    let received = clients.iter().map(|client| client.received).sum();
    [received, log.lock().unwrap().pages, places]
}

/// What the log is now. Pages lock it.
fn copy(log: &Mutex<FedLog>) -> FedLog {
    let log = log.lock().unwrap();
    FedLog {
        all: log.all.clone(),
        ..*log
    }
}

#[test]
fn fed_hubs_do_what_the_model_does() {
    // A seed at a time: shuttle bounds the steps of each.
    static SEED: AtomicUsize = AtomicUsize::new(0);
    static SUMS: Mutex<[usize; 3]> = Mutex::new([0; 3]);
    let seeds = std::env::var("TOWER_SSE_SEEDS").map_or(150, |seeds| seeds.parse().unwrap());
    if let Ok(first) = std::env::var("TOWER_SSE_SEED") {
        SEED.store(first.parse().unwrap(), Ordering::Relaxed);
    }
    for _ in 0..seeds {
        crate::sync::run(|| {
            let seed = SEED.fetch_add(1, Ordering::Relaxed) as u64;
            let failed = FailedRun(seed);
            let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let sums = run(&mut |below| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(seed | 1);
                usize::try_from((state >> 33) % below as u64).unwrap()
            });
            let mut all = SUMS.lock().unwrap();
            all.iter_mut().zip(sums).for_each(|(all, sum)| *all += sum);
            std::mem::forget(failed);
        });
    }
    let [received, pages, places] = *SUMS.lock().unwrap();
    assert!(
        received > seeds * 100 && pages > seeds * 10 && places > seeds / 4,
        "{received} {pages} {places}"
    );
}

/// Prints the seed that failed.
struct FailedRun(u64);

impl Drop for FailedRun {
    fn drop(&mut self) {
        eprintln!("seed {}", self.0);
    }
}
