/// What a group has lost while newcomers read what it retained from before.
///
/// A newcomer that begins with the oldest events has missed nothing, although the group has lost events
/// in between: only what is lost since then counts for it.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub(super) newcomers: usize,
    /// When, as a count of all losses, and after which event. A later loss before an earlier one
    /// stands after it, any other in its stead: so the places fall.
    losses: Vec<(u64, u64)>,
}

/// How many losses are told apart.
const LOSSES: usize = 64;

impl Late {
    pub(super) fn lose(&mut self, when: u64, lost_to: u64) {
        let falling = self.losses.partition_point(|(_, before)| *before > lost_to);
        self.losses.truncate(falling);
        self.losses.push((when, lost_to));
        if self.losses.len() > LOSSES {
            // The first counts as if it were as late as the second.
            self.losses[1].1 = self.losses[0].1;
            self.losses.remove(0);
        }
    }

    /// After the last event that was lost later than this.
    pub(super) fn lost_since(&self, when: u64) -> u64 {
        let first = self.losses.partition_point(|(then, _)| *then <= when);
        self.losses.get(first).map_or(0, |(_, lost_to)| *lost_to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_since_is_known() {
        let (mut late, mut all) = (Late::default(), Vec::new());
        let mut random = 7u64;
        for when in 1..=2_000u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(when);
            let lost_to = when + (random >> 33) % 500;
            late.lose(when, lost_to);
            all.push(lost_to);
            for since in [0, when / 2, when - 1, when] {
                let wanted = all[usize::try_from(since).unwrap()..]
                    .iter()
                    .max()
                    .copied()
                    .unwrap_or(0);
                assert_eq!(late.lost_since(since), wanted);
            }
        }
        // Bounded; where it is too much, more is said to be lost.
        let mut late = Late::default();
        (1..=1_000).for_each(|n| late.lose(n, 5_000 - n));
        assert!(late.losses.len() <= LOSSES);
        assert_eq!(
            [0, 500, 999, 1_000].map(|n| late.lost_since(n)),
            [4_999, 4_999, 4_000, 0]
        );
    }
}
