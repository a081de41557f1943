use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// A content coding that a stream can be sent in.
///
/// ```
/// use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
/// use tower_sse::compression::Encoding;
///
/// let mut request = HeaderMap::new();
/// assert_eq!(Encoding::negotiate(&request), Encoding::Identity);
/// request.insert(ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0.8"));
/// assert_eq!(Encoding::negotiate(&request), Encoding::Gzip);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// The plain event stream.
    Identity,
    /// gzip ([RFC 1952]).
    ///
    /// [RFC 1952]: https://www.rfc-editor.org/rfc/rfc1952
    Gzip,
}

impl Encoding {
    /// Chooses the encoding for a request with these headers, by the weights of its
    /// `Accept-Encoding` ([RFC 9110, 12.5.3]).
    ///
    /// gzip is chosen if the client names it, or its old name `x-gzip`, or `*`, with a weight that is
    /// neither 0 nor below that of `identity`. A request without the header gets the plain stream,
    /// although the RFC would allow any encoding. So does a client that refuses both encodings,
    /// instead of a 406.
    ///
    /// Malformed elements of the list are ignored. If several weights apply to one coding, the
    /// lowest counts, because every client can read the plain stream.
    ///
    /// ```
    /// # use http::{HeaderMap, HeaderValue, header::ACCEPT_ENCODING};
    /// # use tower_sse::compression::Encoding;
    /// let negotiate = |value| {
    ///     let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static(value))]);
    ///     Encoding::negotiate(&headers)
    /// };
    /// assert_eq!(negotiate("*;q=0.5"), Encoding::Gzip);
    /// assert_eq!(negotiate("gzip;q=0, *"), Encoding::Identity);
    /// assert_eq!(negotiate("gzip;q=0.5, identity"), Encoding::Identity);
    /// assert_eq!(negotiate("gzip;q=2"), Encoding::Identity);
    /// ```
    ///
    /// [RFC 9110, 12.5.3]: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
    #[must_use]
    pub fn negotiate(request: &HeaderMap) -> Self {
        let (mut gzip, mut identity, mut rest) = (None, None, None);
        let values = request.get_all(ACCEPT_ENCODING).iter();
        let elements = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
        for (coding, weight) in elements.filter_map(parse) {
            let named = if is(coding, "gzip") || is(coding, "x-gzip") {
                &mut gzip
            } else if is(coding, "identity") {
                &mut identity
            } else if coding == b"*" {
                &mut rest
            } else {
                continue;
            };
            *named = Some(named.map_or(weight, |other: u16| other.min(weight)));
        }
        let gzip = gzip.or(rest).unwrap_or(0);
        let identity = identity.or(rest).unwrap_or(0);
        if gzip > 0 && gzip >= identity {
            Self::Gzip
        } else {
            Self::Identity
        }
    }
}

fn is(coding: &[u8], name: &str) -> bool {
    coding.eq_ignore_ascii_case(name.as_bytes())
}

/// The coding and its weight in thousandths, if the element is well-formed.
fn parse(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let coding = parts.next()?;
    let weight = match parts.next() {
        None => 1000,
        Some(weight) => match weight {
            [b'q' | b'Q', b'=', value @ ..] => thousandths(value)?,
            _ => return None,
        },
    };
    parts.next().is_none().then_some((coding, weight))
}

/// A weight of at most three decimal places, from 0 to 1, in thousandths.
fn thousandths(value: &[u8]) -> Option<u16> {
    let (whole, decimals) = match value {
        [whole @ (b'0' | b'1')] => (whole, &[][..]),
        [whole @ (b'0' | b'1'), b'.', decimals @ ..] => (whole, decimals),
        _ => return None,
    };
    if decimals.len() > 3 {
        return None;
    }
    let mut weight = u16::from(whole - b'0');
    for place in 0..3 {
        let digit = decimals.get(place).unwrap_or(&b'0');
        weight = weight * 10 + u16::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    (weight <= 1000).then_some(weight)
}
