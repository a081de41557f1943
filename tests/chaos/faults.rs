//! What goes wrong at random while events are published.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use crate::plan::Mode;
use crate::process::Process;
use crate::rig::proxy::{Mode as Wire, Proxy};
use crate::rig::resp::Resp;
use crate::rig::server::Server;
use crate::rng::Rng;

/// How often what was done.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) redis_kills: AtomicUsize,
    pub(crate) truncations: AtomicUsize,
    pub(crate) redis_stops: AtomicUsize,
    pub(crate) disconnects: AtomicUsize,
    pub(crate) node_kills: AtomicUsize,
    pub(crate) node_stops: AtomicUsize,
    pub(crate) node_ends: AtomicUsize,
    /// The numbers of the publishers.
    pub(crate) publisher_kills: StdMutex<BTreeSet<u32>>,
    pub(crate) network: AtomicUsize,
}

/// A source of faults, until it is told to stop. Each fault is mended before the next.
pub(crate) struct Demon {
    pub(crate) rng: Rng,
    pub(crate) counts: Arc<Counts>,
    pub(crate) over: watch::Receiver<bool>,
    /// Whether there is time for what takes seconds.
    pub(crate) long: bool,
}

impl Demon {
    /// Waits for the next fault; false if there is none.
    async fn next(&mut self, most: u64) -> bool {
        let most = if self.long { most } else { most / 3 };
        let time =
            Duration::from_millis(100 + self.rng.below(usize::try_from(most).unwrap()) as u64);
        let waited = tokio::time::timeout(time, self.over.wait_for(|over| *over)).await;
        waited.is_err()
    }

    async fn sleep(&mut self, most: usize) {
        let time = Duration::from_millis(self.rng.below(most) as u64);
        tokio::time::sleep(time).await;
    }

    pub(crate) async fn redis(mut self, server: Arc<Mutex<Server>>, mode: Mode) {
        while self.next(4_000).await {
            let mut server = server.lock().await;
            match self.rng.below(8) {
                0..=3 => {
                    server.kill();
                    count(&self.counts.redis_kills);
                    if mode == Mode::Truncate && !self.rng.one_in(4) {
                        let most = *self.rng.pick(&[200, 2_000, 50_000]);
                        server.truncate(self.rng.below(most) as u64 + 1);
                        count(&self.counts.truncations);
                    }
                    self.sleep(800).await;
                    server.restart().await;
                }
                4 | 5 => {
                    server.stop();
                    count(&self.counts.redis_stops);
                    let most = if self.long && self.rng.one_in(4) {
                        6_000
                    } else {
                        1_500
                    };
                    self.sleep(most).await;
                    server.resume();
                }
                _ => {
                    count(&self.counts.disconnects);
                    if let Ok(mut connection) = Resp::connect(server.address()).await {
                        let words: [&[u8]; 6] =
                            [b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes"];
                        _ = connection.try_send(&words).await;
                    }
                }
            }
        }
    }

    pub(crate) async fn nodes(
        mut self,
        nodes: Vec<Arc<Mutex<Process>>>,
        start: impl Fn(usize) -> Process,
    ) {
        while self.next(2_500).await {
            let number = self.rng.below(nodes.len());
            let mut node = nodes[number].lock().await;
            match self.rng.below(4) {
                0 | 1 => {
                    count(&self.counts.node_kills);
                    node.kill().await;
                    self.sleep(700).await;
                    *node = start(number);
                }
                2 => {
                    count(&self.counts.node_stops);
                    node.signal("STOP");
                    let most = if self.long && self.rng.one_in(3) {
                        7_000
                    } else {
                        1_000
                    };
                    self.sleep(most).await;
                    node.signal("CONT");
                }
                // As in a deployment: it closes its hub.
                _ => {
                    count(&self.counts.node_ends);
                    node.tell("close").await;
                    let ended = tokio::time::timeout(Duration::from_secs(10), node.ended()).await;
                    if ended.is_err() {
                        eprintln!("node {number} does not end");
                        node.kill().await;
                    }
                    *node = start(number);
                }
            }
        }
    }

    pub(crate) async fn publishers(
        mut self,
        publishers: Vec<Arc<Mutex<Process>>>,
        start: impl Fn() -> Process,
    ) {
        while self.next(5_000).await {
            let number = self.rng.below(publishers.len());
            let mut publisher = publishers[number].lock().await;
            publisher.kill().await;
            let number = publisher.number();
            self.counts.publisher_kills.lock().unwrap().insert(number);
            *publisher = start();
        }
    }

    pub(crate) async fn network(mut self, proxies: Arc<Vec<Proxy>>) {
        while self.next(3_000).await {
            let number = self.rng.below(proxies.len());
            let proxy = &proxies[number];
            count(&self.counts.network);
            match self.rng.below(6) {
                0 | 1 => proxy.cut(),
                2 => {
                    proxy.set(Wire::Delay(Duration::from_millis(
                        1 + self.rng.below(30) as u64,
                    )));
                    self.sleep(1_000).await;
                }
                3 => {
                    proxy.set(Wire::HoldReplies);
                    self.sleep(300).await;
                    proxy.cut();
                }
                4 => {
                    proxy.set(Wire::Refuse);
                    proxy.cut();
                    self.sleep(1_000).await;
                }
                _ => {
                    proxy.set(Wire::Hold);
                    self.sleep(if self.long { 8_000 } else { 1_000 }).await;
                    if self.rng.one_in(2) {
                        proxy.cut();
                    }
                }
            }
            proxy.set(Wire::Pass);
        }
    }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::Relaxed);
}
