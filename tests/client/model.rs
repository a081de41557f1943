//! Random connections, against a naive model of the manual's section on waiting.

use std::time::Duration;

use crate::script::{Act, Answer, Script, all, send, stream};
use crate::support::rng::Rng;

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Refused,
    Clean,
    Cut,
    Broken,
}

#[derive(Debug)]
struct Connection {
    event: bool,
    comment: bool,
    retry: Option<u64>,
    seconds: f64,
    end: End,
}

impl Connection {
    fn random(rng: &mut Rng) -> Self {
        let end = *rng.pick(&[
            End::Refused,
            End::Refused,
            End::Clean,
            End::Cut,
            End::Broken,
        ]);
        let open = end != End::Refused;
        Self {
            event: open && rng.one_in(5),
            comment: open && rng.one_in(3),
            retry: (open && rng.one_in(6)).then(|| *rng.pick(&[0, 50, 700, 2_000, 45_000])),
            // Apart from each length of a wait.
            seconds: if open {
                *rng.pick(&[0.0, 0.03, 1.1, 4.7, 7.3, 13.9, 61.3])
            } else {
                0.0
            },
            end,
        }
    }

    fn answer(&self) -> Answer {
        if self.end == End::Refused {
            return Answer::Refuse;
        }
        let mut acts = Vec::new();
        acts.extend(self.event.then(|| send("data: x\n\n")));
        acts.extend(self.comment.then(|| send(":\n")));
        acts.extend(self.retry.map(|retry| {
            send(match retry {
                0 => "retry: 0\n",
                50 => "retry: 50\n",
                700 => "retry: 700\n",
                2_000 => "retry: 2000\n",
                _ => "retry: 45000\n",
            })
        }));
        acts.push(Act::Wait(Duration::from_secs_f64(self.seconds)));
        acts.extend((self.end == End::Cut).then(|| send("data: half")));
        acts.extend((self.end == End::Broken).then_some(Act::Break));
        stream(acts)
    }

    /// As the manual says, in the order in which it says it.
    fn is_healthy(&self, wait_before: f64) -> bool {
        let bytes = self.event || self.comment || self.retry.is_some();
        let open = self.end != End::Refused;
        self.event
            || (open && (self.seconds >= wait_before.max(0.05) || self.seconds >= 10.0))
            || (self.end == End::Clean && bytes)
    }
}

#[tokio::test(start_paused = true)]
async fn waits_are_those_of_the_manual() {
    let (mut failures, mut healthy) = (0, 0);
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let connections: Vec<_> = (0..30).map(|_| Connection::random(&mut rng)).collect();
        let script = Script::new(connections.iter().map(Connection::answer));
        all(&mut script.source()).await;
        let times = script.times();
        assert_eq!(times.len(), connections.len() + 1);

        let (mut base, mut wait, mut tries) = (3.0_f64, 3.0_f64, 0);
        for (n, connection) in connections.iter().enumerate() {
            if connection.is_healthy(wait) {
                tries = 0;
                healthy += 1;
            } else {
                tries += 1;
                failures += 1;
            }
            if let Some(retry) = connection.retry {
                base = f64::max(0.1, retry as f64 / 1_000.0);
            }
            wait = (base * f64::powi(2.0, tries)).min(30.0).max(base);
            let waited = (times[n + 1] - times[n]).as_secs_f64() - connection.seconds;
            // tokio's clock ticks in milliseconds.
            assert!(
                waited >= wait - 0.002 && waited <= 2.0 * wait + 0.004,
                "seed {seed}, connection {n}: waited {waited} s, not {wait} s and up to as much again; \
                 {connection:?}"
            );
        }
    }
    assert!(failures > 1_000 && healthy > 1_000, "{failures} {healthy}");
}
