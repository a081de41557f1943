//! Clients that hop between nodes, and write down what they were sent.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::process::told;
use crate::rig::feed::Feed;
use crate::rig::payload::Payload;
use crate::rig::trace::Seen;
use crate::rng::Rng;
use crate::topics;

/// The last event of each topic is this publisher's.
pub(crate) const LAST: u32 = u32::MAX;

/// `clients <count> <seed> <file> <port>...`
pub(crate) async fn main(words: &[&str]) {
    let [count, seed, file, ports @ ..] = words else {
        panic!("clients {words:?}");
    };
    let (count, seed): (usize, u64) = (count.parse().unwrap(), seed.parse().unwrap());
    let nodes: Vec<SocketAddr> = ports
        .iter()
        .map(|port| ([127, 0, 0, 1], port.parse().unwrap()).into())
        .collect();
    let (finish, finishing) = watch::channel(false);
    let mut clients = JoinSet::new();
    for number in 0..count {
        let client = Client::new(number, seed, nodes.clone(), finishing.clone());
        clients.spawn(client.run());
    }
    println!("ready");
    let mut lines = told();
    let Ok(Some(patience)) = lines.next_line().await else {
        return;
    };
    _ = finish.send(true);
    let patience = Duration::from_secs(patience.parse().unwrap());
    let deadline = tokio::time::Instant::now() + patience;
    // Those that do not get there stop at the deadline with what they have.
    let give_up = tokio::spawn(async move {
        tokio::time::sleep_until(deadline).await;
        drop(finish);
    });
    let mut traces: Vec<(usize, Vec<Seen>, Option<String>)> = Vec::new();
    while let Some(client) = clients.join_next().await {
        traces.push(client.unwrap());
    }
    give_up.abort();
    traces.sort_by_key(|trace| trace.0);
    let mut file = BufWriter::new(File::create(file).unwrap());
    for (number, trace, stuck) in &traces {
        if let Some(stuck) = stuck {
            println!("stuck {number}: {stuck}");
        }
        file.write_all(&(trace.len() as u64).to_le_bytes()).unwrap();
        for seen in trace {
            seen.write(&mut file).unwrap();
        }
    }
    file.into_inner().unwrap();
    println!("written");
}

struct Client {
    number: usize,
    rng: Rng,
    nodes: Vec<SocketAddr>,
    path: String,
    finishing: watch::Receiver<bool>,
    last: Option<String>,
    trace: Vec<Seen>,
    /// Topics whose last event has not come.
    awaited: HashSet<u16>,
    feed: Option<Feed>,
    /// Since when it has got nothing but heartbeats, and how many had come by then.
    idle: (Instant, usize),
}

impl Client {
    fn new(
        number: usize,
        seed: u64,
        nodes: Vec<SocketAddr>,
        finishing: watch::Receiver<bool>,
    ) -> Self {
        let (prefixes, names, awaited) = topics::followed(number, seed);
        Self {
            number,
            rng: Rng::new(seed.wrapping_mul(31) ^ number as u64),
            nodes,
            path: topics::path(&prefixes, &names),
            finishing,
            last: None,
            trace: Vec::new(),
            awaited: awaited.into_iter().collect(),
            feed: None,
            idle: (Instant::now(), 0),
        }
    }

    /// Its number, what it was sent, and how it stands if that is not all.
    async fn run(mut self) -> (usize, Vec<Seen>, Option<String>) {
        let mut finishing = self.finishing.clone();
        let done = tokio::select! {
            () = self.hop() => true,
            // The sender is dropped at the deadline.
            () = async { while finishing.changed().await.is_ok() {} } => false,
        };
        let stuck = (!done).then(|| self.describe());
        (self.number, self.trace, stuck)
    }

    fn describe(&self) -> String {
        let Some(feed) = &self.feed else {
            return "not connected".to_owned();
        };
        let (since, comments) = self.idle;
        let node = self.trace.iter().rev().find_map(|seen| match seen {
            Seen::Opened { node } => Some(*node),
            _ => None,
        });
        format!(
            "at node {node:?}, nothing for {} s but {} heartbeats",
            since.elapsed().as_secs(),
            feed.blocks.comments - comments
        )
    }

    /// Until the last events are there.
    async fn hop(&mut self) {
        while !self.awaited.is_empty() {
            let node = self.rng.below(self.nodes.len());
            let (address, last) = (self.nodes[node], self.last.clone());
            if let Ok(feed) = Feed::open(address, &self.path, last.as_deref()).await {
                let node = u32::try_from(node).unwrap();
                self.trace.push(Seen::Opened { node });
                let stay = match self.rng.below(10) {
                    0 => self.rng.below(20),
                    1..=6 => self.rng.below(1_000),
                    7 | 8 => self.rng.below(5_000),
                    _ => 60_000,
                };
                self.feed = Some(feed);
                self.idle = (Instant::now(), 0);
                self.stay(Duration::from_millis(stay as u64)).await;
                self.feed = None;
            }
            let away = match self.rng.below(20) {
                0 => 3_000,
                1 | 2 => 500,
                3..=9 => 100,
                _ => 10,
            };
            let away = Duration::from_millis(1 + self.rng.below(away) as u64);
            tokio::time::sleep(away).await;
        }
    }

    /// Reads until the stream ends, the time is over or the last events are there.
    async fn stay(&mut self, time: Duration) {
        let finishing = self.finishing.clone();
        let over = async {
            tokio::time::sleep(time).await;
            // In the end, they stay where they are.
            if *finishing.borrow() {
                std::future::pending::<()>().await;
            }
        };
        tokio::pin!(over);
        while let Some(feed) = self.feed.as_mut().filter(|_| !self.awaited.is_empty()) {
            let block = tokio::select! {
                block = feed.next() => block,
                () = &mut over => return,
            };
            let Some(block) = block else { return };
            self.idle = (Instant::now(), feed.blocks.comments);
            if block.id.is_some() {
                self.last.clone_from(&block.id);
            }
            let Some(seen) = Seen::of(&block) else {
                continue;
            };
            self.trace.push(seen);
            if let Seen::Event {
                payload: Payload {
                    publisher: LAST, n, ..
                },
                ..
            } = seen
            {
                self.awaited.remove(&u16::try_from(n).unwrap());
            }
        }
    }
}
