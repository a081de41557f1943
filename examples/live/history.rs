//! The last events, kept for those who come back. A few lines stand in for the crate's hub here.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tower_sse::{Block, Event, EventId, EventType};

/// A bounded log of encoded events, numbered without a hole.
pub(crate) struct History {
    /// In every ID before the number. An ID from before a restart is then known to be unknown,
    /// where a bare number would be taken for a place in this log, and events silently lost.
    epoch: String,
    log: Mutex<Log>,
    /// The number of the newest event; readers wait on it.
    newest: watch::Sender<u64>,
}

struct Log {
    blocks: VecDeque<Block>,
    keep: usize,
    /// The number of the oldest event kept.
    oldest: u64,
    /// Where readers begin who have seen nothing yet.
    chapter: u64,
}

impl History {
    pub(crate) fn new(keep: usize) -> Self {
        let time = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            epoch: format!("{:08x}", time.as_millis() & 0xffff_ffff),
            log: Mutex::new(Log {
                blocks: VecDeque::with_capacity(keep),
                keep,
                oldest: 1,
                chapter: 1,
            }),
            newest: watch::Sender::new(0),
        }
    }

    /// Numbers the event, encodes it once, and shows the same bytes to every reader.
    pub(crate) fn publish(&self, event: Event) {
        let mut log = self.log();
        let number = *self.newest.borrow() + 1;
        let id = EventId::try_from(format!("{}-{number}", self.epoch))
            .expect("an ID of hexadecimal digits, a hyphen and a number is one");
        if log.blocks.len() == log.keep {
            log.blocks.pop_front();
            log.oldest += 1;
        }
        log.blocks.push_back(event.with_id(id).encode());
        self.newest.send_replace(number);
    }

    /// Whoever comes without an ID begins with the next event.
    pub(crate) fn begin_chapter(&self) {
        let mut log = self.log();
        log.chapter = *self.newest.borrow() + 1;
    }

    /// Reads on after the event with this ID.
    pub(crate) fn read(self: Arc<Self>, last: Option<&str>) -> Reader {
        let newest = self.newest.subscribe();
        let chapter = self.log().chapter;
        let (next, reset) = match last {
            None => (chapter, None),
            Some(id) => match self.number(id) {
                Some(number) => (number + 1, None),
                None => (chapter, Some(reset("unknown"))),
            },
        };
        Reader {
            history: self,
            newest,
            next,
            reset,
        }
    }

    /// The number in an ID that this log has given out.
    fn number(&self, id: &str) -> Option<u64> {
        let number = id.strip_prefix(&self.epoch)?.strip_prefix('-')?;
        let number = number.parse().ok()?;
        (number <= *self.newest.borrow()).then_some(number)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the log. However many readers there are, the events are there once.
pub(crate) struct Reader {
    history: Arc<History>,
    newest: watch::Receiver<u64>,
    next: u64,
    reset: Option<Block>,
}

impl Reader {
    /// The next event, as soon as there is one. May be dropped and called again: nothing is lost.
    pub(crate) async fn next(&mut self) -> Block {
        loop {
            if let Some(block) = self.ready() {
                return block;
            }
            // The sender lives in the history that this reader holds, so this cannot fail.
            let _ = self.newest.wait_for(|newest| *newest >= self.next).await;
        }
    }

    fn ready(&mut self) -> Option<Block> {
        if let Some(block) = self.reset.take() {
            return Some(block);
        }
        let log = self.history.log();
        let Some(index) = self.next.checked_sub(log.oldest) else {
            self.next = log.chapter.max(log.oldest);
            return Some(reset("gap"));
        };
        let block = log.blocks.get(usize::try_from(index).ok()?)?;
        self.next += 1;
        Some(block.clone())
    }
}

/// Tells the page to start over: what follows does not join on to what it has. It has no ID, so
/// that it moves no one's place.
fn reset(reason: &str) -> Block {
    Event::new(format!("{{\"reason\":\"{reason}\"}}"))
        .with_type(EventType::from_static("reset"))
        .encode()
}
