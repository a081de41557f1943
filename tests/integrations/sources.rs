// The modules of the library that a hub needs, as `include!` puts them at the root of a test. The test has
// its own `sync` in place of theirs, and says which `clock`.

#[path = "../../src/body/mod.rs"]
mod body;
#[cfg(feature = "compression")]
#[path = "../../src/compression/mod.rs"]
mod compression;
#[path = "../../src/exclusive.rs"]
mod exclusive;
#[path = "../../src/headers/mod.rs"]
mod headers;
#[path = "../../src/hub/mod.rs"]
mod hub;
#[path = "../../src/last_event_id/mod.rs"]
mod last_event_id;
#[path = "../../src/protocol/mod.rs"]
mod protocol;
#[path = "../../src/random.rs"]
mod random;
#[path = "../../src/timer/mod.rs"]
mod timer;
