//! The users, and how a request says which of them sends it.

use axum::http::header::COOKIE;
use axum::http::request::Parts;

pub(crate) struct User {
    pub(crate) name: &'static str,
    token: &'static str,
    pub(crate) rooms: &'static [&'static str],
}

/// Stands in for a session store.
#[rustfmt::skip]
const USERS: [User; 3] = [
    User { name: "anna", token: "anna-7", rooms: &["lobby", "staff"] },
    User { name: "ben", token: "ben-7", rooms: &["lobby"] },
    User { name: "cleo", token: "cleo-7", rooms: &["lobby"] },
];

pub(crate) const MODERATOR: &str = "anna";

/// The user whose token is in the cookie: an `EventSource` sends cookies, but cannot set headers.
pub(crate) fn authenticate(parts: &Parts) -> Option<&'static User> {
    let cookies = parts.headers.get_all(COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split("; "));
    let token = pairs.find_map(|pair| pair.strip_prefix("token="))?;
    USERS.iter().find(|user| user.token == token)
}
