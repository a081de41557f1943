use std::task::{Context, Poll};

use super::subscription::{Extra, Subscription};
use crate::hub::core::Taken;
use crate::hub::past::{PastRead, PastReader};
use crate::protocol::Block;

impl Extra {
    /// Begins with the past, with nothing before it.
    pub(super) fn reading(extra: Option<Box<Self>>, past: Option<PastReader>) -> Option<Box<Self>> {
        if past.is_none() {
            return extra;
        }
        let mut extra = extra.unwrap_or_default();
        (extra.first, extra.past) = (None, past);
        extra.begins_with_event = false;
        Some(extra)
    }
}

/// Reading events older than the ring, before the subscription has taken its place in it.
impl Subscription {
    /// The next page as one block; `None` once there are no more.
    pub(super) fn poll_past(&mut self, cx: &mut Context<'_>) -> Option<Poll<Option<Block>>> {
        loop {
            let read = match self.poll_page(cx)? {
                Poll::Pending => return Some(Poll::Pending),
                Poll::Ready(Err(taken)) => return Some(self.settle(cx, &taken)),
                Poll::Ready(Ok(read)) => read,
            };
            let block = Block::write(|out| {
                out.push(read.head.unwrap_or_else(|| Block::write(|_| ())));
                for delivery in read.deliveries {
                    out.push(delivery.into_block());
                }
            });
            // Empty if the page holds only events of other topics, or the filter drops all of them.
            if !block.is_empty() {
                if let Some(extra) = &mut self.extra {
                    extra.served = true;
                }
                return Some(Poll::Ready(Some(block)));
            }
        }
    }

    /// The next page; `None` once there are no more.
    pub(super) fn poll_page(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<Poll<Result<PastRead, Taken>>> {
        let extra = self.extra.as_mut()?;
        let (past, seat) = (extra.past.as_mut()?, self.seat.as_mut()?);
        let mut read = match past.poll(cx, &self.shared, seat) {
            Poll::Pending => return Some(Poll::Pending),
            Poll::Ready(Err(taken)) => {
                extra.past = None;
                return Some(Poll::Ready(Err(taken)));
            }
            Poll::Ready(Ok(None)) => {
                extra.past = None;
                if extra.once && extra.served {
                    self.shared
                        .with(|state, wakes| state.end_soon(seat, true, wakes));
                }
                self.trim();
                return None;
            }
            Poll::Ready(Ok(Some(read))) => read,
        };
        if let Some(allows) = &mut extra.filter {
            let allows = allows.get_mut();
            read.deliveries.retain(|delivery| allows(delivery));
        }
        if let Some(past) = extra.past.as_mut().filter(|_| !read.deliveries.is_empty()) {
            past.serve();
        }
        Some(Poll::Ready(Ok(read)))
    }
}
