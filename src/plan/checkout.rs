//! The pipeline files of a checkout, as far as playbooks speak of them: which promotions there are, and
//! what each takes.
//!
//! They are Semaphore's files and not ours: they are read tolerantly, and what cannot be made out is not
//! known, never wrong. Nothing here opens a file; whoever checks hands the texts over.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Source;
use crate::playbook::reading::Yaml;
use crate::playbook::{Limits, Mistakes, YamlNode, parse};

/// Gives the checkout around a playbook, with the pipeline files that it names beside those under
/// `.semaphore`. Asked only when there is something to compare.
pub type ReadCheckout<'a> = &'a dyn Fn(&BTreeSet<String>) -> Option<Checkout>;

/// The pipeline files of a checkout.
#[derive(Debug, Clone, Default)]
pub struct Checkout {
    /// The name of its folder, which often is the name of the project.
    pub folder: String,
    files: BTreeMap<String, Option<Vec<Promotion>>>,
}

/// A promotion of a pipeline file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promotion {
    pub(super) name: String,
    /// The file of the pipeline that it starts, from the root of the checkout.
    pub(super) pipeline_file: Option<String>,
    /// Whether a rule may trigger it.
    pub(super) auto: bool,
    /// Its parameters; none when they cannot be made out.
    pub(super) parameters: Option<Vec<Parameter>>,
}

/// A parameter of a promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) options: Vec<String>,
    pub(super) default: Option<String>,
}

impl Checkout {
    /// One without files.
    pub fn new(folder: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            files: BTreeMap::new(),
        }
    }

    /// Adds a pipeline file; `path` goes from the root and has forward slashes.
    pub fn add(&mut self, path: impl Into<String>, text: &str, limits: &Limits) {
        let path = path.into();
        let promotions = promotions(&path, text, limits);
        self.files.insert(path, promotions);
    }

    /// Whether there is such a file.
    pub(super) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    /// The paths of all files.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The promotions of a file; none when there is no such file or it cannot be made out.
    pub(super) fn promotions(&self, path: &str) -> Option<&[Promotion]> {
        self.files.get(path)?.as_deref()
    }

    /// The promotions of all files; none when one of them cannot be made out.
    pub(super) fn all(&self) -> Option<Vec<&Promotion>> {
        let mut all = Vec::new();
        for promotions in self.files.values() {
            all.extend(promotions.as_deref()?);
        }
        Some(all)
    }
}

/// A file with more of them is not looked at.
const PROMOTIONS_MAX: usize = 200;

/// The promotions of a pipeline file, or nothing when it cannot be made out.
fn promotions(path: &str, text: &str, limits: &Limits) -> Option<Vec<Promotion>> {
    let source = Source::new(path, text);
    let yaml = parse(&source, limits, &mut Mistakes::new(limits))?;
    let YamlNode::Map(_) = &yaml.node else {
        return None;
    };
    match get(&yaml, "promotions").map(|yaml| &yaml.node) {
        None | Some(YamlNode::Null) => Some(Vec::new()),
        Some(YamlNode::List(items)) if items.len() <= PROMOTIONS_MAX => {
            items.iter().map(|item| promotion(path, item)).collect()
        }
        Some(_) => None,
    }
}

fn promotion(path: &str, yaml: &Yaml) -> Option<Promotion> {
    let name = get(yaml, "name").and_then(scalar)?;
    // A name that Semaphore fills in may be any.
    if name.contains("{{") {
        return None;
    }
    let file = get(yaml, "pipeline_file").and_then(scalar);
    Some(Promotion {
        name,
        pipeline_file: file.and_then(|file| beside(path, &file)),
        auto: ["auto_promote", "auto_promote_on"]
            .into_iter()
            .filter_map(|key| get(yaml, key))
            .any(|yaml| yaml.node != YamlNode::Null),
        parameters: parameters(yaml),
    })
}

fn parameters(promotion: &Yaml) -> Option<Vec<Parameter>> {
    let Some(yaml) = get(promotion, "parameters").and_then(|yaml| get(yaml, "env_vars")) else {
        return Some(Vec::new());
    };
    let YamlNode::List(items) = &yaml.node else {
        return None;
    };
    items
        .iter()
        .map(|item| {
            let options = match get(item, "options").map(|yaml| &yaml.node) {
                Some(YamlNode::List(options)) => options.iter().map(scalar).collect::<Option<_>>(),
                _ => None,
            };
            Some(Parameter {
                name: get(item, "name").and_then(scalar)?,
                required: get(item, "required").map(|yaml| &yaml.node)
                    == Some(&YamlNode::Bool(true)),
                options: options.unwrap_or_default(),
                default: get(item, "default_value").and_then(scalar),
            })
        })
        .collect()
}

fn get<'y>(yaml: &'y Yaml, key: &str) -> Option<&'y Yaml> {
    let YamlNode::Map(entries) = &yaml.node else {
        return None;
    };
    let entry = entries.iter().find(|entry| entry.key.name == key)?;
    Some(&entry.value)
}

/// A scalar as Semaphore would read it: as text.
fn scalar(yaml: &Yaml) -> Option<String> {
    match &yaml.node {
        YamlNode::Text(text) => Some(text.clone()),
        YamlNode::Bool(_) | YamlNode::Number(_) | YamlNode::HugeNumber => {
            Some(yaml.written().to_owned())
        }
        YamlNode::Null | YamlNode::Braces | YamlNode::List(_) | YamlNode::Map(_) => None,
    }
}

/// The path of a file that another one names: from its folder, or with a slash from the root.
fn beside(path: &str, file: &str) -> Option<String> {
    if let Some(from_root) = file.strip_prefix('/') {
        return clean(from_root.split('/'));
    }
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    clean(folder.split('/').chain(file.split('/')))
}

/// A path without `.` and `..`; none when it leaves the root.
fn clean<'a>(parts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut clean: Vec<&str> = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            ".." => drop(clean.pop()?),
            part => clean.push(part),
        }
    }
    Some(clean.join("/"))
}

/// The path that a playbook gives to a pipeline file, from the root of the checkout.
pub(super) fn from_root(path: &str) -> Option<String> {
    clean(path.split('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipeline_files_are_read_tolerantly() {
        let mut checkout = Checkout::new("web");
        let limits = Limits::default();
        checkout.add(
            ".semaphore/semaphore.yml",
            "version: v1.0\nname: ${{parameters.X}}\nblocks: [{ name: b, anything: !!str 3 }]\npromotions:\n  - name: 1.20\n    pipeline_file: ../deploy/prod.yml\n    auto_promote: { when: \"branch = 'main'\" }\n    parameters:\n      env_vars:\n        - { name: REGION, required: true, options: [eu, 1] }\n",
            &limits,
        );
        checkout.add(".semaphore/none.yml", "version: v1.0\n", &limits);
        checkout.add(".semaphore/broken.yml", "a: [\n", &limits);
        let found = checkout.promotions(".semaphore/semaphore.yml").unwrap();
        assert_eq!(
            found,
            [Promotion {
                name: "1.20".to_owned(),
                pipeline_file: Some("deploy/prod.yml".to_owned()),
                auto: true,
                parameters: Some(vec![Parameter {
                    name: "REGION".to_owned(),
                    required: true,
                    options: vec!["eu".to_owned(), "1".to_owned()],
                    default: None,
                }]),
            }]
        );
        assert_eq!(checkout.promotions(".semaphore/none.yml"), Some(&[][..]));
        assert_eq!(checkout.promotions(".semaphore/broken.yml"), None);
        assert!(checkout.has(".semaphore/broken.yml") && checkout.all().is_none());
        assert_eq!(beside(".semaphore/a.yml", "../../x.yml"), None);
        assert_eq!(from_root("./a//b.yml").as_deref(), Some("a/b.yml"));
    }
}
