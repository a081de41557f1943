use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

use super::interrupts::{Did, Interrupt};
use super::prelude::Prelude;
use super::source::{Source, WholeFrame};
use super::sse_body::{BodyState, SseBody};
use crate::protocol::{Block, Writer};
use crate::timer::MaybeTimer;

/// The maximum number of items in one poll, in case they write nothing.
const ITEMS_PER_POLL: usize = 4096;

/// The event stream before it is compressed.
impl<S: Source, T: MaybeTimer> SseBody<S, T> {
    #[inline]
    pub(super) fn poll_plain(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        if S::HAS_WHOLE {
            self.poll_whole(cx)
        } else {
            self.poll_written(cx)
        }
    }

    /// The next frame, written from the items that are ready.
    // Out of line, so that the code for an item has one caller and is inlined here: `benches/body`,
    // "bursts of 16", writer form: 13.2 ns, and 14.5 otherwise. Also, whole frames need no room for a
    // writer.
    #[inline(never)]
    fn poll_written(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        let out = Writer::with_usual(self.usual);
        let mut poll = FramePoll { body: self, out };
        if poll.body.left.is_some() {
            // The chunks of a shared payload are sent before anything else is polled.
            if let Some(chunk) = poll.next_left() {
                return Poll::Ready(Some(Ok(Frame::data(chunk))));
            }
        }
        let polled = poll.run(cx);
        if poll.out.is_new() {
            // There is nothing to keep. Otherwise, `drop` keeps it.
            let usual = poll.out.usual();
            *poll.body.as_mut().project().usual = usual;
            mem::forget(poll);
        }
        polled
    }

    /// The next frame of a source that has it whole, which needs no writer.
    #[inline(always)]
    fn poll_whole(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        let mut this = self.as_mut().project();
        let is_open = matches!(this.state, BodyState::Open) && this.left.is_none();
        let whole = match this.source.as_mut().as_pin_mut() {
            Some(source) if is_open && this.interrupts.has_nothing(cx) => source.poll_whole(cx),
            _ => WholeFrame::Written,
        };
        let polled = match whole {
            WholeFrame::Ready(frame) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            WholeFrame::Pending if this.interrupts.is_waiting() => return Poll::Pending,
            WholeFrame::Pending | WholeFrame::Written => return self.poll_written(cx),
        };
        this.interrupts.mark();
        polled
    }

    /// Whether everything has been sent.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.state, BodyState::Ended) && self.left.is_none()
    }
}

/// A poll of a body, with the writer of its frame. A body between polls has no writer, which saves
/// memory: most bodies of a server are silent.
struct FramePoll<'a, S: Source, T: MaybeTimer> {
    body: Pin<&'a mut SseBody<S, T>>,
    out: Writer,
}

impl<S: Source, T: MaybeTimer> FramePoll<'_, S, T> {
    #[inline(always)]
    fn run(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        if matches!(self.body.state, BodyState::New) {
            self.open();
        }
        self.fill(cx);
        let mut this = self.body.as_mut().project();
        let did = match (self.out.is_empty(), &*this.state) {
            (true, BodyState::Ended) => return Poll::Ready(None),
            (true, BodyState::Failed(_)) => Did::Fail,
            (true, _) => Did::Nothing,
            (false, _) => Did::Send,
        };
        match this.interrupts.as_mut().poll(did, cx) {
            Poll::Pending => {}
            Poll::Ready(Interrupt::Heartbeat) => {
                let own = this.rare.as_ref().and_then(|rare| rare.heartbeat.clone());
                self.out
                    .push(own.map_or(Block::HEARTBEAT, Block::from_shared));
                // Sent after the heartbeat, which a page may listen for, and which becomes part of
                // this block if it is a comment line.
                let source = this.source.as_mut().as_pin_mut();
                if let Some(place) = source.and_then(|source| source.place()) {
                    self.out.push(place);
                }
            }
            Poll::Ready(Interrupt::End) => self.end(),
            Poll::Ready(Interrupt::Error) => {
                let state = mem::replace(this.state, BodyState::Ended);
                return Poll::Ready(match state {
                    BodyState::Failed(error) => Some(Err(error)),
                    BodyState::New | BodyState::Open | BodyState::Ended => None,
                });
            }
        }
        match self.out.next_frame() {
            Some(frame) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            None if matches!(self.body.state, BodyState::Ended) => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// The next chunk that the last frame has left. The events continue with the rest.
    #[cold]
    fn next_left(&mut self) -> Option<Bytes> {
        let this = self.body.as_mut().project();
        let mut left = this.left.take()?;
        let chunk = left.next_chunk();
        match chunk {
            Some(_) => *this.left = Some(left).filter(|left| !left.is_empty()),
            None => self.out = *left,
        }
        chunk
    }

    /// Writes the ready events, until a frame is full.
    #[inline(always)]
    fn fill(&mut self, cx: &mut Context<'_>) {
        let mut this = self.body.as_mut().project();
        let Some(mut source) = this.source.as_mut().as_pin_mut() else {
            return;
        };
        for _ in 0..ITEMS_PER_POLL {
            if self.out.is_full(*this.frame_size) {
                return;
            }
            match source.as_mut().poll_into(cx, &mut self.out) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => {
                    let rare = this.rare.as_mut();
                    let state = match rare.and_then(|rare| rare.on_error.take()) {
                        None => BodyState::Failed(error),
                        Some(last) => {
                            self.out.push(last);
                            BodyState::Ended
                        }
                    };
                    return self.close(state);
                }
                Poll::Ready(None) => return self.close(BodyState::Ended),
            }
        }
        cx.waker().wake_by_ref();
    }

    /// Handles the first poll: writes the prelude.
    #[cold]
    fn open(&mut self) {
        let this = self.body.as_mut().project();
        *this.state = BodyState::Open;
        let set = this.rare.as_mut().and_then(|rare| rare.prelude.take());
        // Often that was all, and streams are long.
        this.rare.take_if(|rare| rare.is_empty());
        let prelude = set.unwrap_or_else(|| this.interrupts.has_heartbeats().then(Prelude::new));
        if let Some(prelude) = prelude {
            self.out.push(prelude.to_block());
        }
    }

    /// Ends the stream from outside, after the events that are ready, unless it has ended by
    /// itself.
    #[cold]
    fn end(&mut self) {
        if !matches!(self.body.state, BodyState::Open) {
            return;
        }
        let mut this = self.body.as_mut().project();
        let place = this.source.as_mut().as_pin_mut();
        if let Some(place) = place.and_then(|source| source.place()) {
            self.out.push(place);
        }
        if let Some(farewell) = this.rare.as_mut().and_then(|rare| rare.farewell.take()) {
            self.out.push(farewell);
        }
        self.close(BodyState::Ended);
    }

    /// Drops the stream, and then the values it holds.
    #[cold]
    fn close(&mut self, state: BodyState<S::Error>) {
        let mut this = self.body.as_mut().project();
        *this.state = state;
        this.source.set(None);
        if let Some(rare) = this.rare {
            rare.held.clear();
        }
    }
}

/// Keeps what has not been sent: the chunks of a shared payload, or everything after a panic in the
/// user's code.
impl<S: Source, T: MaybeTimer> Drop for FramePoll<'_, S, T> {
    fn drop(&mut self) {
        let this = self.body.as_mut().project();
        *this.usual = self.out.usual();
        if !self.out.is_empty() {
            *this.left = Some(Box::new(mem::take(&mut self.out)));
        }
    }
}
