//! Every public item has an example that asserts something, code fits the page that shows it, and links
//! between files lead somewhere.

use std::fs;
use std::path::{Path, PathBuf};

/// What follows `pub` in an item. Modules, re-exports and fields need no example.
const KINDS: &[&str] = &[
    "fn", "async", "const", "static", "struct", "enum", "union", "trait", "type",
];

/// Looks at lines, not at syntax: rustfmt has been there, and the lint `unreachable_pub` sees to it
/// that a bare `pub` is reachable, `mod sealed` excepted. What a public trait declares counts too,
/// its associated types excepted. Unit tests are at the end of a file.
#[test]
fn every_public_item_has_an_example() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut seen, mut bare) = (0, Vec::new());
    for path in sources(&src, &["rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        for (number, item, has_example) in public_items(&text) {
            seen += 1;
            if !has_example {
                let file = path.strip_prefix(&src).unwrap().display();
                bare.push(format!("src/{file}:{number}: {item}"));
            }
        }
    }
    assert!(seen > 90, "found only {seen} items");
    assert!(bare.is_empty(), "no example:\n{}", bare.join("\n"));
}

/// A page of rustdoc shows 95 columns of code in a window of 1,280 pixels, and hides the rest behind a
/// scroll bar. Hidden lines may be longer.
#[test]
fn code_fits_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut seen, mut long) = (0, Vec::new());
    for path in sources(&root.join("src"), &["rs", "md"]) {
        let text = fs::read_to_string(&path).unwrap();
        let is_guide = path.extension().is_some_and(|extension| extension == "md");
        for (number, line) in code_in_docs(&text, is_guide) {
            seen += 1;
            if line.chars().count() > 95 && !line.starts_with("# ") {
                let file = path.strip_prefix(root).unwrap().display();
                long.push(format!("{file}:{number}: {line}"));
            }
        }
    }
    assert!(seen > 1_000, "found only {seen} lines");
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

#[test]
fn included_code_fits_the_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for path in sources(&root.join("src"), &["rs"]) {
        let text = fs::read_to_string(&path).unwrap();
        let included = text.split("doc = include_str!(\"").skip(1);
        for file in included.filter_map(|rest| rest.split('"').next()) {
            if !file.ends_with(".rs") {
                continue;
            }
            seen += 1;
            let code = fs::read_to_string(path.parent().unwrap().join(file)).unwrap();
            let long = code.lines().find(|line| line.chars().count() > 95);
            assert_eq!(long, None, "too long in {file}");
        }
    }
    assert!(seen > 0, "found none");
}

/// Those of the pages that are read as files. rustdoc checks its own, and CI those to the web.
#[test]
fn links_between_files_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for page in [
        "README.md",
        "CHANGELOG.md",
        "benches/README.md",
        ".github/CONTRIBUTING.md",
    ] {
        let page = root.join(page);
        let text = fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| {
            let target = rest.split([')', '#']).next()?;
            (!target.is_empty() && !target.contains("://")).then_some(target)
        });
        for target in targets {
            seen += 1;
            let file = page.parent().unwrap().join(target);
            assert!(file.exists(), "{}: {target}", page.display());
        }
    }
    assert!(seen > 20, "found only {seen} links");
}

/// The lines of code blocks and their numbers, in a guide or in the doc comments of a source file.
fn code_in_docs(text: &str, is_guide: bool) -> Vec<(usize, &str)> {
    let (mut lines, mut is_code) = (Vec::new(), false);
    for (at, line) in text.lines().enumerate() {
        let comment = line.trim_start();
        let comment = comment.strip_prefix("///").or(comment.strip_prefix("//!"));
        let Some(line) = (if is_guide { Some(line) } else { comment }) else {
            // A block may also be opened, and included, by attributes.
            is_code = line.contains("doc = \"```") || is_code && line.contains("doc = ");
            continue;
        };
        let line = line.strip_prefix(' ').unwrap_or(line);
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if is_code {
            lines.push((at + 1, line));
        }
    }
    lines
}

/// The line number and the first line of each public item, and whether its docs assert something.
fn public_items(text: &str) -> Vec<(usize, &str, bool)> {
    let (mut items, mut has_example) = (Vec::new(), false);
    let (mut in_trait, mut in_sealed) = (false, false);
    for (at, line) in text.lines().enumerate() {
        let code = line.trim();
        if line == "#[cfg(test)]" {
            break;
        } else if code.starts_with("///") || code.starts_with("#[doc = include_str!") {
            has_example |= code.contains("assert") || code.contains("include_str!");
            continue;
        }
        match line {
            "mod sealed {" => in_sealed = true,
            "}" => (in_trait, in_sealed) = (false, false),
            _ => in_trait |= line.starts_with("pub trait ") && !line.ends_with('}'),
        }
        if !in_sealed && is_public_item(code, in_trait) {
            items.push((at + 1, code, has_example));
        }
        // Attributes, even those of several lines, stand between the docs and the item.
        has_example &= !code.is_empty() && !code.ends_with(['{', '}', ';']);
    }
    items
}

fn is_public_item(code: &str, in_trait: bool) -> bool {
    let mut words = code.split(' ');
    match words.next() {
        Some("pub") => words.next().is_some_and(|kind| KINDS.contains(&kind)),
        Some("fn" | "async" | "const") => in_trait,
        _ => false,
    }
}

/// The files below a folder that have one of these extensions.
fn sources(dir: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let paths = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let paths = paths.flat_map(|path| {
        if path.is_dir() {
            sources(&path, extensions)
        } else {
            vec![path]
        }
    });
    paths
        .filter(|path| {
            let extension = path.extension().unwrap_or_default();
            extensions.iter().any(|wanted| extension == *wanted)
        })
        .collect()
}
