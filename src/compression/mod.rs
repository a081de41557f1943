//! Compressed event streams.
//!
//! An event stream in gzip is usually four to fifteen times smaller. [`Compression`] is the setting of
//! [`SseLayer::compression`](crate::SseLayer::compression) and
//! [`HubService::compression`](crate::HubService::compression), which compress the streams of clients
//! that accept gzip. [`CompressedBody`] is the body, for use without either.
//!
//! See [`docs::compression`](crate::docs::compression) for what it saves and costs, and for streams
//! that must not be compressed.

mod compressed_body;
#[expect(clippy::module_inception, reason = "the file is named after its type")]
mod compression;
mod encoder;
mod encoding;
mod gzip;
pub(crate) mod handover;
mod own;
mod shared;

pub use compressed_body::CompressedBody;
pub use compression::Compression;
pub(crate) use compression::EncodedHere;
pub(crate) use encoder::Encoder;
pub use encoding::Encoding;
#[cfg(test)]
pub(crate) use shared::Follower;
pub(crate) use shared::{Packed, Span, Track, Tracks};
