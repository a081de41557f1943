use std::convert::Infallible;

use bytes::Bytes;
use http_body::Frame;
use http_body_util::StreamBody;
use tower_sse::{Decoder, EventStream, MessageEvent};

use super::{Contestant, drain, iter};

pub(super) struct Lent;

impl Contestant for Lent {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut decoder = Decoder::new();
        for chunk in chunks {
            let mut chunk: &[u8] = chunk;
            while let Some(event) = decoder.decode_ref(&mut chunk).unwrap() {
                let (event_type, data) = (event.event_type(), event.data());
                let id = event.last_event_id();
                each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
            }
        }
    }
}

pub(super) struct LentBytes;

impl Contestant for LentBytes {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut decoder = Decoder::new();
        for chunk in chunks {
            let mut chunk: &[u8] = chunk;
            while let Some(event) = decoder.decode_ref(&mut chunk).unwrap() {
                let (event_type, data) = (event.event_type_bytes(), event.data_bytes());
                each(event_type, data, event.last_event_id_bytes());
            }
        }
    }
}

pub(super) struct Owned;

impl Contestant for Owned {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut decoder = Decoder::new();
        for chunk in chunks {
            let mut chunk = chunk.clone();
            while let Some(event) = decoder.decode(&mut chunk).unwrap() {
                read(&event, &mut each);
            }
        }
    }
}

pub(super) struct OfBody;

impl Contestant for OfBody {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let frames = chunks.iter().cloned().map(Frame::data);
        let body = StreamBody::new(iter(frames.map(Ok::<_, Infallible>)));
        drain(EventStream::new(body), |event| {
            read(&event.unwrap(), &mut each);
        });
    }
}

fn read(event: &MessageEvent, each: &mut impl FnMut(&[u8], &[u8], &[u8])) {
    let (event_type, data) = (event.event_type(), event.data());
    let id = event.last_event_id();
    each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
}
