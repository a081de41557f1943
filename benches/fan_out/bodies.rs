//! A thousand bodies of one type, as a server has them.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::Body;
use http_body_util::BodyExt;

pub(crate) const BODIES: usize = 1_000;

pub(crate) trait Bodies {
    /// Polls each until it is pending; returns the number of bytes.
    fn drain(&mut self, wakers: &[Waker]) -> usize;
    /// The same with a copy of what each body sends.
    fn collect(&mut self, wakers: &[Waker]) -> Vec<Vec<u8>>;
    /// Hands each to a task of its own.
    fn spawn(&mut self, received: &Arc<AtomicU64>);
}

pub(crate) fn bodies<B>(make: impl FnMut(usize) -> B) -> Box<dyn Bodies>
where
    B: Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    let bodies: Vec<_> = (0..BODIES).map(make).map(Box::pin).collect();
    Box::new(bodies)
}

impl<B> Bodies for Vec<Pin<Box<B>>>
where
    B: Body<Data = Bytes, Error: Debug> + Send + 'static,
{
    fn drain(&mut self, wakers: &[Waker]) -> usize {
        let mut bytes = 0;
        for (body, waker) in self.iter_mut().zip(wakers) {
            drain(body.as_mut(), waker, |frame| bytes += frame.len());
        }
        bytes
    }

    fn collect(&mut self, wakers: &[Waker]) -> Vec<Vec<u8>> {
        let bodies = self.iter_mut().zip(wakers);
        let all = bodies.map(|(body, waker)| {
            let mut bytes = Vec::new();
            drain(body.as_mut(), waker, |frame| bytes.extend_from_slice(frame));
            bytes
        });
        all.collect()
    }

    fn spawn(&mut self, received: &Arc<AtomicU64>) {
        for mut body in self.drain(..) {
            let received = Arc::clone(received);
            tokio::spawn(async move {
                while let Some(frame) = body.frame().await {
                    let frame = frame.expect("no body lags");
                    let bytes = frame.data_ref().expect("data").len() as u64;
                    received.fetch_add(bytes, Ordering::Relaxed);
                }
            });
        }
    }
}

/// Polls until there is nothing more, and hands out what came.
#[inline]
fn drain<B>(mut body: Pin<&mut B>, waker: &Waker, mut each: impl FnMut(&Bytes))
where
    B: Body<Data = Bytes, Error: Debug>,
{
    let mut cx = Context::from_waker(waker);
    while let Poll::Ready(frame) = body.as_mut().poll_frame(&mut cx) {
        let frame = frame.expect("no body ends").expect("no body lags");
        each(frame.data_ref().expect("data"));
    }
}
