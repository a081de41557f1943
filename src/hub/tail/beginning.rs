use super::tail::Tail;
use super::tail_event::TailEvent;
use crate::hub::HubBuilder;
use crate::hub::core::{Draft, State, Wakes};
use crate::hub::epoch::Epoch;

impl HubBuilder {
    /// Begins where an earlier life of the hub ended, with what it has [left](crate::hub::Hub::tail): its
    /// [epoch](Self::epoch), its numbers, what it retained, and what it had lost. IDs from before
    /// then resume.
    ///
    /// The other settings are those of this builder, and what they retain less of is lost, and known to
    /// be. IDs from before are known if they are read as they were written: with the same epoch (which
    /// [`epoch`](Self::epoch) changes if it comes later), and the same key where they are sealed. With
    /// [`keep_event_ids`](Self::keep_event_ids) the events' own IDs are found again.
    ///
    /// ```
    /// use tower_sse::Event;
    /// use tower_sse::hub::{Hub, Outcome};
    ///
    /// let hub = Hub::new();
    /// let kick_off = hub.publish(Event::new("kick-off"));
    /// hub.publish(Event::new("goal"));
    /// hub.close();
    ///
    /// let hub = Hub::builder().tail(hub.tail()).build();
    /// assert_eq!(hub.resume(kick_off)?.outcome(), Outcome::Resumed(1));
    /// # Ok::<(), tower_sse::hub::Refused>(())
    /// ```
    pub fn tail(self, tail: Tail) -> Self {
        self.begin_with(tail)
    }
}

impl Tail {
    /// Lets a hub begin that has these IDs.
    pub(in crate::hub) fn begin(self, state: &mut State, epoch: &Epoch, keep_event_ids: bool) {
        // What is dropped here was never shared with anybody.
        let mut wakes = Wakes::default();
        state.begin(
            self,
            |event| draft(event, epoch, keep_event_ids),
            &mut wakes,
        );
    }
}

/// The event with the ID that it had, if that is this hub's, or its own and that counts here.
fn draft(event: &TailEvent, epoch: &Epoch, keep_event_ids: bool) -> Draft {
    let number = event.number();
    let id = event.id().filter(|id| !id.is_empty());
    let place = id.as_ref().and_then(|id| epoch.parse(id.as_str()));
    let own = id.filter(|_| keep_event_ids && event.key().is_none() && place.is_none());
    let draft = match own {
        Some(id) => Draft::with_id(event.block(), id),
        None if place == Some(number) => Draft::with_number(event.block(), number, None),
        None => Draft::with_number(event.block_as(&epoch.id(number)), number, None),
    };
    match event.key_shared() {
        Some(key) => draft.with_key(key),
        None => draft,
    }
}
