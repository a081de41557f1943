use std::time::Duration;

use crate::random;

/// What a client doubles from when the server's `retry` is shorter, so that a server that is down
/// and has once said `retry: 0` is not asked in a tight loop.
const LEAST: Duration = Duration::from_millis(50);

/// How long to wait before the next connection.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    pub(super) reconnection_time: Duration,
    pub(super) max: Duration,
    pub(super) max_tries: Option<u32>,
    /// Connections in a row that delivered nothing.
    tries: u32,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self {
            reconnection_time: Duration::from_secs(3),
            max: Duration::from_secs(30),
            max_tries: None,
            tries: 0,
        }
    }

    /// A connection has delivered.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// A connection is over that had delivered nothing; whether there may be another.
    pub(super) fn fail(&mut self) -> Result<(), u32> {
        self.tries = self.tries.saturating_add(1);
        match self.max_tries {
            Some(max) if self.tries >= max => Err(self.tries),
            _ => Ok(()),
        }
    }

    /// Never less than the server's `retry` and `Retry-After` ask for.
    pub(super) fn delay(&self, retry: Option<Duration>, retry_after: Option<Duration>) -> Duration {
        let time = self.time(retry.unwrap_or(self.reconnection_time));
        time.max(retry_after.unwrap_or_default())
            .saturating_add(random::up_to(time / 2))
    }

    fn time(&self, asked: Duration) -> Duration {
        if self.tries == 0 {
            return asked;
        }
        let doubled = 1u32.checked_shl(self.tries).unwrap_or(u32::MAX);
        asked
            .max(LEAST)
            .saturating_mul(doubled)
            .min(self.max)
            .max(asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(tries: u32, retry: Option<u64>) -> Duration {
        let mut backoff = Backoff::new();
        for _ in 0..tries {
            backoff.fail().unwrap();
        }
        let least = backoff.time(retry.map_or(backoff.reconnection_time, Duration::from_millis));
        for _ in 0..100 {
            let delay = backoff.delay(retry.map(Duration::from_millis), None);
            assert!(delay >= least && delay <= least + least / 2, "{delay:?}");
        }
        least
    }

    #[test]
    fn doubles_up_to_the_cap_and_never_comes_early() {
        let seconds = [0, 1, 2, 3, 4, 40].map(|tries| after(tries, None).as_secs());
        assert_eq!(seconds, [3, 6, 12, 24, 30, 30]);
        let seconds = [0, 1, 40].map(|tries| after(tries, Some(60_000)).as_secs());
        assert_eq!(seconds, [60, 60, 60]);
        let millis = [0, 1, 2, 40].map(|tries| after(tries, Some(0)).as_millis());
        assert_eq!(millis, [0, 100, 200, 30_000]);
        after(7, Some(u64::MAX));
    }

    #[test]
    fn a_longer_retry_after_counts() {
        let backoff = Backoff::new();
        let minute = Duration::from_secs(60);
        assert!(backoff.delay(None, Some(minute)) >= minute);
        assert!(backoff.delay(Some(minute), Some(Duration::ZERO)) >= minute);
    }

    #[test]
    fn spreads() {
        let backoff = Backoff::new();
        let mut delays: Vec<_> = (0..100).map(|_| backoff.delay(None, None)).collect();
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 90);
    }

    #[test]
    fn gives_up_when_bounded() {
        let mut backoff = Backoff::new();
        backoff.max_tries = Some(2);
        assert_eq!(backoff.fail(), Ok(()));
        backoff.reset();
        assert_eq!(backoff.fail(), Ok(()));
        assert_eq!(backoff.fail(), Err(2));
    }
}
