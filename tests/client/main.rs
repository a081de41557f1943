//! The client, on a paused clock with scripted answers, and against servers that misbehave.

#[path = "../support/mod.rs"]
mod support;

mod bridges;
mod contract;
mod disconnects;
mod empty_frames;
mod event_stream;
mod examples;
mod fails;
mod headers;
mod healthy;
mod hostile;
mod lies;
mod model;
mod opens;
mod policies;
mod reconnects;
mod redirects;
mod script;
mod types;
mod watchdog;
