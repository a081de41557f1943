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

enum OfferSlot {
    Closed,
    Open(Offer),
}

thread_local! {
    /// Whether the slot is open, which nearly every poll of a subscription asks.
    static OPEN: Cell<bool> = const { Cell::new(false) };
    static SLOT: Cell<OfferSlot> = const { Cell::new(OfferSlot::Closed) };
}

/// Polls a body, and returns what a subscription inside has offered.
pub(crate) fn receive<R>(poll: impl FnOnce() -> R) -> (R, Offer) {
    let opened = Opened::new();
    let result = poll();
    (result, opened.close())
}

/// Whether an encoder takes what is offered.
#[inline]
pub(crate) fn is_wanted() -> bool {
    OPEN.get()
}

/// Offers something to the encoder, if there is one.
pub(crate) fn offer(offer: Offer) {
    if let OfferSlot::Open(earlier) = replace(OfferSlot::Closed) {
        let keep = matches!((&earlier, &offer), (Offer::Frame(_), Offer::Hub));
        replace(OfferSlot::Open(if keep { earlier } else { offer }));
    }
}

/// While a thread ends, its slot counts as closed.
fn replace(slot: OfferSlot) -> OfferSlot {
    OPEN.set(matches!(slot, OfferSlot::Open(_)));
    SLOT.try_with(|old| old.replace(slot))
        .unwrap_or(OfferSlot::Closed)
}

/// Restores the slot of an encoder further outside, also after a panic.
struct Opened {
    outer: OfferSlot,
}

impl Opened {
    fn new() -> Self {
        let outer = replace(OfferSlot::Open(Offer::Nothing));
        Self { outer }
    }

    fn close(self) -> Offer {
        match replace(OfferSlot::Closed) {
            OfferSlot::Open(offer) => offer,
            OfferSlot::Closed => Offer::Nothing,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        replace(std::mem::replace(&mut self.outer, OfferSlot::Closed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_reaches_the_encoder_around_it() {
        assert!(!is_wanted());
        offer(Offer::Hub);
        let (wanted, offered) = receive(is_wanted);
        assert!(wanted && matches!(offered, Offer::Nothing));
        let (_, offered) = receive(|| offer(Offer::Hub));
        assert!(matches!(offered, Offer::Hub));
        assert!(!is_wanted());
    }

    #[test]
    fn encoders_nest() {
        let ((), outer) = receive(|| {
            let (_, inner) = receive(|| offer(Offer::Hub));
            assert!(matches!(inner, Offer::Hub));
            assert!(is_wanted());
        });
        assert!(matches!(outer, Offer::Nothing));
    }

    #[test]
    fn a_panic_closes_the_slot() {
        let panic = std::panic::catch_unwind(|| receive(|| panic!("in a body")));
        assert!(panic.is_err() && !is_wanted());
    }
}
