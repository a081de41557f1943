use std::fmt;
use std::mem::ManuallyDrop;
use std::time::Duration;

use bytes::Bytes;

use super::block::Block;
use super::data::{Data, Repr};
use super::discard::discard;
use super::fields::{Fields, millis};
use super::into::{IntoData, IntoEventId, IntoEventType};
use crate::protocol::value::{EventId, EventType};

mod content;
mod lend;

use self::content::Content;
pub(super) use self::lend::Copies;

/// An event to send: data, and optionally a type, an ID, a reconnection time and a comment.
///
/// An invalid event cannot be built: untrusted text enters through [`EventId`], [`EventType`] and
/// [`Data`], which validate it once. Encoding therefore never fails. It makes one exactly sized
/// allocation, or none if a body gathers events in one frame, and writes each byte once. Clones
/// share text of 32 KiB or more; see [`Data`].
///
/// [`Event::comment`] and [`Event::retry`] create events without data, for which a browser
/// dispatches nothing.
///
/// ```
/// use std::time::Duration;
/// use tower_sse::Event;
///
/// let event = Event::new("1 : 0\nMüller, 12'")
///     .with_type("goal")
///     .with_id(42)
///     .with_retry(Duration::from_secs(2));
/// assert_eq!(
///     event.encode(),
///     "retry: 2000\nevent: goal\nid: 42\ndata: 1 : 0\ndata: Müller, 12'\n\n",
/// );
/// ```
#[derive(Clone)]
#[must_use = "an event does nothing until it is sent"]
pub struct Event {
    /// Dropped as a whole; see [`Event::drop`].
    content: ManuallyDrop<Content>,
}

impl Event {
    /// Creates an event with only this data, as a page's `onmessage` receives it.
    ///
    /// The text may be owned, borrowed or shared; [`Data`] lists the cost of each. A literal is
    /// copied like any borrowed text, but not with [`from_static`](Self::from_static).
    ///
    /// ```
    /// # use tower_sse::Event;
    /// assert_eq!(Event::new("hello").encode(), "data: hello\n\n");
    /// assert_eq!(Event::new(format!("{}\r\n", 7)).encode(), "data: 7\ndata: \n\n");
    /// assert_eq!(Event::new("").encode(), "data: \n\n");
    /// ```
    #[inline(always)]
    pub fn new(data: impl IntoData) -> Self {
        Self::of(Content {
            data: Some(data.into()),
            ..Content::EMPTY
        })
    }

    /// Creates an event from a literal, which is not copied before it is encoded; see
    /// [`Data::from_static`].
    ///
    /// ```
    /// # use tower_sse::Event;
    /// const BYE: Event = Event::from_static("back in a minute");
    /// assert_eq!(BYE.with_type("bye").encode(), "event: bye\ndata: back in a minute\n\n");
    /// ```
    pub const fn from_static(text: &'static str) -> Self {
        Self::of(Content {
            data: Some(Data::from_static(text)),
            id: None,
            event_type: None,
            rare: None,
        })
    }

    /// Creates an event from data that must be checked, such as `Bytes`, which may not be UTF-8.
    ///
    /// # Errors
    ///
    /// If the data is not UTF-8, with the position.
    ///
    /// ```
    /// # use bytes::Bytes;
    /// # use tower_sse::Event;
    /// assert_eq!(Event::try_new(Bytes::from("hello"))?.encode(), "data: hello\n\n");
    /// assert!(Event::try_new(b"\xff".to_vec()).is_err());
    /// # Ok::<(), tower_sse::InvalidText>(())
    /// ```
    pub fn try_new<T: TryInto<Data>>(data: T) -> Result<Self, T::Error> {
        let data: Data = data.try_into()?;
        Ok(Self::new(data))
    }

    /// Creates an event whose data is a value's `Display` output; see [`Data::display`].
    ///
    /// # Errors
    ///
    /// If the value's `Display` reports an error, that error.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// let borrowed = String::from("seven");
    /// assert_eq!(Event::display(&borrowed)?.encode(), "data: seven\n\n");
    /// # Ok::<(), std::fmt::Error>(())
    /// ```
    pub fn display(value: impl fmt::Display) -> Result<Self, fmt::Error> {
        Data::display(value).map(Self::new)
    }

    /// Creates an event whose data is a value as JSON; see [`Data::json`].
    ///
    /// # Errors
    ///
    /// If the value cannot be serialized, with the serializer's reason.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// assert_eq!(Event::json(&("2:1", true))?.encode(), "data: [\"2:1\",true]\n\n");
    /// # Ok::<(), tower_sse::JsonError>(())
    /// ```
    #[cfg(feature = "json")]
    #[inline(always)]
    pub fn json<T: serde::Serialize + ?Sized>(
        value: &T,
    ) -> Result<Self, crate::protocol::value::JsonError> {
        match Data::json(value) {
            Ok(data) => Ok(Self::new(data)),
            Err(error) => Err(error),
        }
    }

    /// Creates an event with only a comment, for people and proxies: browsers ignore it. Line
    /// breaks make several comment lines.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// assert_eq!(Event::comment("half-time").encode(), ": half-time\n\n");
    /// assert_eq!(Event::comment("two\nlines").encode(), ": two\n: lines\n\n");
    /// ```
    pub fn comment(text: impl Into<String>) -> Self {
        Self::empty().with_comment(text)
    }

    /// Creates an event with only a reconnection time: how long the client waits before it
    /// reconnects.
    ///
    /// The time is sent in whole milliseconds, rounded down, saturating at `u64::MAX`.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// use std::time::Duration;
    /// assert_eq!(Event::retry(Duration::from_millis(1_500)).encode(), "retry: 1500\n\n");
    /// ```
    pub fn retry(time: Duration) -> Self {
        Self::empty().with_retry(time)
    }

    pub(crate) const fn empty() -> Self {
        Self::of(Content::EMPTY)
    }

    const fn of(content: Content) -> Self {
        Self {
            content: ManuallyDrop::new(content),
        }
    }

    /// Sets the type, which the page listens for: a literal, an [`EventType`], or anything that
    /// implements [`Into<EventType>`].
    ///
    /// A literal is cut at its first line break, which a type cannot contain. Therefore this
    /// neither fails nor panics, even for text leaked at run time. To make a line break a compile
    /// error, write `const { EventType::from_static("card") }`. For text known only at run time,
    /// use [`try_with_type`](Self::try_with_type).
    ///
    /// ```
    /// # use tower_sse::{Event, EventType};
    /// assert_eq!(Event::new("x").with_type("card").encode(), "event: card\ndata: x\n\n");
    ///
    /// const CARD: EventType = EventType::from_static("card");
    /// assert_eq!(Event::new("x").with_type(CARD).event_type(), Some(&CARD));
    /// ```
    #[inline(always)]
    pub fn with_type(mut self, event_type: impl IntoEventType) -> Self {
        let event_type = event_type.into_event_type();
        discard(self.content.event_type.replace(event_type));
        self
    }

    /// Sets a type that is only known at run time, and checks it.
    ///
    /// # Errors
    ///
    /// If the type has a CR or LF.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// let topic = format!("match-{}", 7);
    /// let event = Event::new("x").try_with_type(topic)?;
    /// assert_eq!(event.encode(), "event: match-7\ndata: x\n\n");
    /// assert!(Event::new("x").try_with_type("two\nlines").is_err());
    /// # Ok::<(), tower_sse::InvalidText>(())
    /// ```
    #[inline(always)]
    pub fn try_with_type<T: TryInto<EventType>>(self, event_type: T) -> Result<Self, T::Error> {
        // Leaks the event if the conversion panics. If it were dropped there, too, the compiler would
        // no longer inline a helper that builds events. `benches/encode`, "typical, in branches",
        // `Event` in one chain: 36.4 ns, and 39.5 otherwise.
        let mut event = ManuallyDrop::new(self);
        match event_type.try_into() {
            Ok(event_type) => {
                discard(event.content.event_type.replace(event_type));
                Ok(ManuallyDrop::into_inner(event))
            }
            Err(error) => {
                discard(Some(ManuallyDrop::into_inner(event)));
                Err(error)
            }
        }
    }

    /// Sets the ID, an integer or an [`EventId`].
    ///
    /// ```
    /// # use tower_sse::{Event, EventId};
    /// assert_eq!(Event::new("x").with_id(7).encode(), "id: 7\ndata: x\n\n");
    /// assert_eq!(Event::new("x").with_id(EventId::EMPTY).encode(), "id: \ndata: x\n\n");
    /// ```
    #[inline(always)]
    pub fn with_id(mut self, id: impl IntoEventId) -> Self {
        discard(self.content.id.replace(id.into()));
        self
    }

    /// Sets an ID that is only known at run time, and checks it.
    ///
    /// # Errors
    ///
    /// If the ID has a NUL, CR or LF, or is longer than [`EventId::MAX_LEN`].
    ///
    /// ```
    /// # use tower_sse::Event;
    /// let event = Event::new("x").try_with_id(format!("match-{}", 7))?;
    /// assert_eq!(event.encode(), "id: match-7\ndata: x\n\n");
    /// assert!(Event::new("x").try_with_id("7\ndata: forged").is_err());
    /// # Ok::<(), tower_sse::InvalidText>(())
    /// ```
    #[inline(always)]
    pub fn try_with_id<T: TryInto<EventId>>(self, id: T) -> Result<Self, T::Error> {
        // As in `try_with_type`.
        let mut event = ManuallyDrop::new(self);
        match id.try_into() {
            Ok(id) => {
                discard(event.content.id.replace(id));
                Ok(ManuallyDrop::into_inner(event))
            }
            Err(error) => {
                discard(Some(ManuallyDrop::into_inner(event)));
                Err(error)
            }
        }
    }

    /// Sets a reconnection time; see [`Event::retry`].
    ///
    /// ```
    /// # use tower_sse::Event;
    /// use std::time::Duration;
    /// let event = Event::new("x").with_retry(Duration::MAX);
    /// assert_eq!(event.encode(), format!("retry: {}\ndata: x\n\n", u64::MAX).as_str());
    /// ```
    pub fn with_retry(mut self, time: Duration) -> Self {
        let rare = self.content.rare.get_or_insert_default();
        rare.retry = Some(millis(time));
        self
    }

    /// Sets a comment before the event; see [`Event::comment`].
    ///
    /// ```
    /// # use tower_sse::Event;
    /// assert_eq!(Event::new("x").with_comment("y").encode(), ": y\ndata: x\n\n");
    /// ```
    pub fn with_comment(mut self, text: impl Into<String>) -> Self {
        let rare = self.content.rare.get_or_insert_default();
        rare.comment = Some(text.into());
        self
    }

    /// Encodes the event, with one exactly sized allocation. A payload that is shared is not
    /// copied, and neither is data that is already encoded, such as JSON, if nothing precedes it.
    /// To keep the event, use `Block::from(&event)`.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// let block = Event::new("x").encode();
    /// assert_eq!(block.into_bytes(), "data: x\n\n");
    /// ```
    #[must_use]
    #[inline(always)]
    pub fn encode(self) -> Block {
        let mut event = ManuallyDrop::new(self);
        let (head, payload) = match event.data() {
            Some(Repr::Lines(_)) if event.content.is_only_data() => {
                let lines = event.content.data.take().and_then(Data::into_encoded);
                (lines.unwrap_or_default(), None)
            }
            Some(Repr::Lines(_) | Repr::Shared(_)) => {
                // Taken apart and put together, because what is returned in memory would keep the
                // pair of the other cases there.
                let (head, payload) = ManuallyDrop::into_inner(event).encode_apart();
                (head, payload)
            }
            _ => {
                let mut copies = Copies::default();
                let fields = event.fields_with(&mut copies);
                let head = fields.encoded();
                event.discard();
                (head, None)
            }
        };
        Block::new(head, payload)
    }

    /// Encodes an event whose data is shared, or already encoded but not all of the event.
    // Out of line and by value, so that the event above need not be in memory; see `discard`.
    // `benches/encode`, "typical, in branches": 42 ns, and 59 with an event by reference. "16 B",
    // `Event` of a `String`: 3 % more than the least work, and 13 % with shared data inline.
    #[inline(never)]
    fn encode_apart(self) -> (Box<[u8]>, Option<Bytes>) {
        Block::parts_of(&self.fields(), self.data())
    }

    /// Encodes the event with this ID, or none, in place of its own.
    pub(crate) fn encode_as(&self, id: Option<&EventId>) -> Block {
        let fields = Fields {
            id: id.map(EventId::piece),
            ..self.fields()
        };
        Block::of_fields(&fields, self.data())
    }

    /// Returns the event's ID, if it has one.
    ///
    /// ```
    /// # use tower_sse::{Event, EventId};
    /// assert_eq!(Event::new("x").with_id(7u64).id(), Some(&EventId::from(7u64)));
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<&EventId> {
        self.content.id.as_ref()
    }

    /// Returns the event's type, if it has one.
    ///
    /// ```
    /// # use tower_sse::Event;
    /// assert_eq!(Event::new("x").event_type(), None);
    /// ```
    #[must_use]
    pub fn event_type(&self) -> Option<&EventType> {
        self.content.event_type.as_ref()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Event");
        let rare = self.content.rare.as_ref();
        if let Some(comment) = rare.and_then(|rare| rare.comment.as_ref()) {
            debug.field("comment", comment);
        }
        if let Some(retry) = rare.and_then(|rare| rare.retry) {
            debug.field("retry", &retry);
        }
        if let Some(event_type) = &self.content.event_type {
            debug.field("event_type", event_type);
        }
        if let Some(id) = &self.content.id {
            debug.field("id", id);
        }
        if let Some(data) = &self.content.data {
            debug.field("data", data);
        }
        debug.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_lines_alone_are_not_copied() {
        let data = Data::lines(["a", "b"]);
        let Repr::Lines(lines) = data.repr() else {
            panic!("not encoded");
        };
        let lines = lines.as_ptr();
        let event = Event::new(data);
        assert_eq!(
            event.clone().with_id(7).encode(),
            "id: 7\ndata: a\ndata: b\n\n"
        );
        let bytes = event.encode().into_bytes();
        assert_eq!(bytes, "data: a\ndata: b\n\n");
        assert_eq!(bytes.as_ptr(), lines);
    }

    #[test]
    fn is_fourteen_words() {
        assert_eq!(size_of::<Event>(), 112);
        assert_eq!(size_of::<Option<Event>>(), 112);
    }
}
