//! The hub on hyper beside servers of the same shape, over loopback: axum's events, ready bytes on hyper
//! as an expert writes them, and actix-web-lab's broadcaster.
//!
//! Server and client are processes of their own, the server pinned to one core and the client to
//! another. What is measured is the server's CPU time per delivery; latency; and resident memory per
//! idle subscriber. The servers take turns, in one round for 34 of the other benches', and ratios are
//! medians over the rounds.
//!
//! The cases are `speed`, `stream`, `yielding`, `single`, `batches`, `steady`, `linger` and `idle`; one
//! may be named.

mod client;
mod one_stream;
mod peers;
mod server;

#[path = "../../tests/adversity/load_server.rs"]
mod load_server;

use std::error::Error;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use client::subscribe;
use peers::Flags;
use server::Server;
use support::{is_brief, median, rounds, row};
use tokio::task::LocalSet;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is served, by which runtime, with how many milliseconds of linger.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    server: &'static str,
    runtime: &'static str,
    linger: &'static str,
    /// A heartbeat's bytes, with its HTTP chunk.
    heartbeat: usize,
}

const fn kind(
    name: &'static str,
    server: &'static str,
    runtime: &'static str,
    heartbeat: usize,
) -> Kind {
    Kind {
        name,
        server,
        runtime,
        linger: "0",
        heartbeat,
    }
}

const HUB: Kind = kind("hub", "hub", "multi", 7);
const AXUM: Kind = kind("axum", "axum", "multi", 8);
const EXPERT: Kind = kind("expert", "expert", "multi", 8);

/// The first is ours, and compared with each of the peers.
const KINDS: [Kind; 7] = [
    HUB,
    kind("hub, one thread", "hub", "current", 7),
    AXUM,
    kind("axum, one thread", "axum", "current", 8),
    EXPERT,
    kind("expert, one thread", "expert", "current", 8),
    kind("actix-web-lab", "actix", "current", 19),
];

/// What cannot be avoided where nothing can be merged.
const FLOOR: Kind = kind("floor", "floor", "current", 8);

/// What cannot be avoided for one subscriber, where everything can be merged.
const MERGED: Kind = kind("floor", "merged", "multi", 8);

impl Kind {
    fn is_ours(self) -> bool {
        self.server.starts_with("hub")
    }
}

/// What a run has taken.
struct Taken {
    /// Microseconds of CPU per delivery.
    cpu: f64,
    /// Milliseconds, where latency is measured.
    p99: f64,
}

async fn measure(kind: Kind, subscribers: usize, query: &str, events: u64) -> Outcome<Taken> {
    let server = Server::start(kind, "60000")?;
    let received = subscribe(&server.address, subscribers, query.contains("rate"), |_| {
        String::new()
    })
    .await?;
    let before = server.cpu()?;
    let start = Instant::now();
    let said = server.post(query).await?;
    let expected = events * subscribers as u64;
    while received.borrow().events < expected && start.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let (cpu, time) = (server.cpu()? - before, start.elapsed());
    let got = received.borrow().events;
    assert_eq!(got, expected, "{} {}: {said}", kind.name, kind.runtime);
    let cpu = cpu.as_secs_f64() * 1e6 / expected as f64;
    let p99 = received.borrow_mut().latency(99);
    let speed = expected as f64 / time.as_secs_f64();
    print!(
        "  {:<20}{cpu:>8.3} us CPU {speed:>12.0} deliveries/s",
        kind.name
    );
    if query.contains("rate") {
        print!("{p99:>8.2} ms p99");
    }
    println!("  {said}");
    Ok(Taken { cpu, p99 })
}

/// Lets all kinds take turns and prints how ours compare with the best peer, and with axum.
async fn compare(title: &str, subscribers: usize, query: &str, events: u64) -> Outcome<()> {
    compare_with(title, subscribers, query, events, None).await
}

async fn compare_with(
    title: &str,
    subscribers: usize,
    query: &str,
    events: u64,
    floor: Option<Kind>,
) -> Outcome<()> {
    println!("{title}: {subscribers} subscribers, {events} events of 120 bytes");
    let mut taken: Vec<Vec<Taken>> = KINDS.iter().map(|_| Vec::new()).collect();
    let mut least = Vec::new();
    for _ in 0..rounds().map_or(1, |rounds| rounds.div_ceil(34)) {
        for (kind, taken) in KINDS.iter().zip(&mut taken) {
            taken.push(measure(*kind, subscribers, query, events).await?);
        }
        if let Some(floor) = floor {
            least.push(measure(floor, subscribers, query, events).await?.cpu);
        }
    }
    let cpu: Vec<Vec<f64>> = taken
        .iter()
        .map(|all| all.iter().map(|one| one.cpu).collect())
        .collect();
    let all: Vec<usize> = (0..KINDS.len()).collect();
    print(&format!("end_to_end/{title}"), &cpu, &all);
    if let Some(floor) = floor {
        let peers: Vec<usize> = (0..KINDS.len()).filter(|n| !KINDS[*n].is_ours()).collect();
        let axum: Vec<usize> = peers
            .iter()
            .copied()
            .filter(|n| KINDS[*n].server == "axum")
            .collect();
        for (name, peers) in [
            (floor.name.to_owned(), peers),
            (format!("{} beside axum", floor.name), axum),
        ] {
            let of = |n: &usize| median(cpu[*n].clone());
            let best = peers
                .iter()
                .min_by(|n, m| of(n).total_cmp(&of(m)))
                .expect("a peer");
            let rounds = cpu[*best].iter().zip(&least);
            let ratio = median(rounds.map(|(other, least)| other / least).collect());
            let name = format!("end_to_end/{title}/{name}");
            row::print(
                &name,
                median(least.clone()),
                of(best),
                ratio,
                KINDS[*best].name,
            );
        }
    }
    if query.contains("rate") {
        let p99: Vec<Vec<f64>> = taken
            .iter()
            .map(|all| all.iter().map(|one| one.p99).collect())
            .collect();
        print(&format!("end_to_end/{title}, p99"), &p99, &all);
    }
    Ok(())
}

/// Rows for ours beside the best peer, axum and the expert, which are at these places in `KINDS`.
fn print(title: &str, figures: &[Vec<f64>], places: &[usize]) {
    let of = |n: usize| median(figures[n].clone());
    let peers = || places.iter().copied().filter(|n| !KINDS[*n].is_ours());
    let best = |n: &usize, m: &usize| of(*n).total_cmp(&of(*m));
    for ours in places.iter().copied().filter(|n| KINDS[*n].is_ours()) {
        let row = |name: String, other: usize| {
            let rounds = figures[other].iter().zip(&figures[ours]);
            let ratio = median(rounds.map(|(other, ours)| other / ours).collect());
            row::print(&name, of(ours), of(other), ratio, KINDS[other].name);
        };
        let name = KINDS[ours].name;
        row(
            format!("{title}/{name}"),
            peers().min_by(best).expect("a peer"),
        );
        for server in ["axum", "expert"] {
            let of_server = peers().filter(|n| KINDS[*n].server == server);
            let other = of_server.min_by(best).expect("there");
            row(format!("{title}/{name} beside {server}"), other);
        }
    }
}

/// The publisher runs on until it is 1,024 events ahead of the slowest subscriber.
async fn full_speed(quick: bool) -> Outcome<()> {
    let cases: &[(usize, u64)] = if quick {
        &[(20, 200)]
    } else {
        &[(1, 100_000), (100, 20_000), (1_000, 4_000), (5_000, 400)]
    };
    for (subscribers, events) in cases {
        let title = format!("full speed, {subscribers}");
        let query = format!("n={events}&size=120");
        let floor = (*subscribers == 1).then_some(MERGED);
        compare_with(&title, *subscribers, &query, *events, floor).await?;
    }
    Ok(())
}

/// Every subscriber has an event before the next is published: nothing can be merged.
async fn one_by_one() -> Outcome<()> {
    for (subscribers, events) in [(1, 20_000), (100, 2_000), (1_000, 300), (5_000, 60)] {
        let title = format!("one by one, {subscribers}");
        let query = format!("n={events}&size=120&distance=0");
        compare_with(&title, subscribers, &query, events, Some(FLOOR)).await?;
    }
    Ok(())
}

/// The publisher is a task that lets others run after each event: what is merged is up to each
/// server's scheduling.
async fn yielding() -> Outcome<()> {
    for (subscribers, events) in [(1, 50_000), (100, 10_000), (1_000, 1_500), (5_000, 300)] {
        let title = format!("yielding, {subscribers}");
        let query = format!("n={events}&size=120&yield=1");
        compare(&title, subscribers, &query, events).await?;
    }
    Ok(())
}

async fn batches() -> Outcome<()> {
    let query = "n=3200&size=120&distance=0&batch=32";
    compare("32 at a time, 1000", 1_000, query, 3_200).await
}

async fn steady() -> Outcome<()> {
    compare("steady, 1000", 1_000, "n=500&size=120&rate=100", 500).await
}

/// Microseconds of CPU per event where there are no subscribers.
async fn publisher_alone(kind: Kind, query: &str, events: u64) -> Outcome<f64> {
    let server = Server::start(kind, "60000")?;
    let before = server.cpu()?;
    server.post(query).await?;
    Ok((server.cpu()? - before).as_secs_f64() * 1e6 / events as f64)
}

async fn linger() -> Outcome<()> {
    for rate in [1_000, 3_000, 5_000] {
        let events = 2 * rate;
        println!("100 subscribers, {events} events of 120 bytes, {rate} a second");
        let query = format!("n={events}&size=120&rate={rate}");
        let mut takes = Vec::new();
        for (name, kind, linger) in [
            ("axum", AXUM, "0"),
            ("hub", HUB, "0"),
            ("hub, linger 2 ms", HUB, "2"),
            ("hub, linger 5 ms", HUB, "5"),
        ] {
            let kind = Kind {
                name,
                linger,
                ..kind
            };
            let alone = publisher_alone(kind, &query, events).await? / 100.0;
            let all = measure(kind, 100, &query, events).await?.cpu;
            let (axum_all, axum_beyond) = *takes.first().unwrap_or(&(all, all - alone));
            println!(
                "      axum takes {:.1}x; {:.1}x beyond {alone:.3} us for the publisher's clock",
                axum_all / all,
                axum_beyond / (all - alone),
            );
            takes.push((all, all - alone));
        }
    }
    Ok(())
}

/// Resident bytes per subscriber.
async fn idle_with(kind: Kind, subscribers: usize) -> Outcome<f64> {
    let server = Server::start(kind, "1000")?;
    let before = server.resident()?;
    let received = subscribe(&server.address, subscribers, false, |_| String::new()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (cpu, bytes) = (server.cpu()?, received.borrow().bytes);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let cpu = server.cpu()? - cpu;
    let heartbeats = (received.borrow().bytes - bytes) as f64 / kind.heartbeat as f64;
    assert!(heartbeats > 0.9 * 5.0 * subscribers as f64, "{}", kind.name);
    let resident = (server.resident()? - before) as f64 / subscribers as f64;
    println!(
        "  {:<20}{resident:>8.0} B resident each {:>8.2} us CPU per heartbeat, {heartbeats:.0} of them",
        kind.name,
        cpu.as_secs_f64() * 1e6 / heartbeats,
    );
    Ok(resident)
}

async fn idle(subscribers: usize) -> Outcome<()> {
    println!("{subscribers} idle subscribers, a heartbeat each second");
    let mut figures = Vec::new();
    for kind in KINDS {
        figures.push(vec![idle_with(kind, subscribers).await?]);
    }
    let all: Vec<usize> = (0..KINDS.len()).collect();
    print("end_to_end/idle, B", &figures, &all);
    let axum = figures[2][0];
    for (name, server) in [
        ("hub under axum", "hub-under-axum"),
        ("floor under axum", "silent-under-axum"),
    ] {
        let takes = idle_with(kind(name, server, "multi", 7), subscribers).await?;
        let name = format!("end_to_end/idle, B/{name} beside axum");
        row::print(&name, takes, axum, axum / takes, "axum");
    }
    Ok(())
}

fn serve(name: &str, args: &[String]) -> Outcome<()> {
    let flags = || Flags::parse(args);
    match name {
        "hub" => load_server::run(args.to_vec()),
        _ if name.starts_with("stream-") => one_stream::run(&name["stream-".len()..], flags()?),
        "hub-under-axum" => peers::axum::run_hub(flags()?),
        "silent-under-axum" => peers::axum::run_silent(flags()?),
        "axum" => peers::axum::run(flags()?),
        "expert" => peers::expert::run(flags()?),
        "actix" => peers::actix::run(flags()?),
        "floor" => peers::floor::run(flags()?),
        "merged" => peers::merged::run(flags()?),
        _ => Err(format!("no server {name}").into()),
    }
}

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = args.iter().position(|arg| arg == "--serve") {
        return serve(&args[at + 1], &args[at + 2..]);
    }
    let quick = rounds().is_none();
    let part = args
        .iter()
        .find(|arg| !arg.starts_with('-'))
        .map(String::as_str);
    if !quick {
        // This process, and the threads it makes.
        let pid = std::process::id().to_string();
        Command::new("taskset")
            .args(["-cp", "1", &pid])
            .stdout(Stdio::null())
            .status()?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let wanted = |name: &str| part.map_or(!quick, |part| part == name);
    LocalSet::new().block_on(&runtime, async {
        if part.is_none() || wanted("speed") {
            full_speed(quick).await?;
        }
        if part.is_none() || wanted("stream") {
            one_stream::compare().await?;
        }
        if wanted("yielding") {
            yielding().await?;
        }
        if wanted("single") {
            one_by_one().await?;
        }
        if wanted("batches") {
            batches().await?;
        }
        if wanted("steady") {
            steady().await?;
        }
        if wanted("linger") && !is_brief() {
            linger().await?;
        }
        if wanted("idle") {
            idle(10_000).await?;
        }
        Ok(())
    })
}
