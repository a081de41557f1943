// Follows redirects as browsers do. Credentials and custom headers stay at their origin.
//
// On the hop to another origin, tower-http's own policy drops `Authorization`, `Cookie` and
// `Proxy-Authorization`, but keeps `X-Api-Key`. On the next hop it sends all of them again.

use http::{Request, Uri};
use tower_http::follow_redirect::policy::{Action, Attempt, Limited, Policy};

/// The headers that another origin may see. Any other header might be a secret.
const MAY_CROSS: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-type",
    "last-event-id",
    "user-agent",
];

#[derive(Debug, Clone, Default)]
pub(crate) struct SafeRedirects {
    /// 20 redirects, as in browsers.
    limit: Limited,
    /// It stays set on all further hops, even those back to the first origin.
    crossed: bool,
}

impl<B: Clone, E> Policy<B, E> for SafeRedirects {
    fn redirect(&mut self, attempt: &Attempt<'_>) -> Result<Action, E> {
        self.crossed |= origin(attempt.previous()) != origin(attempt.location());
        Policy::<B, E>::redirect(&mut self.limit, attempt)
    }

    fn on_request(&mut self, request: &mut Request<B>) {
        if self.crossed {
            let all = std::mem::take(request.headers_mut());
            let headers = request.headers_mut();
            for name in MAY_CROSS {
                for value in all.get_all(*name) {
                    headers.append(*name, value.clone());
                }
            }
        }
    }

    // 307 and 308 send the body again.
    fn clone_body(&self, body: &B) -> Option<B> {
        Some(body.clone())
    }
}

/// Scheme, host and port; `None` without a host.
fn origin(uri: &Uri) -> Option<(&str, String, u16)> {
    let scheme = uri.scheme_str()?;
    let default_port = if scheme == "https" { 443 } else { 80 };
    let host = uri.host()?.to_ascii_lowercase();
    Some((scheme, host, uri.port_u16().unwrap_or(default_port)))
}
