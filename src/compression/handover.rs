//! How a hub's subscription hands shared frames to the encoder around it.
//!
//! Any number of bodies may lie between the two, boxed or not, and none of them knows about frames
//! that are compressed already. But an encoder polls the subscription within its own poll, so the
//! frame is handed over in a thread local.

use std::cell::Cell;
use std::sync::Arc;

use super::shared::Packed;

/// What a body has offered while it was polled.
#[derive(Debug, Default)]
pub(crate) enum Offer {
    /// There is no subscription inside whose frames are shared.
    #[default]
    Nothing,
    /// A subscription whose frames are shared was polled, but has handed out none.
    Hub,
    /// The subscription has handed out this frame, as the next one of the body or a later one.
    Frame(Arc<Packed>),
}

/// Whether an encoder polls, and what it has been offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SlotState {
    Closed,
    Open,
    Hub,
    Frame,
}

thread_local! {
    static STATE: Cell<SlotState> = const { Cell::new(SlotState::Closed) };
    /// `Some` if the state is [`SlotState::Frame`].
    static FRAME: Cell<Option<Arc<Packed>>> = const { Cell::new(None) };
}

/// Lets a subscription offer its frames, while the body around it is polled.
#[inline]
pub(crate) fn open() -> Opened {
    Opened::new()
}

/// Whether an encoder takes what is offered.
#[inline]
pub(crate) fn is_wanted() -> bool {
    STATE.get() != SlotState::Closed
}

/// Tells the encoder, if there is one, that frames of the body are shared.
#[inline]
pub(crate) fn announce() {
    if STATE.get() == SlotState::Open {
        STATE.set(SlotState::Hub);
    }
}

/// Offers a frame to the encoder, if there is one.
#[inline]
pub(crate) fn offer(frame: Arc<Packed>) {
    if is_wanted() {
        STATE.set(SlotState::Frame);
        replace(Some(frame));
    }
}

/// While a thread ends, nothing can be handed over.
#[inline]
fn replace(frame: Option<Arc<Packed>>) -> Option<Arc<Packed>> {
    FRAME.try_with(|old| old.replace(frame)).ok().flatten()
}

/// Restores what belongs to an encoder further outside, also after a panic.
#[must_use]
pub(crate) struct Opened {
    outer: SlotState,
    frame: Option<Arc<Packed>>,
}

impl Opened {
    #[inline]
    fn new() -> Self {
        let outer = STATE.replace(SlotState::Open);
        let frame = if outer == SlotState::Frame {
            replace(None)
        } else {
            None
        };
        Self { outer, frame }
    }

    /// Returns what a subscription has offered.
    #[inline]
    pub(crate) fn close(self) -> Offer {
        match STATE.get() {
            SlotState::Closed | SlotState::Open => Offer::Nothing,
            SlotState::Hub => Offer::Hub,
            SlotState::Frame => replace(None).map_or(Offer::Hub, Offer::Frame),
        }
    }
}

impl Drop for Opened {
    #[inline]
    fn drop(&mut self) {
        let inner = STATE.replace(self.outer);
        if self.frame.is_some() || inner == SlotState::Frame {
            replace(self.frame.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_reaches_the_encoder_around_it() {
        announce();
        assert!(!is_wanted());
        let opened = open();
        assert!(is_wanted());
        assert!(matches!(opened.close(), Offer::Nothing));
        let opened = open();
        announce();
        assert!(matches!(opened.close(), Offer::Hub));
        assert!(!is_wanted());
    }

    #[test]
    fn encoders_nest() {
        let outer = open();
        let inner = open();
        announce();
        assert!(matches!(inner.close(), Offer::Hub));
        assert!(is_wanted());
        assert!(matches!(outer.close(), Offer::Nothing));
    }

    #[test]
    fn a_panic_closes_the_slot() {
        let panic = std::panic::catch_unwind(|| {
            let _opened = open();
            panic!("in a body");
        });
        assert!(panic.is_err() && !is_wanted());
    }
}
