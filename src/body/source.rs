use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::protocol::{Encode, Writer};

/// Where a body's events come from: any stream of `Result<Event, E>` or `Result<Block, E>`, or a
/// stream of items with a closure that writes them ([`SseBody::writer`](super::SseBody::writer)).
///
/// Sealed; it is a trait so that both forms are one type of body.
pub trait Source: sealed::Sealed {
    /// The error with which the stream fails, and the body with it.
    type Error;

    /// Writes the next item, if there is one.
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), Self::Error>>>;
}

mod sealed {
    use super::{Encode, Stream, Writer, Written};

    pub trait Sealed {}

    impl<S, I, E> Sealed for S
    where
        S: Stream<Item = Result<I, E>>,
        I: Encode,
    {
    }

    impl<S, F, I, E> Sealed for Written<S, F>
    where
        S: Stream<Item = Result<I, E>>,
        F: FnMut(I, &mut Writer) -> Result<(), E>,
    {
    }
}

impl<S, I, E> Source for S
where
    S: Stream<Item = Result<I, E>>,
    I: Encode,
{
    type Error = E;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), E>>> {
        self.poll_next(cx)
            .map(|item| item.map(|item| item.map(|item| item.encode_into(out))))
    }
}

pin_project! {
    /// A stream of items and a closure that writes each; see
    /// [`SseBody::writer`](super::SseBody::writer).
    pub struct Written<S, F> {
        #[pin]
        stream: S,
        write: F,
    }
}

impl<S, F> Written<S, F> {
    pub(super) fn new(stream: S, write: F) -> Self {
        Self { stream, write }
    }
}

impl<S, F, I, E> Source for Written<S, F>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I, &mut Writer) -> Result<(), E>,
{
    type Error = E;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), E>>> {
        let this = self.project();
        this.stream
            .poll_next(cx)
            .map(|item| item.map(|item| item.and_then(|item| (this.write)(item, out))))
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Written<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Written")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}
