//! The states of the reader's state machine.

use super::entry::StreamEntry;
use crate::hub::outer::Stored;

/// The identity of an entry that the next read has to find.
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
    /// The entry up to which there is no mark of the loss; `None` if it has been trimmed.
    pub(super) at: Option<Tip>,
    /// The last key before the loss.
    pub(super) from: u128,
    /// The mark has been found, although it may be older than the ring.
    pub(super) is_far: bool,
}

#[derive(Debug)]
pub(super) enum Doing {
    /// Reads the newest part of the stream backwards. The mark of a debt has to be in it.
    Fill {
        got: Vec<StreamEntry>,
        bytes: usize,
        debt: Option<Debt>,
    },
    /// Looks for acknowledged entries that may be older than the ring would be, and then fills it.
    Check { debt: Option<Debt> },
    /// The stream is empty.
    Begin,
    /// Follows the stream. It is quiet if the last read found nothing new.
    Follow { last: Tip, quiet: bool },
    /// The last entry is gone: reads what came before it. There may be an unmarked earlier loss,
    /// after `owed`.
    Older { last: Tip, owed: Option<u128> },
    /// The tail is lost: looks for a mark that says so.
    Scan(Debt),
    /// There is no mark: appends one.
    Mark(Debt),
}

/// Looks for a mark in the entries from the debt's last known entry on.
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
        // The stream was flushed, so clients are told because their IDs are gone.
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

/// Whether a stream that begins with these entries was empty before them.
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
