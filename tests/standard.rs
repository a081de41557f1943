//! The page on the standard says what the tests say: a test names the clauses it holds in a comment,
//! `// Clauses: line-ends, utf-8`, before its attributes.
//!
//! `BLESS=1 cargo test --test standard` writes the page's last column.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = "src/docs/standard.md";
const MARK: &str = "// Clauses: ";

/// The longest name that fits into the page's last column in a window of 1,280 pixels.
const NAME: usize = 60;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_page_lists_the_tests_of_each_clause() {
    let mut tests = BTreeMap::<String, BTreeSet<String>>::new();
    for path in sources(&root().join("tests")) {
        for (clause, test) in marks(&path) {
            tests.entry(clause).or_default().insert(test);
        }
    }

    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let mut expected = String::new();
    for line in page.lines() {
        match line.strip_prefix("| `").and_then(|row| row.split_once('`')) {
            Some((clause, _)) => {
                let tests = tests.remove(clause);
                let tests = tests.unwrap_or_else(|| panic!("no test names the clause {clause}"));
                let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
                let cells: Vec<_> = line.split(" |").collect();
                expected += &format!("{} |{} | {} |\n", cells[0], cells[1], tests.join(", "));
            }
            None => expected += &format!("{line}\n"),
        }
    }
    assert!(tests.is_empty(), "not on the page: {tests:?}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(root().join(PAGE), expected).unwrap();
    } else {
        assert!(
            page == expected,
            "out of date: BLESS=1 cargo test --test standard"
        );
    }
}

/// Each clause that a file names, with the test that holds it.
fn marks(path: &Path) -> Vec<(String, String)> {
    let relative = path.strip_prefix(root().join("tests")).unwrap();
    let module = relative.with_extension("");
    let module = module.to_str().unwrap().replace(['/', '\\'], "::");
    let module = module.trim_end_matches("::main");
    let text = fs::read_to_string(path).unwrap();
    let mut marks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(clauses) = line.strip_prefix(MARK) else {
            continue;
        };
        let mut is_test = false;
        let function = lines.by_ref().find_map(|line| {
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
            assert_ne!(line, "", "{path:?}: {clauses} is not before a test");
            Some(line.split_once("fn ")?.1)
        });
        let name = function.and_then(|function| function.split('(').next());
        let name = name.unwrap_or_else(|| panic!("{path:?}: {clauses} is before no test"));
        assert!(is_test, "{path:?}: {name} is not a test");
        let name = format!("{module}::{name}");
        assert!(name.len() <= NAME, "{name} has more than {NAME} characters");
        for clause in clauses.split(", ") {
            marks.push((clause.to_owned(), name.clone()));
        }
    }
    marks
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|entry| entry.file_name() != "target");
    let paths = entries.flat_map(|entry| match entry.file_type().unwrap().is_dir() {
        true => sources(&entry.path()),
        false => vec![entry.path()],
    });
    let is_source = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    paths.filter(is_source).collect()
}
