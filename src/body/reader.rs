use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::Body;

use crate::protocol::{Decoded, Decoder, LimitExceeded, MessageEvent};

/// Reads the events of a body, for [`EventStream`](super::EventStream) and for the client.
pub(crate) struct Reader<D> {
    decoder: Decoder,
    /// What the body has given and the decoder has not taken yet.
    data: Option<D>,
    /// A contiguous piece of it.
    chunk: Bytes,
    terminator: Option<Terminator>,
    comments: bool,
}

/// What [`Reader::poll`] finds.
pub(crate) enum Read<E> {
    Event(MessageEvent),
    Comment(String),
    /// A line or an event was too long and has been dropped.
    Limit(LimitExceeded),
    /// Bytes have arrived; another poll reads them.
    Data,
    /// A frame without bytes has arrived.
    Nothing,
    /// The event that ends the stream.
    Terminator,
    /// The body failed.
    Failed(E),
    /// The body ended.
    Ended,
}

impl<D: Buf> Reader<D> {
    pub(crate) fn new(decoder: Decoder) -> Self {
        Self {
            decoder,
            data: None,
            chunk: Bytes::new(),
            terminator: None,
            comments: false,
        }
    }

    pub(crate) fn map_decoder(mut self, f: impl FnOnce(Decoder) -> Decoder) -> Self {
        self.decoder = f(self.decoder);
        self
    }

    pub(crate) fn comments(mut self) -> Self {
        self.comments = true;
        self
    }

    pub(crate) fn until(mut self, terminator: Terminator) -> Self {
        self.terminator = Some(terminator);
        self
    }

    /// The next thing in the body. Each call polls the body for one frame at most, so the caller
    /// decides how many frames one poll of its own may take.
    pub(crate) fn poll<B>(
        &mut self,
        body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Read<B::Error>>
    where
        B: Body<Data = D>,
    {
        loop {
            if let Some(read) = self.read() {
                return Poll::Ready(read);
            }
            match self.data.as_mut().and_then(next_chunk) {
                Some(chunk) => self.chunk = chunk,
                None => break,
            }
        }
        Poll::Ready(match ready!(body.poll_frame(cx)) {
            Some(Ok(frame)) => {
                // Trailers say nothing to a reader of events.
                self.data = frame.into_data().ok().filter(Buf::has_remaining);
                match self.data {
                    Some(_) => Read::Data,
                    None => Read::Nothing,
                }
            }
            Some(Err(error)) => Read::Failed(error),
            None => Read::Ended,
        })
    }

    #[inline]
    fn read<E>(&mut self) -> Option<Read<E>> {
        let event = if self.comments {
            match self.decoder.decode_with_comments(&mut self.chunk) {
                Ok(Some(Decoded::Event(event))) => Ok(Some(event)),
                Ok(Some(Decoded::Comment(comment))) => return Some(Read::Comment(comment)),
                Ok(None) => Ok(None),
                Err(limit) => Err(limit),
            }
        } else {
            self.decoder.decode(&mut self.chunk)
        };
        match event {
            Ok(None) => None,
            Ok(Some(event)) => Some(match &self.terminator {
                Some(terminator) if terminator.is(&event) => Read::Terminator,
                _ => Read::Event(event),
            }),
            Err(limit) => Some(Read::Limit(limit)),
        }
    }

    /// Discards what is unfinished, and is ready for another body. Whether there was an unfinished
    /// event.
    pub(crate) fn end(&mut self) -> bool {
        let cut = self.decoder.is_inside_event();
        self.decoder.end();
        self.data = None;
        self.chunk = Bytes::new();
        cut
    }
}

impl<D> Reader<D> {
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Whether the stream has to end with a [terminator](Self::until).
    pub(crate) fn has_terminator(&self) -> bool {
        self.terminator.is_some()
    }
}

impl<D> fmt::Debug for Reader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("decoder", &self.decoder)
            .field("terminator", &self.terminator)
            .finish_non_exhaustive()
    }
}

/// The event with which a stream says that it is complete.
#[derive(Debug, Clone)]
pub(crate) enum Terminator {
    Data(Cow<'static, str>),
    Type(Cow<'static, str>),
}

impl Terminator {
    fn is(&self, event: &MessageEvent) -> bool {
        match self {
            Self::Data(data) => event.data_bytes() == data.as_bytes(),
            Self::Type(event_type) => event.event_type_bytes() == event_type.as_bytes(),
        }
    }
}

/// The next contiguous piece, so that a chain of `Bytes` is not copied together.
fn next_chunk<D: Buf>(data: &mut D) -> Option<Bytes> {
    let len = data.chunk().len();
    (len > 0).then(|| data.copy_to_bytes(len))
}
