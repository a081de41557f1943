use std::fmt;
use std::mem;
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
    settings: Compression,
    coding: FrameCoding,
    state: EncoderState,
}

/// How frames are compressed.
enum FrameCoding {
    /// Nothing has been sent yet, or nothing follows.
    None,
    /// In a context of its own.
    Own(OwnContext),
    /// With what the hub has compressed for all subscribers.
    Shared(Follower),
}

enum EncoderState {
    /// With the part of the body's last frame that is not compressed yet.
    Open(Bytes),
    /// The body has ended. The rest of its last frame and the gzip trailer are not sent yet.
    Ending(Bytes, Option<Box<HeaderMap>>),
    /// The gzip trailer is sent, and the trailers of the response are not.
    Trailers(Box<HeaderMap>),
    /// It has ended or failed.
    Ended,
}

impl Encoder {
    pub(crate) fn new(encoding: Encoding, settings: &Compression) -> Option<Box<Self>> {
        match encoding {
            Encoding::Identity => None,
            Encoding::Gzip => Some(Box::new(Self {
                settings: settings.clone(),
                coding: FrameCoding::None,
                state: EncoderState::Open(Bytes::new()),
            })),
        }
    }

    /// Polls the body, unless something is left to send from before, and compresses what it returns.
    /// The body's result comes with its `is_end_stream` after that, so that the last event and the
    /// end of the stream become one frame.
    pub(crate) fn poll<D: Buf, E>(
        &mut self,
        body: impl FnOnce() -> (Polled<D, E>, bool),
    ) -> Polled<Bytes, E> {
        self.next().unwrap_or_else(|| {
            let ((polled, ended), offer) = handover::receive(body);
            self.coding.take(offer);
            self.take(polled, ended)
        })
    }

    /// Returns what is to be sent before the body is polled again.
    fn next<E>(&mut self) -> Option<Polled<Bytes, E>> {
        let (coding, settings) = (&mut self.coding, &self.settings);
        let piece = match &mut self.state {
            EncoderState::Open(rest) if rest.is_empty() => return None,
            EncoderState::Open(rest) => coding.next(rest, false, settings),
            EncoderState::Ending(rest, trailers) => {
                let piece = coding.next(rest, true, settings);
                if rest.is_empty() {
                    self.state = trailers
                        .take()
                        .map_or(EncoderState::Ended, EncoderState::Trailers);
                    self.coding = FrameCoding::None;
                }
                piece
            }
            EncoderState::Trailers(trailers) => {
                let trailers = mem::take(trailers.as_mut());
                self.state = EncoderState::Ended;
                return Some(Poll::Ready(Some(Ok(Frame::trailers(trailers)))));
            }
            EncoderState::Ended => return Some(Poll::Ready(None)),
        };
        if piece.is_none() {
            self.end();
        }
        Some(Poll::Ready(piece.map(|piece| Ok(Frame::data(piece)))))
    }

    /// After an error there is no gzip trailer, so that the client sees a truncated stream.
    fn take<D: Buf, E>(&mut self, polled: Polled<D, E>, ended: bool) -> Polled<Bytes, E> {
        self.state = match polled {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => EncoderState::Ending(Bytes::new(), None),
            Poll::Ready(Some(Err(error))) => {
                self.end();
                return Poll::Ready(Some(Err(error)));
            }
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(mut data) => {
                    let data = data.copy_to_bytes(data.remaining());
                    if ended {
                        EncoderState::Ending(data, None)
                    } else if data.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(data))));
                    } else {
                        EncoderState::Open(data)
                    }
                }
                Err(frame) => {
                    let trailers = frame.into_trailers().unwrap_or_default();
                    EncoderState::Ending(Bytes::new(), Some(Box::new(trailers)))
                }
            },
        };
        self.next().unwrap_or(Poll::Pending)
    }

    pub(crate) fn is_end_stream(&self) -> bool {
        matches!(self.state, EncoderState::Ended)
    }

    fn end(&mut self) {
        self.state = EncoderState::Ended;
        self.coding = FrameCoding::None;
    }
}

impl FrameCoding {
    /// Takes what a subscription inside the body has offered.
    fn take(&mut self, offer: Offer) {
        match (&mut *self, offer) {
            (Self::None, Offer::Nothing) | (Self::Own(_), _) => {}
            (Self::Shared(follower), offer) => follower.offered(offer),
            (Self::None, offer) => {
                let mut follower = Follower::default();
                follower.offered(offer);
                *self = Self::Shared(follower);
            }
        }
    }

    /// Takes some of these bytes off, and compresses them. `None` if the compressor has failed.
    fn next(&mut self, rest: &mut Bytes, end: bool, settings: &Compression) -> Option<Bytes> {
        if let Self::None = self {
            *self = Self::Own(OwnContext::new(settings));
        }
        match self {
            Self::None => None,
            Self::Own(own) => own.next(rest, end),
            Self::Shared(follower) => follower.next(rest, end),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}
