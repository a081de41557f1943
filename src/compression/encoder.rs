use std::fmt;
use std::task::Poll;

use bytes::{Buf, Bytes};
use http::HeaderMap;
use http_body::Frame;

use super::compression::Compression;
use super::encoding::Encoding;
use super::handover::{self, Offer};
use super::own::OwnContext;
use super::shared::Follower;

/// What a body's poll returns.
pub(crate) type Polled<D, E> = Poll<Option<Result<Frame<D>, E>>>;

/// Compresses the frames of one body.
///
/// Nothing is held back: each frame of the body becomes one frame, or several if it is long, from
/// which the client can decode all of it.
pub(crate) struct Encoder {
    coding: FrameCoding,
    /// Boxed because there seldom is any.
    rest: Option<Box<FrameRest>>,
}

/// How frames are compressed.
enum FrameCoding {
    /// Nothing has been sent yet.
    New(Compression),
    /// In a context of its own.
    Own(Box<OwnContext>),
    /// With what the hub has compressed for all subscribers.
    Shared(Follower),
    /// The body has ended, or has failed.
    Ended,
}

/// The part of the body's last frame that is not compressed yet.
struct FrameRest {
    bytes: Bytes,
    /// Whether the body has ended: the gzip trailer follows, and then the trailers of the response.
    ends: bool,
    trailers: Option<Box<HeaderMap>>,
}

impl Encoder {
    pub(crate) fn new(encoding: Encoding, settings: &Compression) -> Option<Box<Self>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(Box::new(Self {
                coding: FrameCoding::New(settings.clone()),
                rest: None,
            })),
        }
    }

    /// Polls the body, unless something is left to send from before, and compresses what it returns.
    /// The body's result comes with its `is_end_stream` after that, so that the last event and the
    /// end of the stream become one frame.
    #[inline]
    pub(crate) fn poll<D: Buf, E>(
        &mut self,
        body: impl FnOnce() -> (Polled<D, E>, bool),
    ) -> Polled<Bytes, E> {
        if self.rest.is_some() || self.is_end_stream() {
            return Poll::Ready(self.next_of_rest().map(Ok));
        }
        let slot = handover::open();
        let (mut polled, ended) = body();
        let offer = slot.close();
        // The fast path for nearly every frame of a hub, which is not moved as a whole.
        if let (FrameCoding::Shared(follower), false) = (&mut self.coding, ended) {
            let piece = match &mut polled {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => frame.data_mut().and_then(|data| {
                    follower.offered(offer);
                    let whole = Some(data.chunk()).filter(|chunk| chunk.len() == data.remaining());
                    whole.and_then(|whole| follower.whole(whole))
                }),
                _ => None,
            };
            if let Some(piece) = piece {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
        } else {
            self.coding.take(offer);
        }
        self.take(polled, ended)
    }

    fn next_of_rest(&mut self) -> Option<Frame<Bytes>> {
        let mut rest = self.rest.take()?;
        let frame = self.next(&mut rest);
        self.rest = Some(rest).filter(|rest| rest.is_some());
        frame
    }

    fn take<D: Buf, E>(&mut self, polled: Polled<D, E>, ended: bool) -> Polled<Bytes, E> {
        let mut rest = match polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => FrameRest::new(Bytes::new(), true),
            Poll::Ready(Some(Err(error))) => {
                // Without a gzip trailer, the client sees a truncated stream.
                self.coding = FrameCoding::Ended;
                return Poll::Ready(Some(Err(error)));
            }
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => FrameRest::new(data.copy_to_bytes(data.remaining()), ended),
                Err(frame) => FrameRest {
                    trailers: frame.into_trailers().ok().map(Box::new),
                    ..FrameRest::new(Bytes::new(), true)
                },
            },
        };
        if rest.bytes.is_empty() && !rest.ends {
            return Poll::Ready(Some(Ok(Frame::data(rest.bytes))));
        }
        let frame = self.next(&mut rest);
        if rest.is_some() {
            self.rest = Some(Box::new(rest));
        }
        Poll::Ready(frame.map(Ok))
    }

    /// The next frame, made of some of the rest.
    fn next(&mut self, rest: &mut FrameRest) -> Option<Frame<Bytes>> {
        if let FrameCoding::Ended = self.coding {
            return rest
                .trailers
                .take()
                .map(|trailers| Frame::trailers(*trailers));
        }
        let piece = self.coding.next(&mut rest.bytes, rest.ends);
        if piece.is_none() {
            *rest = FrameRest::new(Bytes::new(), true);
        }
        if rest.bytes.is_empty() && rest.ends {
            self.coding = FrameCoding::Ended;
        }
        piece.map(Frame::data)
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        matches!(self.coding, FrameCoding::Ended) && self.rest.is_none()
    }
}

impl FrameRest {
    fn new(bytes: Bytes, ends: bool) -> Self {
        Self {
            bytes,
            ends,
            trailers: None,
        }
    }

    fn is_some(&self) -> bool {
        !self.bytes.is_empty() || self.trailers.is_some()
    }
}

impl FrameCoding {
    /// Takes what a subscription inside the body has offered.
    fn take(&mut self, offer: Offer) {
        match (&mut *self, offer) {
            (Self::Shared(follower), offer) => follower.offered(offer),
            (Self::New(_), offer @ (Offer::Hub | Offer::Frame(_))) => {
                let mut follower = Follower::default();
                follower.offered(offer);
                *self = Self::Shared(follower);
            }
            _ => {}
        }
    }

    /// Takes some of these bytes off, and compresses them. `None` if the compressor has failed,
    /// which only a bug in it could cause.
    fn next(&mut self, rest: &mut Bytes, ends: bool) -> Option<Bytes> {
        if let Self::New(settings) = self {
            *self = Self::Own(Box::new(OwnContext::new(settings)));
        }
        match self {
            Self::Own(own) => own.next(rest, ends),
            Self::Shared(follower) => follower.next(rest, ends),
            Self::New(_) | Self::Ended => None,
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There are as many of them as compressed connections.
    #[cfg(target_pointer_width = "64")]
    #[test]
    fn is_small() {
        assert_eq!(size_of::<Encoder>(), 56);
    }
}
