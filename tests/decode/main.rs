//! The decoder against the standard.

#[path = "../support/mod.rs"]
mod support;

mod oracle;
