//! Other crates that speak HTTP or bring a runtime, and the examples that use them.

#![allow(
    dead_code,
    reason = "what is shared with other binaries is not all needed here"
)]

#[path = "../contract_service/capabilities.rs"]
mod capabilities;
#[path = "../../examples/client.rs"]
mod client;
mod client_example;
#[path = "../../examples/command_lines.rs"]
mod command_lines;
#[path = "../../e2e/compression.rs"]
mod compression;
mod contract;
#[path = "../../support/example.rs"]
mod example_process;
mod examples;
#[path = "../../examples/hostile_ids.rs"]
mod hostile_ids;
#[path = "../../../examples/support/over_hyper.rs"]
mod over_hyper;
#[allow(unreachable_pub, reason = "a page of the docs")]
#[path = "../../../examples/support/over_reqwest.rs"]
mod over_reqwest;
mod redirects;
mod reqwest;
#[path = "../../client/script.rs"]
mod script;
mod smol;
#[path = "../../support/mod.rs"]
mod support;
#[path = "../../e2e/ticker.rs"]
mod ticker;
mod tonic;

/// Each server, what it needs besides a port, and where it has an event stream.
const SERVERS: &[(&str, &[&str], &str)] = &[
    ("contract_service", &[], "/"),
    ("smol", &[], "/"),
    ("tonic", &[], "/events"),
];
