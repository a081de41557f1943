//! The tables of `docs::compression`.

use support::rounds;

use crate::payloads::PAYLOADS;

/// A time in microseconds, with two digits.
pub(crate) fn micros(nanos: f64) -> String {
    let micros = nanos / 1_000.0;
    let decimals = if micros < 1.0 {
        2
    } else {
        usize::from(micros < 10.0)
    };
    format!("{micros:.decimals$} µs")
}

/// Rows with a figure for each payload.
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<(String, Vec<String>)>,
}

impl Table {
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            rows: Vec::new(),
        }
    }

    /// Adds the next payload's figure to a row.
    pub(crate) fn add(&mut self, row: String, figure: String) {
        match self.rows.iter_mut().find(|(name, _)| *name == row) {
            Some((_, figures)) => figures.push(figure),
            None => self.rows.push((row, vec![figure])),
        }
    }

    /// Prints it, unless some payloads have been left out.
    pub(crate) fn print(&self) {
        if rounds().is_none() || self.rows.iter().any(|(_, row)| row.len() < PAYLOADS.len()) {
            return;
        }
        println!("\n{}:\n", self.title);
        println!("| | {} |", PAYLOADS.map(|payload| payload.name).join(" | "));
        println!("|{}", "---|".repeat(PAYLOADS.len() + 1));
        // As they came for the first payload: the others have the same rows.
        for (name, figures) in &self.rows {
            println!("| {name} | {} |", figures.join(" | "));
        }
    }
}
