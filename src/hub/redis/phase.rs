//! The states of the reader's state machine.

use super::entry::StreamEntry;
use super::exchange::Ask;
use crate::hub::outer::Stored;

/// How many entries before a loss are searched for an entry of the ring.
const SHARED: usize = 100;

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
    /// Reads on from acknowledged entries that are older than the ring would be. The ring begins
    /// empty at the stream's end.
    Check {
        debt: Option<Debt>,
        last: Option<Tip>,
    },
    /// The stream is empty.
    Begin,
    /// Follows the stream. It is quiet if the last read reached the stream's end.
    Follow { last: Tip, quiet: bool },
    /// These entries came after the last one while it waited for them. They count only if the last
    /// one is still there.
    Confirm {
        last: Tip,
        batch: Vec<StreamEntry>,
        is_full: bool,
    },
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

    /// Returns what to ask Redis, for about this many entries. `first` is the first acknowledged
    /// entry to look for.
    pub(super) fn ask(&self, count: usize, first: u128) -> Ask {
        match self {
            Self::Fill { got, .. } => Ask::Before {
                key: got.last().map(StreamEntry::key),
                count,
            },
            Self::Check { last, .. } => {
                let key = last.map_or(first, |last| last.key);
                let count = count + 1;
                Ask::From { key, count }
            }
            Self::Begin => Ask::Begin,
            Self::Follow { last, quiet: true } => Ask::Wait {
                after: last.key,
                count,
            },
            Self::Confirm { last, .. } => Ask::Confirm { key: last.key },
            Self::Follow { last, .. } => Ask::From {
                key: last.key,
                count: count + 1,
            },
            Self::Older { last, .. } => Ask::Before {
                key: Some(last.key),
                count: SHARED,
            },
            Self::Scan(debt) => Ask::From {
                key: debt.after(),
                count: count + 1,
            },
            Self::Mark(debt) => Ask::Lost {
                from: debt.from,
                after: debt.after(),
            },
        }
    }

    /// Returns the state after the connection was lost.
    pub(super) fn fail(self, has_ring: bool) -> Self {
        match self {
            // The mark may have been lost since.
            Self::Fill { debt, .. } | Self::Check { debt, .. } => {
                Self::fill(debt.map(|debt| debt.far(false)))
            }
            Self::Begin => Self::fill(None),
            Self::Follow { last, .. } | Self::Confirm { last, .. } => {
                Self::Follow { last, quiet: false }
            }
            Self::Older { last, owed: None } if has_ring => Self::Follow { last, quiet: false },
            // The mark may have been appended.
            Self::Mark(debt) | Self::Scan(debt) => Self::Scan(debt.far(false)),
            other @ Self::Older { .. } => other,
        }
    }
}
