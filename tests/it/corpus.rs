//! The corpus: wrong playbooks as data, each with exactly what is said about it.

use std::path::Path;

use runner::diagnostic::Source;
use runner::plan::{self, Limits};

#[test]
fn the_library_has_no_mistakes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (plan, diagnostics) = plan::check(
            &Source::new(path.display().to_string(), text),
            &Limits::default(),
        );
        assert!(diagnostics.is_empty(), "{diagnostics:#?}");
        println!("{plan:#?}");
        assert!(plan.is_some());
    }
}
