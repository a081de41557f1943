use std::collections::BTreeMap;
use std::sync::Arc;

use super::invalid_tail::{Flaw, InvalidTail};
use super::tail_event::TailEvent;

/// The maximum number of the next event: more than any hub reaches.
const MAX_NEXT: u64 = 1 << 62;

/// The state that a hub leaves to its next life: [`Hub::tail`](crate::hub::Hub::tail) and
/// [`HubBuilder::tail`](crate::hub::HubBuilder::tail).
///
/// It holds the hub's epoch, the number of the next event, the known losses of each topic, and the
/// retained events. The program stores it in a format of its choice, for instance as lines of JSON:
///
/// ```
/// use serde_json::{Value, json};
/// use tower_sse::Event;
/// use tower_sse::hub::{Hub, InvalidTail, Outcome, Tail, TailEvent};
///
/// fn store(tail: &Tail) -> String {
///     let head = json!({
///         "epoch": tail.epoch(),
///         "next": tail.next_number(),
///         "complete": tail.is_complete(),
///         "lost_elsewhere": tail.lost_elsewhere(),
///     });
///     let mut lines = format!("{head}\n");
///     for (topic, number) in tail.lost() {
///         lines += &format!("{}\n", json!({ "lost": number, "topic": topic }));
///     }
///     for event in tail.events() {
///         let wire = String::from_utf8(event.wire().into()).unwrap_or_default();
///         let line = json!({ "number": event.number(), "topic": event.topic(), "wire": wire });
///         lines += &format!("{line}\n");
///     }
///     lines
/// }
///
/// fn load(lines: &str) -> Result<Tail, InvalidTail> {
///     let mut lines = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_default());
///     let head: Value = lines.next().unwrap_or_default();
///     let number = |line: &Value, name: &str| line[name].as_u64().unwrap_or(0);
///     let mut tail = Tail::new(number(&head, "epoch"), number(&head, "next"))?
///         .with_complete(head["complete"] == true)
///         .with_lost_elsewhere(number(&head, "lost_elsewhere"))?;
///     for line in lines {
///         let topic = line["topic"].as_str().unwrap_or_default();
///         match line["wire"].as_str() {
///             Some(wire) => tail.push(TailEvent::new(number(&line, "number"), topic, wire)?)?,
///             None => tail.push_lost(topic, number(&line, "lost"))?,
///         }
///     }
///     Ok(tail)
/// }
///
/// let hub = Hub::builder().retain_events(2).build();
/// let ids = ["kick-off", "goal", "half-time"].map(|data| hub.publish(Event::new(data)));
/// hub.close();
/// let file = store(&hub.tail());
///
/// let hub = Hub::builder().tail(load(&file)?).build();
/// let outcomes = ids.map(|id| hub.resume(id).map(|subscription| subscription.outcome()));
/// assert_eq!(outcomes[0].as_ref().ok(), Some(&Outcome::Resumed(2)));
/// assert_eq!(outcomes[2].as_ref().ok(), Some(&Outcome::Resumed(0)));
/// # Ok::<(), InvalidTail>(())
/// ```
///
/// Where events have a [key](TailEvent::key), expire at an [age](TailEvent::published) or
/// [finish](TailEvent::is_last) their topic, store that too.
///
/// # Complete or not
///
/// A tail is complete if the hub was [closed](crate::hub::Hub::close) when the tail was taken: no
/// client has seen events beyond it. A tail taken from an open hub, in order to survive a crash,
/// may be older than what clients have seen. A hub that begins with such a tail tells each earlier
/// client of a gap, and then replays what is retained. Its numbers continue far higher, from a
/// value based on the current time, so no ID issued after the tail was taken denotes one of its own
/// events, even if several hubs begin with the same tail.
///
/// A complete tail is no longer complete once a hub has begun with it: delete the stored one, or
/// store it as [not complete](Self::with_complete).
#[derive(Debug, Clone)]
pub struct Tail {
    epoch: u64,
    next: u64,
    complete: bool,
    /// Any topic not in the list has lost its events before this one.
    floor: u64,
    losses: BTreeMap<Arc<str>, u64>,
    events: Vec<TailEvent>,
}

impl Tail {
    /// Creates an empty tail of this epoch, with nothing lost, and not complete.
    ///
    /// # Errors
    ///
    /// If the number of the next event is 0, or above 2^62.
    ///
    /// ```
    /// # use tower_sse::hub::Tail;
    /// let tail = Tail::new(36, 8)?;
    /// assert_eq!((tail.epoch(), tail.next_number()), (36, 8));
    /// assert!(Tail::new(36, u64::MAX).is_err());
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    pub fn new(epoch: u64, next_number: u64) -> Result<Self, InvalidTail> {
        if !(1..=MAX_NEXT).contains(&next_number) {
            return Err(InvalidTail::new(next_number, Flaw::NextNumber));
        }
        Ok(Self {
            epoch,
            next: next_number,
            complete: false,
            floor: 0,
            losses: BTreeMap::new(),
            events: Vec::new(),
        })
    }

    /// Sets whether the tail is complete: no client has seen more than this.
    ///
    /// ```
    /// # use tower_sse::hub::Tail;
    /// assert!(Tail::new(36, 8)?.with_complete(true).is_complete());
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    #[must_use]
    pub fn with_complete(self, complete: bool) -> Self {
        Self { complete, ..self }
    }

    /// Sets the number up to which topics without [known losses](Self::push_lost) may have lost
    /// events; 0 for none.
    ///
    /// # Errors
    ///
    /// If no event with that number has been published yet.
    ///
    /// ```
    /// # use tower_sse::hub::Tail;
    /// assert_eq!(Tail::new(36, 8)?.with_lost_elsewhere(3)?.lost_elsewhere(), 3);
    /// assert!(Tail::new(36, 8)?.with_lost_elsewhere(8).is_err());
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    pub fn with_lost_elsewhere(self, number: u64) -> Result<Self, InvalidTail> {
        let floor = self.lost_to(number)?;
        Ok(Self { floor, ..self })
    }

    /// Records that a topic has lost events, the last of them with this number. The number 0
    /// records that it has lost none, although other topics [may have](Self::lost_elsewhere).
    ///
    /// # Errors
    ///
    /// If no event with that number has been published yet.
    ///
    /// ```
    /// # use tower_sse::hub::Tail;
    /// let mut tail = Tail::new(36, 8)?;
    /// tail.push_lost("chat", 5)?;
    /// assert!(tail.lost().eq([("chat", 5)]));
    /// assert!(tail.push_lost("chat", 8).is_err());
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    pub fn push_lost(
        &mut self,
        topic: impl Into<Arc<str>>,
        number: u64,
    ) -> Result<(), InvalidTail> {
        let lost_to = self.lost_to(number)?;
        let known = self.losses.entry(topic.into()).or_default();
        *known = lost_to.max(*known);
        Ok(())
    }

    /// Appends an event, which must be newer than all others.
    ///
    /// # Errors
    ///
    /// If its number is not above that of the last event and below that of the next. The tail is
    /// then unchanged.
    ///
    /// ```
    /// # use tower_sse::hub::{Tail, TailEvent};
    /// let mut tail = Tail::new(36, 8)?;
    /// let event = |number| TailEvent::new(number, "chat", "id: 10-7\ndata: x\n\n");
    /// tail.push(event(7)?)?;
    /// assert_eq!(tail.push(event(7)?).unwrap_err().to_string(), "event 7 comes after event 7");
    /// assert_eq!(tail.push(event(8)?).unwrap_err().number(), 8);
    /// assert_eq!(tail.events().len(), 1);
    /// # Ok::<(), tower_sse::hub::InvalidTail>(())
    /// ```
    pub fn push(&mut self, event: TailEvent) -> Result<(), InvalidTail> {
        let number = event.number();
        let last = self.events.last().map_or(0, TailEvent::number);
        if number <= last {
            return Err(InvalidTail::new(number, Flaw::Order(last)));
        }
        self.lost_to(number)?;
        self.events.push(event);
        Ok(())
    }

    /// Returns the epoch, which distinguishes the hub's IDs from those of others.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::builder().epoch(36).build().tail().epoch(), 36);
    /// ```
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Returns the number of the next event.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.publish(Event::new("x"));
    /// assert_eq!(hub.tail().next_number(), 2);
    /// ```
    #[must_use]
    pub fn next_number(&self) -> u64 {
        self.next
    }

    /// Returns `true` if the hub was closed, so that no client has seen more than this.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// let hub = Hub::new();
    /// assert!(!hub.tail().is_complete());
    /// hub.close();
    /// assert!(hub.tail().is_complete());
    /// ```
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the number up to which topics without [known losses](Self::lost) may have lost
    /// events; 0 for none.
    ///
    /// ```
    /// # use tower_sse::hub::Hub;
    /// assert_eq!(Hub::new().tail().lost_elsewhere(), 0);
    /// ```
    #[must_use]
    pub fn lost_elsewhere(&self) -> u64 {
        self.floor.saturating_sub(1)
    }

    /// Returns the topics whose losses are known, each with the number of the last lost event; 0
    /// for none.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::builder().retain_events(1).build();
    /// (0..3).for_each(|n| _ = hub.topic("chat").publish(Event::display(n).unwrap()));
    /// assert!(hub.tail().lost().eq([("chat", 2)]));
    /// ```
    pub fn lost(&self) -> impl Iterator<Item = (&str, u64)> {
        let losses = self.losses.iter();
        losses.map(|(topic, lost_to)| (&**topic, lost_to.saturating_sub(1)))
    }

    /// Returns the retained events, oldest first.
    ///
    /// ```
    /// # use tower_sse::{Event, hub::Hub};
    /// let hub = Hub::new();
    /// hub.publish(Event::new("x"));
    /// hub.publish_transient(Event::new("y"));
    /// assert_eq!(hub.tail().events().len(), 1);
    /// ```
    #[must_use]
    pub fn events(&self) -> &[TailEvent] {
        &self.events
    }
}

impl Tail {
    /// The tail of a hub.
    pub(in crate::hub) fn left(
        epoch: u64,
        next: u64,
        complete: bool,
        floor: u64,
        losses: BTreeMap<Arc<str>, u64>,
        events: Vec<TailEvent>,
    ) -> Self {
        Self {
            epoch,
            next,
            complete,
            floor,
            losses,
            events,
        }
    }

    /// The floor, the known losses by topic, and the events.
    pub(in crate::hub) fn into_parts(self) -> (u64, BTreeMap<Arc<str>, u64>, Vec<TailEvent>) {
        (self.floor, self.losses, self.events)
    }

    /// The place after an event that was published, or 0 for none.
    fn lost_to(&self, number: u64) -> Result<u64, InvalidTail> {
        match number {
            0 => Ok(0),
            number if number < self.next => Ok(number + 1),
            _ => Err(InvalidTail::new(number, Flaw::NotYet(self.next))),
        }
    }
}
