//! What the machine is about.

use super::entry::StreamEntry;
use crate::hub::outer::Stored;

/// An entry that is to be there the next time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tip {
    pub(super) key: u128,
    pub(super) print: u64,
}

impl Tip {
    pub(super) fn of(entry: &StreamEntry) -> Self {
        Self {
            key: entry.key(),
            print: entry.print,
        }
    }

    pub(super) fn is(self, entry: &StreamEntry) -> bool {
        (self.key, self.print) == (entry.key(), entry.print)
    }
}

/// A loss that has to be marked in the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Debt {
    /// The entry up to which there is no mark of it; none if that has been trimmed away.
    pub(super) at: Option<Tip>,
    /// The last place from which nothing is lost.
    pub(super) from: u128,
    /// The mark has been seen, although it may be older than what the ring holds.
    pub(super) is_far: bool,
}

#[derive(Debug)]
pub(super) enum Doing {
    /// Reads the newest part, backwards: newest first. The mark of a debt has to be in it.
    Fill {
        got: Vec<StreamEntry>,
        bytes: usize,
        debt: Option<Debt>,
    },
    /// The stream is empty.
    Begin,
    /// Follows; `quiet` if nothing came after the last entry when it was last seen.
    Follow { last: Tip, quiet: bool },
    /// The last entry is gone. What is there from before it? An earlier loss, after `owed`, may not be
    /// marked yet.
    Older { last: Tip, owed: Option<u128> },
    /// The tail is lost. Is there a mark of that already?
    Scan(Debt),
    /// There is none.
    Mark(Debt),
}

/// These come after the entry up to which there is no mark, that entry included.
pub(super) fn scan(debt: Debt, entries: &[StreamEntry]) -> Doing {
    let Debt { at, from, .. } = debt;
    let new = match at {
        Some(at) => match entries.split_first() {
            Some((first, new)) if at.is(first) => new,
            _ => {
                let owed = Some(from);
                return Doing::Older { last: at, owed };
            }
        },
        // The stream has been emptied: nobody has an ID from before that, and each is told by that.
        None if is_new(entries) => return Doing::fill(None),
        None => entries,
    };
    if new.iter().any(StreamEntry::is_loss) {
        return Doing::fill(Some(debt));
    }
    match new.last() {
        Some(newest) => Doing::Scan(Debt {
            at: Some(Tip::of(newest)),
            ..debt
        }),
        None => Doing::Mark(debt),
    }
}

/// Whether a stream that has these entries first was empty not long ago.
fn is_new(entries: &[StreamEntry]) -> bool {
    let first = entries.first().map(|first| &first.entry.what);
    first.is_none_or(|first| matches!(first, Stored::Begin))
}

impl Debt {
    pub(super) fn new(at: Tip, from: u128) -> Self {
        let at = Some(at);
        Self {
            at,
            from,
            is_far: false,
        }
    }

    pub(super) fn far(self, is_far: bool) -> Self {
        Self { is_far, ..self }
    }

    /// The key up to which there is no mark.
    pub(super) fn after(&self) -> u128 {
        self.at.map_or(0, |at| at.key)
    }
}

impl Doing {
    pub(super) fn fill(debt: Option<Debt>) -> Self {
        Self::Fill {
            got: Vec::new(),
            bytes: 0,
            debt,
        }
    }
}
