//! A strict reader of Prometheus' text format: what it takes, every collector takes.

use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// A page of figures.
#[derive(Debug, Default)]
pub(crate) struct Exposition {
    values: BTreeMap<(String, Labels), f64>,
}

impl Exposition {
    /// Reads a page; panics on anything that a strict reader refuses.
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line has no end");
        let mut page = Self::default();
        let (mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new());
        let mut family = String::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(!help.is_empty() && helped.insert(name.to_owned()), "{line}");
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!((name, kind), (family.as_str(), "gauge"), "{line}");
                assert!(typed.insert(name.to_owned()), "{line}");
            } else {
                let (name, labels, value) = sample(line);
                assert_eq!(name, family, "a sample outside of its family: {line}");
                assert!(typed.contains(&name), "no type: {line}");
                let value: f64 = value.parse().expect(line);
                let before = page.values.insert((name, labels), value);
                assert!(before.is_none(), "twice: {line}");
            }
        }
        page
    }

    /// The value of a series.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        self.values
            .get(&(name.to_owned(), labels.collect()))
            .copied()
    }

    /// All series.
    pub(crate) fn series(&self) -> Vec<&(String, Labels)> {
        self.values.keys().collect()
    }
}

fn is_name(text: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    text.starts_with(first) && text.chars().all(|c| first(c) || c.is_ascii_digit())
}

fn sample(line: &str) -> (String, Labels, &str) {
    let (name, rest) = line.split_once('{').expect(line);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    let mut rest = rest;
    loop {
        let (label, after) = rest.split_once("=\"").expect(line);
        assert!(is_name(label), "{line}");
        let mut value = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next().expect(line) {
                (at, '"') => break at,
                (_, '\\') => match chars.next().expect(line).1 {
                    'n' => value.push('\n'),
                    c @ ('\\' | '"') => value.push(c),
                    c => panic!("`\\{c}` is no escape: {line}"),
                },
                (_, c) => value.push(c),
            }
        };
        assert!(labels.insert(label.to_owned(), value).is_none(), "{line}");
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => break,
        }
    }
    let value = rest.strip_prefix("} ").expect(line);
    (name.to_owned(), labels, value)
}
