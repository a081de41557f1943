use std::time::Duration;

/// A busy stream's clock ticks this many times per interval.
const TICKS: u32 = 8;

/// Tells how long to sleep until a stream has been silent for an interval, without reading the clock
/// per event.
///
/// While the stream is silent, one sleep of the whole interval runs. The first event after that
/// starts a tick of an eighth. Further events only set a flag, which the end of the tick finds. A
/// tick without the flag means that the silence began with it, and the sleep for what is left of the
/// interval runs. So an event touches the timer at most once per eighth of the interval, and the
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
    /// Something was sent when the tick began; `true` if also since.
    Ticking(bool),
    /// Nothing was sent in the tick before; the sleep is the rest of the interval.
    Rest,
}

impl IdleClock {
    pub(super) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            phase: Phase::Silent,
        }
    }

    /// How long the present sleep is.
    pub(super) fn time(&self) -> Duration {
        match self.phase {
            Phase::Silent => self.interval,
            Phase::Ticking(_) => self.interval / TICKS,
            Phase::Rest => self.interval - self.interval / TICKS,
        }
    }

    /// Something has been sent. Whether the present sleep is no longer the right one.
    #[inline]
    pub(super) fn mark(&mut self) -> bool {
        if let Phase::Ticking(busy) = &mut self.phase {
            *busy = true;
            return false;
        }
        self.phase = Phase::Ticking(false);
        true
    }

    /// The present sleep is over. Whether the stream has been silent for an interval.
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
