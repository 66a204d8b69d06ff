//! The keys of a whole playbook.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{
    Concurrency, Defaults, Located, OnConflict, OnFailure, OnInterrupt, Playbook, Retry,
};
use super::super::places;
use super::super::tree::{Entry, Yaml, YamlNode};
use super::fields::{self, Fields};
use super::{inputs, retry, scalars, step, values};
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::template::Tree;
use crate::text;

const VERSION: u64 = 1;

/// The playbook of a tree. What is wrong was told; what is right is there, so that the graph can be
/// checked all the same.
pub(crate) fn playbook(
    source: &Arc<Source>,
    yaml: &Yaml,
    mistakes: &mut Mistakes,
) -> Option<Playbook> {
    let mut fields = Fields::open(yaml, "a playbook", mistakes)?;
    if !version(&mut fields, mistakes) {
        return None;
    }
    let mut playbook = empty(source);
    header(&mut fields, &mut playbook, mistakes);
    policies(&mut fields, &mut playbook, mistakes);
    let base = playbook.defaults.retry.clone().unwrap_or_default();
    let start = fields.place().clone();
    if let Some(entry) = fields.require("steps", &start, mistakes) {
        let found = step::steps(entry, &base, mistakes);
        playbook.steps = found.steps;
        playbook.broken.extend(found.broken);
    }
    if let Some(entry) = fields.take("finally") {
        let found = step::steps(entry, &base, mistakes);
        playbook.finally = found.steps;
        playbook.broken.extend(found.broken);
    }
    if let Some(entry) = fields.take("outputs") {
        let found = templates(entry, "an output", mistakes);
        playbook.outputs = found.trees;
        playbook.broken.extend(names(&entry.value, "outputs"));
    }
    fields.finish(mistakes);
    twice(&playbook, mistakes);
    Some(playbook)
}

fn empty(source: &Arc<Source>) -> Playbook {
    Playbook {
        source: Arc::clone(source),
        name: stem(&source.name),
        description: None,
        inputs: IndexMap::new(),
        vars: IndexMap::new(),
        concurrency: None,
        timeout: None,
        finally_timeout: None,
        on_failure: OnFailure::default(),
        on_interrupt: OnInterrupt::default(),
        defaults: Defaults::default(),
        steps: IndexMap::new(),
        finally: IndexMap::new(),
        outputs: IndexMap::new(),
        used: IndexMap::new(),
        at_the_top: Vec::new(),
        broken: Vec::new(),
        complete: true,
    }
}

/// The file's name without folders and without `.yml`.
fn stem(name: &str) -> String {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file
        .strip_suffix(".yml")
        .or_else(|| file.strip_suffix(".yaml"))
        .unwrap_or(file);
    text::clean_line(stem, 100)
}

/// `playbook: 1`. Nothing else is looked at in a file of another version: its words may differ.
fn version(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> bool {
    let Some(entry) = fields.take("playbook") else {
        // A misspelt one is told as that, with whatever else is wrong.
        let misspelt = fields.has_lookalike("playbook");
        if !misspelt {
            mistakes.push(
                Diagnostic::error(
                    codes::VERSION,
                    fields.place().clone(),
                    "the language version is missing",
                )
                .hint("begin the file with `playbook: 1`"),
            );
        }
        // Without the mark it may be another kind of file, unless it has steps.
        return misspelt || fields.rest().any(|entry| entry.key.name == "steps");
    };
    if let YamlNode::Number(number) = &entry.value.node
        && number.as_u64() == Some(VERSION)
    {
        return true;
    }
    let place = places::with_quotes(&entry.value.place);
    let written = text::clean_line(entry.value.written(), 40);
    let message = match &entry.value.node {
        YamlNode::Text(_) => format!("the language version is a number, and `{written}` is text"),
        _ => format!("this runner knows version {VERSION} of the language, and not `{written}`"),
    };
    mistakes.push(
        Diagnostic::error(codes::VERSION, place, message)
            .hint("write `playbook: 1`, or use a newer runner")
            .fix("1"),
    );
    false
}

fn header(fields: &mut Fields<'_>, playbook: &mut Playbook, mistakes: &mut Mistakes) {
    if let Some(entry) = fields.take("name")
        && let Some(name) = scalars::text(&entry.value, "`name`", mistakes)
    {
        if name.trim().is_empty() {
            mistakes.push(
                Diagnostic::error(codes::EMPTY, entry.value.place.clone(), "`name` is empty")
                    .hint("leave the key out to use the name of the file"),
            );
        }
        playbook.name = text::clean_line(name, 100);
    }
    playbook.description = fields
        .take("description")
        .and_then(|e| scalars::text(&e.value, "`description`", mistakes))
        .map(str::to_owned);
    if let Some(entry) = fields.take("inputs") {
        playbook.inputs = inputs::inputs(&entry.value, mistakes);
        // A declaration that could not be read is still a name that may be mentioned.
        playbook.broken.extend(names(&entry.value, "inputs"));
    }
    if let Some(entry) = fields.take("vars") {
        playbook.vars = templates(entry, "a var", mistakes).trees;
        playbook.broken.extend(names(&entry.value, "vars"));
    }
    let entry = fields.take("concurrency");
    at_the_top(entry, "concurrency", playbook);
    playbook.concurrency = entry.and_then(|e| concurrency(e, mistakes));
}

/// Notes a key that only the playbook that is applied may have.
fn at_the_top(entry: Option<&Entry>, key: &'static str, playbook: &mut Playbook) {
    playbook.at_the_top.extend(entry.map(|entry| Located {
        place: entry.key.place.clone(),
        value: key,
    }));
}

/// All names of a map with a prefix, for [`Playbook::broken`].
fn names<'y>(yaml: &'y Yaml, prefix: &'static str) -> impl Iterator<Item = String> + 'y {
    let entries = match &yaml.node {
        YamlNode::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    entries
        .iter()
        .map(move |entry| format!("{prefix}.{}", entry.key.name))
}

fn policies(fields: &mut Fields<'_>, playbook: &mut Playbook, mistakes: &mut Mistakes) {
    playbook.timeout = fields
        .take("timeout")
        .and_then(|e| step::timeout(&e.value, mistakes));
    playbook.finally_timeout = fields
        .take("finally_timeout")
        .and_then(|e| scalars::duration(&e.value, "`finally_timeout`", mistakes));
    if let Some(entry) = fields.take("on_failure") {
        let words = [(OnFailure::Continue, "continue"), (OnFailure::Stop, "stop")];
        playbook.on_failure =
            scalars::word(&entry.value, &words, "`on_failure`", mistakes).unwrap_or_default();
    }
    let entry = fields.take("on_interrupt");
    at_the_top(entry, "on_interrupt", playbook);
    if let Some(entry) = entry {
        let words = [(OnInterrupt::Leave, "leave"), (OnInterrupt::Stop, "stop")];
        playbook.on_interrupt =
            scalars::word(&entry.value, &words, "`on_interrupt`", mistakes).unwrap_or_default();
    }
    if let Some(entry) = fields.take("defaults") {
        playbook.defaults = defaults(&entry.value, mistakes);
    }
}

fn defaults(yaml: &Yaml, mistakes: &mut Mistakes) -> Defaults {
    let Some(mut fields) = Fields::open(yaml, "`defaults`", mistakes) else {
        return Defaults::default();
    };
    let found = Defaults {
        timeout: fields
            .take("timeout")
            .and_then(|e| scalars::duration(&e.value, "`timeout`", mistakes))
            .filter(|timeout: &Duration| !timeout.is_zero()),
        retry: fields
            .take("retry")
            .and_then(|e| retry::retry(&e.value, &Retry::default(), mistakes)),
    };
    fields.finish(mistakes);
    found
}

fn concurrency(entry: &Entry, mistakes: &mut Mistakes) -> Option<Concurrency> {
    let mut fields = Fields::open(&entry.value, "`concurrency`", mistakes)?;
    let group = fields
        .require("group", &entry.key.place, mistakes)
        .and_then(|e| values::text_tree(&e.value, "`group`", mistakes));
    let words = [
        (OnConflict::Wait, "wait"),
        (OnConflict::Fail, "fail"),
        (OnConflict::Skip, "skip"),
    ];
    let on_conflict = fields
        .take("on_conflict")
        .and_then(|e| scalars::word(&e.value, &words, "`on_conflict`", mistakes))
        .unwrap_or_default();
    fields.finish(mistakes);
    Some(Concurrency {
        group: group?,
        on_conflict,
    })
}

struct Templates {
    trees: IndexMap<String, Tree>,
}

/// A map from names to templates: `vars`, `outputs`.
fn templates(entry: &Entry, what: &str, mistakes: &mut Mistakes) -> Templates {
    let mut trees = IndexMap::new();
    let map = format!("`{}`", entry.key.name);
    for entry in fields::map(&entry.value, &map, mistakes).unwrap_or_default() {
        let fits = scalars::name(&entry.key, what, mistakes);
        if let Some(tree) = values::tree(&entry.value, mistakes)
            && fits
        {
            trees.insert(entry.key.name.clone(), tree);
        }
    }
    Templates { trees }
}

/// Ids are unique over `steps` and `finally`: reports name steps by them.
fn twice(playbook: &Playbook, mistakes: &mut Mistakes) {
    for (id, step) in &playbook.finally {
        if let Some(first) = playbook.steps.get(id) {
            let place: Place = step.place.clone();
            mistakes.push(
                Diagnostic::error(
                    codes::DUPLICATE_STEP,
                    place,
                    format!("the id `{id}` is used twice"),
                )
                .label(first.place.clone(), "it stands here first")
                .hint("ids are unique over `steps` and `finally`: choose another one"),
            );
        }
    }
}
