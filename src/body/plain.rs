use std::pin::Pin;
use std::task::{Context, Poll};

use super::prelude::Prelude;
use super::source::Source;
use super::sse_body::{BodyState, SseBody};
use crate::timer::MaybeTimer;

/// The maximum number of items in one poll, in case they write nothing.
const ITEMS_PER_POLL: usize = 4096;

impl<S: Source, T: MaybeTimer> SseBody<S, T> {
    /// Writes the ready events, until a frame is full.
    #[inline]
    pub(super) fn fill(mut self: Pin<&mut Self>, cx: &mut Context<'_>) {
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
    pub(super) fn open(self: Pin<&mut Self>) {
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
    pub(super) fn end(mut self: Pin<&mut Self>) {
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
