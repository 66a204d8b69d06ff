//! From the text of a test file to cases that can be run: read first, then held against the playbook.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::expect::{self, Expect};
use super::file_shape::TEST_FILE;
use super::shape::{as_duration, as_text, entries, get, items};
use super::world::{Fragments, World, Worlds};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::plan::{self, BoundInputs, GivenInputs, InputsFile, Limits, Plan};
use crate::playbook::reading::{Entry, Yaml};
use crate::playbook::{Located, Mistakes, YamlNode, codes, literal, parse};
use crate::simulator::Scenario;

/// A test file whose form is right, before its playbook is known.
#[derive(Debug, Clone)]
pub struct Draft {
    source: Arc<Source>,
    yaml: Yaml,
    /// The playbook that it tests, relative to the folder of the test file.
    pub playbook: Located<String>,
}

/// A test file that can be run.
#[derive(Debug, Clone)]
pub struct TestFile {
    /// The file.
    pub source: Arc<Source>,
    /// What it tests.
    pub plan: Arc<Plan>,
    /// The path of the playbook, as people would type it.
    pub playbook: String,
    /// Its cases, in the order of the file.
    pub cases: Vec<Case>,
}

/// A world, and what must come of a run in it.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    pub(super) world: World,
    pub(super) inputs: BoundInputs,
    pub(super) kill_at: Vec<Duration>,
    pub(super) cancel_at: Option<Duration>,
    pub(super) expect: Expect,
}

impl Case {
    /// The world that it is run in.
    pub fn scenario(&self) -> &Scenario {
        &self.world.scenario
    }

    /// The API token that it is run with.
    pub fn token(&self) -> &str {
        &self.world.token
    }

    /// The inputs that it is run with.
    pub fn inputs(&self) -> &BoundInputs {
        &self.inputs
    }

    /// Whether the case itself lets the run be: nothing goes wrong on the wire, and nobody kills or cancels it.
    pub fn is_calm(&self) -> bool {
        self.world.scenario.faults.is_empty() && self.kill_at.is_empty() && self.cancel_at.is_none()
    }
}

/// Reads a test file: everything that the file alone shows to be wrong.
pub fn read(source: &Arc<Source>, limits: &Limits) -> (Option<Draft>, Diagnostics) {
    let mut mistakes = Mistakes::new(limits);
    let draft = draft(source, limits, &mut mistakes);
    let draft = draft.filter(|_| mistakes.errors() == 0);
    (draft, mistakes.finish())
}

fn draft(source: &Arc<Source>, limits: &Limits, mistakes: &mut Mistakes) -> Option<Draft> {
    let yaml = parse(source, limits, mistakes)?;
    if yaml.node == YamlNode::Null {
        mistakes.push(
            Diagnostic::error(codes::EMPTY_FILE, source.place(0..0), "the file is empty")
                .hint("a test file begins with `test: PLAYBOOK`"),
        );
        return None;
    }
    TEST_FILE.check(&yaml, "a test file", mistakes);
    let named = &get(&yaml, "test")?.value;
    let path = as_text(named)?.to_owned();
    if !is_inside(&path) {
        mistakes.push(
            Diagnostic::error(
                codes::PATH_NOT_INSIDE,
                named.place.clone(),
                "the playbook must be in the folder of its test file, or below",
            )
            .hint("write a relative path without `..`, like `release.yml`"),
        );
    }
    let cases = get(&yaml, "cases").map(|entry| &entry.value);
    if let Some(cases) = cases.filter(|cases| cases.node == YamlNode::Map(Vec::new())) {
        mistakes.push(
            Diagnostic::error(codes::EMPTY, cases.place.clone(), "there are no cases")
                .hint("a case is `NAME: { expect: { outcome: passed } }`"),
        );
    }
    let place = named.place.clone();
    Some(Draft {
        source: Arc::clone(source),
        playbook: Located { place, value: path },
        yaml,
    })
}

fn is_inside(path: &str) -> bool {
    use std::path::{Component, Path};
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

impl Draft {
    /// Holds the file against its playbook: everything that both together show to be wrong.
    pub fn with(
        self,
        playbook: String,
        plan: Arc<Plan>,
        limits: &Limits,
    ) -> (Option<TestFile>, Diagnostics) {
        let mut mistakes = Mistakes::new(limits);
        let mut worlds = Worlds::default();
        let all = get(&self.yaml, "cases").map_or(&[][..], |entry| entries(&entry.value));
        let mut cases = Vec::new();
        for entry in all {
            cases.extend(self.case(entry, &plan, &mut worlds, &mut mistakes));
        }
        let file = TestFile {
            source: self.source,
            plan,
            playbook,
            cases,
        };
        let good = mistakes.errors() == 0;
        (good.then_some(file), mistakes.finish())
    }

    fn case(
        &self,
        entry: &Entry,
        plan: &Plan,
        worlds: &mut Worlds,
        mistakes: &mut Mistakes,
    ) -> Option<Case> {
        let yaml = &entry.value;
        let place = entry.key.place.clone();
        let fragments = Fragments {
            shared: get(&self.yaml, "world").map(|entry| &entry.value),
            own: get(yaml, "world").map(|entry| &entry.value),
            place: &place,
        };
        let world = worlds.make(fragments, mistakes);
        let inputs = self.inputs(yaml, &place, plan, mistakes);
        let expect = expect::read(&get(yaml, "expect")?.value, plan, mistakes);
        let kills = get(yaml, "kill_at").map_or_else(Vec::new, |entry| items(&entry.value));
        let mut kill_at: Vec<Duration> = kills.into_iter().filter_map(as_duration).collect();
        kill_at.sort();
        Some(Case {
            name: entry.key.name.clone(),
            world: world?,
            inputs: inputs?,
            kill_at,
            cancel_at: get(yaml, "cancel_at").and_then(|entry| as_duration(&entry.value)),
            expect,
            place,
        })
    }

    /// The inputs of a case: its own over the shared ones, bound as `runner apply` binds them.
    fn inputs(
        &self,
        case: &Yaml,
        place: &Place,
        plan: &Plan,
        mistakes: &mut Mistakes,
    ) -> Option<BoundInputs> {
        let mut given = InputsFile::new();
        for entry in [get(&self.yaml, "inputs"), get(case, "inputs")]
            .into_iter()
            .flatten()
            .flat_map(|entry| entries(&entry.value))
        {
            let value: Value = literal(&entry.value, mistakes)?;
            let place = entry.value.place.clone();
            given.insert(entry.key.name.clone(), Located { place, value });
        }
        let mut env: BTreeMap<&str, &str> = BTreeMap::new();
        for entry in [get(&self.yaml, "env"), get(case, "env")]
            .into_iter()
            .flatten()
            .flat_map(|entry| entries(&entry.value))
        {
            env.insert(&entry.key.name, as_text(&entry.value).unwrap_or_default());
        }
        let (bound, wrong) = plan::bind(
            plan,
            &GivenInputs {
                texts: &[],
                file: Some(&given),
                env: &|name| env.get(name).map(|text| (*text).to_owned()),
            },
        );
        for mut mistake in wrong.sorted().into_iter().cloned() {
            if mistake.place.is_none() {
                mistake.place = Some(place.clone());
                let used = mistake
                    .hint
                    .as_ref()
                    .is_some_and(|hint| hint.contains("`with: "));
                let (own, of_used) = (
                    "give it under `inputs` of the case or of the file",
                    "a used playbook reads it: give it under `env` of the case or of the file",
                );
                mistake.hint = Some(if used { of_used } else { own }.to_owned());
            }
            mistakes.push(mistake);
        }
        bound
    }
}
