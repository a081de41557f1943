//! The page. All of its files are embedded in this program.

use axum::Router;
use axum::http::header;
use axum::routing::get;

const ASSETS: [(&str, &str, &str); 6] = [
    ("/", "text/html; charset=utf-8", include_str!("page.html")),
    (
        "/page.css",
        "text/css; charset=utf-8",
        include_str!("page.css"),
    ),
    (
        "/page.js",
        "text/javascript; charset=utf-8",
        include_str!("page.js"),
    ),
    (
        "/shared.js",
        "text/javascript; charset=utf-8",
        include_str!("shared.js"),
    ),
    (
        "/transports.js",
        "text/javascript; charset=utf-8",
        include_str!("transports.js"),
    ),
    ("/icon.svg", "image/svg+xml", include_str!("icon.svg")),
];

pub(crate) fn routes() -> Router {
    let mut routes = Router::new();
    for (path, content_type, text) in ASSETS {
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CACHE_CONTROL, "no-cache"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'self'"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        routes = routes.route(path, get(move || async move { (headers, text) }));
    }
    routes
}
