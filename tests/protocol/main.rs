//! What the crate writes, read back by the standard.

#[path = "../support/mod.rs"]
mod support;

mod blocks;
mod conversions;
#[cfg(feature = "tokio")]
mod errors;
mod invalid;
mod lines;
mod oracle;
mod panics;
#[cfg(feature = "tokio")]
mod readers;
