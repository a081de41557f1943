//! A client takes a Tower service over HTTP.

use http::Request;
use tower_sse::EventSource;

struct Client;

fn main() {
    let request = Request::get("http://localhost/feed").body(()).unwrap();
    _ = EventSource::new(Client, request);
}
