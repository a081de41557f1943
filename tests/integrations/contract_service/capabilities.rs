//! What the service can do, in the words of the suite.

pub(crate) const CAPABILITIES: &[&str] = &[
    "bom",
    "comments",
    "headers",
    "post",
    "report",
    "last-event-id",
    "read-timeout",
    "restart",
    "server-directed-shutdown-request",
    "open-messages",
];
