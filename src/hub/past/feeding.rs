//! Hubs that are fed by an outer log, against a model that keeps all entries in a list: topics with
//! limits of their own, ends, keys, prefixes, filters, and handles that move and end clients, while
//! the log is trimmed and marked, the rings are cut and begin again, and clients come with any ID
//! from any node.
//!
//! The other half, of what an application can reach, is `tests/hub/model.rs`.

mod fed_client;
mod fed_log;
mod fed_pages;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use self::fed_client::{FedClient, FedStay};
use self::fed_log::{FedEntry, FedLog, FedNode, FedWhat};
use self::fed_pages::FedDesk;

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
    let desk = Arc::new(FedDesk::new(random(1 << 31)));
    let count = 2 + random(2);
    let mut nodes: Vec<_> = (0..count)
        .map(|_| FedNode::new(&log, &desk, random))
        .collect();
    // Some share a group.
    let stays: Vec<_> = (0..3).map(|_| FedStay::random(random)).collect();
    let client = |random: &mut dyn FnMut(usize) -> usize| {
        FedClient::new(pick(&stays, random).clone(), random)
    };
    let mut clients: Vec<_> = (0..6).map(|_| client(random)).collect();
    let mut places = 0;
    for _ in 0..400 {
        if random(2) == 0 {
            desk.wake();
        }
        let (client, at) = (random(clients.len()), random(nodes.len()));
        match random(20) {
            0 if random(3) == 0 => {
                let mut log = log.lock().unwrap();
                let most = log.all.len() - log.start;
                log.start += random(most);
            }
            1 if nodes[at].is_filling => nodes[at].filled(),
            1 if random(3) == 0 => nodes[at].break_off(at, &mut clients),
            1 | 2 if nodes[at].begin.is_none() => {
                let log = log.lock().unwrap();
                nodes[at].begin(pick(&log.all[log.start..], random).key);
            }
            1 | 2 if nodes[at].is_filling => nodes[at].fill(&log.lock().unwrap(), random(20)),
            2..=5 => {
                for _ in 0..random(6) {
                    log.lock().unwrap().grow(random);
                }
            }
            6..=9 => {
                nodes[at].feed(at, &log.lock().unwrap(), random(20), &mut clients);
                let log = copy(&log);
                for client in clients.iter_mut().filter(|client| client.node == at) {
                    // A heartbeat may come before it has read.
                    places += usize::from(random(6) == 0 && client.place(&log, &nodes[at]));
                    if random(8) == 0 {
                        client.beat();
                    }
                }
            }
            10 | 11 => {
                let log = copy(&log);
                clients[client].connect(at, &nodes[at], &log, random);
            }
            12 | 13 => {
                let node = clients[client].node;
                clients[client].steer(&nodes[node], &stays, random);
            }
            14 => {
                let node = &nodes[clients[client].node];
                places += usize::from(clients[client].place(&copy(&log), node));
            }
            _ if clients[client].is_slow && random(3) > 0 => {}
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
            node.begin(end.oldest());
        }
        if node.is_filling {
            node.filled();
        }
        node.feed(at, &end, usize::MAX, &mut clients);
    }
    for client in &mut clients {
        for at in 0..8 {
            if !client.is_there() {
                client.connect(at % count, &nodes[at % count], &end, random);
            }
            client.read_all(&end, &nodes[client.node]);
        }
        client.check_all(&end);
    }
    for node in &nodes {
        node.hub.close();
    }
    for client in &mut clients {
        client.is_cut = true;
        client.read_all(&end, &nodes[client.node]);
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
        received > seeds * 60 && pages > seeds * 10 && places > seeds / 4,
        "{received} {pages} {places} of {seeds}"
    );
}

/// Prints the seed that failed.
struct FailedRun(u64);

impl Drop for FailedRun {
    fn drop(&mut self) {
        eprintln!("seed {}", self.0);
    }
}
