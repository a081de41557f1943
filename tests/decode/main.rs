//! The decoder against the standard.

#[path = "../support/mod.rs"]
mod support;

mod cases;
mod comments;
mod cut;
mod divided;
mod heard;
mod limits;
mod linear;
mod oracle;
mod random;
mod republish;
mod round_trip;
mod sharing;
