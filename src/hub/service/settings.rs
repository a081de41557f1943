use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::request::Parts;

use crate::body::{KeepAlive, MaxAge, Prelude};
#[cfg(feature = "compression")]
use crate::compression::Compression;
use crate::headers::EventStreamHeaders;
use crate::hub::subscription::SubscriptionBuilder;

#[derive(Clone)]
pub(super) struct ServiceSettings {
    pub(super) keep_alive: KeepAlive,
    pub(super) prelude: Prelude,
    pub(super) max_age: Option<MaxAge>,
    pub(super) long_poll: Duration,
    pub(super) headers: EventStreamHeaders,
    pub(super) ignore_invalid: bool,
    pub(super) refuse_with_retry: bool,
    #[cfg(feature = "compression")]
    pub(super) compression: Option<Compression>,
    pub(super) select: Option<Select>,
}

pub(super) type Select = Arc<
    dyn Fn(&Parts, SubscriptionBuilder) -> Result<SubscriptionBuilder, StatusCode> + Send + Sync,
>;
