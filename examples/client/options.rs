//! The command line.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::Full;
use tower_sse::EventId;

pub(crate) const USAGE: &str = "usage: client [OPTION]... URL

  --last-event-id ID      begin after this event
  --header 'NAME: VALUE'  send this header; may be given again
  --data TEXT             send a POST with this body
  --json                  print each event as a line of JSON
  --max-tries N           give up after N failed connections in a row
  --idle SECONDS          reconnect after this long without data; 60 if not given, 0 for never
  --ca FILE               trust the certificates in this PEM file, and no others";

pub(crate) struct Options {
    pub(crate) request: Request<Full<Bytes>>,
    pub(crate) last_event_id: Option<EventId>,
    pub(crate) json: bool,
    pub(crate) max_tries: Option<u32>,
    pub(crate) idle: Duration,
    pub(crate) ca: Option<PathBuf>,
}

pub(crate) fn options(mut args: impl Iterator<Item = String>) -> Result<Options, Box<dyn Error>> {
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
