//! The typical event as each contestant's users write it: the type is fixed, the ID and the data are
//! text from elsewhere.

use ::axum::response::sse as axum;
use actix_web_lab::sse as actix;
use bytes::Bytes;
use bytestring::ByteString;
use sse_stream::Sse;
use tower_sse::protocol::{IdRef, IntoData};
use tower_sse::{Event, Writer};

use crate::events::{EVENT_TYPE, TYPE};

#[inline]
pub fn ours(id: &str, data: impl IntoData) -> Event {
    let event = Event::new(data).with_type(TYPE);
    event.try_with_id(id).expect("an ID")
}

#[inline]
pub fn ours_written(out: &mut Writer, id: &str, data: &str) {
    let id = IdRef::try_from(id).expect("an ID");
    out.typed(&EVENT_TYPE).id(id).data(data);
}

#[inline]
pub fn axum(id: &str, data: &str) -> axum::Event {
    axum::Event::default().event(TYPE).id(id).data(data)
}

#[inline]
pub fn sse_stream(id: &str, data: impl Into<String>) -> Sse {
    Sse::default().event(TYPE).id(id).data(data)
}

#[inline]
pub fn actix(id: &str, data: impl Into<ByteString>) -> actix::Data {
    actix::Data::new(data).event(TYPE).id(id)
}

/// Built from its public fields, since it has no constructor. The type is not copied.
#[inline]
pub fn russe(id: &str, data: impl Into<ByteString>) -> russe::Message {
    russe::Message {
        data: data.into(),
        event: Some(ByteString::from_static(TYPE)),
        retry: None,
        id: Some(id.into()),
    }
}

#[inline]
pub fn russe_data(data: impl Into<ByteString>) -> russe::Message {
    russe::Message {
        data: data.into(),
        event: None,
        retry: None,
        id: None,
    }
}

#[inline]
pub fn russe_bytes(message: russe::Message) -> Bytes {
    let text = russe::Event::Message(message).into_bytestring().unwrap();
    text.into_bytes()
}
