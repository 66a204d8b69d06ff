//! The house and its layers: imports go down the table of `docs/architecture.md` only.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with its layer and, where the layer alone does not say it, what it may use.
const LAYERS: &[(&str, u8, Uses)] = &[
    ("address", 0, Uses::LayersBelow),
    ("clock", 0, Uses::LayersBelow),
    ("diagnostic", 0, Uses::LayersBelow),
    ("duration", 0, Uses::LayersBelow),
    ("ids", 0, Uses::LayersBelow),
    ("outcome", 0, Uses::LayersBelow),
    ("secret", 0, Uses::LayersBelow),
    ("size", 0, Uses::LayersBelow),
    ("text", 0, Uses::LayersBelow),
    ("triage", 0, Uses::LayersBelow),
    ("template", 1, Uses::LayersBelow),
    ("catalog", 1, Uses::LayersBelow),
    ("playbook", 2, Uses::LayersBelow),
    ("plan", 3, Uses::LayersBelow),
    ("semaphore", 3, Uses::Only(&[])),
    ("event", 4, Uses::Only(&[])),
    (
        "engine",
        5,
        Uses::Only(&["template", "catalog", "plan", "event"]),
    ),
    ("effects", 6, Uses::Only(&["semaphore", "event", "engine"])),
    ("store", 7, Uses::Only(&["event"])),
    ("drivers", 8, Uses::LayersBelow),
    ("report", 8, Uses::Only(&["event"])),
    (
        "testing",
        8,
        Uses::Only(&[
            "playbook",
            "plan",
            "semaphore",
            "event",
            "engine",
            "effects",
            "store",
            "drivers",
            "simulator",
        ]),
    ),
    ("simulator", 0, Uses::Only(&[])),
    ("cli", 9, Uses::LayersBelow),
];

/// What a module may use beside layer 0.
enum Uses {
    LayersBelow,
    Only(&'static [&'static str]),
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The modules that a file names with `crate::`, outside comments.
fn named(text: &str) -> Vec<String> {
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        if let Some(list) = part.strip_prefix('{') {
            let inside = list.split_once("};").map_or(list, |(inside, _)| inside);
            let mut depth = 0;
            let mut name = String::new();
            for c in inside.chars() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    c if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(part.to_owned());
        }
    }
    found
        .iter()
        .map(|name| {
            name.trim()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

fn may_use(from: &str, to: &str) -> Result<bool, String> {
    let find = |name: &str| LAYERS.iter().find(|(module, _, _)| *module == name);
    let Some((_, layer, uses)) = find(from) else {
        return Err(format!("`{from}` is not in the table"));
    };
    let Some((_, below, _)) = find(to) else {
        return Err(format!("`{to}` is not in the table"));
    };
    Ok(from == to
        || *below == 0
        || match uses {
            Uses::LayersBelow => below < layer,
            Uses::Only(list) => list.contains(&to),
        })
}

#[test]
fn imports_go_down_the_table_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for path in all {
        let inside = path.strip_prefix(&src).expect("a file below src");
        let module = inside
            .iter()
            .next()
            .expect("a name")
            .to_string_lossy()
            .replace(".rs", "");
        if matches!(module.as_str(), "lib" | "main" | "bin") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a readable file");
        for used in named(&text) {
            match may_use(&module, &used) {
                Ok(true) => {}
                Ok(false) => {
                    drop(wrong.insert(format!("{} -> {used}", inside.display()), "may not".into()));
                }
                Err(why) => drop(wrong.insert(format!("{} -> {used}", inside.display()), why)),
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the layers: {wrong:#?}");
}

/// Every module of the library is in the table here, in `lib.rs`, and in the document.
#[test]
fn the_table_is_whole() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lib = fs::read_to_string(root.join("src/lib.rs")).expect("lib.rs");
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let table: Vec<&str> = LAYERS.iter().map(|(module, _, _)| *module).collect();
    let document =
        fs::read_to_string(root.join("docs/architecture.md")).expect("docs/architecture.md");
    for module in &declared {
        assert!(table.contains(module), "`{module}` has no layer");
        assert!(
            document.contains(&format!("`{module}`")),
            "`{module}` is not in docs/architecture.md"
        );
    }
    assert_eq!(declared.len(), table.len(), "a module of the table is gone");
}

/// A folder's `mod.rs` holds its doc and re-exports, no logic.
#[test]
fn mod_files_hold_no_logic() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    for path in all.iter().filter(|path| path.ends_with("mod.rs")) {
        let text = fs::read_to_string(path).expect("a readable file");
        for line in text.lines() {
            assert!(
                !line.trim_start().starts_with("fn ")
                    && !line.contains("pub fn ")
                    && !line.starts_with("impl "),
                "{} holds logic: {line}",
                path.display()
            );
        }
    }
}
