//! What the command lines of all servers have in common.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::SERVERS;
use crate::client::get;
use crate::example_process::{Example, program};

pub(crate) fn run(name: &str, args: &[&str]) -> (Output, String, String) {
    let output = Command::new(program(name)).args(args).output().unwrap();
    let [stdout, stderr] = [&output.stdout, &output.stderr].map(Clone::clone);
    let (stdout, stderr) = (String::from_utf8(stdout), String::from_utf8(stderr));
    (output, stdout.unwrap(), stderr.unwrap())
}

#[test]
fn say_how_they_are_used() {
    for (name, ..) in SERVERS {
        let (output, stdout, stderr) = run(name, &["--help"]);
        assert!(output.status.success() && stderr.is_empty(), "{name}");
        assert!(stdout.contains(&format!("usage: {name} ")), "{stdout}");
        assert!(stdout.contains("--port N"), "{stdout}");
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
