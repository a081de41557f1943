//! Measures contenders side by side: interleaved rounds, medians, ratios.

use std::time::{Duration, Instant};

/// How many rounds there are; `BENCH_ROUNDS` says otherwise.
const ROUNDS: usize = 21;
/// What takes longer than this is measured in fewer rounds.
const SLOW: Duration = Duration::from_millis(100);

pub(crate) fn rounds() -> usize {
    std::env::var("BENCH_ROUNDS").map_or(ROUNDS, |n| n.parse().expect("a number"))
}

/// One way to do the same work; its result is looked at before anything is timed.
pub(crate) struct Contender<'a, R> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut() -> R + 'a>,
}

impl<'a, R> Contender<'a, R> {
    pub(crate) fn new(name: &'static str, run: impl FnMut() -> R + 'a) -> Self {
        Self {
            name,
            run: Box::new(run),
        }
    }
}

/// The median time of each contender, in nanoseconds for each of `units` units of work.
///
/// # Panics
///
/// If a contender's result is not `wanted`.
pub(crate) fn measure<R: PartialEq + std::fmt::Debug>(
    rounds: usize,
    units: usize,
    wanted: &R,
    contenders: &mut [Contender<'_, R>],
) -> Vec<f64> {
    let mut times = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        // Each round begins with another one, so that nobody always comes after the same one.
        for n in 0..contenders.len() {
            let n = (n + round) % contenders.len();
            let so_far: &mut Vec<Duration> = &mut times[n];
            if so_far.len() > 2 && so_far[0] > SLOW {
                continue;
            }
            // Once for the caches, which whoever came before has left as it needed them.
            if round > 0 {
                (contenders[n].run)();
            }
            let start = Instant::now();
            let result = (contenders[n].run)();
            let time = start.elapsed();
            assert_eq!(&result, wanted, "{}", contenders[n].name);
            // The first round warms up.
            if round > 0 {
                so_far.push(time);
            }
        }
    }
    times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[times.len() / 2].as_secs_f64() * 1e9 / units as f64
        })
        .collect()
}
