use std::time::Duration;

/// The number of ticks per interval of a busy stream's clock.
const TICKS: u32 = 8;

/// Determines how long to sleep until a stream has been silent for an interval, without reading the
/// clock for each event.
///
/// While the stream is silent, one sleep of the whole interval runs. The first event after that
/// starts a tick of an eighth of the interval. Further events only set a flag, which is read at the
/// end of the tick. If it is not set, the silence began with the tick, and a sleep for the rest of
/// the interval runs. So events touch the timer at most once per eighth of the interval, and the
/// heartbeat after a single event is exact.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdleClock {
    interval: Duration,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing has been sent since the sleep of a whole interval began.
    Silent,
    /// Something was sent when the tick began. `true` if something was also sent since.
    Ticking(bool),
    /// Nothing was sent in the previous tick. The sleep is the rest of the interval.
    Rest,
}

impl IdleClock {
    pub(super) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            phase: Phase::Silent,
        }
    }

    /// The length of the current sleep.
    pub(super) fn time(&self) -> Duration {
        match self.phase {
            Phase::Silent => self.interval,
            Phase::Ticking(_) => self.interval / TICKS,
            Phase::Rest => self.interval - self.interval / TICKS,
        }
    }

    /// Records that something was sent. Returns whether the current sleep must be replaced.
    #[inline]
    pub(super) fn mark(&mut self) -> bool {
        if let Phase::Ticking(busy) = &mut self.phase {
            *busy = true;
            return false;
        }
        self.phase = Phase::Ticking(false);
        true
    }

    /// Records that the current sleep has ended. Returns whether the stream has been silent for an
    /// interval.
    pub(super) fn end_sleep(&mut self) -> bool {
        let (next, silent) = match self.phase {
            Phase::Silent | Phase::Rest => (Phase::Silent, true),
            Phase::Ticking(true) => (Phase::Ticking(false), false),
            Phase::Ticking(false) => (Phase::Rest, false),
        };
        self.phase = next;
        silent
    }
}
