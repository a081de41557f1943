//! `Accept-Encoding` by RFC 9110, 12.5.3.

use http::header::ACCEPT_ENCODING;
use http::{HeaderMap, HeaderValue};
use tower_sse::compression::Encoding::{self, Gzip, Identity};

use crate::support::rng::Rng;

fn negotiate(lines: &[&str]) -> Encoding {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(ACCEPT_ENCODING, HeaderValue::from_str(line).unwrap());
    }
    Encoding::negotiate(&headers)
}

#[test]
fn lists() {
    assert_eq!(negotiate(&[]), Identity);
    for (list, expected) in [
        // The RFC's examples.
        ("compress, gzip", Gzip),
        ("", Identity),
        ("*", Gzip),
        ("compress;q=0.5, gzip;q=1.0", Gzip),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", Gzip),
        // Browsers, curl, and clients that name nothing of ours.
        ("gzip, deflate, br, zstd", Gzip),
        ("deflate, gzip, br", Gzip),
        ("br", Identity),
        ("identity", Identity),
        // Names.
        ("GZip", Gzip),
        ("x-gzip", Gzip),
        ("X-GZIP;q=0.1", Gzip),
        ("gzipped", Identity),
        ("gzip2", Identity),
        ("x-gzip;q=0", Identity),
        // Weights.
        ("gzip;q=0", Identity),
        ("gzip;q=0.", Identity),
        ("gzip;q=0.000", Identity),
        ("gzip;q=0.001", Gzip),
        ("gzip;q=1.", Gzip),
        ("gzip;q=1.000", Gzip),
        ("gzip;Q=0.5", Gzip),
        ("gzip ; \t q=0.5 ", Gzip),
        ("gzip;q=0, *", Identity),
        ("*, gzip;q=0", Identity),
        ("*;q=0", Identity),
        ("*;q=0, gzip", Gzip),
        ("*;q=0.5, gzip;q=0.4", Identity),
        ("*;q=0.5, gzip;q=0.4, identity;q=0.4", Gzip),
        ("gzip;q=0.5, identity;q=0.5", Gzip),
        ("gzip;q=0.5, identity;q=0.501", Identity),
        ("gzip, identity", Gzip),
        ("identity;q=0", Identity),
        ("identity;q=0, gzip;q=0.1", Gzip),
        ("identity;q=0, *;q=0", Identity),
        // Of several weights of a coding, the lowest counts.
        ("gzip, gzip;q=0", Identity),
        ("gzip;q=0, gzip", Identity),
        ("gzip, x-gzip;q=0", Identity),
        ("gzip;q=0.2, gzip;q=0.9, identity;q=0.3", Identity),
        // Empty elements are allowed.
        (", ,gzip,,", Gzip),
        // Malformed elements are ignored, and only they.
        ("gzip;q=2", Identity),
        ("gzip;q=1.001", Identity),
        ("gzip;q=0.1234", Identity),
        ("gzip;q=.5", Identity),
        ("gzip;q=-1", Identity),
        ("gzip;q=", Identity),
        ("gzip;q", Identity),
        ("gzip;", Identity),
        ("gzip;level=9", Identity),
        ("gzip;q=1;x=2", Identity),
        ("gzip;q = 1", Identity),
        ("gzip q=1", Identity),
        ("gzip;q=NaN", Identity),
        ("gzip;q=\"1\"", Identity),
        ("gzip;q=0.5x, *;q=0.1", Gzip),
        ("\"gzip\"", Identity),
        ("\", gzip", Gzip),
    ] {
        assert_eq!(negotiate(&[list]), expected, "{list:?}");
    }
}

#[test]
fn several_lines_are_one_list() {
    assert_eq!(negotiate(&["br", "gzip"]), Gzip);
    assert_eq!(negotiate(&["gzip", "identity;q=1", "gzip;q=0"]), Identity);
    assert_eq!(negotiate(&["gzip;q=0.5", "*;q=0.7"]), Identity);
    // A line that is cut inside an element does not continue in the next.
    assert_eq!(negotiate(&["gzip;", "q=1"]), Identity);
}

#[test]
fn bytes_above_ascii_are_no_names() {
    for bytes in [
        &b"\xff"[..],
        b"gz\xefp",
        b"gzip;q=\xb9",
        b"\x80, \xff;\xfe=\xfd",
    ] {
        let value = HeaderValue::from_bytes(bytes).unwrap();
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, value)]);
        assert_eq!(Encoding::negotiate(&headers), Identity);
    }
}

/// The rules one after the other, on strings and decimal numbers.
fn oracle(lines: &[String]) -> Encoding {
    let list = lines.join(",");
    let mut weights: Vec<(String, f64)> = Vec::new();
    for element in list.split(',') {
        let parts: Vec<&str> = element.split(';').map(str::trim).collect();
        let weight = match parts[..] {
            [_] => "1",
            [_, weight] => match weight.strip_prefix(['q', 'Q']) {
                Some(value) => match value.strip_prefix('=') {
                    Some(value) => value,
                    None => continue,
                },
                None => continue,
            },
            _ => continue,
        };
        let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
        let is_weight = ["0", "1"].contains(&whole)
            && decimals.len() <= 3
            && decimals.chars().all(|c| c.is_ascii_digit());
        let value: f64 = format!("{whole}.{decimals}0").parse().unwrap_or(2.0);
        if is_weight && value <= 1.0 {
            let name = parts[0].to_ascii_lowercase().replace("x-gzip", "gzip");
            weights.push((name, value));
        }
    }
    let lowest = |name: &str| {
        let of_name = weights.iter().filter(|(coding, _)| coding == name);
        of_name.map(|(_, weight)| *weight).reduce(f64::min)
    };
    let weight = |name: &str| lowest(name).or(lowest("*")).unwrap_or(0.0);
    if weight("gzip") > 0.0 && weight("gzip") >= weight("identity") {
        Gzip
    } else {
        Identity
    }
}

#[test]
fn random_lists_against_a_naive_reading() {
    const PARTS: [&str; 24] = [
        "gzip", "x-gzip", "GZIP", "identity", "*", "br", ",", ",", ", ", ";", ";q=", ";q=", "; Q=",
        "q", "=", "0", "1", ".", "0.5", "0.499", "1.0", "3", " ", "\t",
    ];
    let mut rng = Rng::new(21);
    let mut counts = [0, 0];
    for _ in 0..50_000 {
        let lines: Vec<String> = (0..rng.below(3))
            .map(|_| (0..rng.below(12)).map(|_| *rng.pick(&PARTS)).collect())
            .collect();
        let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
        let expected = oracle(&lines.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(negotiate(&lines), expected, "{lines:?}");
        counts[usize::from(expected == Gzip)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 3_000), "{counts:?}");
}
