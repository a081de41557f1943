use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use pin_project_lite::pin_project;

use crate::protocol::{Block, Encode, Event, Writer};

/// The source of a body's events: a stream of [`Item`]s, a [`Subscription`](crate::Subscription),
/// or a stream of any items with a closure that writes them ([`Written`]).
///
/// Sealed. Every `Stream<Item: Item>` is a source.
///
/// ```
/// use http_body::Body;
/// use tower_sse::{Event, SseBody, body::Source};
///
/// fn one_per_frame<S: Source>(body: SseBody<S>) -> SseBody<S> {
///     body.frame_size(1)
/// }
/// let events = futures_util::stream::iter([Event::new("x")]);
/// assert!(!one_per_frame(SseBody::new(events)).is_end_stream());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of events",
    label = "not a source of events",
    note = "a body is made from a stream of `tower_sse::Event`s"
)]
pub trait Source: sealed::Sealed {
    /// The error that the stream, and with it the body, fails with.
    type Error;

    /// Writes the next item, if there is one.
    ///
    /// ```
    /// # use std::pin::Pin;
    /// # use std::task::{Context, Poll, Waker};
    /// # use tower_sse::{Block, Event, body::Source};
    /// let mut events = futures_util::stream::iter([Event::new("x")]);
    /// let cx = &mut Context::from_waker(Waker::noop());
    /// let block = Block::write(|out| {
    ///     assert_eq!(Pin::new(&mut events).poll_into(cx, out), Poll::Ready(Some(Ok(()))));
    ///     assert_eq!(Pin::new(&mut events).poll_into(cx, out), Poll::Ready(None));
    /// });
    /// assert_eq!(block, "data: x\n\n");
    /// ```
    fn poll_into(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut Writer,
    ) -> Poll<Option<Result<(), Self::Error>>>;
}

/// An item of a stream of events: an [`Event`], a [`Block`], or a `Result` of either.
///
/// Sealed.
///
/// ```
/// use futures_util::stream::{self, Stream};
/// use http_body_util::BodyExt;
/// use tower_sse::{Block, Event, SseBody, body::Item};
///
/// fn body<I: Item>(items: impl IntoIterator<Item = I>) -> SseBody<impl Stream<Item = I>> {
///     SseBody::new(stream::iter(items))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// assert_eq!(body([Event::new("x")]).collect().await.unwrap().to_bytes(), "data: x\n\n");
/// assert_eq!(body([Ok(Block::HEARTBEAT), Err("gone")]).collect().await.unwrap_err(), "gone");
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "the items of this stream are not events",
    note = "the items are `tower_sse::Event`s, `tower_sse::Block`s, or `Result`s of either",
    note = "for a stream of text: `stream.map(Event::new)`",
    note = "for a stream of `Result`s of text: `stream.map_ok(Event::new)` with `futures_util::TryStreamExt`",
    note = "for a stream of `axum::response::sse::Event`: `use tower_sse::Event` in its place; \
            `tower_sse::docs::coming_from_axum` in the docs names each method's counterpart",
    note = "for a stream of anything else: `SseBody::writer(stream, |item, out| ..)`"
)]
pub trait Item: sealed::SealedItem {
    /// The type that is written.
    type Encode: Encode;
    /// The error of a `Result`; [`Infallible`] for other items.
    type Error;

    /// Converts the item into a `Result`.
    ///
    /// ```
    /// # use tower_sse::{Block, body::Item};
    /// assert_eq!(Block::HEARTBEAT.into_result(), Ok(Block::HEARTBEAT));
    /// assert_eq!(Err::<Block, _>("gone").into_result(), Err("gone"));
    /// ```
    fn into_result(self) -> Result<Self::Encode, Self::Error>;
}

#[diagnostic::do_not_recommend]
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

use self::sealed::Events;
pub(crate) use self::sealed::Sealed as SealedSource;
pub(crate) use self::sealed::WholeFrame;

mod sealed {
    use super::{Block, Bytes, Context, Encode, Event, Item, Pin, Poll, Stream, Writer, Written};

    /// An alias of `Stream`, so that the compiler's error says how to turn a `Vec` or a channel
    /// into one.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a stream of events",
        label = "not a stream",
        note = "for a `Vec`, an array or an iterator: `futures_util::stream::iter(events)`",
        note = "for a tokio `mpsc::Receiver`: `tokio_stream::wrappers::ReceiverStream::new(receiver)`",
        note = "for a tokio `broadcast::Receiver`: publish through a `tower_sse::Hub` instead",
        note = "for a future: `futures_util::stream::once(future)`"
    )]
    pub trait Events {
        type Item;

        fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>>;
    }

    #[diagnostic::do_not_recommend]
    impl<S: Stream> Events for S {
        type Item = S::Item;

        #[inline]
        fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
            Stream::poll_next(self, cx)
        }
    }

    pub trait SealedItem {}
    impl<I: Encode, E> SealedItem for Result<I, E> {}
    impl SealedItem for Event {}
    impl SealedItem for Block {}

    pub trait Sealed {
        /// A block that advances the client's last event ID, if that is known to be behind. It is
        /// sent in place of a heartbeat, and before an end from outside.
        fn place(self: std::pin::Pin<&mut Self>) -> Option<Block> {
            None
        }

        /// Whether the source ever [has](Self::poll_whole) a whole frame.
        const HAS_WHOLE: bool = false;

        /// The next frame, if the source has it whole. Runs no code of users.
        #[inline]
        fn poll_whole(self: Pin<&mut Self>, _: &mut Context<'_>) -> WholeFrame {
            WholeFrame::Written
        }
    }

    /// The next frame of a source.
    #[derive(Debug)]
    pub enum WholeFrame {
        /// The source has it whole.
        Ready(Bytes),
        /// There is none.
        Pending,
        /// Takes a [`poll_into`](super::Source::poll_into).
        Written,
    }
    impl<S: Events<Item: Item>> Sealed for S {}
    impl<S, F, I, E> Sealed for Written<S, F>
    where
        S: Stream<Item = Result<I, E>>,
        F: FnMut(I, &mut Writer) -> Result<(), E>,
    {
    }
}

impl<S: Events<Item: Item>> Source for S {
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
    /// A stream of items with a closure that writes each into the frame.
    ///
    /// [`SseBody::writer`](super::SseBody::writer) creates the body in one step. Use this type to
    /// name the body, or to give it a timer.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use futures_util::stream;
    /// use http_body_util::BodyExt;
    /// use tower_sse::{KeepAlive, SseBody, body::Written};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let tokens = stream::iter([Ok::<_, Infallible>("Once"), Ok(" upon")]);
    /// let source = Written::new(tokens, |token, out| Ok(out.data(token)));
    /// let body = SseBody::with_timer(source, tokio::time::sleep).keep_alive(KeepAlive::default());
    /// let bytes = body.prelude(None).collect().await.unwrap().to_bytes();
    /// assert_eq!(bytes, "data: Once\n\ndata:  upon\n\n");
    /// # }
    /// ```
    pub struct Written<S, F> {
        #[pin]
        stream: S,
        write: F,
    }
}

impl<S, F, I, E> Written<S, F>
where
    S: Stream<Item = Result<I, E>>,
    F: FnMut(I, &mut Writer) -> Result<(), E>,
{
    /// Creates a source of the stream's items, each written by the closure.
    ///
    /// ```
    /// use futures_util::stream::{self, Empty};
    /// use http_body::Body;
    /// use tower_sse::{SseBody, Writer, body::Written};
    ///
    /// type Write = fn(u64, &mut Writer) -> Result<(), &'static str>;
    /// struct Numbers(SseBody<Written<Empty<Result<u64, &'static str>>, Write>>);
    ///
    /// let source = Written::new(stream::empty(), (|n, out| Ok(out.id(n).data("x"))) as Write);
    /// assert!(!Numbers(SseBody::new(source)).0.is_end_stream());
    /// ```
    pub fn new(stream: S, write: F) -> Self {
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
