//! Times contestants side by side.
//!
//! On a busy machine a time alone says little. All contestants of a case run in turn, round after
//! round, and a ratio is the median of the rounds' ratios, so that what disturbs one round disturbs
//! both of its terms. Memory is elsewhere in each round, so that no ratio depends on one address.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::places::Places;
use crate::row;

/// Allocations and reallocations so far; set by the bench that counts them instead of the time.
pub static COUNTER: OnceLock<fn() -> (usize, usize)> = OnceLock::new();

/// How many rounds there are, unless `BENCH_ROUNDS` sets another number.
const ROUNDS: usize = 101;
/// How long a contestant's share of a round is at least: shorter than a scheduler's slice, so that on a
/// busy machine most rounds are not interrupted.
const ROUND: Duration = Duration::from_micros(500);
/// A contestant whose share takes longer than this has three rounds only.
const SLOW: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Ours,
    Peer,
    /// The peer that has a column of its own.
    Axum,
    /// The least work that gives the same bytes or text, with nothing checked that need not be. Its
    /// ratio is one that nobody could pass.
    Floor,
}

impl Side {
    fn is_peer(self) -> bool {
        matches!(self, Self::Peer | Self::Axum)
    }
}

/// The number of rounds, or `None` without `--bench`, as under `cargo test --benches`: then each
/// contestant runs once, so that its results are checked.
pub fn rounds() -> Option<usize> {
    let rounds = std::env::var("BENCH_ROUNDS").map_or(ROUNDS, |n| n.parse().expect("a number"));
    let timed = std::env::args().any(|arg| arg == "--bench");
    timed.then_some(rounds)
}

/// Whether there are so few rounds that what has no goal is left out, unless it is asked for.
pub fn is_brief() -> bool {
    let is_named = std::env::args().skip(1).any(|arg| !arg.starts_with('-'));
    rounds().is_some_and(|rounds| rounds < ROUNDS / 2) && !is_named
}

/// Whether the arguments ask for this case: one of them is a part of its title, or there are none.
pub fn selected(title: &str) -> bool {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut filters = args.iter().filter(|arg| !arg.starts_with('-')).peekable();
    filters.peek().is_none() || filters.any(|part| title.contains(part.as_str()))
}

struct Contestant<'a> {
    name: &'static str,
    side: Side,
    /// Does the work that many times and returns how long it took.
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// How many times make one round.
    times: u64,
    slow: bool,
    rounds: Vec<f64>,
}

/// The same work, done by several.
pub struct Case<'a> {
    title: String,
    /// How many operations one call does.
    operations: u64,
    contestants: Vec<Contestant<'a>>,
    /// Pairs of contestants of ours to compare with each other.
    pairs: Vec<(&'static str, &'static str)>,
}

impl<'a> Case<'a> {
    /// `title` is `bench/case`.
    pub fn new(title: impl Into<String>, operations: u64) -> Self {
        Self {
            title: title.into(),
            operations,
            contestants: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// A contestant whose results are dropped within the time, as a server drops them.
    pub fn add<R>(&mut self, name: &'static str, side: Side, mut work: impl FnMut() -> R + 'a) {
        self.add_timed(name, side, move |times| {
            let start = Instant::now();
            for _ in 0..times {
                black_box(apart(&mut work));
            }
            start.elapsed()
        });
    }

    /// A contestant that consumes an input, made outside the time.
    pub fn add_consuming<I, R>(
        &mut self,
        name: &'static str,
        side: Side,
        input: impl Fn() -> I + 'a,
        mut work: impl FnMut(I) -> R + 'a,
    ) {
        self.add_timed(name, side, move |times| {
            let mut total = Duration::ZERO;
            for _ in 0..times.div_ceil(8) {
                let inputs: [I; 8] = std::array::from_fn(|_| input());
                let start = Instant::now();
                for input in inputs {
                    black_box(apart(|| work(input)));
                }
                total += start.elapsed();
            }
            total.mul_f64(times as f64 / (times.div_ceil(8) * 8) as f64)
        });
    }

    /// A contestant that does the work that many times and returns how long it took.
    pub fn add_timed(
        &mut self,
        name: &'static str,
        side: Side,
        run: impl FnMut(u64) -> Duration + 'a,
    ) {
        // For a profiler.
        if std::env::var("ONLY").is_ok_and(|only| only != name) {
            return;
        }
        self.contestants.push(Contestant {
            name,
            side,
            run: Box::new(run),
            times: 1,
            slow: false,
            rounds: Vec::new(),
        });
    }

    /// Also compares two contestants of ours with each other.
    pub fn compare(&mut self, one: &'static str, other: &'static str) {
        self.pairs.push((one, other));
    }

    /// Runs and prints the case, if the arguments ask for it.
    pub fn run(&mut self) {
        if !selected(&self.title) {
            return;
        }
        println!("{}", self.title);
        if let Some(counter) = COUNTER.get() {
            return self.count(*counter);
        }
        for contestant in &mut self.contestants {
            contestant.calibrate(rounds().map_or(Duration::ZERO, |_| ROUND));
        }
        let all = self.contestants.len();
        let mut places = Places::new();
        for round in 0..rounds().unwrap_or(1) {
            places.change();
            // Each round begins with another one: none always runs on the caches of the same one.
            for n in 0..all {
                self.contestants[(n + round) % all].round(self.operations, &places);
            }
        }
        self.print();
    }

    fn print(&self) {
        let peers = self.contestants.iter().filter(|one| one.side.is_peer());
        let best = peers.min_by(|a, b| a.median().total_cmp(&b.median()));
        let axum = self.contestants.iter().find(|one| one.side == Side::Axum);
        for one in &self.contestants {
            print!("  {:<28}{:>12.1} ns", one.name, one.median());
            if !one.side.is_peer() {
                for (than, what) in [(best, "the best peer"), (axum, "axum")] {
                    if let Some(than) = than {
                        print!("{:>8.2}x {what}", one.faster_than(than));
                    }
                }
            }
            println!();
        }
        for one in self.contestants.iter().filter(|one| !one.side.is_peer()) {
            match best {
                Some(best) => self.row(one.name, one, best),
                None => row::alone(&format!("{}/{}", self.title, one.name), one.median()),
            }
        }
        for (one, other) in &self.pairs {
            let find = |name| self.contestants.iter().find(|one| one.name == name);
            // A contestant with wrong results has not been added.
            if let (Some(one), Some(other)) = (find(*one), find(*other)) {
                self.row(&format!("{} beside {}", one.name, other.name), one, other);
            }
        }
    }

    fn row(&self, name: &str, one: &Contestant<'_>, other: &Contestant<'_>) {
        let name = format!("{}/{name}", self.title);
        let (ours, peer) = (one.median(), other.median());
        row::print(&name, ours, peer, one.faster_than(other), other.name);
    }

    /// Allocations and reallocations per operation.
    fn count(&mut self, counter: fn() -> (usize, usize)) {
        let times = 80_u64.div_ceil(self.operations);
        for one in &mut self.contestants {
            // What is allocated once.
            (one.run)(times);
            let before = counter();
            (one.run)(times);
            let after = counter();
            let operations = (times * self.operations) as f64;
            let per_operation = |count: usize| count as f64 / operations;
            let allocations = per_operation(after.0 - before.0);
            let reallocations = per_operation(after.1 - before.1);
            println!(
                "  {:<28}{allocations:>8.2} allocations {reallocations:>8.2} reallocations",
                one.name,
            );
            if one.side == Side::Ours {
                let name = format!("allocations/{}/{}", self.title, one.name);
                row::alone(&name, allocations + reallocations);
            }
        }
    }
}

impl Contestant<'_> {
    fn calibrate(&mut self, round: Duration) {
        while (self.run)(self.times) < round {
            self.times *= 2;
        }
    }

    fn round(&mut self, operations: u64, places: &Places) {
        if self.slow && self.rounds.len() >= 3 {
            return;
        }
        // Once for the caches, which the contestant before has left as it needed them.
        if rounds().is_some() {
            (self.run)(1);
        }
        let time = places.run(&mut || (self.run)(self.times));
        self.slow = time > SLOW;
        self.rounds
            .push(time.as_nanos() as f64 / (self.times * operations) as f64);
    }

    fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    fn faster_than(&self, other: &Self) -> f64 {
        let rounds = other.rounds.iter().zip(&self.rounds);
        median(rounds.map(|(other, own)| other / own).collect())
    }
}

/// Calls the closure, whose result is returned through memory. The compiler would merge some contestants
/// into their loop and call others: sse-stream took 26 ns for an event of 16 B there, and takes 30 here.
#[inline(never)]
fn apart<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// The median.
///
/// # Panics
///
/// If there are no values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
