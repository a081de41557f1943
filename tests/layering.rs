//! Dependencies between the modules point one way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A module of the crate and the modules it may use besides itself.
const MAY_USE: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("timer", &["clock"]),
    ("random", &[]),
    ("clock", &[]),
    ("sync", &[]),
    ("exclusive", &[]),
    ("headers", &["protocol"]),
    ("compression", &["protocol", "headers", "clock"]),
    ("last_event_id", &["protocol"]),
    (
        "body",
        &[
            "protocol",
            "timer",
            "headers",
            "random",
            "exclusive",
            "compression",
        ],
    ),
    (
        "middleware",
        &[
            "protocol",
            "timer",
            "headers",
            "last_event_id",
            "body",
            "compression",
        ],
    ),
    (
        "hub",
        &[
            "protocol",
            "timer",
            "headers",
            "random",
            "clock",
            "last_event_id",
            "body",
            "sync",
            "exclusive",
            "compression",
        ],
    ),
    (
        "client",
        &[
            "protocol",
            "timer",
            "headers",
            "random",
            "clock",
            "last_event_id",
            "body",
        ],
    ),
    (
        "axum",
        &[
            "protocol",
            "timer",
            "headers",
            "last_event_id",
            "body",
            "middleware",
            "hub",
            "client",
        ],
    ),
    (
        "prelude",
        &[
            "protocol",
            "last_event_id",
            "body",
            "middleware",
            "hub",
            "client",
        ],
    ),
];

/// What the protocol core may name besides the standard library and itself.
const PROTOCOL_CRATES: &[&str] = &[
    "bytes",
    "memchr",
    "itoa",
    "serde",
    "serde_json",
    "bytestring",
    "simdutf8",
];

#[test]
fn modules_use_only_those_below_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for (path, text) in sources(&src) {
        let relative = path.strip_prefix(&src).unwrap();
        let module = relative
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if module == "lib" {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            panic!("{module} has no place in the layering");
        };
        seen += 1;
        for used in names_after("crate::", &text) {
            // Items re-exported at the root are for users; inside, the module is named.
            assert!(
                used == module || allowed.contains(&used.as_str()),
                "{} uses crate::{used}",
                relative.display()
            );
        }
    }
    assert!(seen > 20, "found only {seen} files");
}

#[test]
fn the_protocol_core_knows_no_async_and_no_http() {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol");
    for (path, text) in sources(&protocol) {
        for name in text.lines().filter_map(|line| line.strip_prefix("use ")) {
            let root = name.split([':', ';']).next().unwrap();
            assert!(
                matches!(root, "std" | "self" | "super")
                    || PROTOCOL_CRATES.contains(&root)
                    || name.starts_with("crate::protocol::"),
                "{} uses {root}",
                path.display()
            );
        }
        for foreign in [
            "http::",
            "futures_core::",
            "tokio::",
            "std::task",
            "std::future",
            "async ",
        ] {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            assert!(
                !code.clone().any(|line| line.contains(foreign)),
                "{} has {foreign}",
                path.display()
            );
        }
    }
}

/// The folders of the protocol core, and which of the others each may name.
const WINGS: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("encode", &["value"]),
    ("decode", &["value"]),
];

#[test]
fn the_wings_of_the_protocol_do_not_know_each_other() {
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol");
    for (wing, allowed) in WINGS {
        let sources = sources(&protocol.join(wing));
        assert!(
            sources.len() > 3,
            "found only {} files in {wing}",
            sources.len()
        );
        for (path, text) in sources {
            let file = path.strip_prefix(&protocol).unwrap().display().to_string();
            // All that is not one's own is named from the root, and nothing through the face.
            let depth = text.contains("super::super::");
            assert!(!depth, "{file} climbs out of its wing");
            for used in names_after("crate::protocol::", &text) {
                // `pub(in crate::protocol)` names the room and not a thing in it.
                assert!(
                    used.is_empty() || used == *wing || allowed.contains(&used.as_str()),
                    "{file} uses crate::protocol::{used}"
                );
            }
        }
    }
}

/// The folders of the hub, and what else of the hub each may name; `*` is anything.
const HUB: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "core",
            "change",
            "delivery",
            "outcome",
            "packed",
            "retention",
            "stats",
            "tail",
            "topic_stats",
        ],
    ),
    ("service", &["*"]),
    ("subscription", &["*"]),
    ("tail", &["*"]),
    ("wait", &["*"]),
];

#[test]
fn the_core_of_the_hub_knows_no_http_no_body_and_no_stream() {
    let hub = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hub");
    for (folder, allowed) in HUB {
        let sources = sources(&hub.join(folder));
        assert!(sources.len() > 3, "{folder} has {} files", sources.len());
        for (path, text) in sources {
            let file = path.strip_prefix(&hub).unwrap().display().to_string();
            for used in names_after("crate::hub::", &text) {
                assert!(
                    used.is_empty() || allowed.contains(&"*") || allowed.contains(&used.as_str()),
                    "{file} uses crate::hub::{used}"
                );
            }
            if *folder != "core" {
                continue;
            }
            for name in text.lines().filter_map(|line| line.strip_prefix("use ")) {
                let known = [
                    "std::",
                    "bytes::",
                    "slab::",
                    "super::",
                    "crate::clock",
                    "crate::hub::",
                    "crate::protocol::",
                    "crate::sync::",
                ];
                assert!(
                    known.iter().any(|root| name.starts_with(root)),
                    "{file} uses {name}"
                );
            }
            assert!(!text.contains("super::super::"), "{file} climbs out");
        }
    }
}

#[test]
fn no_field_of_the_hub_is_open_across_its_folders() {
    let hub = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/hub");
    for (path, text) in sources(&hub) {
        for line in text.lines().map(str::trim_start) {
            let field = line.strip_prefix("pub(in crate::hub) ");
            let open = field.is_some_and(|field| {
                let name = field.split_once(": ").map(|(name, _)| name);
                name.is_some_and(|name| name.chars().all(|c| c.is_lowercase() || c == '_'))
            });
            assert!(!open, "{}: {line}", path.display());
        }
    }
}

/// How many lines a file has before its unit tests, at most.
const LINES: usize = 400;

/// Files that are longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

#[test]
fn files_are_short() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut long = BTreeMap::new();
    for (path, text) in sources(&src) {
        let lines = before_tests(&text).count();
        if lines > LINES {
            let file = path.strip_prefix(&src).unwrap();
            long.insert(file.display().to_string(), lines);
        }
    }
    for (file, reason) in LONG_FILES {
        let is_long = long.remove(*file).is_some();
        assert!(is_long, "{file} needs no exception any more: {reason}");
    }
    assert!(long.is_empty(), "more than {LINES} lines: {long:#?}");
}

/// Names of more than one type, and why.
const SHARED_NAMES: &[(&str, &str)] = &[(
    "Sealed",
    "the idiom for a trait that only this crate implements",
)];

#[test]
fn no_two_types_have_one_name() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in sources(&src) {
        let file = path.strip_prefix(&src).unwrap().display().to_string();
        for name in before_tests(&text).filter_map(type_defined_in) {
            homes.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    assert!(homes.len() > 150, "found only {} types", homes.len());
    for (name, reason) in SHARED_NAMES {
        let files = homes.remove(*name);
        let shared = files.is_some_and(|files| files.len() > 1);
        assert!(shared, "{name} needs no exception any more: {reason}");
    }
    homes.retain(|_, files| files.len() > 1);
    assert!(homes.is_empty(), "types of one name: {homes:#?}");
}

/// The name of the type or trait that a line defines. What is indented may be inside a macro or a
/// function, but an indented `type` belongs to a trait.
fn type_defined_in(line: &str) -> Option<&str> {
    let mut code = line.trim_start();
    if let Some(rest) = code.strip_prefix("pub") {
        code = match rest.strip_prefix('(') {
            Some(inside) => inside.split_once(") ")?.1,
            None => rest.strip_prefix(' ')?,
        };
    }
    let (kind, rest) = code.split_once(' ')?;
    let defines = match kind {
        "struct" | "enum" | "union" | "trait" => true,
        "type" => !line.starts_with(' '),
        _ => false,
    };
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    defines.then(|| &rest[..end.unwrap_or(rest.len())])
}

/// The lines of a file up to its unit tests.
fn before_tests(text: &str) -> impl Iterator<Item = &str> {
    text.lines().take_while(|line| *line != "#[cfg(test)]")
}

fn sources(dir: &Path) -> Vec<(std::path::PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    found
}

/// The modules that code, not comments, names after a prefix.
fn names_after(prefix: &str, text: &str) -> Vec<String> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| {
            line.match_indices(prefix)
                .map(|(at, _)| &line[at + prefix.len()..])
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}
