use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::RETRY_AFTER;

/// How long the response asks to wait ([RFC 9110, 10.2.3]): seconds, or an HTTP date.
///
/// [RFC 9110, 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    let date = seconds_since_1970(value)?;
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()?;
    Some(Duration::from_secs(date).saturating_sub(now))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of date that may be sent ([RFC 9110, 5.6.7]).
///
/// [RFC 9110, 5.6.7]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
fn seconds_since_1970(date: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (_weekday, date) = date.split_once(", ")?;
    let mut parts = date.split(' ');
    let mut number = |max: u64| number(parts.next()?, max);
    let day = number(31)?;
    let month = parts.next()?;
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = self::number(parts.next()?, 9999).filter(|year| *year >= 1970)?;
    let mut time = parts.next()?.split(':');
    let hour = self::number(time.next()?, 23)?;
    let minute = self::number(time.next()?, 59)?;
    let second = self::number(time.next()?, 60)?;
    if parts.next() != Some("GMT") {
        return None;
    }
    Some(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(digits: &str, max: u64) -> Option<u64> {
    digits.parse().ok().filter(|number| *number <= max)
}

/// Days in the Gregorian calendar, with years that begin in March so that the leap day comes last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (date, seconds) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_600),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 20 Nov 2026 22:13:20 GMT", 1_795_212_800),
            ("Thu, 31 Dec 2099 23:59:59 GMT", 4_102_444_799),
        ] {
            assert_eq!(seconds_since_1970(date), Some(seconds), "{date}");
        }
        for no_date in [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
        ] {
            assert_eq!(seconds_since_1970(no_date), None, "{no_date}");
        }
    }

    #[test]
    fn headers() {
        let after = |value: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, value.parse().unwrap())]);
            retry_after(&headers)
        };
        assert_eq!(after("120"), Some(Duration::from_secs(120)));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(after("Fri, 31 Dec 2100 23:59:59 GMT") > Some(Duration::from_secs(3_600)));
        assert_eq!(after("-1"), None);
        assert_eq!(after("99999999999999999999"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
