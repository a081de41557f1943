//! Compressed event streams: who gets one, and that each event can be read as soon as it is sent.

#[path = "../support/mod.rs"]
mod support;

mod bodies;
mod layer;
mod negotiation;
mod service;
