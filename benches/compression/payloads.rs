//! What is published: the same text for the same number, every time.

use std::ops::Range;

pub(crate) struct Payload {
    pub(crate) name: &'static str,
    pub(crate) data: fn(u64) -> String,
}

pub(crate) const PAYLOADS: [Payload; 3] = [
    Payload {
        name: "small JSON",
        data: json,
    },
    Payload {
        name: "LLM chunks",
        data: chunk,
    },
    Payload {
        name: "HTML fragments",
        data: html,
    },
];

impl Payload {
    /// The data of the events with these numbers.
    pub(crate) fn texts(&self, numbers: Range<u64>) -> Vec<String> {
        numbers.map(self.data).collect()
    }
}

/// A price of one of 40 symbols.
fn json(n: u64) -> String {
    let mut random = Random(n);
    let symbol = SYMBOLS[random.below(SYMBOLS.len())];
    let (bid, size) = (10_000 + random.below(500), 100 * (1 + random.below(90)));
    format!(
        r#"{{"symbol":"{symbol}","bid":{}.{:02},"ask":{}.{:02},"size":{size},"time":"2026-11-21T{:02}:{:02}:{:02}.{:03}Z"}}"#,
        bid / 100,
        bid % 100,
        (bid + 3) / 100,
        (bid + 3) % 100,
        9 + n / 36_000 % 8,
        n / 600 % 60,
        n / 10 % 60,
        random.below(1_000),
    )
}

/// A token, as OpenAI's API frames it.
fn chunk(n: u64) -> String {
    let word = WORDS[Random(n).below(WORDS.len())];
    format!(
        r#"{{"id":"chatcmpl-BTs7nVq4yXcWm2LzR8oKdJf3","object":"chat.completion.chunk","created":1763733600,"model":"gpt-4o-2024-08-06","service_tier":"default","system_fingerprint":"fp_f5bdcc3276","choices":[{{"index":0,"delta":{{"content":" {word}"}},"logprobs":null,"finish_reason":null}}]}}"#
    )
}

/// A card of a scoreboard, to be swapped into the page.
fn html(n: u64) -> String {
    let mut random = Random(n);
    let game = random.below(60);
    let (home, away) = (TEAMS[game % TEAMS.len()], TEAMS[(game + 7) % TEAMS.len()]);
    let mut rows = String::new();
    for (name, most) in [
        ("Shots", 20),
        ("Corners", 12),
        ("Fouls", 18),
        ("Offsides", 6),
    ] {
        let (left, right) = (random.below(most), random.below(most));
        rows += &format!(
            "    <tr><td class=\"stat stat-home\">{left}</td><th scope=\"row\">{name}</th><td class=\"stat stat-away\">{right}</td></tr>\n"
        );
    }
    let (minute, left, right) = (random.below(90), random.below(5), random.below(4));
    format!(
        "<article id=\"game-{game}\" class=\"card card-live\" hx-swap-oob=\"true\">\n  <header class=\"card-header\">\n    <span class=\"badge badge-live\">{minute}'</span>\n    <h2><a href=\"/games/{game}\">{home} &ndash; {away}</a></h2>\n    <p class=\"score\"><b>{left}</b> : <b>{right}</b></p>\n  </header>\n  <table class=\"stats\">\n{rows}  </table>\n</article>"
    )
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).expect("small")
    }
}

#[rustfmt::skip]
const SYMBOLS: [&str; 40] = [
    "AAPL", "ADBE", "ADS", "AIR", "ALV", "AMD", "AMZN", "ASML", "BAS", "BAYN", "BMW", "BNP", "CSCO",
    "CRM", "DTE", "EOAN", "GOOG", "IBM", "IFX", "INTC", "KO", "LIN", "MBG", "META", "MRK", "MSFT",
    "MUV2", "NFLX", "NVDA", "ORCL", "PEP", "QCOM", "RWE", "SAN", "SAP", "SIE", "TSLA", "TXN", "V",
    "VOW3",
];

#[rustfmt::skip]
const WORDS: [&str; 64] = [
    "the", "of", "and", "a", "to", "in", "is", "that", "it", "for", "as", "with", "was", "on", "are",
    "by", "light", "because", "blue", "sky", "scatters", "shorter", "wavelengths", "molecules", "air",
    "more", "than", "red", "sunlight", "atmosphere", "reaches", "eye", "from", "every", "direction",
    "which", "called", "scattering", "evening", "path", "longer", "through", "most", "out", "leaving",
    "orange", "sun", "horizon", "color", "appear", "violet", "less", "sensitive", "our", "eyes",
    "also", "absorbed", "upper", "layers", "so", "see", "instead", "however", "therefore",
];

#[rustfmt::skip]
const TEAMS: [&str; 20] = [
    "Arsenal", "Aston Villa", "Bournemouth", "Brentford", "Brighton", "Burnley", "Chelsea",
    "Crystal Palace", "Everton", "Fulham", "Leeds", "Liverpool", "Manchester City",
    "Manchester United", "Newcastle", "Nottingham", "Sunderland", "Tottenham", "West Ham", "Wolves",
];
