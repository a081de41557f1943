use std::collections::VecDeque;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::deliveries::Missed;
use super::subscription::Subscription;
use crate::body::WholeFrame;
use crate::clock;
use crate::hub::change::Reason;
use crate::hub::core::{State, Taken, Wakes};
use crate::hub::delivery::Delivery;
use crate::hub::trace;
use crate::protocol::{Block, EventId};

/// The number of times that a poll looks for events that pass the filter, at several hundred each
/// time.
const LOOKS: usize = 8;

/// Serving a subscription: as blocks, or as deliveries one by one.
impl Subscription {
    /// The fast path for nearly every poll: a frame shared with other subscribers, or nothing yet.
    /// Otherwise, it takes a [block](Self::poll_block), which is larger to move.
    #[inline(always)]
    pub(super) fn poll_shared(&mut self, cx: &mut Context<'_>) -> WholeFrame {
        #[cfg(feature = "compression")]
        if self
            .extra
            .as_ref()
            .is_none_or(|extra| extra.filter.is_none())
        {
            crate::hub::packed::announce();
        }
        if self.extra.is_some() {
            return WholeFrame::Written;
        }
        let Some(seat) = &mut self.seat else {
            return WholeFrame::Written;
        };
        if seat.is_waiting(cx.waker(), self.shared.changes()) {
            return WholeFrame::Pending;
        }
        match self.shared.take_shared(seat, cx.waker()) {
            Some(frame) => WholeFrame::Ready(frame),
            None => WholeFrame::Written,
        }
    }

    /// The next frame as a block.
    #[inline(never)]
    pub(super) fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        if self.extra.is_some() {
            return self.poll_extra(cx);
        }
        self.poll_hub(cx)
    }

    /// The next frame, one chunk at a time.
    pub(super) fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(chunk) = self.take_chunk() {
            return Poll::Ready(Some(chunk));
        }
        let Some(block) = ready!(self.poll_block(cx)) else {
            return Poll::Ready(None);
        };
        if block.parts().1.is_none() {
            return Poll::Ready(Some(block.into_parts().0));
        }
        let chunks = &mut self.extra.get_or_insert_default().chunks;
        chunks.extend(block.into_chunks());
        chunks.reverse();
        Poll::Ready(self.take_chunk())
    }

    fn take_chunk(&mut self) -> Option<Bytes> {
        let extra = self.extra.as_mut()?;
        let chunk = extra.chunks.pop();
        self.trim();
        chunk
    }

    /// Drops the extra state once nothing in it is needed.
    pub(super) fn trim(&mut self) {
        let over = self.extra.as_ref().is_some_and(|extra| {
            let idle = extra.first.is_none() && extra.chunks.is_empty();
            #[cfg(any(test, feature = "redis"))]
            let idle = idle && extra.past.is_none();
            idle && extra.filter.is_none() && extra.end_at.is_none() && !extra.once
        });
        if over {
            self.extra = None;
        }
    }

    fn poll_hub(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let Some(seat) = &mut self.seat else {
            return Poll::Ready(None);
        };
        seat.prepare(cx.waker());
        match self.shared.take(seat) {
            Taken::Frame(block) => Poll::Ready(Some(block)),
            other => self.settle(cx, &other),
        }
    }

    /// Like [`poll_hub`](Self::poll_hub), for a subscription with extra state.
    #[cold]
    fn poll_extra(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        if self.expire() {
            return Poll::Ready(None);
        }
        if let Some(first) = self.take_first() {
            return Poll::Ready(Some(first));
        }
        #[cfg(any(test, feature = "redis"))]
        if let Some(block) = self.poll_past(cx) {
            return block;
        }
        let Some(extra) = &mut self.extra else {
            return self.poll_hub(cx);
        };
        let (filtered, once) = (extra.filter.is_some(), extra.once);
        let seat = self.seat.as_ref().filter(|_| !once);
        let changes = self.shared.changes();
        if seat.is_some_and(|seat| seat.is_waiting(cx.waker(), changes)) {
            return Poll::Pending;
        }
        let block = if filtered {
            self.poll_filtered(cx)
        } else {
            self.poll_hub(cx)
        };
        if let (Poll::Ready(Some(_)), Some(extra)) = (&block, &mut self.extra) {
            extra.served = true;
        }
        block
    }

    /// Ends the subscription if its instant has passed.
    fn expire(&mut self) -> bool {
        let Some(extra) = &mut self.extra else {
            return false;
        };
        let expired = extra.end_at.is_some_and(|at| clock::instant() >= Some(at));
        if expired {
            extra.first = None;
            self.leave(Reason::Expired);
        }
        expired
    }

    /// Whether an event comes before those of the log: a gap event, or the handler's first event.
    pub(super) fn begins_with_event(&self) -> bool {
        let extra = self.extra.as_ref();
        self.outcome.is_lossy() || extra.is_some_and(|extra| extra.begins_with_event)
    }

    /// The block that is sent before anything else, if there is one.
    fn take_first(&mut self) -> Option<Block> {
        let with_event = self.begins_with_event();
        let extra = self.extra.as_mut()?;
        let first = extra.first.take()?;
        extra.served = with_event;
        self.trim();
        Some(first).filter(|first| !first.is_empty())
    }

    fn poll_filtered(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let mut deliveries = Vec::new();
        for _ in 0..LOOKS {
            if self.seat.is_none() {
                return Poll::Ready(None);
            }
            if let Err(other) = self.collect(cx, |delivery| deliveries.push(delivery)) {
                return self.settle(cx, &other);
            }
            let block = Block::write(|out| {
                for delivery in deliveries.drain(..) {
                    out.push(delivery.into_block());
                }
            });
            if !block.is_empty() {
                return Poll::Ready(Some(block));
            }
        }
        // Other tasks have a turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Collects some of the pending events that the filter allows, one by one.
    fn collect(&mut self, cx: &mut Context<'_>, each: impl FnMut(Delivery)) -> Result<(), Taken> {
        let Some(seat) = &mut self.seat else {
            return Err(Taken::Closed);
        };
        seat.prepare(cx.waker());
        let mut taken = Vec::new();
        self.shared
            .with(|state, wakes| state.take_each(seat, wakes, &mut taken))?;
        let filter = self.extra.as_mut().and_then(|extra| extra.filter.as_mut());
        match filter {
            None => taken.into_iter().for_each(each),
            Some(allows) => {
                let allows = allows.get_mut();
                taken.into_iter().filter(|one| allows(one)).for_each(each);
            }
        }
        Ok(())
    }

    /// Handles the cases in which there is no event.
    pub(super) fn settle(&mut self, cx: &mut Context<'_>, taken: &Taken) -> Poll<Option<Block>> {
        match taken {
            Taken::Lagged => self.lag(cx),
            Taken::Closed => {
                let farewell = self.shared.farewell();
                self.leave(Reason::Closed);
                Poll::Ready(farewell)
            }
            Taken::Ended(reason) => {
                let end = self.unseen_end(*reason);
                self.leave(*reason);
                Poll::Ready(end)
            }
            Taken::Served => self.end_poll(cx),
            Taken::Frame(_) | Taken::Waiting => Poll::Pending,
        }
    }

    /// The place of a run's end, if a filter may have dropped its last event. It tells the client
    /// that nothing more follows.
    fn unseen_end(&self, reason: Reason) -> Option<Block> {
        let extra = self.extra.as_ref()?;
        let tells = self.shared.announces_places() || extra.once;
        if reason != Reason::Finished || extra.filter.is_none() || !tells {
            return None;
        }
        let seat = self.seat.as_ref()?;
        let find = |state: &mut State, wakes: &mut Wakes| state.move_place(seat, false, wakes);
        let id = self.shared.find_id(find)?;
        Some(self.shared.place_block(&id))
    }

    /// Ends a long poll, unless its filter has let nothing through: then it keeps waiting.
    fn end_poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        let served = self.extra.as_ref().is_some_and(|extra| extra.served);
        match &self.seat {
            Some(seat) if !served => {
                self.shared
                    .with(|state, wakes| state.end_soon(seat, false, wakes));
                self.poll_block(cx)
            }
            _ => {
                self.leave(Reason::Served);
                Poll::Ready(None)
            }
        }
    }

    fn lag(&mut self, cx: &mut Context<'_>) -> Poll<Option<Block>> {
        match self.skip() {
            None => {
                self.leave(Reason::Lagged);
                Poll::Ready(None)
            }
            Some(begins_after) => {
                let once = self.extra.as_ref().is_some_and(|extra| extra.once);
                let gap = self.shared.gap_block(&begins_after, once);
                if gap.is_empty() {
                    // There is no gap event to send; the retained events come next.
                    self.poll_block(cx)
                } else {
                    Poll::Ready(Some(gap))
                }
            }
        }
    }

    /// Moves a lagging stream past the gap and returns the place that it continues after, or `None`
    /// if it must end.
    fn skip(&mut self) -> Option<EventId> {
        let seat = self.seat.as_mut()?;
        let after = self.shared.find_id(|state, wakes| state.skip(seat, wakes));
        trace::lagged(after.is_none());
        after
    }

    /// The next event of a stream; `Err` where events were missed.
    pub(super) fn poll_each(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut VecDeque<Delivery>,
    ) -> Poll<Option<Result<Delivery, Missed>>> {
        if self.expire() {
            buffer.clear();
            return Poll::Ready(None);
        }
        let first = self.extra.as_mut().and_then(|extra| extra.first.take());
        if first.is_some() && self.outcome.is_lossy() {
            return Poll::Ready(Some(Err(Missed::new())));
        }
        for _ in 0..LOOKS {
            if let Some(delivery) = buffer.pop_front() {
                return Poll::Ready(Some(Ok(delivery)));
            }
            if self.seat.is_none() {
                return Poll::Ready(None);
            }
            #[cfg(any(test, feature = "redis"))]
            if let Some(read) = self.poll_page(cx) {
                match read {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(read)) => {
                        buffer.extend(read.deliveries);
                        if read.is_lossy {
                            return Poll::Ready(Some(Err(Missed::new())));
                        }
                        continue;
                    }
                    Poll::Ready(Err(taken)) => {
                        _ = self.settle(cx, &taken);
                        return Poll::Ready(None);
                    }
                }
            }
            match self.collect(cx, |delivery| buffer.push_back(delivery)) {
                Ok(()) => {}
                Err(Taken::Lagged) => {
                    if self.skip().is_none() {
                        self.leave(Reason::Lagged);
                    }
                    return Poll::Ready(Some(Err(Missed::new())));
                }
                Err(Taken::Closed) => self.leave(Reason::Closed),
                Err(Taken::Ended(reason)) => self.leave(reason),
                Err(Taken::Served) => self.leave(Reason::Served),
                Err(_) => return Poll::Pending,
            }
        }
        // Other tasks have a turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    pub(super) fn leave(&mut self, reason: Reason) {
        if let Some(mut seat) = self.seat.take() {
            self.shared
                .with(|state, wakes| state.leave(&mut seat, reason, wakes));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::Waker;

    use http_body::Body;

    use super::*;
    use crate::hub::Hub;
    use crate::protocol::{Data, Event};

    #[test]
    fn what_is_out_of_the_ordinary_goes_when_it_is_over() {
        crate::sync::run(goes_when_it_is_over);
    }

    fn goes_when_it_is_over() {
        let hub = Hub::new();
        let mut body = hub.subscribe().unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        let mut drain = |body: &mut Subscription| {
            let mut frames = 0;
            while Pin::new(&mut *body).poll_frame(&mut cx).is_ready() {
                frames += 1;
            }
            frames
        };
        assert_eq!(drain(&mut body), 1);
        let large = Bytes::from(vec![b'x'; 100_000]);
        hub.publish(Event::new(Data::try_from(large).unwrap()));
        // Before, between and after the three chunks.
        assert_eq!(drain(&mut body), 3);
        assert!(body.extra.is_none());
    }

    #[test]
    fn a_common_event_after_a_move_is_not_for_those_that_moved() {
        crate::sync::run(is_not_for_those_that_moved);
    }

    fn is_not_for_those_that_moved() {
        let hub = Hub::new();
        let follow = |n| {
            let subscriber = hub.subscriber().topic(format!("own/{n}")).topic("shared");
            subscriber.subscribe().unwrap()
        };
        // Those that stay find the common event without their groups' lists.
        let mut bodies: Vec<_> = (0..8).map(follow).collect();
        let mut cx = Context::from_waker(Waker::noop());
        let mut read = |body: &mut Subscription| {
            let mut text = String::new();
            while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(&mut cx) {
                text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
            }
            text
        };
        bodies.iter_mut().for_each(|body| _ = read(body));
        for round in 0..3 {
            // The place of the move is after that of those that have read all.
            hub.topic("elsewhere").publish(Event::new("not for them"));
            assert!(bodies[round].handle().move_to(["nowhere"]));
            hub.topic("shared").publish(Event::new("to all"));
            for (n, body) in bodies.iter_mut().enumerate() {
                let got = read(body).matches("data: to all").count();
                assert_eq!(got, usize::from(n > round), "{n} in round {round}");
            }
        }
    }
}
