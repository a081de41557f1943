use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, VARY};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Body;

use super::compressed_body::CompressedBody;
use super::encoder::Encoder;
use super::encoding::Encoding;
use crate::headers::{is_event_stream, tokens};

/// In the extensions of a response: its body was compressed here, and not by another layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EncodedHere;

/// The default level of what is sent to one client.
const SINGLE_LEVEL: u8 = 1;

/// The default level of what several subscribers share, which is compressed once.
const SHARED_LEVEL: u8 = 6;

/// How event streams are compressed.
///
/// It is a setting of [`SseLayer::compression`](crate::SseLayer::compression) and
/// [`HubService::compression`](crate::HubService::compression). For a handler without either,
/// [`compress`](Self::compress) does the same to a response.
///
/// ```
/// use http::{Request, Response};
/// use tower::{Layer, ServiceExt, service_fn};
/// use tower_sse::{Event, SseBody, SseLayer, compression::Compression};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let service = service_fn(async |_| {
///     let events = futures_util::stream::iter([Event::new("hello")]);
///     Ok::<_, std::convert::Infallible>(Response::new(SseBody::new(events)))
/// });
/// let service = SseLayer::new().compression(Compression::new().level(4)).layer(service);
/// let request = Request::get("/").header("accept-encoding", "gzip").body(()).unwrap();
/// let response = service.oneshot(request).await.unwrap();
/// assert_eq!(response.headers()["content-encoding"], "gzip");
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Compression {
    level: Option<u8>,
    window_bits: u8,
    pub(super) segment_bytes: u32,
    pub(super) segment_time: Duration,
    pub(super) max_contexts: usize,
}

impl Compression {
    /// Creates the default settings: a window of 32 KiB, and the levels described
    /// [below](Self::level).
    ///
    /// ```
    /// # use tower_sse::compression::Compression;
    /// assert!(format!("{:?}", Compression::new()).contains("level: None, window_bits: 15"));
    /// ```
    pub const fn new() -> Self {
        Self {
            level: None,
            window_bits: 15,
            segment_bytes: 64 * 1024,
            segment_time: Duration::from_secs(10),
            max_contexts: 64,
        }
    }

    /// Sets the level, from 1 (the fastest) to 9 (the smallest output). Other values become the
    /// nearest of these.
    ///
    /// The default is 6 for what a hub compresses once for several subscribers, and 1 for what only
    /// one client receives, from a hub or not. Level 1 builds no Huffman tables, so a small event
    /// costs about 0.3 µs where level 6 costs 3 to 4 µs (`benches/compression`). Its output is as
    /// small for the chunks of a language model, a quarter larger for small JSON events, and up to
    /// 90 % larger for HTML fragments. A hub changes the level where it begins a
    /// [segment](Self::segment_bytes).
    ///
    /// A level that is set here is used whatever the number of subscribers. What a hub's subscribers
    /// share has the level of [`HubBuilder::compression`](crate::hub::HubBuilder::compression).
    ///
    /// ```
    /// # use tower_sse::compression::Compression;
    /// assert!(format!("{:?}", Compression::new().level(1)).contains("level: Some(1)"));
    /// assert!(format!("{:?}", Compression::new().level(200)).contains("level: Some(9)"));
    /// ```
    pub fn level(self, level: u8) -> Self {
        Self {
            level: Some(level.clamp(1, 9)),
            ..self
        }
    }

    /// Sets the base-2 logarithm of the window, from 9 (512 bytes) to 15 (32 KiB). Other values
    /// become the nearest of these.
    ///
    /// The window is how far back an event can refer to earlier ones. A context takes about four times
    /// the window plus 249 KB: 380 KB with 15 bits, 265 KB with 12.
    ///
    /// ```
    /// # use tower_sse::compression::Compression;
    /// assert!(format!("{:?}", Compression::new().window_bits(12)).contains("window_bits: 12"));
    /// assert!(format!("{:?}", Compression::new().window_bits(0)).contains("window_bits: 9"));
    /// ```
    pub fn window_bits(self, bits: u8) -> Self {
        Self {
            window_bits: bits.clamp(9, 15),
            ..self
        }
    }

    /// Sets after how many bytes, before compression, a hub begins a new segment of the stream that
    /// its subscribers share; 64 KiB by default.
    ///
    /// A new subscriber joins at the beginning of a segment. Until then, it is sent events that are
    /// not compressed, or each by itself. Within a segment, events refer to earlier ones, so longer
    /// segments compress better. A segment continues as long as no subscriber waits to join.
    ///
    /// This is for [`HubBuilder::compression`](crate::hub::HubBuilder::compression).
    ///
    /// ```
    /// # use tower_sse::{Hub, compression::Compression};
    /// let settings = Compression::new().segment_bytes(16 * 1024);
    /// assert!(format!("{settings:?}").contains("segment_bytes: 16384"));
    /// let hub = Hub::builder().compression(settings).build();
    /// # drop(hub);
    /// ```
    pub fn segment_bytes(self, bytes: u32) -> Self {
        Self {
            segment_bytes: bytes,
            ..self
        }
    }

    /// Sets the age at which a hub begins a new segment even if it has fewer
    /// [bytes](Self::segment_bytes); 10 seconds by default. Heartbeats end a subscriber's part in a
    /// segment, so it should be less than their interval.
    ///
    /// This is for [`HubBuilder::compression`](crate::hub::HubBuilder::compression).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tower_sse::{Hub, compression::Compression};
    /// let settings = Compression::new().segment_time(Duration::from_secs(5));
    /// assert!(format!("{settings:?}").contains("segment_time: 5s"));
    /// let hub = Hub::builder().compression(settings).build();
    /// # drop(hub);
    /// ```
    pub fn segment_time(self, time: Duration) -> Self {
        Self {
            segment_time: time,
            ..self
        }
    }

    /// Sets the maximum number of compression contexts of a hub; 64 by default. Each takes as much as
    /// that of a [connection](Self::window_bits).
    ///
    /// All subscribers to the same topics share one. If more sets of topics are active, those
    /// without a context get each event compressed by itself.
    ///
    /// This is for [`HubBuilder::compression`](crate::hub::HubBuilder::compression).
    ///
    /// ```
    /// # use tower_sse::{Hub, compression::Compression};
    /// let settings = Compression::new().max_contexts(500);
    /// assert!(format!("{settings:?}").contains("max_contexts: 500"));
    /// let hub = Hub::builder().compression(settings).build();
    /// # drop(hub);
    /// ```
    pub fn max_contexts(self, contexts: usize) -> Self {
        Self {
            max_contexts: contexts,
            ..self
        }
    }

    /// Compresses the body of a response if it is an event stream and the request's headers accept
    /// gzip.
    ///
    /// An event stream gets `Vary: accept-encoding` either way. Responses that are not event
    /// streams, that already have a `Content-Encoding`, or that are one part of a longer body,
    /// pass unchanged.
    ///
    /// ```
    /// use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
    /// use tower_sse::{Event, SseBody, compression::Compression};
    ///
    /// let stream = || {
    ///     let events = futures_util::stream::iter([Event::new("hello")]);
    ///     SseBody::new(events).into_http_response()
    /// };
    /// let gzip = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
    /// let response = Compression::new().compress(&gzip, stream());
    /// assert_eq!(response.headers()["content-encoding"], "gzip");
    ///
    /// let response = Compression::new().compress(&HeaderMap::new(), stream());
    /// assert!(!response.headers().contains_key("content-encoding"));
    /// assert_eq!(response.headers()["vary"], "accept-encoding");
    /// ```
    pub fn compress<B: Body>(
        &self,
        request: &HeaderMap,
        mut response: Response<B>,
    ) -> Response<CompressedBody<B>> {
        let encoder = self.coder(Encoding::negotiate(request), &mut response);
        response.map(|body| CompressedBody::of(body, encoder))
    }

    /// Labels the response to a client that prefers this encoding, and returns the encoder that its
    /// body then needs.
    pub(crate) fn coder<B>(
        &self,
        encoding: Encoding,
        response: &mut Response<B>,
    ) -> Option<Box<Encoder>> {
        let encoder = self.label(encoding, response.headers_mut())?;
        response.extensions_mut().insert(EncodedHere);
        Some(encoder)
    }

    fn label(&self, encoding: Encoding, response: &mut HeaderMap) -> Option<Box<Encoder>> {
        let is_taken =
            response.contains_key(CONTENT_ENCODING) || response.contains_key(CONTENT_RANGE);
        if is_taken || !is_event_stream(response) {
            return None;
        }
        let varies = |token: &[u8]| token == b"*" || token.eq_ignore_ascii_case(b"accept-encoding");
        if !tokens(response, &VARY).any(varies) {
            response.append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        let encoder = Encoder::new(encoding, self)?;
        response.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        response.remove(CONTENT_LENGTH);
        Some(encoder)
    }

    /// The level for what this many clients receive.
    pub(super) fn level_for(&self, clients: usize) -> flate2::Compression {
        let default = if clients > 1 {
            SHARED_LEVEL
        } else {
            SINGLE_LEVEL
        };
        flate2::Compression::new(self.level.unwrap_or(default).into())
    }

    /// A context for a single stream.
    pub(super) fn context(&self) -> flate2::Compress {
        flate2::Compress::new_gzip(self.level_for(1), self.window_bits)
    }

    /// A context for a hub's frames, without the header and the trailer of gzip.
    pub(super) fn raw_context(&self) -> flate2::Compress {
        flate2::Compress::new_with_window_bits(self.level_for(1), false, self.window_bits)
    }

    /// Whether contexts with these settings are the same, but for their level.
    pub(super) fn has_contexts_of(&self, other: &Self) -> bool {
        self.window_bits == other.window_bits
    }
}

impl Default for Compression {
    fn default() -> Self {
        Self::new()
    }
}
