use std::time::Duration;

use crate::random;

/// The minimum reconnection time that a server can ask for. Firefox has 500 ms, Chromium and Safari
/// have no minimum. Our own long polls ask for this time.
const MIN_RECONNECTION_TIME: Duration = Duration::from_millis(100);

/// The minimum time that is doubled, so that a client does not reconnect in a tight loop to a
/// server that is down.
const LEAST: Duration = Duration::from_millis(50);

/// A connection open for this long proves that the server works, however long the wait before it
/// was: long polls last 25 s or more, and proxies cut silent connections after 30 or 60 s.
const MAX_PROOF: Duration = Duration::from_secs(10);
/// The maximum wait that a server can ask for, without the jitter. Timers have limits, and some
/// panic beyond them: 49 days in a browser, or the range of an `Instant`.
const MAX_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Determines the wait before the next connection.
#[derive(Debug, Clone)]
pub(super) struct Backoff {
    pub(super) reconnection_time: Duration,
    /// The minimum for the server's `retry`.
    pub(super) min: Duration,
    pub(super) max: Duration,
    pub(super) max_tries: Option<u32>,
    /// The number of consecutive failed connections.
    tries: u32,
    /// The wait before this connection, without the jitter.
    wait: Option<Duration>,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self {
            reconnection_time: Duration::from_secs(3),
            min: MIN_RECONNECTION_TIME,
            max: Duration::from_secs(30),
            max_tries: None,
            tries: 0,
            wait: None,
        }
    }

    /// Records the end of a healthy connection.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }

    /// Records a failed connection. An `Err` with the number of tries if there may not be another.
    pub(super) fn fail(&mut self) -> Result<(), u32> {
        self.tries = self.tries.saturating_add(1);
        match self.max_tries {
            Some(max) if self.tries >= max => Err(self.tries),
            _ => Ok(()),
        }
    }

    /// How long a connection must stay open to count as healthy.
    pub(super) fn proof(&self) -> Duration {
        let wait = self.wait.unwrap_or(self.reconnection_time);
        wait.clamp(LEAST, MAX_PROOF)
    }

    /// The reconnection time: that of the server, or else that of the user.
    pub(super) fn base(&self, retry: Option<Duration>) -> Duration {
        retry.map_or(self.reconnection_time, |retry| retry.max(self.min))
    }

    /// The wait before the next connection. It is never less than the server's `retry` and
    /// `Retry-After`, plus up to the same time again, so that clients disconnected together do not
    /// return together.
    pub(super) fn delay(
        &mut self,
        retry: Option<Duration>,
        retry_after: Option<Duration>,
    ) -> Duration {
        let wait = self.time(self.base(retry));
        let wait = wait.max(retry_after.unwrap_or_default()).min(MAX_WAIT);
        self.wait = Some(wait);
        wait.saturating_add(random::up_to(wait))
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
        let retry = retry.map(Duration::from_millis);
        let least = backoff.time(backoff.base(retry));
        for _ in 0..100 {
            let delay = backoff.delay(retry, None);
            assert!(
                delay >= least && delay <= least.saturating_mul(2),
                "{delay:?}"
            );
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
        assert_eq!(millis, [100, 200, 400, 30_000]);
    }

    #[test]
    fn a_longer_retry_after_counts_and_is_spread_as_well() {
        let mut backoff = Backoff::new();
        let minute = Duration::from_secs(60);
        let delays: Vec<_> = (0..100)
            .map(|_| backoff.delay(None, Some(minute)))
            .collect();
        assert!(
            delays
                .iter()
                .all(|delay| *delay >= minute && *delay <= minute * 2)
        );
        assert!(delays.iter().any(|delay| *delay > minute * 3 / 2));
        assert!(backoff.delay(Some(minute), Some(Duration::ZERO)) >= minute);
    }

    #[test]
    fn spreads() {
        let mut backoff = Backoff::new();
        let mut delays: Vec<_> = (0..100).map(|_| backoff.delay(None, None)).collect();
        delays.sort();
        delays.dedup();
        assert!(delays.len() > 90);
    }

    #[test]
    fn a_connection_proves_itself_by_lasting_as_long_as_the_wait_before_it() {
        let mut backoff = Backoff::new();
        assert_eq!(backoff.proof(), Duration::from_secs(3));
        backoff.fail().unwrap();
        backoff.delay(None, None);
        assert_eq!(backoff.proof(), Duration::from_secs(6));
        backoff.delay(None, Some(Duration::from_secs(3_600)));
        assert_eq!(backoff.proof(), MAX_PROOF);
        backoff.reconnection_time = Duration::ZERO;
        backoff.reset();
        backoff.delay(None, None);
        assert_eq!(backoff.proof(), LEAST);
    }

    #[test]
    fn no_server_asks_for_more_than_a_day() {
        let forever = Some(Duration::MAX);
        for (retry, after) in [(forever, None), (None, forever), (forever, forever)] {
            let wait = Backoff::new().delay(retry, after);
            assert!(wait >= MAX_WAIT && wait <= 2 * MAX_WAIT, "{wait:?}");
        }
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
