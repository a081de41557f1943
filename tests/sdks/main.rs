//! The SDKs that read most event streams, against our servers: OpenAI's for Python and Node,
//! Anthropic's for Python, and httpx-sse.
//!
//! None of them is a browser. They dispatch an event at every empty line once they have seen an ID
//! or a reconnection time, and die of its empty data. Every combination of heartbeat, prelude, IDs
//! and hub is served to each of them.
//!
//! The SDKs have to be installed: `tests/sdks/install target`. `.ci/run` does that and runs these.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "axum")]
#[path = "../support/example.rs"]
mod example_process;
#[cfg(feature = "axum")]
mod llm;
mod server;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use server::{Combination, Payload};

/// What an SDK made of one stream.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Read {
    Got(Vec<String>),
    Error(String),
}

fn sdks() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let sdks = target.join("sdks");
    assert!(
        sdks.join("stamp").exists(),
        "the SDKs are not installed: tests/sdks/install {}",
        target.display()
    );
    sdks
}

/// What a reader, a script in this folder, makes of each of these streams.
async fn read(interpreter: &str, script: &str, payload: Payload, all: &[Combination]) -> Vec<Read> {
    let address = support::net::serve(server::service(payload)).await;
    let bases = all.iter().map(|one| format!("http://{address}/{one}"));
    read_from(interpreter, script, bases.collect()).await
}

/// What a reader makes of the streams at these addresses.
async fn read_from(interpreter: &str, script: &str, bases: Vec<String>) -> Vec<Read> {
    let sdks = sdks();
    let output = Command::new(interpreter)
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/sdks")
                .join(script),
        )
        .args(&bases)
        .env("PYTHONPATH", sdks.join("python"))
        .env("SDKS", &sdks)
        .env("NO_PROXY", "127.0.0.1")
        .env_remove("HTTP_PROXY")
        .env_remove("HTTPS_PROXY")
        .env_remove("ALL_PROXY")
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let reads: Vec<Read> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reads.len(), bases.len(), "{script} read {text}");
    reads
}

async fn reads_everything(interpreter: &str, script: &str, payload: Payload) {
    let all = Combination::all();
    assert!(all.len() > 30);
    let reads = read(interpreter, script, payload, &all).await;
    for (combination, read) in all.iter().zip(reads) {
        let wanted = payload.wanted(*combination);
        assert_eq!(read, Read::Got(wanted), "{script} of {combination}");
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs"]
async fn openai_for_python_reads_every_combination() {
    reads_everything("python3", "openai_sdk.py", Payload::ChatCompletion).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs"]
async fn openai_for_node_reads_every_combination() {
    reads_everything("node", "openai_sdk.mjs", Payload::ChatCompletion).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs"]
async fn anthropic_for_python_reads_every_combination() {
    reads_everything("python3", "anthropic_sdk.py", Payload::Message).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs"]
async fn httpx_sse_reads_every_combination() {
    reads_everything("python3", "httpx_sse_reader.py", Payload::Plain).await;
}

/// Why a hub can be told not to send a place of its own, and that these tests would notice one.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the SDKs"]
async fn an_id_alone_is_an_empty_event_to_them() {
    let place = [Combination::with_place()];
    let reads = read("python3", "openai_sdk.py", Payload::ChatCompletion, &place).await;
    assert!(matches!(&reads[..], [Read::Error(_)]), "{reads:?}");
    let reads = read("python3", "httpx_sse_reader.py", Payload::Plain, &place).await;
    let mut wanted = Payload::Plain.wanted(place[0]);
    wanted.splice(0..0, ["message".to_owned(), String::new()]);
    assert_eq!(reads, [Read::Got(wanted)]);
}

/// The streams are what their names say: heartbeats lie between the events, and so on.
#[tokio::test]
async fn the_combinations_are_on_the_wire() {
    for combination in Combination::all() {
        let address = support::net::serve(server::service(Payload::Plain)).await;
        let path = format!("/{combination}/events");
        let mut text = String::new();
        // On a busy machine, the next event may be due together with the first heartbeat.
        for _ in 0..10 {
            let request = support::net::get(http::Version::HTTP_11, address, &path);
            let request = request.body(http_body_util::Empty::new()).unwrap();
            let response = support::net::send(address, request).await;
            text = support::net::read_to_end(response.into_body()).await;
            if combination.has_heartbeats(&text) {
                break;
            }
        }
        combination.assert_on_the_wire(&text);
    }
}
