//! Chaos: nodes, publishers and clients as processes of their own, and a Redis that is killed. Every
//! event that Redis acknowledged reaches each client once and in order, or the client is told.
//!
//! ```console
//! $ cargo test --all-features --test chaos -- --ignored
//! $ CHAOS_RUNS=50 CHAOS_EVENTS=100000 cargo test --release --all-features --test chaos -- --ignored
//! ```
//!
//! | variable | |
//! |---|---|
//! | `CHAOS_SEED` | of the first run; each later run adds 1 |
//! | `CHAOS_RUNS` | how many, 2 by default |
//! | `CHAOS_SECONDS` | how long events are published in each run, 5 by default |
//! | `CHAOS_EVENTS` | publishes that many instead, however long it takes |
//! | `CHAOS_RATE` | events per second, 1,500 by default |
//! | `CHAOS_CLIENTS` | 200 by default |
//! | `CHAOS_MODE` | `always`, `truncate` or `trim`; by the seed by default |
//! | `TOWER_SSE_REDIS_SERVER` | the path of another server than redis-server |
//! | `CHAOS_TOY` | nodes without the checks for losses, which the runs have to catch |
//!
//! redis-server has to be installed; `.ci/run` does that and runs this.

#[path = "../support/ports.rs"]
mod ports;

#[path = "../support/rng.rs"]
#[allow(dead_code, reason = "no binary needs all of it")]
#[allow(unreachable_pub, reason = "a module of each test binary")]
mod rng;

#[path = "../redis/rig/mod.rs"]
mod rig;

mod clients;
mod faults;
mod ledger;
mod log;
mod node;
mod plan;
mod process;
mod publisher;
mod run;
mod starter;
mod topics;
mod toy;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    match words[..] {
        ["node", ..] => runtime.block_on(node::main(&words[1..])),
        ["publisher", ..] => runtime.block_on(publisher::main(&words[1..])),
        ["clients", ..] => runtime.block_on(clients::main(&words[1..])),
        _ if words.contains(&"--ignored") || words.contains(&"--include-ignored") => {
            return runtime.block_on(run::all());
        }
        _ => println!("chaos: needs redis-server and runs with `-- --ignored` only"),
    }
    ExitCode::SUCCESS
}
