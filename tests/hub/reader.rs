//! A client's side of a subscription, which may be compressed.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;

pub(crate) trait ReadBody: Body<Data = Bytes, Error = Infallible> + 'static {}

impl<B: Body<Data = Bytes, Error = Infallible> + 'static> ReadBody for B {}

/// What a client can read of a body.
pub(crate) struct Reader {
    body: Pin<Box<dyn Body<Data = Bytes, Error = Infallible>>>,
    #[cfg(feature = "compression")]
    gunzip: Option<crate::support::gunzip::Gunzip>,
}

impl Reader {
    pub(crate) fn new(body: impl ReadBody) -> Self {
        Self {
            body: Box::pin(body),
            #[cfg(feature = "compression")]
            gunzip: None,
        }
    }

    #[cfg(feature = "compression")]
    pub(crate) fn gzip(body: impl ReadBody) -> Self {
        use tower_sse::compression::{CompressedBody, Compression, Encoding};
        let body = CompressedBody::new(body, Encoding::Gzip, &Compression::new());
        Self {
            body: Box::pin(body),
            gunzip: Some(crate::support::gunzip::Gunzip::new()),
        }
    }

    /// The bytes of one more frame, which may be none.
    pub(crate) fn poll(&mut self) -> Poll<Option<Vec<u8>>> {
        let polled = self.poll_wire();
        #[cfg(feature = "compression")]
        if let Some(gunzip) = &mut self.gunzip {
            return polled.map(|wire| {
                let Some(wire) = wire else {
                    assert!(gunzip.is_complete(), "no trailer");
                    return None;
                };
                let before = gunzip.text().len();
                Some(gunzip.read(&wire)[before..].to_vec())
            });
        }
        polled.map(|wire| wire.map(Vec::from))
    }

    /// The bytes of one more frame as they are sent.
    pub(crate) fn poll_wire(&mut self) -> Poll<Option<Bytes>> {
        let mut cx = Context::from_waker(Waker::noop());
        match self.body.as_mut().poll_frame(&mut cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(frame.into_data().unwrap())),
            Poll::Ready(Some(Err(never))) => match never {},
            Poll::Ready(None) => {
                assert!(self.body.is_end_stream());
                Poll::Ready(None)
            }
        }
    }
}
