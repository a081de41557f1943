use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::compression::Compression;
use super::encoder::Encoder;
use super::encoding::Encoding;

pin_project! {
    /// A body in an [`Encoding`].
    ///
    /// - Each frame of the wrapped body can be decoded as soon as it has arrived; nothing waits for
    ///   more. Frames above 64 KiB are sent in several.
    /// - At the end, the gzip trailer comes with the last frame or after it, then the trailers of
    ///   the wrapped body.
    /// - Errors pass. No gzip trailer comes before or after an error, so that a decoder reports a
    ///   truncated stream too.
    ///
    /// The frames of a [hub](crate::hub) are compressed once for all subscribers. Any other body has
    /// a compression context of its own, from its first frame to its end. It takes 380 KB, or
    /// 251 KB with the smallest [window](Compression::window_bits).
    ///
    /// It does not set `Content-Encoding`; see [`Compression::compress`].
    ///
    /// ```
    /// use std::io::Read;
    /// use http_body_util::BodyExt;
    /// use tower_sse::compression::{CompressedBody, Compression, Encoding};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = "data: x\n\n".to_owned();
    /// let body = CompressedBody::new(body, Encoding::Gzip, &Compression::new());
    /// let bytes = body.collect().await.unwrap().to_bytes();
    /// let mut text = String::new();
    /// flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
    /// assert_eq!(text, "data: x\n\n");
    /// # }
    /// ```
    #[must_use = "a body does nothing until a server polls it"]
    pub struct CompressedBody<B> {
        #[pin]
        body: B,
        encoder: Option<Box<Encoder>>,
    }
}

impl<B> CompressedBody<B> {
    /// Wraps a body. In [`Encoding::Identity`], all of it passes unchanged.
    ///
    /// ```
    /// # use http_body_util::BodyExt;
    /// # use tower_sse::compression::{CompressedBody, Compression, Encoding};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let body = "data: x\n\n".to_owned();
    /// let body = CompressedBody::new(body, Encoding::Identity, &Compression::new());
    /// assert_eq!(body.collect().await.unwrap().to_bytes(), "data: x\n\n");
    /// # }
    /// ```
    pub fn new(body: B, encoding: Encoding, settings: &Compression) -> Self {
        Self::of(body, Encoder::new(encoding, settings))
    }

    pub(super) fn of(body: B, encoder: Option<Box<Encoder>>) -> Self {
        Self { body, encoder }
    }
}

impl<B: Body> Body for CompressedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(encoder) = this.encoder else {
            let polled = this.body.poll_frame(cx);
            let to_bytes = |mut data: B::Data| data.copy_to_bytes(data.remaining());
            return polled
                .map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(to_bytes))));
        };
        encoder.poll(|| {
            let polled = this.body.as_mut().poll_frame(cx);
            (polled, this.body.is_end_stream())
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.encoder {
            None => self.body.is_end_stream(),
            Some(encoder) => encoder.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.encoder {
            None => self.body.size_hint(),
            Some(_) => SizeHint::new(),
        }
    }
}

impl<B: fmt::Debug> fmt::Debug for CompressedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompressedBody")
            .field("body", &self.body)
            .field("encoder", &self.encoder)
            .finish()
    }
}
