//! A small `curl -N` that understands events, speaks https and follows redirects:
//!
//! ```text
//! cargo run -p integrations --example client -- https://stream.wikimedia.org/v2/stream/recentchange
//! cargo run -p integrations --example client -- --json --last-event-id 41 --header 'Authorization: Bearer x' URL
//! ```
//!
//! Events go to standard output, and changes of the connection to standard error. The exit status says
//! why the program ended: 0 the server answered 204, or a POST is complete; 1 the server refused; 2 wrong
//! usage; 3 no connection after `--max-tries`; 4 the output is closed; 130 Ctrl-C.

mod connector;
mod options;
mod output;
#[path = "../support/redirects.rs"]
mod redirects;

use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tower_http::follow_redirect::FollowRedirect;
use tower_sse::EventSource;
use tower_sse::client::{ClientError, SourceEvent};

use self::connector::connector;
use self::options::{Options, USAGE, options};
use self::output::{as_json, as_text, printable, with_causes};
use self::redirects::SafeRedirects;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let (options, connector) = match prepare() {
        Ok(prepared) => prepared,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let client = FollowRedirect::with_policy(client, SafeRedirects::default());

    let mut source = EventSource::new(client, options.request).retry_server_errors();
    if let Some(id) = options.last_event_id {
        source = source.resume_after(id);
    }
    if let Some(tries) = options.max_tries {
        source = source.max_tries(tries);
    }
    if !options.idle.is_zero() {
        source = source.idle_timeout(options.idle);
    }

    let colour = io::stdout().is_terminal();
    let mut events = source.take_until(Box::pin(tokio::signal::ctrl_c()));
    while let Some(event) = events.next().await {
        match event {
            SourceEvent::Open(_) => eprintln!("connected to {}", events.get_ref().url()),
            SourceEvent::Message(event) => {
                let line = if options.json {
                    as_json(&event)
                } else {
                    as_text(&event, colour)
                };
                if writeln!(io::stdout(), "{line}").is_err() {
                    return ExitCode::from(4);
                }
            }
            // The connection stays.
            SourceEvent::Error(error @ (ClientError::Limit(_) | ClientError::UnsendableId(_))) => {
                eprintln!("{}", with_causes(&error));
            }
            SourceEvent::Error(error) => eprintln!("{}; reconnecting", with_causes(&error)),
            SourceEvent::Failed(error) => return failed(&error),
            _ => {}
        }
    }
    if events.take_result().is_none() {
        return ExitCode::SUCCESS;
    }
    let last = events.get_ref().last_event_id();
    if !last.is_empty() {
        eprintln!("resume with --last-event-id {}", printable(last.as_str()));
    }
    ExitCode::from(130)
}

fn prepare() -> Result<(Options, HttpsConnector<HttpConnector>), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    let connector = connector(options.ca.as_ref())?;
    Ok((options, connector))
}

fn failed(error: &ClientError) -> ExitCode {
    let Some(rejection) = error.rejection() else {
        eprintln!("{}", with_causes(error));
        return ExitCode::from(3);
    };
    if rejection.status() == http::StatusCode::NO_CONTENT {
        eprintln!("the server asked the client to stop");
        return ExitCode::SUCCESS;
    }
    eprintln!("{}", with_causes(error));
    if !rejection.body().is_empty() {
        eprintln!("{}", printable(&String::from_utf8_lossy(rejection.body())));
    }
    ExitCode::from(1)
}
