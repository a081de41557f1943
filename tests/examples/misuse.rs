//! Errors of the command lines, and ports that are taken.

use crate::command_lines::run;
use crate::example_process::Example;

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
    let servers = ["hyper", "live"].map(|name| Example::start_as_it_is(name, &[]));
    assert_ne!(servers[0].port(), servers[1].port());
}
