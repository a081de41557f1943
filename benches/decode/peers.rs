use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use eventsource_client::Client as _;
use eventsource_stream::Eventsource;
use http::{Request, Response};
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};

use super::{Contestant, drain, iter};

fn items(chunks: &[Bytes]) -> impl Iterator<Item = Result<Bytes, Infallible>> {
    chunks.iter().cloned().map(Ok)
}

pub(super) struct SseCore;

impl Contestant for SseCore {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        let mut decoder = sse_core::SseDecoder::new();
        for chunk in chunks {
            let mut chunk = chunk.clone();
            while let Some(event) = decoder.next(&mut chunk) {
                if let sse_core::SseEvent::Message(event) = event.unwrap() {
                    let id = event.last_event_id.as_deref().unwrap_or("");
                    each(event.event.as_bytes(), event.data.as_bytes(), id.as_bytes());
                }
            }
        }
    }
}

pub(super) struct SseStream;

impl Contestant for SseStream {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        drain(
            sse_stream::SseByteStream::new(iter(items(chunks))),
            |event| {
                let event = event.unwrap();
                if let Some(data) = &event.data {
                    let event_type = event.event.as_deref().unwrap_or("message");
                    let id = event.id.as_deref().unwrap_or("");
                    each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
                }
            },
        );
    }
}

pub(super) struct Sseer;

impl Contestant for Sseer {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        drain(sseer::EventStream::new(iter(items(chunks))), |event| {
            let event = event.unwrap();
            let (event_type, data): (&str, &str) = (&event.event, &event.data);
            let id: &str = &event.id;
            each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
        });
    }
}

pub(super) struct EventsourceStream;

impl Contestant for EventsourceStream {
    fn run(&self, chunks: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        drain(iter(items(chunks)).eventsource(), |event| {
            let event = event.unwrap();
            let (event_type, data, id) = (&event.event, &event.data, &event.id);
            each(event_type.as_bytes(), data.as_bytes(), id.as_bytes());
        });
    }
}

/// A connection to the chunks.
#[derive(Clone)]
pub(super) struct EventsourceClient(Arc<[Bytes]>);

impl EventsourceClient {
    pub(super) fn new(chunks: &[Bytes]) -> Self {
        Self(chunks.into())
    }

    fn client(&self) -> impl eventsource_client::Client + use<> {
        let options = eventsource_client::ReconnectOptions::reconnect(false);
        eventsource_client::ClientBuilder::for_url("http://localhost/")
            .unwrap()
            .reconnect(options.build())
            .build_with_transport(self.clone())
    }
}

impl Contestant for EventsourceClient {
    fn run(&self, _: &[Bytes], mut each: impl FnMut(&[u8], &[u8], &[u8])) {
        drain(self.client().stream(), |event| {
            // The last one is the error that the stream has ended.
            if let Ok(eventsource_client::SSE::Event(event)) = event {
                let id = event.id.as_deref().unwrap_or("");
                each(
                    event.event_type.as_bytes(),
                    event.data.as_bytes(),
                    id.as_bytes(),
                );
            }
        });
    }
}

impl HttpTransport for EventsourceClient {
    fn request(&self, _: Request<Option<Bytes>>) -> ResponseFuture {
        let chunks = Arc::clone(&self.0);
        let chunks = (0..chunks.len()).map(move |n| Ok(chunks[n].clone()));
        let body: ByteStream = Box::pin(iter(chunks));
        let response = Response::builder().header("content-type", "text/event-stream");
        Box::pin(ready(Ok(response.body(body).unwrap())))
    }
}
