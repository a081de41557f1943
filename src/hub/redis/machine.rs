//! What the reader of the stream asks, and what it makes of the answers. It knows no connection and no
//! lock, so that a test can be Redis.

use super::entry::StreamEntry;

/// How many entries a batch has at most, and how many bytes it aims at.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 256 * 1024;

/// Among how many entries before a loss one is looked for that the ring knows.
const SHARED: usize = 100;

/// How often a mark is appended only if nothing has come since the stream was last read.
const TRIES: usize = 3;

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
    /// Appends a mark that something after a key is lost; if `newest` is there, only while that is the
    /// newest entry.
    Lost { from: u128, newest: Option<u128> },
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

/// An entry that is to be there the next time.
#[derive(Debug, Clone, Copy)]
struct Tip {
    key: u128,
    print: u64,
}

impl Tip {
    fn of(entry: &StreamEntry) -> Self {
        Self {
            key: entry.key(),
            print: entry.print,
        }
    }

    fn is(self, entry: &StreamEntry) -> bool {
        (self.key, self.print) == (entry.key(), entry.print)
    }
}

/// A mark that has been appended: after this entry, and from where nothing was lost before.
#[derive(Debug, Clone, Copy)]
struct Owed {
    at: Tip,
    from: u128,
}

#[derive(Debug)]
enum Doing {
    /// Reads the newest part, backwards: newest first. A mark that is owed has to be in it.
    Fill {
        got: Vec<StreamEntry>,
        bytes: usize,
        owed: Option<Owed>,
    },
    /// The stream is empty.
    Begin,
    /// Follows; `quiet` if nothing came after the last entry when it was last seen.
    Follow {
        last: Tip,
        quiet: bool,
    },
    /// The last entry is gone. What is there from before it?
    Older {
        last: Tip,
    },
    /// The tail is lost. Is there a mark of that already, after the newest entry that was seen? `from` is
    /// the last place from which nothing is lost.
    Scan {
        at: Tip,
        from: u128,
        tries: usize,
    },
    Mark {
        at: Tip,
        from: u128,
        tries: usize,
    },
}

/// How the ring is filled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

/// The reader's course.
#[derive(Debug)]
pub(super) struct Machine {
    depth: Depth,
    phase: Doing,
    /// Whether the ring has begun.
    has_ring: bool,
    /// The mean size of an entry, as of late.
    mean: usize,
    /// How often the stream was found to have lost what it had.
    pub(super) losses: u64,
}

impl Machine {
    pub(super) fn new(depth: Depth) -> Self {
        Self {
            depth,
            phase: Doing::fill(None),
            has_ring: false,
            mean: 1024,
            losses: 0,
        }
    }

    /// Whether nothing came after what was read last, when that was seen.
    pub(super) fn is_quiet(&self) -> bool {
        matches!(self.phase, Doing::Follow { quiet: true, .. })
    }

    /// The key of what was read last.
    #[cfg(test)]
    pub(super) fn tip(&self) -> Option<u128> {
        match self.phase {
            Doing::Follow { last, .. } => Some(last.key),
            _ => None,
        }
    }

    pub(super) fn ask(&self) -> Ask {
        let count = (BATCH_BYTES / self.mean.max(1)).clamp(16, BATCH);
        match &self.phase {
            Doing::Fill { got, .. } => Ask::Before {
                key: got.last().map(StreamEntry::key),
                count,
            },
            Doing::Begin => Ask::Begin,
            Doing::Follow { last, quiet: true } => Ask::Wait { after: last.key },
            Doing::Follow { last, .. } => Ask::From {
                key: last.key,
                count: count + 1,
            },
            Doing::Older { last } => Ask::Before {
                key: Some(last.key),
                count: SHARED,
            },
            Doing::Scan { at, .. } => Ask::From {
                key: at.key,
                count: count + 1,
            },
            Doing::Mark { at, from, tries } => Ask::Lost {
                from: *from,
                newest: (*tries < TRIES).then_some(at.key),
            },
        }
    }

    /// The connection is lost, or there is no good answer: what was asked last is asked again, and
    /// whether the last entry is still there.
    pub(super) fn fail(&mut self) {
        self.phase = match std::mem::replace(&mut self.phase, Doing::Begin) {
            Doing::Fill { owed, .. } => Doing::fill(owed),
            Doing::Begin => Doing::fill(None),
            Doing::Follow { last, .. } => Doing::Follow { last, quiet: false },
            Doing::Older { last } if self.has_ring => Doing::Follow { last, quiet: false },
            // It may have been appended.
            Doing::Mark { at, from, tries } => Doing::Scan { at, from, tries },
            other => other,
        };
    }

    /// The ring cannot take what was read.
    pub(super) fn begin_again(&mut self) -> Act {
        self.phase = Doing::fill(None);
        self.has_ring = false;
        Act::Cut
    }

    /// `knows` says whether the ring has had the entry with a key, as far as it can tell.
    pub(super) fn answer(&mut self, reply: Reply, knows: impl Fn(u128) -> bool) -> Vec<Act> {
        let phase = std::mem::replace(&mut self.phase, Doing::Begin);
        let (phase, acts) = match (phase, reply) {
            (Doing::Fill { got, bytes, owed }, Reply::Entries(entries)) => {
                self.fill(got, bytes, owed, entries)
            }
            // Who may not write can tell nobody.
            (Doing::Begin, Reply::Marked(_)) | (Doing::Mark { .. }, Reply::Forbidden) => {
                (Doing::fill(None), Vec::new())
            }
            (Doing::Follow { last, .. }, Reply::Entries(entries)) => self.follow(last, entries),
            (Doing::Follow { last, .. }, Reply::Woken) => {
                (Doing::Follow { last, quiet: false }, Vec::new())
            }
            (Doing::Older { last }, Reply::Entries(entries)) => self.lose(last, &entries, knows),
            (Doing::Scan { at, from, tries }, Reply::Entries(entries)) => {
                (self.scan(at, from, tries, &entries), Vec::new())
            }
            (Doing::Mark { at, from, .. }, Reply::Marked(true)) => {
                (Doing::fill(Some(Owed { at, from })), Vec::new())
            }
            (Doing::Mark { at, from, tries }, Reply::Marked(false)) => {
                let tries = tries + 1;
                (Doing::Scan { at, from, tries }, Vec::new())
            }
            (phase, _) => {
                self.phase = phase;
                self.fail();
                return Vec::new();
            }
        };
        self.phase = phase;
        acts
    }

    fn fill(
        &mut self,
        mut got: Vec<StreamEntry>,
        mut bytes: usize,
        owed: Option<Owed>,
        entries: Vec<StreamEntry>,
    ) -> (Doing, Vec<Act>) {
        self.measure(&entries);
        let is_all = entries.is_empty();
        for entry in entries {
            bytes += entry.size;
            got.push(entry);
        }
        let Some(newest) = got.first() else {
            return (Doing::Begin, Vec::new());
        };
        let last = Tip::of(newest);
        // What is before a loss is not to be gone over in silence.
        let loss = got.iter().position(StreamEntry::is_loss);
        let is_full = got.len() > self.depth.events || bytes > self.depth.bytes;
        if loss.is_none() && !is_all && !is_full {
            return (Doing::Fill { got, bytes, owed }, Vec::new());
        }
        let marked = loss.map_or(0, |at| got[at].key());
        if let Some(Owed { at, from }) = owed.filter(|owed| marked <= owed.at.key) {
            // The mark is further back, or has been lost as well.
            let tries = TRIES;
            return (Doing::Scan { at, from, tries }, Vec::new());
        }
        let after = match loss {
            Some(at) => {
                let after = got[at].key();
                got.truncate(at);
                after
            }
            // Nothing is between the oldest entry and the key before it.
            None if is_all => got
                .last()
                .map_or(0, |oldest| oldest.key().saturating_sub(1)),
            None => got.pop().map_or(0, |oldest| oldest.key()),
        };
        got.reverse();
        self.has_ring = true;
        let act = Act::Begin {
            after,
            entries: got,
        };
        (Doing::Follow { last, quiet: false }, vec![act])
    }

    fn follow(&mut self, last: Tip, entries: Vec<StreamEntry>) -> (Doing, Vec<Act>) {
        if !entries.first().is_some_and(|first| last.is(first)) {
            return (Doing::Older { last }, Vec::new());
        }
        let newest = entries.last().map_or(last, Tip::of);
        let is_quiet = entries.len() <= 1;
        self.measure(&entries);
        let mut acts = Vec::new();
        let mut batch = Vec::with_capacity(entries.len());
        for entry in entries.into_iter().skip(1) {
            if !entry.is_loss() {
                batch.push(entry);
                continue;
            }
            if !batch.is_empty() {
                acts.push(Act::Append(std::mem::take(&mut batch)));
            }
            // Those that pass are told by reading it.
            acts.push(Act::Cut);
            acts.push(Act::Begin {
                after: entry.key(),
                entries: Vec::new(),
            });
        }
        if !batch.is_empty() {
            acts.push(Act::Append(batch));
        }
        let phase = Doing::Follow {
            last: newest,
            quiet: is_quiet,
        };
        (phase, acts)
    }

    /// The last entry is gone, and these are from before it, newest first.
    fn lose(
        &mut self,
        last: Tip,
        older: &[StreamEntry],
        knows: impl Fn(u128) -> bool,
    ) -> (Doing, Vec<Act>) {
        let had_ring = std::mem::replace(&mut self.has_ring, false);
        let acts = had_ring.then_some(Act::Cut).into_iter().collect();
        self.losses += u64::from(had_ring);
        let Some(oldest) = older.last() else {
            // Trimmed past, or flushed: no client's ID is there any more, and each is told by that.
            return (Doing::fill(None), acts);
        };
        let shared = older
            .iter()
            .position(|entry| !had_ring || knows(entry.key()));
        // Without such an entry all that is certain is that what was read last is gone.
        let at = shared.map_or(oldest, |at| &older[at]);
        let from = shared.map_or(last.key, |_| at.key());
        let newer = &older[..shared.unwrap_or(older.len())];
        if newer.iter().any(|entry| entry.tells_of_loss(from)) {
            return (Doing::fill(None), acts);
        }
        let phase = Doing::Scan {
            at: Tip::of(at),
            from,
            tries: 0,
        };
        (phase, acts)
    }

    fn scan(&mut self, at: Tip, from: u128, tries: usize, entries: &[StreamEntry]) -> Doing {
        let Some((_, entries)) = entries.split_first().filter(|(first, _)| at.is(first)) else {
            return Doing::Older { last: at };
        };
        if entries.iter().any(|entry| entry.tells_of_loss(from)) {
            return Doing::fill((tries < TRIES).then_some(Owed { at, from }));
        }
        match entries.last() {
            Some(newest) => {
                let at = Tip::of(newest);
                Doing::Scan { at, from, tries }
            }
            None => Doing::Mark { at, from, tries },
        }
    }

    fn measure(&mut self, entries: &[StreamEntry]) {
        if !entries.is_empty() {
            let sum: usize = entries.iter().map(|entry| entry.size).sum();
            self.mean = (3 * self.mean + sum / entries.len()) / 4;
        }
    }
}

impl Doing {
    fn fill(owed: Option<Owed>) -> Self {
        Self::Fill {
            got: Vec::new(),
            bytes: 0,
            owed,
        }
    }
}
