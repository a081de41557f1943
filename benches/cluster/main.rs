//! The hub on Redis: nodes as processes of their own, and a redis-server that is started for this.
//!
//! Redis, the nodes and the clients share the machine's cores with whatever else runs, so the load is
//! printed. Of the rounds, the one with the best first figure counts, with all of its figures.
//!
//! | case | |
//! |---|---|
//! | `latency` | from the call of `publish` on one node to a client's reading over HTTP, over two nodes |
//! | `publishing` | how many events a second one node publishes, by how many are in flight |
//! | `cpu` | CPU time per event of Redis and of each node without subscribers, and bytes that Redis sends |
//! | `herd` | what Redis is asked when many clients resume from before the ring |
//!
//! The floor's rows are of nodes that do the least work that gives the same result, in the same run.

#[path = "../end_to_end/client.rs"]
mod client;
mod floor;
mod node;
#[path = "../../tests/support/ports.rs"]
mod ports;
#[allow(dead_code, unreachable_pub, reason = "the tests'")]
#[path = "../../tests/redis/rig/resp.rs"]
mod resp;
#[allow(dead_code, unreachable_pub, reason = "the tests'")]
#[path = "../../tests/redis/rig/server.rs"]
mod server;

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use client::{Received, subscribe};
use node::Node;
use resp::Resp;
use server::Server;
use support::{process, rounds, row, selected};
use tokio::task::LocalSet;

type Outcome<T> = Result<T, Box<dyn Error>>;

const STREAM: &str = "bench";

/// Bytes of data of each event.
const SIZE: usize = 200;

/// What runs on the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hub,
    Floor,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Hub, Self::Floor];

    fn prefix(self) -> &'static str {
        match self {
            Self::Hub => "",
            Self::Floor => "floor, ",
        }
    }
}

/// One for 34 of the other benches', and one where only results are checked.
fn turns() -> usize {
    rounds().map_or(1, |rounds| rounds.div_ceil(34))
}

/// The figure of a full run, or where only results are checked.
fn count(full: usize, quick: usize) -> usize {
    if rounds().is_some() { full } else { quick }
}

fn print(name: &str, figure: f64, unit: &str) {
    println!("  {name:<44}{figure:>12.2} {unit}");
    row::alone(&format!("cluster/{name}"), figure);
}

/// The better of two rounds, by their first figures.
fn better<const N: usize>(best: Option<[f64; N]>, round: [f64; N]) -> Option<[f64; N]> {
    Some(best.filter(|best| best[0] <= round[0]).unwrap_or(round))
}

fn print_load() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load {}", load.trim());
}

async fn until(received: &Rc<RefCell<Received>>, events: u64) {
    let deadline = Instant::now() + Duration::from_secs(180);
    while received.borrow().events < events {
        let got = received.borrow().events;
        assert!(Instant::now() < deadline, "{got} of {events} events");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(received.borrow().events, events);
}

async fn process_id(redis: &Server) -> Outcome<u32> {
    let info = redis.send("INFO server").await.text();
    let id = info
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"));
    Ok(id.ok_or("an ID")?.trim().parse()?)
}

/// Microseconds per event.
fn per_event(time: Duration, events: usize) -> f64 {
    time.as_secs_f64() * 1e6 / events as f64
}

/// Appends events, `in_flight` at a time, and paced by the millisecond if asked to. Returns their IDs.
async fn feed(
    connection: &mut Resp,
    events: usize,
    in_flight: usize,
    is_paced: bool,
) -> Outcome<Vec<String>> {
    let data = "x".repeat(SIZE);
    let words = ["XADD", STREAM, "*", "data", &data].map(str::as_bytes);
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    let mut ids = Vec::with_capacity(events);
    while ids.len() < events {
        if is_paced {
            ticks.tick().await;
        }
        let batch = in_flight.min(events - ids.len());
        for _ in 0..batch {
            connection.write(&words).await?;
        }
        for _ in 0..batch {
            ids.push(connection.read().await?.text());
        }
    }
    Ok(ids)
}

/// Each node has a client, and one of them publishes.
async fn latency() -> Outcome<()> {
    let events = count(5_000, 100);
    println!("latency: 1,000 events/s of {SIZE} bytes over two nodes");
    let redis = Server::start().await;
    let mut best = [None; 2];
    for _ in 0..turns() {
        for (kind, best) in Kind::ALL.into_iter().zip(&mut best) {
            let nodes = [
                Node::start(kind, &redis.url(), 4096)?,
                Node::start(kind, &redis.url(), 4096)?,
            ];
            let mut clients = Vec::new();
            for node in &nodes {
                clients.push(subscribe(&node.address, 1, true, |_| String::new()).await?);
                node.until(|said| said.subscribers == 1).await?;
            }
            let query = format!("n={events}&rate=1000&size={SIZE}");
            nodes[0].publish(&query).await?;
            for received in &clients {
                until(received, events as u64).await;
            }
            // The other node's: its events have gone all the way.
            let round = [50, 99].map(|percent| clients[1].borrow_mut().latency(percent));
            *best = better(*best, round);
        }
    }
    for (kind, best) in Kind::ALL.into_iter().zip(best) {
        let ([p50, p99], prefix) = (best.ok_or("a round")?, kind.prefix());
        print(&format!("{prefix}latency, p50, ms"), p50, "ms");
        print(&format!("{prefix}latency, p99, ms"), p99, "ms");
    }
    Ok(())
}

/// Its CPU time is with reading what it publishes.
async fn publishing() -> Outcome<()> {
    println!("publishing: one node, events of {SIZE} bytes");
    for (in_flight, events) in [(1, 10_000), (16, 80_000), (256, 128_000)] {
        let events = count(events, 512);
        let mut best = [None; 2];
        for _ in 0..turns() {
            for (kind, best) in Kind::ALL.into_iter().zip(&mut best) {
                let redis = Server::start().await;
                let id = process_id(&redis).await?;
                let node = Node::start(kind, &redis.url(), 4096)?;
                let query = format!("n={events}&in_flight={in_flight}&size={SIZE}");
                node.publish(&format!("n=1000&in_flight={in_flight}&size={SIZE}"))
                    .await?;
                let warm = (1000 / in_flight * in_flight) as u64;
                node.until(|said| said.entries >= warm).await?;
                let before = (node.cpu()?, process::cpu(id)?);
                let time = node.publish(&query).await?;
                node.until(|said| said.entries >= warm + events as u64)
                    .await?;
                let used = [time, node.cpu()? - before.0, process::cpu(id)? - before.1];
                *best = better(*best, used.map(|used| per_event(used, events)));
            }
        }
        for (kind, best) in Kind::ALL.into_iter().zip(best) {
            let best = best.ok_or("a round")?;
            let name = format!("{}publishing, {in_flight} in flight", kind.prefix());
            let unit = format!("us, {:.0} events/s", 1e6 / best[0]);
            print(&format!("{name}, us"), best[0], &unit);
            print(&format!("{name}/node, us"), best[1], "us of CPU");
            print(&format!("{name}/Redis, us"), best[2], "us of CPU");
        }
    }
    Ok(())
}

/// CPU time per event.
async fn cpu() -> Outcome<()> {
    let most = count(50, 3);
    for nodes in [1, 10, 50].into_iter().filter(|nodes| *nodes <= most) {
        println!("cpu: {nodes} nodes without subscribers, events of {SIZE} bytes");
        for kind in Kind::ALL {
            cpu_of(kind, nodes).await?;
        }
    }
    Ok(())
}

async fn cpu_of(kind: Kind, nodes: usize) -> Outcome<()> {
    let prefix = kind.prefix();
    let redis = Server::start().await;
    let info = redis.send("INFO server").await.text();
    let id = info
        .lines()
        .find_map(|line| line.strip_prefix("process_id:"));
    let id = id.ok_or("an ID")?.trim().parse()?;
    let mut connection = redis.connection().await;
    // So that the nodes need not mark where the stream begins.
    feed(&mut connection, 1, 1, false).await?;
    let all = (0..nodes).map(|_| Node::start(kind, &redis.url(), 4096));
    let all = all.collect::<Outcome<Vec<_>>>()?;
    for (pace, events, in_flight) in [
        ("1,000/s", 3_000, 1),
        ("10,000/s", 30_000, 10),
        ("full speed", 100_000 / (2 * nodes).min(10), 100),
    ] {
        let events = count(events, 200);
        let mut best = None;
        for _ in 0..turns() {
            let mut before = Vec::new();
            for node in &all {
                before.push((node.said().await?, node.cpu()?));
            }
            let before_redis = (process::cpu(id)?, sent(&redis).await?);
            feed(&mut connection, events, in_flight, pace != "full speed").await?;
            let mut used = Duration::ZERO;
            let mut asked = 0;
            for (node, (said, cpu)) in all.iter().zip(before) {
                let entries = said.entries + events as u64;
                let now = node.until(|now| now.entries >= entries).await?;
                asked += now.reads - said.reads;
                used += node.cpu()? - cpu;
            }
            let deliveries = events as f64 * nodes as f64;
            let round = [
                per_event(used, events) / nodes as f64,
                per_event(process::cpu(id)? - before_redis.0, events),
                asked as f64 / deliveries,
                (sent(&redis).await? - before_redis.1) as f64 / deliveries,
            ];
            best = better(best, round);
        }
        let best = best.ok_or("a round")?;
        let reads = best[2];
        let unit = format!("us an event, {reads:.2} commands");
        let name = format!("{prefix}cpu, {nodes} at {pace}");
        print(&format!("{name}/node, us"), best[0], &unit);
        print(&format!("{name}/Redis, us"), best[1], "us an event");
        print(
            &format!("{name}/sent, bytes"),
            best[3],
            "bytes an event and node",
        );
    }
    Ok(())
}

/// The bytes that Redis has sent, among them a reply to each publisher's command.
async fn sent(redis: &Server) -> Outcome<u64> {
    let info = redis.send("INFO stats").await.text();
    let mut lines = info.lines();
    let bytes = lines.find_map(|line| line.strip_prefix("total_net_output_bytes:"));
    Ok(bytes.ok_or("bytes")?.trim().parse()?)
}

/// How often Redis was asked, and the microseconds that it took.
async fn xranges(redis: &Server) -> Outcome<(u64, u64)> {
    let info = redis.send("INFO commandstats").await.text();
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_xrange:calls="));
    let Some((calls, rest)) = line.and_then(|line| line.split_once(",usec=")) else {
        return Ok((0, 0));
    };
    let micros = rest.split(',').next().unwrap_or_default();
    Ok((calls.parse()?, micros.parse()?))
}

/// Clients resume from everywhere before the ring, twice.
async fn herd() -> Outcome<()> {
    let (clients, entries, ring) = (count(1_000, 20), count(16_000, 600), count(2_000, 100));
    println!("herd: {clients} clients resume, {entries} entries, a ring of {ring}");
    let redis = Server::start().await;
    let ids = feed(&mut redis.connection().await, entries, 100, false).await?;
    let place = |client: usize| (entries - ring) * client / clients;
    let expected: usize = (0..clients).map(|client| entries - 1 - place(client)).sum();
    let node = Node::start(Kind::Hub, &redis.url(), ring)?;
    for name in ["first", "second"] {
        let (before, said) = (xranges(&redis).await?, node.said().await?);
        let start = Instant::now();
        let last = |client| format!("Last-Event-ID: {}\r\n", ids[place(client)]);
        let received = subscribe(&node.address, clients, false, last).await?;
        until(&received, expected as u64).await;
        println!("  {expected} events in {:.1?}", start.elapsed());
        let (after, now) = (xranges(&redis).await?, node.said().await?);
        // Of three reads of a node that waits in vain, two ask whether the last event is there.
        let own = (now.reads - said.reads) * 2 / 3;
        let asked = (after.0 - before.0).saturating_sub(own);
        let unit = format!("XRANGEs, {} pages", now.pages - said.pages);
        print(&format!("herd, {name}/XRANGEs"), asked as f64, &unit);
        let time = (after.1 - before.1) as f64 / 1e3;
        print(&format!("herd, {name}/Redis, ms"), time, "ms");
    }
    Ok(())
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, url, ring] = &*args
        && flag == "--node"
    {
        let runtime = tokio::runtime::Runtime::new()?;
        return runtime.block_on(node::serve(url, ring));
    }
    if let [flag, url, _] = &*args
        && flag == "--floor"
    {
        let runtime = tokio::runtime::Runtime::new()?;
        return runtime.block_on(node::serve_floor(url));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    print_load();
    LocalSet::new().block_on(&runtime, async {
        if selected("cluster/latency") {
            latency().await?;
        }
        if selected("cluster/publishing") {
            publishing().await?;
        }
        if selected("cluster/cpu") {
            cpu().await?;
        }
        if selected("cluster/herd") {
            herd().await?;
        }
        print_load();
        Ok(())
    })
}
