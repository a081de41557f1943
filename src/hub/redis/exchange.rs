//! The questions of the reader's machine, Redis' answers, and what follows for the ring.

use super::entry::StreamEntry;

/// A question to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The newest entries before a key, or of all, newest first.
    Before { key: Option<u128>, count: usize },
    /// The entries from a key on, oldest first.
    From { key: u128, count: usize },
    /// Whether an entry comes after a key within some time.
    Wait { after: u128 },
    /// Appends a mark to the empty stream, to have a place.
    Begin,
    /// Appends a mark that something after `from` is lost, unless there is a mark after `after`.
    Lost { from: u128, after: u128 },
}

/// Its answer.
#[derive(Debug)]
pub(super) enum Reply {
    Entries(Vec<StreamEntry>),
    /// The wait is over, for whatever reason.
    Woken,
    /// Whether the mark was appended.
    Marked(bool),
    /// The user may not append.
    Forbidden,
}

/// What to do with the ring.
#[derive(Debug)]
pub(super) enum Act {
    /// Drop it. All subscribers end, reconnect, and wait until it begins again.
    Cut,
    /// Begin it after a key, with these entries.
    Begin {
        after: u128,
        entries: Vec<StreamEntry>,
    },
    Append(Vec<StreamEntry>),
}
