use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::Frame;

use super::interrupts::{Did, Interrupt};
use super::prelude::Prelude;
use super::source::Source;
use super::sse_body::{BodyState, SseBody};
use crate::protocol::Block;
use crate::timer::MaybeTimer;

/// The maximum number of items in one poll, in case they write nothing.
const ITEMS_PER_POLL: usize = 4096;

/// The event stream before it is compressed.
impl<S: Source, T: MaybeTimer> SseBody<S, T> {
    #[inline]
    pub(super) fn poll_plain(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, S::Error>>> {
        // The chunks of a shared payload are sent before anything else is polled.
        if let Some(chunk) = self.as_mut().project().out.next_chunk() {
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        if matches!(self.state, BodyState::New) {
            self.as_mut().open();
        }
        self.as_mut().fill(cx);
        let mut this = self.as_mut().project();
        let did = match (this.out.is_empty(), &*this.state) {
            (true, BodyState::Ended) => return Poll::Ready(None),
            (true, BodyState::Failed(_)) => Did::Fail,
            (true, _) => Did::Nothing,
            (false, _) => Did::Send,
        };
        match this.interrupts.as_mut().poll(did, cx) {
            Poll::Pending => {}
            Poll::Ready(Interrupt::Heartbeat) => {
                let own = this.rare.as_ref().and_then(|rare| rare.heartbeat.clone());
                this.out
                    .push(own.map_or(Block::HEARTBEAT, Block::from_shared));
                // Sent after the heartbeat, which a page may listen for, and which becomes part of
                // this block if it is a comment line.
                let source = this.source.as_mut().as_pin_mut();
                if let Some(place) = source.and_then(|source| source.place()) {
                    this.out.push(place);
                }
            }
            Poll::Ready(Interrupt::End) => self.as_mut().end(),
            Poll::Ready(Interrupt::Error) => {
                let state = mem::replace(this.state, BodyState::Ended);
                return Poll::Ready(match state {
                    BodyState::Failed(error) => Some(Err(error)),
                    BodyState::New | BodyState::Open | BodyState::Ended => None,
                });
            }
        }
        match self.as_mut().project().out.next_frame() {
            Some(frame) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            None if matches!(self.state, BodyState::Ended) => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    /// Whether everything has been sent.
    pub(super) fn is_at_end(&self) -> bool {
        matches!(self.state, BodyState::Ended) && self.out.is_empty()
    }

    /// Writes the ready events, until a frame is full.
    #[inline]
    fn fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
        let mut this = self.as_mut().project();
        let Some(mut source) = this.source.as_mut().as_pin_mut() else {
            return;
        };
        for _ in 0..ITEMS_PER_POLL {
            if this.out.is_full(*this.frame_size) {
                return;
            }
            match source.as_mut().poll_into(cx, this.out) {
                Poll::Pending => return,
                Poll::Ready(Some(Ok(()))) => {}
                Poll::Ready(Some(Err(error))) => {
                    let rare = this.rare.as_mut();
                    let state = match rare.and_then(|rare| rare.on_error.take()) {
                        None => BodyState::Failed(error),
                        Some(last) => {
                            this.out.push(last);
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
    fn open(self: Pin<&mut Self>) {
        let this = self.project();
        *this.state = BodyState::Open;
        let set = this.rare.as_mut().and_then(|rare| rare.prelude.take());
        // Often that was all, and streams are long.
        this.rare.take_if(|rare| rare.is_empty());
        let prelude = set.unwrap_or_else(|| this.interrupts.has_heartbeats().then(Prelude::new));
        if let Some(prelude) = prelude {
            this.out.push(prelude.to_block());
        }
    }

    /// Ends the stream from outside, after the events that are ready, unless it has ended by
    /// itself.
    fn end(mut self: Pin<&mut Self>) {
        if !matches!(self.state, BodyState::Open) {
            return;
        }
        let mut this = self.as_mut().project();
        let place = this.source.as_mut().as_pin_mut();
        if let Some(place) = place.and_then(|source| source.place()) {
            this.out.push(place);
        }
        let rare = self.as_mut().project().rare.as_mut();
        if let Some(farewell) = rare.and_then(|rare| rare.farewell.take()) {
            self.as_mut().project().out.push(farewell);
        }
        self.close(BodyState::Ended);
    }

    /// Drops the stream, and then the values it holds.
    fn close(self: Pin<&mut Self>, state: BodyState<S::Error>) {
        let mut this = self.project();
        *this.state = state;
        this.source.set(None);
        if let Some(rare) = this.rare {
            rare.held.clear();
        }
    }
}
