//! Times contestants side by side.
//!
//! On a busy machine a time alone says little. All contestants of a case run in turn, round after
//! round, and a ratio is the median of the rounds' ratios, so that what disturbs one round disturbs
//! both of its terms.
//!
//! `cargo bench` takes a part of a case's title as an argument. Without `--bench`, as under
//! `cargo test --benches`, there is one short round.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub mod bodies;
pub mod events;
pub mod sink;

/// Allocations and reallocations so far; set by the bench that counts them instead of the time.
pub static COUNTER: OnceLock<fn() -> (usize, usize)> = OnceLock::new();

#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Ours,
    Peer,
    /// The peer that has a column of its own.
    Axum,
}

struct Contestant<'a> {
    name: &'static str,
    side: Side,
    /// Does the work so many times; how long it took.
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
    /// How many times make one round.
    times: u64,
    rounds: Vec<f64>,
}

/// The same work, done by several.
pub struct Case<'a> {
    title: String,
    /// How many operations one call does.
    operations: u64,
    contestants: Vec<Contestant<'a>>,
}

impl<'a> Case<'a> {
    pub fn new(title: impl Into<String>, operations: u64) -> Self {
        let (title, contestants) = (title.into(), Vec::new());
        Self {
            title,
            operations,
            contestants,
        }
    }

    /// A contestant whose results are dropped within the time, as a server drops them.
    pub fn add<R>(&mut self, name: &'static str, side: Side, mut work: impl FnMut() -> R + 'a) {
        self.add_timed(name, side, move |times| {
            let start = Instant::now();
            for _ in 0..times {
                std::hint::black_box(work());
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
                    std::hint::black_box(work(input));
                }
                total += start.elapsed();
            }
            total.mul_f64(times as f64 / (times.div_ceil(8) * 8) as f64)
        });
    }

    pub fn add_timed(
        &mut self,
        name: &'static str,
        side: Side,
        run: impl FnMut(u64) -> Duration + 'a,
    ) {
        let (run, times, rounds) = (Box::new(run), 1, Vec::new());
        self.contestants.push(Contestant {
            name,
            side,
            run,
            times,
            rounds,
        });
    }

    /// Runs and prints the case, if the arguments ask for it.
    pub fn run(mut self) {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let mut filters = args.iter().filter(|arg| !arg.starts_with('-')).peekable();
        if filters.peek().is_some() && !filters.any(|part| self.title.contains(part.as_str())) {
            return;
        }
        println!("{}", self.title);
        if let Some(counter) = COUNTER.get() {
            return self.count(*counter);
        }
        let quick =
            args.iter().any(|arg| arg == "--test") || !args.iter().any(|arg| arg == "--bench");
        let (rounds, round) = match quick {
            true => (1, Duration::ZERO),
            false => (31, Duration::from_millis(4)),
        };
        for contestant in &mut self.contestants {
            contestant.calibrate(round);
        }
        for _ in 0..rounds {
            for contestant in &mut self.contestants {
                contestant.round(self.operations);
            }
        }
        self.print();
    }

    fn print(&self) {
        let peers = self.contestants.iter().filter(|one| one.side != Side::Ours);
        let best = peers.min_by(|a, b| a.median().total_cmp(&b.median()));
        let axum = self.contestants.iter().find(|one| one.side == Side::Axum);
        for one in &self.contestants {
            print!("  {:<28}{:>12.1} ns", one.name, one.median());
            if one.side == Side::Ours {
                for (than, what) in [(best, "the best peer"), (axum, "axum")] {
                    if let Some(than) = than {
                        print!("{:>8.2}x {what}", one.faster_than(than));
                    }
                }
            }
            println!();
        }
    }

    /// Allocations and reallocations per operation.
    fn count(&mut self, counter: fn() -> (usize, usize)) {
        let times = 80_u64.div_ceil(self.operations);
        for one in &mut self.contestants {
            // Whatever is allocated once.
            (one.run)(times);
            let before = counter();
            (one.run)(times);
            let after = counter();
            let operations = (times * self.operations) as f64;
            let per_operation = |count: usize| count as f64 / operations;
            println!(
                "  {:<28}{:>8.2} allocations {:>8.2} reallocations",
                one.name,
                per_operation(after.0 - before.0),
                per_operation(after.1 - before.1),
            );
        }
    }
}

impl Contestant<'_> {
    fn calibrate(&mut self, round: Duration) {
        while (self.run)(self.times) < round {
            self.times *= 2;
        }
    }

    fn round(&mut self, operations: u64) {
        let time = (self.run)(self.times);
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
