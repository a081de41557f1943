use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, HeaderName, RETRY_AFTER};
use httpdate::parse_http_date;

use crate::clock;

/// The wait that a `Retry-After` asks for: seconds, or until a date in any of the three forms of
/// [RFC 9110, 5.6.7].
///
/// A date is interpreted relative to the response's own `Date`, so that a wrong clock on either
/// side does no harm; without one, relative to this machine's clock.
///
/// [RFC 9110, 5.6.7]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim_ascii();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let until = parse_http_date(value).ok()?;
    let now = date(headers, &DATE).or_else(clock::now)?;
    Some(until.duration_since(now).unwrap_or_default())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    parse_http_date(headers.get(name)?.to_str().ok()?.trim_ascii()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(value: &str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
        retry_after(&headers)
    }

    #[test]
    fn seconds() {
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after(" 0 "), Some(Duration::ZERO));
        for none in ["-1", "+1", "1.5", "", "soon", "99999999999999999999"] {
            assert_eq!(after(none), None, "{none:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn dates_of_all_three_forms() {
        for date in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(after(date), Some(Duration::ZERO), "{date}");
            let headers = HeaderMap::from_iter([
                (RETRY_AFTER, date.parse().unwrap()),
                (DATE, "Sun, 06 Nov 1994 08:47:37 GMT".parse().unwrap()),
            ]);
            assert_eq!(retry_after(&headers), Some(Duration::from_secs(120)));
        }
        assert!(after("Fri, 31 Dec 2100 23:59:59 GMT") > Some(Duration::from_secs(3_600)));
        for none in [
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
        ] {
            assert_eq!(after(none), None, "{none}");
        }
    }
}
