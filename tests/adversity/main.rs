//! Bad networks and many peers: cut connections, many subscribers, idle ones, peers that never read, and
//! a shutdown with streams open.
//!
//! Each measurement prints a line. `ADVERSITY=50 cargo test --release --all-features --test adversity`
//! runs with 50 times as many disconnects, peers and streams; `-- idle` is one of them. There are 10,000
//! subscribers and idle connections either way, unless the limit of open files is lower.
//!
//! `-- --serve` runs the [server](load_server) of two of them alone.

mod disconnects;
mod fan_out;
mod idle;
mod load_server;
mod shutdown;
mod silent;

#[path = "../support/example.rs"]
mod example_process;
#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, exit};
use std::time::Instant;

use example_process::Example;
use tokio::runtime::Runtime;

/// How many times as much as in CI.
fn factor() -> usize {
    std::env::var("ADVERSITY").map_or(1, |factor| factor.parse().expect("ADVERSITY is a number"))
}

/// How many files this process may have open.
fn open_files() -> usize {
    let limit = Command::new("sh")
        .args(["-c", "ulimit -n"])
        .output()
        .unwrap();
    let limit = String::from_utf8(limit.stdout).unwrap();
    limit.trim().parse().unwrap_or(usize::MAX)
}

/// The load server, in a process of its own.
fn serve(args: &[&str]) -> Example {
    let args = [&["--serve", "--port", "0"], args].concat();
    Example::spawn(&std::env::current_exe().unwrap(), &args)
}

/// Runs this program again with as many open files as the system lets it have.
fn with_more_files(args: &[String]) -> ! {
    let script = r#"ulimit -n "$(ulimit -H -n)"; exec "$0" "$@""#;
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new("sh");
    again.args(["-c", script]).arg(program).args(args);
    let status = again.env("ADVERSITY_AGAIN", "1").status().unwrap();
    exit(status.code().unwrap_or(1))
}

/// Runs all tests, or those whose names contain one of the arguments.
fn main() {
    if !cfg!(target_os = "linux") {
        return println!("adversity: runs on Linux, where a process may open enough files");
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == "--serve") {
        return load_server::run(words[1..].to_vec()).unwrap();
    }
    if std::env::var_os("ADVERSITY_AGAIN").is_none() {
        with_more_files(&words);
    }
    let words: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(*word));
    let run = |name: &str, measure: &dyn Fn(&Runtime) -> String| {
        if is_wanted(name) {
            let start = Instant::now();
            // One for each, so that nothing is left over.
            let said = measure(&Runtime::new().unwrap());
            println!("{name}: {said}; {:.1} s", start.elapsed().as_secs_f64());
        }
    };
    run("disconnects over HTTP/1", &|runtime| {
        runtime.block_on(disconnects::run(false))
    });
    run("disconnects over HTTP/2", &|runtime| {
        runtime.block_on(disconnects::run(true))
    });
    run("fan-out", &|runtime| runtime.block_on(fan_out::run()));
    run("idle", &|runtime| runtime.block_on(idle::run()));
    run("silent", &|runtime| runtime.block_on(silent::run()));
    run("shutdown", &|runtime| runtime.block_on(shutdown::run()));
}
