//! Compressed fan-outs: bytes on the wire, time per delivery, and memory per connection, of a hub's
//! plain streams, of those that share what the hub has compressed, of those that have a context of
//! their own, and of those behind tower-http's `CompressionLayer`.
//!
//! A delivery is one event to one subscriber: publishing it, and polling each body until it is pending.
//! Each body's bytes are decoded and compared with the plain stream, event by event, before anything is
//! timed. What counts is the time that the thread was running.
//!
//! The last lines are the tables of `docs::compression`.

mod check;
mod contestants;
mod levels;
mod payloads;
#[cfg(unix)]
mod served;
mod table;

use std::alloc::System;
use std::hint::black_box;
use std::time::Duration;

use check::Wire;
use contestants::{Connection, Contestant, IDENTITY, OWN, OWN_6, SHARED, SHARED_6, TOWER_HTTP};
use payloads::{PAYLOADS, Payload};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use support::{median, rounds, row, selected};
use table::{Table, micros};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Published before anything is measured.
const WARM_UP: u64 = 100;
/// Deliveries in a round, at least.
const ROUND: u64 = 2_000;
const MOST_ROUNDS: usize = 21;

/// How long this thread has been running, which does not depend on what else the machine does.
#[cfg(unix)]
fn cpu() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (secs, nanos) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(secs.expect("a time"), nanos.expect("a time"))
}

#[cfg(not(unix))]
fn cpu() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}

/// Bytes on the heap now.
fn heap() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn main() {
    // The clock of the heartbeats, which never come.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let _context = runtime.enter();
    let mut costs = Table::new("Bytes of an event, and processor time of a delivery");
    let mut memory = Table::new("Memory of a connection, and of a group where it is shared");
    let mut levels = Table::new("Levels of one stream");
    for payload in &PAYLOADS {
        let title = format!("compression/{}", payload.name);
        if selected(&title) {
            case(&title, payload, &mut costs, &mut memory);
            #[cfg(unix)]
            served::print(&title, payload, &runtime, &mut costs);
            levels::print(&title, payload, &mut levels);
        }
    }
    for table in [costs, memory, levels] {
        table.print();
    }
}

fn case(title: &str, payload: &Payload, costs: &mut Table, memory: &mut Table) {
    let timed = rounds().is_some();
    let wire = check::check(payload, if timed { u64::MAX } else { 100 });
    for (name, bytes) in &wire {
        costs.add(format!("{name}, bytes"), format!("{bytes:.1}"));
    }
    println!("{title}");
    println!(
        "  {:<18}{:>12}{:>8}{:>16}{:>12}{:>16}",
        "", "subscribers", "ratio", "bytes an event", "ns each", "memory each"
    );
    let mut few = Vec::new();
    for subscribers in [1, 100, 1_000] {
        let subscribers = if timed {
            subscribers
        } else {
            subscribers.min(3)
        };
        let runs = run(payload, subscribers);
        print(subscribers, &runs, &wire);
        print_rows(title, subscribers, &runs);
        for run in runs.iter().filter(|_| subscribers != 100) {
            let title = format!("{}, polled, {subscribers}", run.contestant.name);
            costs.add(title, micros(median(run.rounds.clone())));
        }
        if subscribers == 1 {
            let context = find(&runs, SHARED).each() - find(&runs, IDENTITY).each();
            memory.add("shared, a group".to_owned(), format!("{context:.0} bytes"));
        } else if subscribers == 100 {
            few = runs;
        } else if subscribers == 1_000 {
            print_marginal(title, &few, &runs, memory);
        }
    }
    let bytes = |name| {
        wire.iter()
            .find(|(of, _)| *of == name)
            .map_or(0.0, |(_, bytes)| *bytes)
    };
    // To one subscriber of many, and in a stream without an end.
    let (shared, own) = (bytes(SHARED), bytes(OWN_6));
    let name = format!("{title}, bytes of an event/{SHARED} beside {OWN_6}");
    row::print(&name, shared, own, own / shared, OWN_6);
}

struct Run {
    contestant: Contestant,
    connections: Vec<Connection>,
    /// Bytes on the heap for all connections.
    memory: usize,
    published: u64,
    /// Nanoseconds per delivery.
    rounds: Vec<f64>,
}

fn run(payload: &Payload, subscribers: usize) -> Vec<Run> {
    // Many of them would take as much memory as tower-http's, and do the same work.
    let is_run = |one: &Contestant| subscribers == 1 || ![SHARED_6, OWN_6].contains(&one.name);
    let mut runs: Vec<Run> = contestants::all()
        .into_iter()
        .filter(is_run)
        .map(|one| warm(payload, one, subscribers))
        .collect();
    let events = ROUND.div_ceil(subscribers as u64).max(2);
    let all = runs.len();
    for round in 0..rounds().map_or(1, |rounds| rounds.min(MOST_ROUNDS)) {
        // Each round begins with another one.
        for n in 0..all {
            let run = &mut runs[(n + round) % all];
            let time = run.publish(payload, events);
            let deliveries = events * subscribers as u64;
            run.rounds.push(time.as_nanos() as f64 / deliveries as f64);
        }
    }
    runs
}

fn warm(payload: &Payload, mut contestant: Contestant, subscribers: usize) -> Run {
    let before = heap();
    let mut connections = Vec::with_capacity(subscribers);
    connections.resize_with(subscribers, || contestant.connect());
    let mut run = Run {
        contestant,
        connections,
        memory: 0,
        published: 0,
        rounds: Vec::new(),
    };
    run.publish(payload, WARM_UP);
    run.memory = heap() - before;
    run
}

impl Run {
    fn publish(&mut self, payload: &Payload, events: u64) -> Duration {
        let texts = payload.texts(self.published..self.published + events);
        self.published += events;
        let start = cpu();
        for text in texts {
            self.contestant.publish(text);
            for connection in &mut self.connections {
                black_box(connection.drain(|frame| _ = black_box(frame)));
            }
        }
        cpu() - start
    }

    fn each(&self) -> f64 {
        self.memory as f64 / self.connections.len() as f64
    }
}

fn find<'a>(runs: &'a [Run], name: &str) -> &'a Run {
    runs.iter()
        .find(|run| run.contestant.name == name)
        .expect("it runs")
}

fn print(subscribers: usize, runs: &[Run], wire: &Wire) {
    let plain = find(runs, IDENTITY);
    let plain_bytes = wire[0].1;
    for run in runs {
        let name = run.contestant.name;
        let bytes = wire.iter().find(|(of, _)| *of == name);
        let bytes = bytes.map_or(0.0, |(_, bytes)| *bytes);
        println!(
            "  {name:<18}{subscribers:>12}{:>8.1}{bytes:>16.1}{:>12.0}{:>16.0}",
            plain_bytes / bytes,
            median(run.rounds.clone()),
            run.each() - plain.each(),
        );
    }
}

fn print_rows(title: &str, subscribers: usize, runs: &[Run]) {
    let mut pairs = vec![(SHARED, IDENTITY), (SHARED, TOWER_HTTP), (OWN, TOWER_HTTP)];
    if subscribers == 1 {
        pairs.extend([(SHARED_6, TOWER_HTTP), (OWN_6, TOWER_HTTP)]);
    }
    for (name, other) in pairs {
        let (run, than) = (find(runs, name), find(runs, other));
        let ratios = than
            .rounds
            .iter()
            .zip(&run.rounds)
            .map(|(than, own)| than / own);
        let times = [&run.rounds, &than.rounds].map(|rounds| median(rounds.clone()));
        let title = format!("{title}, {subscribers}/{name} beside {other}");
        row::print(&title, times[0], times[1], median(ratios.collect()), other);
    }
}

/// What each of the connections beyond the first hundred holds, beyond a plain one.
fn print_marginal(title: &str, few: &[Run], many: &[Run], memory: &mut Table) {
    let marginal = |name| {
        let (few, many) = (find(few, name), find(many, name));
        let connections = many.connections.len() - few.connections.len();
        (many.memory as f64 - few.memory as f64) / connections as f64
    };
    let plain = marginal(IDENTITY);
    for name in [SHARED, OWN, TOWER_HTTP] {
        let bytes = marginal(name) - plain;
        println!("  {name}: {bytes:.0} bytes for each further connection");
        row::alone(&format!("{title}, bytes of a connection/{name}"), bytes);
        memory.add(format!("{name}, a connection"), format!("{bytes:.0} bytes"));
    }
}
