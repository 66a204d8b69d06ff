//! From the fragments of a test file to a scenario of the simulator: a built-in base, the shared world over
//! it, the case's own world over both.
//!
//! Maps are merged key by key; lists whose items have names (projects, tasks, promotions) by name; what
//! people do and what goes wrong adds up; other lists are replaced. Short forms are written out here,
//! so that the simulator knows one format only.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::shape::{as_text, get};
use super::world_layer::{Layer, list, named};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::playbook::reading::Yaml;
use crate::playbook::{Limits, Mistakes, YamlNode, codes, literal, parse};
use crate::simulator::{Role, Scenario, built_in_names, built_in_text};

/// The base in which nothing is but a project.
const EMPTY: &str = "empty";

/// A world that a case is run in.
#[derive(Debug, Clone)]
pub(super) struct World {
    /// What the simulator plays.
    pub(super) scenario: Scenario,
    /// The token of the runner.
    pub(super) token: String,
}

/// Makes worlds; bases are read once.
#[derive(Debug, Default)]
pub(super) struct Worlds {
    bases: BTreeMap<String, Value>,
}

/// The fragments of one case: the shared one, and its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fragments<'y> {
    pub(super) shared: Option<&'y Yaml>,
    pub(super) own: Option<&'y Yaml>,
    /// Where the case stands, for mistakes that have no better place.
    pub(super) place: &'y Place,
}

impl<'y> Fragments<'y> {
    fn each(self) -> impl Iterator<Item = &'y Yaml> {
        self.shared.into_iter().chain(self.own)
    }

    /// The text of a key: the case's own, else the shared one.
    fn text(self, name: &str) -> Option<(&'y str, &'y Place)> {
        let yaml = [self.own, self.shared].into_iter().flatten();
        let mut found = yaml.filter_map(|world| get(world, name));
        let entry = found.next()?;
        Some((as_text(&entry.value)?, &entry.value.place))
    }

    /// Where a word stands, as a key or as a text.
    pub(super) fn place_of(self, word: &str) -> Option<&'y Place> {
        [self.own, self.shared]
            .into_iter()
            .flatten()
            .find_map(|world| find(world, word))
    }
}

fn find<'y>(yaml: &'y Yaml, word: &str) -> Option<&'y Place> {
    match &yaml.node {
        YamlNode::Text(text) if text == word => Some(&yaml.place),
        YamlNode::List(items) => items.iter().find_map(|item| find(item, word)),
        YamlNode::Map(all) => all.iter().find_map(|entry| {
            if entry.key.name == word {
                return Some(&entry.key.place);
            }
            find(&entry.value, word)
        }),
        _ => None,
    }
}

impl Worlds {
    /// The world of a case; nothing, and mistakes, when it is wrong.
    pub(super) fn make(&mut self, of: Fragments<'_>, mistakes: &mut Mistakes) -> Option<World> {
        let (name, place) = of.text("scenario").unwrap_or(("passing", of.place));
        let Some(mut whole) = self.base(name) else {
            let all = || built_in_names().chain([EMPTY]);
            let names: Vec<String> = all().map(|n| format!("`{n}`")).collect();
            mistakes.push(
                Diagnostic::error(
                    codes::WRONG_WORD,
                    place.clone(),
                    format!(
                        "there is no scenario `{}`",
                        crate::text::clean_line(name, 60)
                    ),
                )
                .hint(format!("there are {}", names.join(", ")))
                .nearest(name, all()),
            );
            return None;
        };
        let project = main_project(&mut whole, of.text("project").map(|(name, _)| name));
        let before = mistakes.errors();
        for world in of.each() {
            let fragment = literal(world, mistakes)?;
            let mut layer = Layer {
                project: &project,
                of,
                mistakes,
            };
            layer.lay(&mut whole, fragment);
        }
        if mistakes.errors() > before {
            return None;
        }
        let role = of.text("role").map_or("admin", |(role, _)| role);
        match Scenario::from_value(whole) {
            Ok(scenario) => Some(World {
                token: token(&scenario, role),
                scenario,
            }),
            Err(wrong) => {
                located(of, wrong, mistakes);
                None
            }
        }
    }

    fn base(&mut self, name: &str) -> Option<Value> {
        if let Some(found) = self.bases.get(name) {
            return Some(found.clone());
        }
        if name == EMPTY {
            return Some(json!({ "projects": [{ "name": "demo" }] }));
        }
        let text = built_in_text(name)?;
        let limits = Limits::default();
        let mut mistakes = Mistakes::new(&limits);
        let yaml = parse(&Source::new(name, text), &limits, &mut mistakes)?;
        let value = literal(&yaml, &mut mistakes)?;
        self.bases.insert(name.to_owned(), value.clone());
        Some(value)
    }
}

fn token(scenario: &Scenario, role: &str) -> String {
    let wanted = match role {
        "reader" => Role::Reader,
        "nobody" => Role::Nobody,
        _ => Role::Admin,
    };
    let mut tokens = scenario.tokens.iter();
    tokens
        .find(|token| token.role == wanted)
        .map(|token| token.token.clone())
        .unwrap_or_default()
}

/// The simulator says what is wrong by name; the name is looked for in the fragments.
fn located(of: Fragments<'_>, wrong: Diagnostics, mistakes: &mut Mistakes) {
    for mut mistake in wrong.sorted().into_iter().cloned() {
        let words: Vec<&str> = mistake.message.split('`').skip(1).step_by(2).collect();
        let place = words.iter().rev().find_map(|word| of.place_of(word));
        mistake.place = Some(place.unwrap_or(of.place).clone());
        mistakes.push(mistake);
    }
}

/// The name of the project that a world is about. When it has another name than the base's only
/// project, that one is renamed.
fn main_project(whole: &mut Value, wanted: Option<&str>) -> String {
    let Some(projects) = list(whole, "projects") else {
        return wanted.unwrap_or_default().to_owned();
    };
    let known = |name: &str, projects: &[Value]| projects.iter().any(|p| named(p) == name);
    let first = projects.first().map(named).unwrap_or_default().to_owned();
    match wanted {
        Some(name) if !known(name, projects) => {
            if let Some(project) = projects.first_mut() {
                project["name"] = json!(name);
            }
            name.to_owned()
        }
        Some(name) => name.to_owned(),
        None => first,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str) -> Result<World, Vec<String>> {
        let limits = Limits::default();
        let mut mistakes = Mistakes::new(&limits);
        let source = Source::new("x.test.yml", text);
        let yaml = parse(&source, &limits, &mut mistakes).expect("YAML");
        super::super::world_shape::WORLD.check(&yaml, "`world`", &mut mistakes);
        let place = source.place(0..0);
        let world = Worlds::default().make(
            Fragments {
                shared: None,
                own: Some(&yaml),
                place: &place,
            },
            &mut mistakes,
        );
        world.ok_or_else(|| {
            mistakes
                .finish()
                .sorted()
                .iter()
                .map(|d| format!("{} {}", d.place.as_ref().unwrap(), d.message))
                .collect()
        })
    }

    #[test]
    fn short_forms_are_written_out() {
        let world = made(
            "project: web\npipelines:\n  semaphore.yml:\n    jobs: { unit: { result: failed } }\n    promotions: [{ name: Canary }]\npeople: [{ at: 5m, do: rerun }]\n",
        )
        .expect("a world");
        let project = &world.scenario.projects[0];
        assert_eq!(project.name, "web");
        let pipeline = &project.pipelines[".semaphore/semaphore.yml"];
        assert_eq!(pipeline.promotions.len(), 3);
        assert!(project.pipelines.contains_key(".semaphore/canary.yml"));
        let unit = &pipeline.blocks[1].jobs[0];
        assert_eq!(unit.result, crate::simulator::Verdict::Failed);
        assert_eq!(unit.log.len(), 2, "the rest of the job is as it was");
    }

    #[test]
    fn names_that_do_not_exist_are_found_where_they_stand() {
        let cases = [
            (
                "scenario: pasing\n",
                "x.test.yml:1:11 there is no scenario `pasing`",
            ),
            (
                "pipelines:\n  semaphore.yml: { jobs: { unti: {} } }\n",
                "x.test.yml:2:28 no block of this pipeline has a job `unti`",
            ),
            (
                "faults:\n  - { on: run_workflo, do: hang }\n",
                "x.test.yml:2:11 `run_workflo` is no endpoint",
            ),
            (
                "people:\n  - { at: 1m, do: { stop: { project: dmo } } }\n",
                "x.test.yml:2:38 there is no project `dmo`",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(made(text).expect_err("a mistake"), [expected]);
        }
    }

    #[test]
    fn every_built_in_scenario_is_a_world() {
        for name in built_in_names() {
            let text = built_in_text(name).expect("its text");
            let world = made(text);
            assert!(world.is_ok(), "{name}: {:?}", world.err());
        }
    }
}
