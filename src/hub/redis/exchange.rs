//! The requests of the reader's state machine, the replies of Redis, and the resulting changes to
//! the ring.

use super::entry::StreamEntry;

/// A request to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Reads the newest entries before a key, or of the whole stream, newest first.
    Before { key: Option<u128>, count: usize },
    /// Reads the entries from a key on, oldest first.
    From { key: u128, count: usize },
    /// Reads the entries after a key, oldest first, and waits for one for a limited time.
    Wait { after: u128, count: usize },
    /// Reads the entry with this key, after a [wait](Self::Wait) for those that follow it.
    Confirm { key: u128 },
    /// Appends a mark to the empty stream, so that it has a place to begin at.
    Begin,
    /// Appends a mark that entries after `from` are lost, unless there is a mark after `after`.
    Lost { from: u128, after: u128 },
}

/// A reply to a request.
#[derive(Debug)]
pub(super) enum Reply {
    Entries(Vec<StreamEntry>),
    /// Whether the mark was appended.
    Marked(bool),
    /// The Redis user may not append entries.
    Forbidden,
}

/// A change to the ring.
#[derive(Debug)]
pub(super) enum Act {
    /// Drops the ring. All subscribers end, and wait after they reconnect until it begins again.
    Cut,
    /// Begins the ring after a key, with these entries.
    Begin {
        after: u128,
        entries: Vec<StreamEntry>,
    },
    Append(Vec<StreamEntry>),
}
