use super::Event;
use crate::protocol::encode::data::{Data, Repr};
use crate::protocol::encode::discard::discard;
use crate::protocol::encode::fields::{Fields, Payload};
use crate::protocol::value::{EventId, EventType, Words};

/// What is encoded of an event.
impl Event {
    #[inline]
    pub(in crate::protocol::encode) fn data(&self) -> Option<&Repr> {
        self.content.data.as_ref().map(Data::repr)
    }

    #[inline(always)]
    pub(in crate::protocol::encode) fn fields(&self) -> Fields<'_> {
        Fields {
            data: self.data().map_or(Payload::None, Repr::payload),
            ..self.head()
        }
    }

    /// The same with copies of what the event stores itself, so that no pointer to the event keeps it
    /// in memory. `benches/body`, "one per wake", `Event`s of a `String`: 51 ns, and 57 otherwise.
    #[inline(always)]
    pub(in crate::protocol::encode) fn fields_with<'a>(
        &'a self,
        copies: &'a mut Copies,
    ) -> Fields<'a> {
        let Copies { data } = copies;
        let head = self.head();
        Fields {
            // Not `payload`, which may point to the event.
            data: match self.data() {
                Some(Repr::Static(text)) => Payload::Text(text.as_bytes()),
                Some(Repr::Inline(words)) => Payload::Text(data.insert(*words).as_bytes()),
                Some(Repr::Owned(text)) => Payload::Text(text.as_bytes()),
                Some(Repr::Arc(text)) => Payload::Text(text.as_bytes()),
                Some(Repr::Shared(text)) => Payload::Text(text),
                Some(Repr::Lines(lines)) => Payload::Lines(lines),
                None => Payload::None,
            },
            ..head
        }
    }

    #[inline(always)]
    fn head(&self) -> Fields<'_> {
        let rare = self.content.rare.as_ref();
        Fields {
            comment: rare.and_then(|rare| rare.comment.as_ref().map(String::as_bytes)),
            retry: rare.and_then(|rare| rare.retry),
            event_type: self
                .content
                .event_type
                .as_ref()
                .map_or(Fields::NONE.event_type, EventType::piece),
            id: self.content.id.as_ref().map(EventId::piece),
            data: Payload::None,
        }
    }

    /// Drops the parts where they are; see [`discard`].
    #[inline(always)]
    pub(in crate::protocol::encode) fn discard(&mut self) {
        if let Some(data) = &mut self.content.data {
            data.discard();
        }
        if self.content.id.as_ref().is_some_and(EventId::is_shared) {
            discard(self.content.id.take());
        }
        if self
            .content
            .event_type
            .as_ref()
            .is_some_and(EventType::is_shared)
        {
            discard(self.content.event_type.take());
        }
        discard(self.content.rare.take());
    }
}

/// Copies of the text that an event stores itself.
#[derive(Default)]
pub(in crate::protocol::encode) struct Copies {
    data: Option<Words<2>>,
}
