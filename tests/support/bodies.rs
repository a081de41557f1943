//! Scripted streams and bodies, polled by hand.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

/// A stream or body that gives what it is told to, then is pending, or over once it is closed.
#[derive(Debug)]
pub struct Script<T>(Arc<Mutex<State<T>>>);

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    closed: bool,
    polls: usize,
    waker: Option<Waker>,
}

impl<T> Clone for Script<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Script<T> {
    pub fn new(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().collect();
        Self(Arc::new(Mutex::new(State {
            items,
            closed: false,
            polls: 0,
            waker: None,
        })))
    }

    pub fn push(&self, item: T) {
        let mut state = self.0.lock().unwrap();
        state.items.push_back(item);
        state.waker.take().inspect(Waker::wake_by_ref);
    }

    pub fn close(&self) {
        let mut state = self.0.lock().unwrap();
        state.closed = true;
        state.waker.take().inspect(Waker::wake_by_ref);
    }

    /// How often it was polled.
    pub fn polls(&self) -> usize {
        self.0.lock().unwrap().polls
    }

    /// Whether somebody holds it besides the caller.
    pub fn is_held(&self) -> bool {
        self.holders() > 1
    }

    /// How many hold it, the caller included.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut state = self.0.lock().unwrap();
        state.polls += 1;
        match state.items.pop_front() {
            Some(item) => Poll::Ready(Some(item)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<I, E> Stream for Script<Result<I, E>> {
    type Item = Result<I, E>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll(cx)
    }
}

/// A foreign body: frames as scripted.
#[derive(Debug)]
pub struct ScriptBody(pub Script<Frame<Bytes>>);

impl Body for ScriptBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll(cx).map(|frame| frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        let state = self.0.0.lock().unwrap();
        state.closed && state.items.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.0.0.lock().unwrap();
        let ready = state
            .items
            .iter()
            .filter_map(Frame::data_ref)
            .map(|data| data.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(ready.sum());
        hint
    }
}

pub fn trailers(name: &'static str, value: &str) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert(name, value.parse().unwrap());
    Frame::trailers(trailers)
}

/// Counts how often it was woken.
#[derive(Debug, Default)]
pub struct Wakes(AtomicUsize);

impl Wakes {
    pub fn new() -> (Arc<Self>, Waker) {
        let wakes = Arc::<Self>::default();
        (Arc::clone(&wakes), Waker::from(wakes))
    }

    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// One poll by hand: the data of a frame, or why there is none.
pub fn poll<B>(body: &mut Pin<Box<B>>, waker: &Waker) -> Polled<B::Error>
where
    B: Body<Data = Bytes>,
{
    match body.as_mut().poll_frame(&mut Context::from_waker(waker)) {
        Poll::Pending => Polled::Pending,
        Poll::Ready(None) => Polled::End,
        Poll::Ready(Some(Err(error))) => Polled::Error(error),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Polled::Data(data),
            Err(frame) => Polled::Trailers(frame.into_trailers().unwrap()),
        },
    }
}

#[derive(Debug, PartialEq)]
pub enum Polled<E> {
    Pending,
    Data(Bytes),
    Trailers(HeaderMap),
    Error(E),
    End,
}

impl<E> Polled<E> {
    #[track_caller]
    pub fn data(self) -> Bytes {
        match self {
            Self::Data(data) => data,
            _ => panic!("no data"),
        }
    }
}
