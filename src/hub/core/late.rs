/// The losses of a group while newcomers read events retained from before a loss.
///
/// Newcomers were told of earlier losses, or are not concerned by them, so only later losses count
/// for them.
#[derive(Debug, Default)]
pub(super) struct Late {
    pub(super) newcomers: usize,
    /// The count of all losses at the time, and the place after the lost event. Losses that a later
    /// loss of a later event makes redundant are left out.
    losses: Vec<(u64, u64)>,
    /// Losses up to this count are not distinguished.
    blurred: u64,
}

/// The maximum number of losses that are distinguished.
const LOSSES: usize = 64;

impl Late {
    /// Records the loss of an event. It does not replace losses before `left`, the last place where
    /// a subscriber left.
    pub(super) fn lose(&mut self, when: u64, lost_to: u64, left: u64) {
        self.losses
            .retain(|(_, other)| *other <= left || *other > lost_to);
        self.losses.push((when, lost_to));
        if self.losses.len() > LOSSES {
            let (then, first) = self.losses.remove(0);
            self.losses[0].1 = first.max(self.losses[0].1);
            self.blurred = then;
        }
    }

    /// The place after the last event before `before` that was lost after the loss number `when`.
    pub(super) fn lost_since(&self, when: u64, before: u64) -> u64 {
        let lost = self.losses.iter().filter(|(then, _)| *then > when);
        if when < self.blurred && before < u64::MAX {
            // An event may have been lost there.
            return before;
        }
        let lost = lost.map(|(_, lost_to)| *lost_to);
        lost.filter(|lost_to| *lost_to <= before).max().unwrap_or(0)
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
            // Somebody leaves at each thousandth place.
            late.lose(when, lost_to, (lost_to - 1) / 1_000 * 1_000);
            all.push(lost_to);
            for since in [0, when / 2, when - 1, when] {
                let since_then = all.iter().skip(usize::try_from(since).unwrap());
                for before in [1_000, 2_000, u64::MAX] {
                    let wanted = since_then.clone().filter(|to| **to <= before).max();
                    assert_eq!(late.lost_since(since, before), wanted.copied().unwrap_or(0));
                }
            }
        }
    }

    #[test]
    fn memory_is_bounded_and_more_is_said_to_be_lost_then() {
        let mut late = Late::default();
        (1..=1_000).for_each(|n| late.lose(n, 5_000 - n, 0));
        assert!(late.losses.len() <= LOSSES);
        let lost = |since| late.lost_since(since, u64::MAX);
        assert_eq!([0, 500, 999, 1_000].map(lost), [4_999, 4_999, 4_000, 0]);
        assert_eq!(late.lost_since(0, 4_500), 4_500);
        assert_eq!(late.lost_since(999, 4_500), 4_000);
    }
}
