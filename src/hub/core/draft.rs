use std::sync::Arc;
use std::time::Instant;

use super::log::Labels;
use crate::protocol::{Block, EventId};

/// An event encoded before the lock is taken, when its number is not known yet.
#[derive(Debug)]
pub(in crate::hub) struct Draft {
    pub(super) block: Block,
    /// Labels by which it can be found.
    pub(super) labels: Option<Box<Labels>>,
    /// When it was published, if in an earlier life.
    pub(super) at: Option<Instant>,
    /// Whether it finishes its topic.
    pub(super) is_last: bool,
    /// The number it was encoded with, and the length of the ID's text before the number.
    guess: Option<u64>,
    prefix: Option<usize>,
}

impl Draft {
    /// An event with an ID of its own.
    pub(in crate::hub) fn with_id(block: Block, id: EventId) -> Self {
        Self {
            block,
            labels: Some(Box::new(Labels {
                id: Some(id),
                key: None,
            })),
            at: None,
            is_last: false,
            guess: None,
            prefix: None,
        }
    }

    /// An event with the hub's ID for the number it will have unless another publisher is faster:
    /// `prefix` bytes followed by the number. Without a prefix, the ID cannot be corrected.
    pub(in crate::hub) fn with_number(block: Block, guess: u64, prefix: Option<usize>) -> Self {
        Self {
            block,
            labels: None,
            at: None,
            is_last: false,
            guess: Some(guess),
            prefix,
        }
    }

    /// Makes it replace the previous event with this key.
    pub(in crate::hub) fn with_key(mut self, key: Arc<str>) -> Self {
        self.labels.get_or_insert_default().key = Some(key);
        self
    }

    /// Makes it finish its topic.
    pub(in crate::hub) fn last(mut self) -> Self {
        self.is_last = true;
        self
    }

    /// Sets when it was published.
    pub(super) fn with_age(mut self, at: Option<Instant>) -> Self {
        self.at = at;
        self
    }

    /// Corrects the number in the ID. Returns `false` if that is not possible, as when it has more
    /// digits.
    #[inline]
    pub(super) fn number(&mut self, seq: u64) -> bool {
        match self.guess {
            Some(guess) if guess != seq => self.correct(guess, seq),
            _ => true,
        }
    }

    #[cold]
    fn correct(&mut self, guess: u64, seq: u64) -> bool {
        let Some(prefix) = self.prefix else {
            return false;
        };
        let (mut old, mut new) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (old, new) = (old.format(guess), new.format(seq));
        let corrected = patch_id(&mut self.block, prefix, old, new);
        if corrected {
            self.guess = Some(seq);
        }
        corrected
    }
}

/// Replaces part of the ID, `from` bytes after its start, with text of the same length. Returns
/// `false` if the block cannot be changed or does not match.
pub(in crate::hub) fn patch_id(block: &mut Block, from: usize, old: &str, new: &str) -> bool {
    old.len() == new.len()
        && block.patch_head(|head| {
            // The first field of that name is the ID: data follows it.
            let mut start = 0;
            while !head[start..].starts_with(b"id: ") {
                match memchr::memchr(b'\n', &head[start..]) {
                    Some(end) => start += end + 1,
                    None => return false,
                }
            }
            let start = start + b"id: ".len() + from;
            match head.get_mut(start..start + new.len()) {
                Some(part) if part == old.as_bytes() => {
                    part.copy_from_slice(new.as_bytes());
                    true
                }
                _ => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Event, EventType};

    fn draft(number: u64) -> Draft {
        let event = Event::new("id: 10-7\nid: 10-7").with_type(EventType::from_static("id: 10-7"));
        let id = EventId::try_from(format!("10-{number}")).unwrap();
        Draft::with_number(event.encode_as(Some(&id)), number, Some(3))
    }

    #[test]
    fn the_right_number_is_put_in_where_it_has_as_many_digits() {
        for (guess, seq, fits) in [(7, 7, true), (7, 9, true), (9, 10, false), (998, 999, true)] {
            let mut one = draft(guess);
            assert_eq!(one.number(seq), fits);
            assert_eq!(one.block, draft(if fits { seq } else { guess }).block);
        }
        // What is shared is not changed for others.
        let mut one = draft(7);
        let other = one.block.clone();
        assert!(!one.number(8));
        assert_eq!(other, draft(7).block);
        // Nor what has no number to be read.
        let mut one = Draft::with_number(draft(7).block, 7, None);
        assert!(one.number(7) && !one.number(8));
    }
}
