use std::sync::Arc;

use super::message::Beside;
use crate::protocol::value::EventId;

/// Up to how many bytes an ID is short.
const SHORT: usize = 64;

/// The last event ID, at most [`EventId::MAX_LEN`] bytes long, kept where setting it costs one copy and
/// giving it away costs none.
#[derive(Debug, Clone, Default)]
pub(super) struct LastId {
    text: String,
    /// The same, once it has been given away; an ID that stays is shared by all events after it,
    /// however long it is.
    shared: Option<Arc<Beside>>,
}

impl LastId {
    #[inline]
    pub(super) fn set(&mut self, text: &str) {
        self.shared = None;
        self.text.clear();
        self.text.push_str(text);
    }

    pub(super) fn set_repaired(&mut self, text: &[u8]) {
        self.set(&String::from_utf8_lossy(text));
    }

    #[inline]
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// The ID, if a copy costs less than to [`share`](Self::share) it.
    #[inline]
    pub(super) fn short(&self) -> Option<&str> {
        (self.text.len() <= SHORT).then_some(&self.text)
    }

    pub(super) fn get(&self) -> EventId {
        EventId::copy_checked(self.text.as_bytes())
    }

    /// The ID to give away; `None` if it is empty.
    #[inline]
    pub(super) fn share(&mut self) -> Option<Arc<Beside>> {
        if self.text.is_empty() {
            return None;
        }
        let text = &self.text;
        let shared = self
            .shared
            .get_or_insert_with(|| Arc::new(Beside::earlier_id(text)));
        Some(shared.clone())
    }
}
