//! What the compiler says where something of ours is used as it cannot be: the cure is in the message.
//!
//! The messages are recorded with the compiler of [`RECORDED`]; another one words its own parts
//! differently, so there is nothing to compare with it. To record them anew:
//! `TRYBUILD=overwrite cargo test --manifest-path tests/ui/Cargo.toml`, with the number changed here.

use std::process::Command;

const RECORDED: &str = "rustc 1.95.";

#[test]
fn the_cure_is_in_the_message() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    if version.stdout.starts_with(RECORDED.as_bytes()) {
        trybuild::TestCases::new().compile_fail("*/*.rs");
    } else {
        eprintln!("not compared: the messages were recorded with {RECORDED}x");
    }
}
