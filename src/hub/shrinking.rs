use super::shared::Shared;

impl Shared {
    /// Gives a topic's list of followers less memory, which is neither allocated nor freed under the
    /// lock.
    #[cold]
    pub(super) fn shrink_followers(&self, topic: usize) {
        let room = self.lock().room_for_followers(topic);
        if let Some(room) = room {
            let memory = Vec::with_capacity(room);
            let old = self.lock().move_followers(topic, memory);
            drop(old);
        }
    }
}
