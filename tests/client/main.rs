//! The client, on a paused clock with scripted answers, and against servers that misbehave.

#[path = "../support/mod.rs"]
mod support;

mod compressed;
mod disconnects;
mod empty_frames;
mod event_stream;
mod fails;
mod headers;
mod healthy;
mod hostile;
mod lies;
mod model;
mod opens;
mod policies;
mod reconnects;
mod script;
mod types;
mod watchdog;
