use super::slots::Slots;
use super::topic_state::TopicState;

/// The topics, ordered by the bytes they retain, to decide which topic loses an event when the hub
/// holds too many bytes.
///
/// The oldest event of all is evicted, unless its topic holds far less than the largest topic. In
/// that case the largest topic loses its oldest event instead. So noisy topics do not displace
/// quiet ones, and among topics of similar size the stalest events are evicted.
///
/// Topics are kept in lists by the power of two below their bytes. The first topic of a list has
/// been in it the longest.
#[derive(Debug)]
pub(super) struct Shares {
    lists: [List; CLASSES],
    /// A bit for each list that is not empty.
    used: u64,
}

const CLASSES: usize = 64;

/// A topic is spared if the largest topic is at least this many classes above it.
const SPARED: u8 = 4;

#[derive(Debug, Clone, Copy)]
struct List {
    first: usize,
    last: usize,
}

/// A topic's neighbours in its list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share {
    class: Option<u8>,
    before: usize,
    after: usize,
}

const NONE: usize = usize::MAX;

impl Share {
    pub(super) const fn new() -> Self {
        Self {
            class: None,
            before: NONE,
            after: NONE,
        }
    }

    #[inline]
    pub(super) fn is_for(&self, bytes: usize) -> bool {
        self.class == class_of(bytes)
    }
}

#[inline]
fn class_of(bytes: usize) -> Option<u8> {
    bytes
        .checked_ilog2()
        .and_then(|class| u8::try_from(class).ok())
}

impl Shares {
    pub(super) fn new() -> Self {
        let none = List {
            first: NONE,
            last: NONE,
        };
        Self {
            lists: [none; CLASSES],
            used: 0,
        }
    }

    /// Moves a topic to the list for the bytes it now holds.
    pub(super) fn update(&mut self, topics: &mut Slots<TopicState>, slot: usize, bytes: usize) {
        let class = class_of(bytes);
        if topics[slot].share.class != class {
            self.unlink(topics, slot);
            self.link(topics, slot, class);
        }
    }

    fn unlink(&mut self, topics: &mut Slots<TopicState>, slot: usize) {
        let Share {
            class,
            before,
            after,
        } = topics[slot].share;
        let Some(class) = class else {
            return;
        };
        let list = &mut self.lists[usize::from(class)];
        match topics.get_mut(before) {
            Some(topic) => topic.share.after = after,
            None => list.first = after,
        }
        match topics.get_mut(after) {
            Some(topic) => topic.share.before = before,
            None => list.last = before,
        }
        if list.first == NONE {
            self.used &= !(1 << class);
        }
        topics[slot].share = Share::new();
    }

    fn link(&mut self, topics: &mut Slots<TopicState>, slot: usize, class: Option<u8>) {
        let Some(class) = class else {
            return;
        };
        let list = &mut self.lists[usize::from(class)];
        let before = std::mem::replace(&mut list.last, slot);
        match topics.get_mut(before) {
            Some(topic) => topic.share.after = slot,
            None => list.first = slot,
        }
        topics[slot].share = Share {
            class: Some(class),
            before,
            after: NONE,
        };
        self.used |= 1 << class;
    }

    /// Whether a topic holds far less than the largest topic.
    pub(super) fn is_spared(&self, topic: &TopicState) -> bool {
        let most = self.used.checked_ilog2().unwrap_or(0);
        topic
            .share
            .class
            .is_some_and(|class| u32::from(class + SPARED) <= most)
    }

    /// One of the largest topics, in rotation.
    pub(super) fn largest(&mut self, topics: &mut Slots<TopicState>) -> Option<usize> {
        let class = self.used.checked_ilog2()?;
        let List { first, last } = self.lists[class as usize];
        if first != last {
            let class = topics[first].share.class;
            self.unlink(topics, first);
            self.link(topics, first, class);
        }
        Some(first)
    }
}
