//! What a run is to be, by its seed and the environment.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::rig::server::Aof;
use crate::rng::Rng;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// `appendfsync always`: nothing is lost, and nobody is told of a gap.
    Always,
    /// `appendfsync everysec`, and a power cut takes the end of the file.
    Truncate,
    /// The stream is shorter than some clients are away.
    Trim,
}

#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) mode: Mode,
    pub(crate) nodes: usize,
    pub(crate) publishers: usize,
    pub(crate) clients: usize,
    pub(crate) rate: usize,
    pub(crate) seconds: Duration,
    /// Instead of the time.
    pub(crate) events: Option<usize>,
    pub(crate) ring_events: usize,
    pub(crate) max_events: usize,
    pub(crate) toy: bool,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mode = match std::env::var("CHAOS_MODE").as_deref() {
            Ok("always") => Mode::Always,
            Ok("truncate") => Mode::Truncate,
            Ok("trim") => Mode::Trim,
            Ok(other) => panic!("CHAOS_MODE={other}"),
            Err(_) => [Mode::Always, Mode::Truncate, Mode::Truncate, Mode::Trim]
                [usize::try_from(seed % 4).unwrap()],
        };
        let rate = variable("CHAOS_RATE", 1_500);
        Self {
            seed,
            mode,
            nodes: 2 + rng.below(2),
            publishers: 2,
            clients: variable("CHAOS_CLIENTS", 200),
            rate,
            seconds: Duration::from_secs(variable("CHAOS_SECONDS", 5)),
            events: std::env::var_os("CHAOS_EVENTS").map(|_| variable("CHAOS_EVENTS", 0)),
            // From a tenth of a second to some seconds.
            ring_events: *rng.pick(&[rate / 10, rate, 4 * rate]),
            max_events: match mode {
                Mode::Trim => 2 * rate,
                Mode::Always | Mode::Truncate => 10_000_000,
            },
            toy: std::env::var_os("CHAOS_TOY").is_some(),
        }
    }

    pub(crate) fn aof(&self) -> Aof {
        match self.mode {
            // With everysec, Redis answers before it has written while the disk is busy. What was
            // lost so could not be told from what was trimmed.
            Mode::Always | Mode::Trim => Aof::Always,
            Mode::Truncate => Aof::Everysec,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            mode,
            nodes,
            publishers,
            clients,
            rate,
            ring_events,
            ..
        } = self;
        write!(
            f,
            "seed {seed}: {mode:?}, {nodes} nodes, {publishers} publishers, {clients} clients, \
             {rate} events/s, ring {ring_events}"
        )
    }
}

pub(crate) fn variable<T: FromStr>(name: &str, default: T) -> T {
    match std::env::var(name) {
        Ok(value) => match value.parse() {
            Ok(value) => value,
            Err(_) => panic!("{name}={value}"),
        },
        Err(_) => default,
    }
}
