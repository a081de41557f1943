use std::sync::Arc;

use super::message::Beside;
use crate::protocol::value::EventId;

/// The maximum length of a short ID in bytes.
const SHORT: usize = 64;

/// The last event ID, of at most [`EventId::MAX_LEN`] bytes. Setting it costs one copy, and giving
/// it away none.
#[derive(Debug, Clone, Default)]
pub(super) struct LastId {
    text: String,
    /// The same ID, once it has been given away. All later events without an ID of their own share
    /// it, whatever its length.
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

    /// The ID, if copying it costs less than [sharing](Self::share) it.
    #[inline]
    pub(super) fn short(&self) -> Option<&str> {
        (self.text.len() <= SHORT).then_some(&self.text)
    }

    pub(super) fn get(&self) -> EventId {
        EventId::copy_checked(self.text.as_bytes())
    }

    /// The ID in a shared form; `None` if it is empty.
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
