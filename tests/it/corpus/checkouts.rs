//! Playbooks beside the pipeline files of their checkout.

use super::*;
use runner::plan::{Checkout, ReadCheckout};
use runner::playbook::BuiltIn;

fn check_beside(
    source: &std::sync::Arc<runner::diagnostic::Source>,
    limits: &Limits,
    read: ReadCheckout<'_>,
) -> (Option<Plan>, Diagnostics) {
    runner::plan::check_beside(source, &BuiltIn, limits, read)
}

/// All cases: name, what is said, and what should be said.
pub(super) fn all() -> impl Iterator<Item = (String, Diagnostics, String)> {
    let root = folder("tests/fixtures/corpus/checkout");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root)
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    folders.sort();
    assert!(folders.len() >= 8, "only {}", folders.len());
    folders.into_iter().map(|folder| {
        let name = folder
            .file_name()
            .expect("it is there")
            .to_string_lossy()
            .into_owned();
        let limits = Limits::default();
        let bytes = std::fs::read(folder.join("playbook.yml")).expect("it is there");
        let source = source_from_bytes("playbook.yml", bytes, &limits).expect("it is there");
        let read = |_: &BTreeSet<String>| Some(checkout(&folder, &name));
        let (plan, said) = check_beside(&source, &limits, &read);
        assert!(plan.is_some(), "{name}:\n{}", lines(&said));
        let expected =
            std::fs::read_to_string(folder.join("playbook.expect")).expect("it is there");
        (name, said, expected)
    })
}

fn checkout(folder: &Path, name: &str) -> Checkout {
    let mut checkout = Checkout::new(name);
    for entry in std::fs::read_dir(folder.join(".semaphore")).expect("it is there") {
        let path = entry.expect("it is there").path();
        let file = path
            .file_name()
            .expect("it is there")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&path).expect("it is there");
        checkout.add(format!(".semaphore/{file}"), &text, &Limits::default());
    }
    checkout
}

#[test]
fn what_the_checkout_does_not_have_is_told_in_exactly_these_words() {
    let mut wrong = String::new();
    for (name, said, expected) in all() {
        let actual = lines(&said);
        if actual != expected {
            let _ = write!(wrong, "=== {name}\n{actual}");
        }
    }
    assert!(wrong.is_empty(), "what is said now:\n{wrong}");
}

#[test]
fn nothing_is_read_when_there_is_nothing_to_compare() {
    let source = runner::diagnostic::Source::new(
        "x.yml",
        "playbook: 1\nsteps:\n  a: { sleep: 1s }\n  b: { run_workflow: { project: web, reference: main } }\n",
    );
    let read = |_: &BTreeSet<String>| panic!("the checkout is read for nothing");
    let (plan, said) = check_beside(&source, &Limits::default(), &read);
    assert!(plan.is_some() && said.is_empty());
}

#[test]
fn the_files_that_a_playbook_names_are_asked_for_by_their_clean_paths() {
    let source = runner::diagnostic::Source::new(
        "x.yml",
        "playbook: 1\nsteps:\n  a: { run_workflow: { project: web, reference: main, pipeline_file: ./ci//a.yml } }\n  b: { run_workflow: { project: web, reference: main, pipeline_file: ../../etc/passwd } }\n",
    );
    let asked = std::cell::RefCell::new(BTreeSet::new());
    let read = |named: &BTreeSet<String>| {
        asked.borrow_mut().clone_from(named);
        None
    };
    let _ = check_beside(&source, &Limits::default(), &read);
    assert_eq!(*asked.borrow(), BTreeSet::from(["ci/a.yml".to_owned()]));
}
