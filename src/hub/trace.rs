//! Log lines; none without the `tracing` feature.
#![cfg_attr(not(feature = "tracing"), expect(unused_variables))]

use super::outcome::Outcome;
use super::refused::Obstacle;

pub(super) fn subscribed(outcome: Outcome) {
    #[cfg(feature = "tracing")]
    if outcome.is_lossy() {
        tracing::info!(?outcome, "subscriber resumed with events missing");
    } else {
        tracing::trace!(?outcome, "subscribed");
    }
}

pub(super) fn refused(obstacle: Obstacle) {
    #[cfg(feature = "tracing")]
    tracing::warn!(?obstacle, "subscriber refused");
}

pub(super) fn lagged(ended: bool) {
    #[cfg(feature = "tracing")]
    tracing::warn!(ended, "subscriber lagged behind the retained events");
}

pub(super) fn closed(share: u64) {
    #[cfg(feature = "tracing")]
    tracing::debug!(share, "hub closing");
}

#[cfg(feature = "redis")]
pub(super) fn connected() {
    #[cfg(feature = "tracing")]
    tracing::info!("following the stream in Redis");
}

#[cfg(feature = "redis")]
pub(super) fn disconnected(why: &str) {
    #[cfg(feature = "tracing")]
    tracing::warn!(why, "lost the connection to Redis");
}

#[cfg(feature = "redis")]
pub(super) fn lost() {
    #[cfg(feature = "tracing")]
    tracing::warn!("Redis has lost what was read from the stream; subscribers reconnect");
}
