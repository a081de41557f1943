use http::{Extensions, HeaderMap, Request, Uri};

use super::{InvalidLastEventId, LAST_EVENT_ID, LastEventId};

/// How the last event ID is read from a request: by the layer, the hub's service and the extractor
/// alike, so that they cannot disagree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    /// Whether the query stands in for a missing header.
    pub(crate) query: bool,
    /// Whether an invalid ID counts as none.
    pub(crate) ignore_invalid: bool,
    pub(crate) max_len: usize,
}

/// The ID found in a request.
#[derive(Debug)]
pub(crate) enum FoundId {
    /// Nothing, or an empty ID.
    None,
    Id(LastEventId),
    Invalid(InvalidLastEventId),
    /// An invalid ID, to be treated as none.
    Ignored,
}

/// Marks a request whose ID is ignored, so that inner readers do not read it again.
#[derive(Debug, Clone, Copy)]
struct Ignored;

impl Policy {
    pub(crate) const fn new() -> Self {
        Self {
            query: false,
            ignore_invalid: false,
            max_len: LastEventId::MAX_LEN,
        }
    }

    /// Reads a request. The finding of an outer reader is final, whatever its policy was.
    pub(crate) fn read(self, uri: &Uri, headers: &HeaderMap, extensions: &Extensions) -> FoundId {
        if let Some(last) = extensions.get::<LastEventId>() {
            return FoundId::Id(last.clone());
        }
        if let Some(error) = extensions.get::<InvalidLastEventId>() {
            return FoundId::Invalid(error.clone());
        }
        if extensions.get::<Ignored>().is_some() {
            return FoundId::Ignored;
        }
        let mut last = LastEventId::from_headers(headers, self.max_len);
        if let (Ok(None), true, Some(query)) = (&last, self.query, uri.query()) {
            last = LastEventId::from_query(query, self.max_len);
        }
        match last {
            Ok(None) => FoundId::None,
            Ok(Some(last)) => FoundId::Id(last),
            Err(_) if self.ignore_invalid => FoundId::Ignored,
            Err(error) => FoundId::Invalid(error),
        }
    }
}

impl FoundId {
    /// Leaves the finding in the request, for inner readers.
    pub(crate) fn note<B>(&self, request: &mut Request<B>) {
        match self {
            Self::None => {}
            Self::Id(last) => _ = request.extensions_mut().insert(last.clone()),
            Self::Invalid(error) => _ = request.extensions_mut().insert(error.clone()),
            Self::Ignored => {
                request.extensions_mut().insert(Ignored);
                // A handler that reads the header itself must not find it either.
                request.headers_mut().remove(LAST_EVENT_ID);
            }
        }
    }

    pub(crate) fn into_result(self) -> Result<Option<LastEventId>, InvalidLastEventId> {
        match self {
            Self::None | Self::Ignored => Ok(None),
            Self::Id(last) => Ok(Some(last)),
            Self::Invalid(error) => Err(error),
        }
    }
}
