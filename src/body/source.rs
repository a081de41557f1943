use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::protocol::{Block, Encode, Event, Writer};

/// Where a body's events come from: a stream of [`Item`]s, or a stream of anything with a closure that
/// writes it ([`SseBody::writer`](super::SseBody::writer)).
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

/// What a stream of events gives: an [`Event`] or a [`Block`], or the `Result` of trying to make one.
///
/// Sealed.
pub trait Item: sealed::SealedItem {
    /// What is written.
    type Encode: Encode;
    /// Why nothing can be written; [`Infallible`] for what is no `Result`.
    type Error;

    /// The item as a `Result`.
    fn into_result(self) -> Result<Self::Encode, Self::Error>;
}

impl<I: Encode, E> Item for Result<I, E> {
    type Encode = I;
    type Error = E;

    #[inline]
    fn into_result(self) -> Self {
        self
    }
}

impl Item for Event {
    type Encode = Self;
    type Error = Infallible;

    #[inline]
    fn into_result(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

impl Item for Block {
    type Encode = Self;
    type Error = Infallible;

    #[inline]
    fn into_result(self) -> Result<Self, Infallible> {
        Ok(self)
    }
}

mod sealed {
    use super::{Block, Encode, Event, Item, Stream, Writer, Written};

    pub trait SealedItem {}
    impl<I: Encode, E> SealedItem for Result<I, E> {}
    impl SealedItem for Event {}
    impl SealedItem for Block {}

    pub trait Sealed {}
    impl<S: Stream<Item: Item>> Sealed for S {}
    impl<S, F, I, E> Sealed for Written<S, F>
    where
        S: Stream<Item = Result<I, E>>,
        F: FnMut(I, &mut Writer) -> Result<(), E>,
    {
    }
}

impl<S: Stream<Item: Item>> Source for S {
    type Error = <S::Item as Item>::Error;

    #[inline]
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), Self::Error>>> {
        self.poll_next(cx)
            .map(|item| item.map(|item| item.into_result().map(|item| item.encode_into(out))))
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
