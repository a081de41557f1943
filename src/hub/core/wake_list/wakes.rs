use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

use super::list::{SheetOut, WakeList};
use crate::hub::core::log::Entry;
use crate::protocol::Block;

/// Work for after the lock is released: tasks to wake, and values that may run user code when
/// dropped.
///
/// Each publish and nearly each poll creates one, so it is small: rarely used fields are boxed.
#[derive(Debug, Default)]
#[must_use]
pub(in crate::hub) struct Wakes {
    sheet: Option<SheetOut>,
    entry: Option<Entry>,
    rare: Option<Box<RareWakes>>,
}

#[derive(Debug, Default)]
struct RareWakes {
    sheets: Vec<SheetOut>,
    tasks: Vec<Waker>,
    /// Tasks to drop without waking them.
    gone: Vec<Waker>,
    entries: Vec<Entry>,
    blocks: Vec<Block>,
    #[cfg(feature = "compression")]
    others: Vec<std::sync::Arc<dyn std::any::Any + Send + Sync>>,
    emptied: Vec<Box<dyn Any + Send>>,
    /// The slot of a topic whose list of followers has far more memory than it needs.
    sparse: Option<usize>,
    /// The number of the notice before which all have to [spread](super::State::spread).
    until: Option<u64>,
}

impl Wakes {
    #[inline]
    pub(in crate::hub::core) fn take(&mut self, list: &mut WakeList, group: usize) {
        let sheet = list.take(group);
        match self.sheet {
            None => self.sheet = Some(sheet),
            Some(_) => self.rare().sheets.push(sheet),
        }
    }

    /// Wakes these tasks later.
    pub(in crate::hub::core) fn wake_later(&mut self, tasks: impl IntoIterator<Item = Waker>) {
        for task in tasks {
            self.rare().tasks.push(task);
        }
    }

    /// Drops these tasks later.
    pub(in crate::hub::core) fn drop_tasks(&mut self, tasks: impl IntoIterator<Item = Waker>) {
        for task in tasks {
            self.rare().gone.push(task);
        }
    }

    #[inline]
    pub(in crate::hub::core) fn drop_entry(&mut self, entry: Entry) {
        // Each published event may evict one, which must not cost an allocation.
        if self.entry.is_none() {
            self.entry = Some(entry);
        } else {
            self.rare().entries.push(entry);
        }
    }

    pub(in crate::hub::core) fn drop_block(&mut self, block: Block) {
        self.rare().blocks.push(block);
    }

    /// Drops something of which this may be the last reference.
    #[cfg(feature = "compression")]
    pub(in crate::hub::core) fn drop_later(
        &mut self,
        others: impl IntoIterator<Item = std::sync::Arc<dyn std::any::Any + Send + Sync>>,
    ) {
        for other in others {
            self.rare().others.push(other);
        }
    }

    /// Frees memory later.
    ///
    /// When many subscribers leave, glibc only notes the many small chunks of memory that are freed.
    /// It merges them all when 1 KiB or more is allocated next, or when a large chunk is freed. For
    /// 100,000 subscribers that takes 25 to 100 ms, so it must not happen under the lock:
    /// `benches/growth`, "longest wait", and `tests/integrations/lock`, "leaving".
    pub(in crate::hub::core) fn free_later<M: Send + 'static>(&mut self, emptied: Option<M>) {
        if let Some(emptied) = emptied {
            self.rare().emptied.push(Box::new(emptied));
        }
    }

    /// Gives a topic's list of followers [less memory](super::State::move_followers) later.
    pub(in crate::hub::core) fn shrink_later(&mut self, topic: usize) {
        self.rare().sparse = Some(topic);
    }

    pub(in crate::hub) fn sparse(&self) -> Option<usize> {
        self.rare.as_ref()?.sparse
    }

    /// Lets what was posted before this notice reach all groups after the lock is released.
    pub(in crate::hub::core) fn spread_until(&mut self, until: u64) {
        let before = &mut self.rare().until;
        *before = Some(before.map_or(until, |before| before.max(until)));
    }

    /// The number of the notice before which all have to [spread](super::State::spread).
    pub(in crate::hub) fn until(&self) -> Option<u64> {
        self.rare.as_ref()?.until
    }

    fn rare(&mut self) -> &mut RareWakes {
        self.rare.get_or_insert_default()
    }

    #[inline]
    pub(in crate::hub) fn has_tasks(&self) -> bool {
        self.sheet.is_some() || self.rare.is_some()
    }

    /// Wakes all, and then panics if one of them did.
    pub(in crate::hub) fn wake(&mut self) {
        let mut panicked = None;
        if let Some(rare) = &mut self.rare {
            let mut tasks = rare.tasks.drain(..);
            while let Err(panic) =
                catch_unwind(AssertUnwindSafe(|| tasks.by_ref().for_each(Waker::wake)))
            {
                panicked.get_or_insert(panic);
            }
        }
        for sheet in self.sheets() {
            while let Err(panic) = catch_unwind(AssertUnwindSafe(|| sheet.wake())) {
                panicked.get_or_insert(panic);
            }
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }

    pub(in crate::hub) fn sheets(&mut self) -> impl Iterator<Item = &mut SheetOut> {
        let more = self.rare.iter_mut().flat_map(|rare| &mut rare.sheets);
        self.sheet.iter_mut().chain(more)
    }
}
