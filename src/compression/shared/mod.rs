//! The bytes of a fan-out, compressed once for all subscribers together.
//!
//! A hub's frames are shared: subscribers with the same topics at the same place get the same
//! bytes. A [`Track`] is the compressed counterpart of one such group. It compresses each frame at
//! most once, as the next [`SharedPiece`] of a *segment*. A piece ends at a byte border and refers back
//! to the pieces before it in its segment, and to nothing else.
//!
//! A subscriber that has sent all earlier pieces of the segment, and nothing in between, is *in
//! step*: it sends the shared piece. Any other subscriber sends its own bytes in stored blocks, and
//! large frames compressed by themselves, until a segment begins. That may be any time, because
//! deflate allows all of these in one stream. The [`Follower`] of each connection keeps track of
//! what it has sent, and of the checksum that gzip ends with.

mod deflater;
mod follower;
mod packed;
mod shared_piece;
#[cfg(test)]
mod tests;
mod track;
mod tracks;

pub(crate) use follower::Follower;
pub(crate) use packed::{Packed, Span};
pub(crate) use track::Track;
pub(crate) use tracks::Tracks;
