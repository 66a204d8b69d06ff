//! The playbooks that are built into the program: those of `playbooks/`.

use std::sync::Arc;

use crate::diagnostic::Source;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// Names and texts, in the order of the names.
        const ALL: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../playbooks/", $name, ".yml")))),*
        ];
        /// Names and the tests beside them.
        const TESTS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../playbooks/", $name, ".test.yml")))),*
        ];
    };
}

built_in![
    "canary",
    "ensure-green",
    "explain-failure",
    "hotfix",
    "nightly",
    "promote-all",
    "release",
    "release-train",
    "rerun-infra",
    "rollback",
    "stop-branch",
    "wait-for",
];

/// All, by name, with their texts.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    ALL.iter().copied()
}

/// The text of one.
pub fn find(name: &str) -> Option<&'static str> {
    all()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| text)
}

/// The text of its test.
pub fn test_of(name: &str) -> Option<&'static str> {
    let mut tests = TESTS.iter();
    tests
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// One as a source.
pub(super) fn open(name: &str) -> Option<Arc<Source>> {
    let text = find(name)?;
    Some(Source::new(format!("{PREFIX}{name}.yml"), text))
}

/// What the names of these sources begin with; no path does.
pub(super) const PREFIX: &str = "built-in:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_playbook_of_the_folder_is_built_in() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/playbooks");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|name| name.ends_with(".yml") && !name.ends_with(".test.yml"))
            .map(|name| name.trim_end_matches(".yml").to_owned())
            .collect();
        names.sort();
        let built_in: Vec<&str> = all().map(|(name, _)| name).collect();
        assert_eq!(built_in, names);
    }
}
