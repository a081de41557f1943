//! A small `curl -N` that understands events, speaks https and follows redirects:
//!
//! ```text
//! cargo run --example client -- https://stream.wikimedia.org/v2/stream/recentchange
//! cargo run --example client -- --json --last-event-id 41 --header 'Authorization: Bearer x' URL
//! ```
//!
//! Events go to standard output; what happens to the connection goes to standard error. The exit
//! status tells why it ended: 0 the server said stop (204), or a POST is complete, 1 the server
//! refused, 2 wrong usage, 3 no connection after `--max-tries`, 4 the output is closed.

#[path = "support/redirects.rs"]
mod redirects;

use std::error::Error;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tower_http::follow_redirect::FollowRedirect;
use tower_sse::client::{ClientError, SourceEvent};
use tower_sse::{EventId, EventSource, MessageEvent};

use self::redirects::SafeRedirects;

const USAGE: &str = "usage: client [OPTION]... URL

  --last-event-id ID      begin after this event
  --header 'NAME: VALUE'  send this header; may be given again
  --data TEXT             send a POST with this body
  --json                  print each event as a line of JSON
  --max-tries N           give up after N failed connections in a row
  --idle SECONDS          reconnect after this long without data; 60 if not given, 0 for never
  --ca FILE               trust the certificates in this PEM file, and no others";

struct Options {
    request: Request<Full<Bytes>>,
    last_event_id: Option<EventId>,
    json: bool,
    max_tries: Option<u32>,
    idle: Duration,
    ca: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
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
    while let Some(event) = source.next().await {
        match event {
            SourceEvent::Open(_) => eprintln!("connected to {}", source.url()),
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
    ExitCode::SUCCESS
}

fn prepare() -> Result<(Options, HttpsConnector<HttpConnector>), Box<dyn Error>> {
    let options = options(std::env::args().skip(1))?;
    let connector = connector(options.ca.as_ref())?;
    Ok((options, connector))
}

fn connector(ca: Option<&PathBuf>) -> Result<HttpsConnector<HttpConnector>, Box<dyn Error>> {
    let crypto = ring::default_provider();
    let builder = match ca {
        None => HttpsConnectorBuilder::new().with_provider_and_webpki_roots(crypto)?,
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
            let config = ClientConfig::builder_with_provider(crypto.into())
                .with_safe_default_protocol_versions()?
                .with_root_certificates(roots)
                .with_no_client_auth();
            HttpsConnectorBuilder::new().with_tls_config(config)
        }
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    Ok(builder
        .https_or_http()
        .enable_all_versions()
        .wrap_connector(http))
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
    let mut options = Options {
        request: Request::new(Full::default()),
        last_event_id: None,
        json: false,
        max_tries: None,
        idle: Duration::from_secs(60),
        ca: None,
    };
    let mut url = None;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match &*arg {
            "--last-event-id" => options.last_event_id = Some(EventId::try_from(value()?)?),
            "--json" => options.json = true,
            "--ca" => options.ca = Some(value()?.into()),
            "--max-tries" => options.max_tries = Some(value()?.parse()?),
            "--idle" => options.idle = Duration::from_secs(value()?.parse()?),
            "--data" => {
                *options.request.method_mut() = Method::POST;
                *options.request.body_mut() = Full::from(value()?);
            }
            "--header" => {
                let header = value()?;
                let (name, value) = header.split_once(':').ok_or("a header is NAME: VALUE")?;
                let (name, value) = (HeaderName::try_from(name)?, value.trim());
                options
                    .request
                    .headers_mut()
                    .append(name, HeaderValue::try_from(value)?);
            }
            option if option.starts_with('-') => Err(format!("there is no option {option}"))?,
            text if url.is_none() => url = Some(Uri::try_from(text)?),
            text => Err(format!("more than one URL: {text}"))?,
        }
    }
    let url = url.ok_or("no URL")?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err("the URL has to begin with http:// or https://".into());
    }
    *options.request.uri_mut() = url;
    Ok(options)
}

/// `12:34:56 goal #42 1 : 0`
fn as_text(event: &MessageEvent, colour: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let mut line = paint("2", &time_of_day());
    _ = write!(line, " {}", paint("1;36", &printable(event.event_type())));
    if !event.last_event_id().is_empty() {
        let id = format!("#{}", printable(event.last_event_id()));
        _ = write!(line, " {}", paint("33", &id));
    }
    for (n, text) in event.data().split('\n').enumerate() {
        // Further lines stand under the first one's start.
        line.push_str(if n == 0 { " " } else { "\n         " });
        line.push_str(&printable(text));
    }
    line
}

fn as_json(event: &MessageEvent) -> String {
    let event = json!({
        "type": event.event_type(),
        "id": event.last_event_id(),
        "data": event.data(),
    });
    event.to_string()
}

/// What a stream says must not drive the terminal.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// UTC.
fn time_of_day() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    format!(
        "{:02}:{:02}:{:02}",
        now / 3600 % 24,
        now / 60 % 60,
        now % 60
    )
}

fn failed(error: &ClientError) -> ExitCode {
    let Some(rejection) = error.rejection() else {
        eprintln!("{}", with_causes(error));
        return ExitCode::from(3);
    };
    if rejection.status() == http::StatusCode::NO_CONTENT {
        eprintln!("the server said stop");
        return ExitCode::SUCCESS;
    }
    eprintln!("{}", with_causes(error));
    if !rejection.body().is_empty() {
        eprintln!("{}", printable(&String::from_utf8_lossy(rejection.body())));
    }
    ExitCode::from(1)
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        _ = write!(text, ": {error}");
        cause = error.source();
    }
    printable(&text)
}
