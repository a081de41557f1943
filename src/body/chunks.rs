use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;

pin_project! {
    /// A body made from a stream of chunks, as read by
    /// [`EventStream::from_stream`](super::EventStream::from_stream).
    ///
    /// A chunk is anything that converts into [`Bytes`]: `Bytes` itself, `Vec<u8>`, `String`.
    ///
    /// ```
    /// use http_body_util::BodyExt;
    /// use tower_sse::body::Chunks;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let chunks = ["data: ki", "ck-off\n\n"].map(Ok::<_, std::io::Error>);
    /// let body = Chunks::new(futures_util::stream::iter(chunks)).collect().await.unwrap();
    /// assert_eq!(body.to_bytes(), "data: kick-off\n\n");
    /// # }
    /// ```
    #[must_use = "bodies do nothing unless polled"]
    pub struct Chunks<S> {
        #[pin]
        stream: S,
    }
}

impl<S> Chunks<S> {
    /// Creates a body from a stream of chunks.
    ///
    /// ```
    /// use http_body::Body;
    /// use tower_sse::body::Chunks;
    ///
    /// let body = Chunks::new(futures_util::stream::empty::<Result<Vec<u8>, std::io::Error>>());
    /// assert_eq!(body.size_hint().exact(), None);
    /// ```
    pub fn new(stream: S) -> Self {
        Self { stream }
    }
}

impl<S, D, E> Body for Chunks<S>
where
    S: Stream<Item = Result<D, E>>,
    D: Into<Bytes>,
{
    type Data = Bytes;
    type Error = E;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, E>>> {
        let chunk = self.project().stream.poll_next(cx);
        chunk.map_ok(|chunk| Frame::data(chunk.into()))
    }
}

impl<S> fmt::Debug for Chunks<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks").finish_non_exhaustive()
    }
}
