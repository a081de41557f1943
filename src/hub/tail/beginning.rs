use super::tail::Tail;
use super::tail_event::TailEvent;
use crate::hub::HubBuilder;
use crate::hub::core::{Draft, State, Wakes};
use crate::hub::epoch::Epoch;

impl HubBuilder {
    /// Begins where an earlier life of the hub ended, with the [tail](crate::hub::Hub::tail) that
    /// it left: its [epoch](Self::epoch), its numbers, its retained events, and what it had lost.
    /// Clients can then resume with the IDs they have.
    ///
    /// All other settings are those of this builder. Events that they no longer retain count as
    /// lost. Earlier IDs are known if they are read as they were written: with the same epoch,
    /// which a later call of [`epoch`](Self::epoch) changes, and with the same key if they are
    /// sealed. With [`keep_event_ids`](Self::keep_event_ids), the events' own IDs are known again
    /// too.
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
    /// Fills the state of a hub that has these IDs.
    pub(in crate::hub) fn begin(self, state: &mut State, epoch: &Epoch, keep_event_ids: bool) {
        // Everything dropped here was never shared.
        let mut wakes = Wakes::default();
        state.begin(
            self,
            |event| draft(event, epoch, keep_event_ids),
            &mut wakes,
        );
    }
}

/// The event with the ID it had, if that is one of this hub's or an own ID that this hub keeps;
/// otherwise with a new one.
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
