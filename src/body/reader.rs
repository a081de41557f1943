use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::Body;

use crate::protocol::{Decoder, LimitExceeded, MessageEvent, NextItem};

/// Reads the events of a body, for [`EventStream`](super::EventStream) and for the client.
pub(crate) struct Reader<D> {
    decoder: Decoder,
    /// Data from the body that the decoder has not taken yet.
    data: Option<D>,
    /// A contiguous piece of that data.
    chunk: Bytes,
    terminator: Option<Terminator>,
    comments: bool,
}

/// The result of [`Reader::poll_rest`].
pub(crate) enum Read<E> {
    /// An event, which [`Reader::take_event`] returns.
    Event,
    Comment(String),
    /// A line or an event was too long and was dropped.
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

    /// The next event, if it comes next in the chunk, is complete and of the simplest form, and is
    /// not the terminator.
    //
    // Not returned as a `Read`, out of which it would have to be moved: in benches/decode,
    // `EventStream` then took 1.4 to 1.6 times as long as the decoder for complete events, and
    // takes 1 to 1.1 times as long this way.
    #[inline(always)]
    pub(crate) fn next_whole(&mut self) -> Option<MessageEvent> {
        if self.comments {
            return None;
        }
        let terminator = &self.terminator;
        self.decoder
            .decode_whole(&mut self.chunk, |data, event_type| {
                !is_terminator(terminator, || (data, event_type))
            })
            .ok()
    }

    /// The next item of the body, after [`next_whole`](Self::next_whole) has found nothing. It takes
    /// at most `frames` frames, and lowers the number: after a frame that is only a piece of a block,
    /// it takes the next one.
    //
    // In benches/decode, a return for each frame costs 10 % of `token, 16 B`, stream.
    #[inline]
    pub(crate) fn poll_rest<B>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
        frames: &mut usize,
    ) -> Poll<Read<B::Error>>
    where
        B: Body<Data = D>,
    {
        loop {
            if !self.chunk.is_empty() {
                if let Some(read) = self.read() {
                    return Poll::Ready(read);
                }
            }
            if let Some(chunk) = self.data.as_mut().and_then(next_chunk) {
                self.chunk = chunk;
                continue;
            }
            if *frames == 0 {
                return Poll::Ready(Read::Data);
            }
            let Poll::Ready(frame) = body.as_mut().poll_frame(cx) else {
                self.rest();
                return Poll::Pending;
            };
            *frames -= 1;
            let data = match frame {
                Some(Ok(frame)) => frame.into_data(),
                Some(Err(error)) => return Poll::Ready(Read::Failed(error)),
                None => return Poll::Ready(Read::Ended),
            };
            // Trailers mean nothing to a reader of events.
            let Ok(data) = data else {
                return Poll::Ready(Read::Nothing);
            };
            if !data.has_remaining() {
                return Poll::Ready(Read::Nothing);
            }
            // A complete block is left to `next_whole`. A client asks for one frame at a time, and is told
            // that bytes have arrived.
            if !self.take(data) && (*frames == 0 || self.decoder.is_at_block()) {
                return Poll::Ready(Read::Data);
            }
        }
    }

    /// Takes the data of a frame. Returns whether it is only a piece of a block, as most small frames
    /// are, so that there is nothing to read.
    #[inline]
    fn take(&mut self, mut data: D) -> bool {
        let piece = data.chunk();
        let taken = match self.comments {
            true => self.decoder.decode_more(piece),
            false => self.decoder.decode_piece(piece),
        };
        if taken == data.remaining() {
            return true;
        }
        data.advance(taken);
        if let Some(chunk) = next_chunk(&mut data) {
            self.chunk = chunk;
        }
        if data.has_remaining() {
            self.data = Some(data);
        }
        false
    }

    /// Releases memory that is not needed, because the next bytes may take long to arrive.
    fn rest(&mut self) {
        self.chunk = Bytes::new();
        self.data = None;
        // The memory of a large event is released by the next call.
        _ = self.decoder.decode(&mut self.chunk);
    }

    /// The next item in the chunk, after [`next_whole`](Self::next_whole) has found nothing.
    fn read<E>(&mut self) -> Option<Read<E>> {
        let found = match self.comments {
            true => self.decoder.decode_rest_with_comments(&mut self.chunk),
            false => self.decoder.decode_rest(&mut self.chunk),
        };
        match found {
            Ok(NextItem::Event) => Some(
                match is_terminator(&self.terminator, || self.decoder.found()) {
                    true => {
                        drop(self.take_event());
                        Read::Terminator
                    }
                    false => Read::Event,
                },
            ),
            Ok(NextItem::Comment(comment)) => Some(Read::Comment(comment)),
            Ok(NextItem::None) => None,
            Err(limit) => Some(Read::Limit(limit)),
        }
    }

    /// The event of a [`Read::Event`].
    #[inline(always)]
    pub(crate) fn take_event(&mut self) -> MessageEvent {
        self.decoder.take_found()
    }

    /// Discards an incomplete event and prepares for another body. Returns whether there was one.
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

    /// Whether the stream must end with a [terminator](Self::until).
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

/// The event that marks a stream as complete.
#[derive(Debug, Clone)]
pub(crate) enum Terminator {
    Data(Cow<'static, str>),
    Type(Cow<'static, str>),
}

/// Whether it is the terminator. The closure returns the event's data and its type.
#[inline]
fn is_terminator<'a>(
    terminator: &Option<Terminator>,
    parts: impl FnOnce() -> (&'a [u8], &'a [u8]),
) -> bool {
    match terminator {
        None => false,
        Some(Terminator::Data(wanted)) => parts().0 == wanted.as_bytes(),
        Some(Terminator::Type(wanted)) => parts().1 == wanted.as_bytes(),
    }
}

/// The next contiguous piece, so that a chain of `Bytes` need not be copied into one.
fn next_chunk<D: Buf>(data: &mut D) -> Option<Bytes> {
    let len = data.chunk().len();
    (len > 0).then(|| data.copy_to_bytes(len))
}
