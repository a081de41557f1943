use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::body::{Coder, KeepAlive, KeepAliveBody, to_bytes};
use crate::timer::{MaybeTimer, NoTimer};

pin_project! {
    /// The response body of [`SseService`](super::SseService): the wrapped service's body,
    /// untouched or with heartbeats, or the reason for a refusal.
    ///
    /// ```
    /// use http_body::Body;
    /// use tower_sse::middleware::ResponseBody;
    ///
    /// // For outer layers that respond by themselves.
    /// let body = ResponseBody::<String>::default();
    /// assert!(body.is_end_stream());
    /// ```
    #[must_use = "a body does nothing until a server polls it"]
    pub struct ResponseBody<B: Body, T: MaybeTimer = NoTimer> {
        #[pin]
        inner: Inner<B, T>,
        coder: Option<Coder>,
    }
}

pin_project! {
    #[project = InnerProj]
    enum Inner<B: Body, T: MaybeTimer> {
        Passed { #[pin] body: B },
        Stream { #[pin] body: B },
        // Boxed, because it is several times as large as the others, and a server that boxes
        // bodies keeps its size for each response.
        KeptAlive { body: Pin<Box<KeepAliveBody<B, T>>> },
        Text { text: Bytes },
        Unsent,
    }
}

impl<B: Body, T: MaybeTimer> ResponseBody<B, T> {
    pub(super) fn passed(body: B) -> Self {
        Self::of(Inner::Passed { body })
    }

    /// An event stream. Its exact size is hidden even if it is known, because a server would turn
    /// it into a `Content-Length`.
    pub(super) fn stream(body: B) -> Self {
        Self::of(Inner::Stream { body })
    }

    pub(super) fn kept_alive(body: B, keep_alive: KeepAlive, timer: T) -> Self {
        let body = Box::pin(KeepAliveBody::of(body, keep_alive, timer));
        Self::of(Inner::KeptAlive { body })
    }

    pub(super) fn text(text: Bytes) -> Self {
        Self::of(Inner::Text { text })
    }

    /// The body of a response to `HEAD`. It is at its end but has no known size: axum would
    /// otherwise send `content-length: 0`, unlike for a `GET`.
    pub(super) fn unsent() -> Self {
        Self::of(Inner::Unsent)
    }

    fn of(inner: Inner<B, T>) -> Self {
        Self { inner, coder: None }
    }

    /// The body with its frames compressed.
    pub(super) fn coded(self, coder: Option<Coder>) -> Self {
        Self { coder, ..self }
    }
}

impl<B: Body, T: MaybeTimer> Body for ResponseBody<B, T> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        match this.coder {
            None => this.inner.poll_frame(cx),
            Some(coder) => coder.poll(|| {
                let polled = this.inner.as_mut().poll_frame(cx);
                (polled, this.inner.is_end_stream())
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.coder {
            None => self.inner.is_end_stream(),
            Some(coder) => coder.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.coder {
            None => self.inner.size_hint(),
            Some(_) => SizeHint::new(),
        }
    }
}

impl<B: Body, T: MaybeTimer> Inner<B, T> {
    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project() {
            InnerProj::Passed { body } | InnerProj::Stream { body } => body
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map(to_bytes))),
            InnerProj::KeptAlive { body } => body.as_mut().poll_frame(cx),
            InnerProj::Text { text } if text.is_empty() => Poll::Ready(None),
            InnerProj::Text { text } => Poll::Ready(Some(Ok(Frame::data(std::mem::take(text))))),
            InnerProj::Unsent => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed { body } | Self::Stream { body } => body.is_end_stream(),
            Self::KeptAlive { body } => body.is_end_stream(),
            Self::Text { text } => text.is_empty(),
            Self::Unsent => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed { body } => body.size_hint(),
            Self::Stream { body } => {
                let mut hint = SizeHint::new();
                hint.set_lower(body.size_hint().lower());
                hint
            }
            Self::KeptAlive { body } => body.size_hint(),
            Self::Text { text } => SizeHint::with_exact(text.len().try_into().unwrap_or(u64::MAX)),
            Self::Unsent => SizeHint::new(),
        }
    }
}

/// An empty body, for outer layers that respond by themselves.
impl<B: Body, T: MaybeTimer> Default for ResponseBody<B, T> {
    fn default() -> Self {
        Self::text(Bytes::new())
    }
}

impl<B: Body + fmt::Debug, T: MaybeTimer> fmt::Debug for ResponseBody<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner {
            Inner::Passed { body } => f.debug_tuple("Passed").field(body).finish(),
            Inner::Stream { body } => f.debug_tuple("Stream").field(body).finish(),
            Inner::KeptAlive { body } => f.debug_tuple("KeptAlive").field(body).finish(),
            Inner::Text { text } => f.debug_tuple("Text").field(text).finish(),
            Inner::Unsent => f.write_str("Unsent"),
        }
    }
}
