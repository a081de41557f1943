//! What the examples' command lines have in common.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::client::get;
use crate::support::{Example, program};

/// Each server, what it needs besides a port, and where it has an event stream.
const SERVERS: &[(&str, &[&str], &str)] = &[
    ("contract_service", &[], "/"),
    ("fan_out", &[], "/events"),
    ("hyper", &[], "/"),
    ("live", &[], "/events"),
    ("proxy", &["http://127.0.0.1:9/"], "/"),
    ("smol", &[], "/"),
    ("tonic", &[], "/events"),
    #[cfg(feature = "axum")]
    ("axum", &[], "/events"),
    #[cfg(feature = "axum")]
    ("chat", &[], "/rooms/lobby"),
    #[cfg(feature = "axum")]
    ("dashboard", &[], "/prices"),
    // Redis is away.
    #[cfg(all(feature = "axum", feature = "redis"))]
    ("cluster", &["--redis", "redis://127.0.0.1:1"], "/events"),
    #[cfg(feature = "axum")]
    ("llm", &[], "/runs/none"),
    #[cfg(feature = "axum")]
    ("notifications", &[], "/users/7"),
    #[cfg(feature = "axum")]
    ("relay", &[], "/feed"),
];

fn run(name: &str, args: &[&str]) -> (Output, String, String) {
    let output = Command::new(program(name)).args(args).output().unwrap();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(Clone::clone);
    let (stdout, stderr) = (String::from_utf8(stdout), String::from_utf8(stderr));
    (output, stdout.unwrap(), stderr.unwrap())
}

#[test]
fn say_how_they_are_used() {
    let others = [
        "client",
        #[cfg(all(feature = "axum", feature = "redis"))]
        "cluster",
    ];
    for name in SERVERS.iter().map(|(name, ..)| *name).chain(others) {
        let (output, stdout, stderr) = run(name, &["--help"]);
        assert!(output.status.success() && stderr.is_empty(), "{name}");
        assert!(stdout.contains(&format!("usage: {name} ")), "{stdout}");
        assert_eq!(stdout.contains("--port N"), name != "client", "{stdout}");
    }
}

#[test]
fn name_the_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (name, args, _) in SERVERS {
        let (output, _, stderr) = run(name, &[*args, &["--port", &port]].concat());
        assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
        assert!(
            stderr.contains(&format!("port {port}: ")),
            "{name}: {stderr}"
        );
    }
}

#[test]
fn say_what_they_do_not_understand() {
    for (name, args, wanted) in [
        (
            "hyper",
            &["8080"][..],
            "unexpected argument 8080; see --help",
        ),
        (
            "hyper",
            &["--prot", "1"],
            "unexpected argument --prot; see --help",
        ),
        ("hyper", &["--port"], "--port needs a value"),
        (
            "live",
            &["--port", "70000"],
            "--port 70000: number too large",
        ),
        (
            "live",
            &["--speed", "0"],
            "--speed is between 0.01 and 1000",
        ),
        ("proxy", &[], "no URL; see --help"),
    ] {
        let (output, _, stderr) = run(name, args);
        assert_eq!(output.status.code(), Some(1), "{name} {args:?}");
        assert!(stderr.contains(wanted), "{name} {args:?}: {stderr}");
    }
}

/// Without `--port`, the second of two takes any free port.
#[test]
fn share_the_default_port() {
    let servers = ["hyper", "smol"].map(|name| Example::start_as_it_is(name, &[]));
    assert_ne!(servers[0].port(), servers[1].port());
}

#[cfg(unix)]
#[tokio::test]
async fn end_on_ctrl_c_with_a_stream_open() {
    for (name, args, path) in SERVERS {
        let mut example = Example::start(name, args);
        // Whatever it is: most are event streams, and some are refusals.
        let _stream = get(&example.authority, path, None).await;
        example.interrupt();
        assert!(example.wait(), "{name}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn the_client_says_how_to_resume() {
    let server = Example::start("hyper", &[]);
    let url = format!("http://{}/", server.authority);
    let mut client = tokio::process::Command::new(program("client"));
    client.args(["--last-event-id", "41", &url]);
    client.stdout(std::process::Stdio::piped());
    client.stderr(std::process::Stdio::piped());
    let mut client = client.spawn().unwrap();
    let mut stdout = tokio::io::BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    let read = tokio::io::AsyncBufReadExt::read_line(&mut stdout, &mut line);
    read.await.unwrap();
    assert!(line.contains("#42 second 42"), "{line}");
    let id = client.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let output = client.wait_with_output().await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("resume with --last-event-id 4"), "{stderr}");
}
