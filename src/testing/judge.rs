//! What came of a run against what was expected: a list of differences.

use std::time::Duration;

use serde_json::{Map, Value};

use super::compare::{has, holds, json, like, quoted, shown, tick, times, words};
use super::expect::{At, CallExpect, Expect, FileExpect, PromotionExpect, StepExpect};
use super::ran::{Ending, Ran};
use super::wire::Sent;
use crate::diagnostic::Place;
use crate::duration::show;
use crate::event::{Event, Failure, FailureKind, StepEnded};
use crate::outcome::RunOutcome;
use crate::simulator::fits;

/// Something that came out otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Where the expectation stands; none for what holds always.
    pub place: Option<Place>,
    /// What it is about.
    pub about: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// The step that it is about, when it is about one.
    pub step: Option<String>,
}

/// Holds a run against all that is expected of it.
pub(super) fn judge(
    expect: &Expect,
    ran: &Ran,
    exit_of: fn(RunOutcome, Option<FailureKind>) -> u8,
) -> Vec<Difference> {
    let mut judge = Judge {
        ran,
        found: Vec::new(),
    };
    judge.run(expect, exit_of);
    for step in &expect.steps {
        judge.step(step);
    }
    judge.outputs(expect);
    for call in &expect.calls {
        judge.call(call);
    }
    if let Some(order) = &expect.order {
        judge.order(order);
    }
    if let Some(promotions) = &expect.promotions {
        judge.promotions(promotions);
    }
    judge.elapsed(expect);
    judge.messages(&expect.messages);
    for file in &expect.files {
        judge.file(file);
    }
    judge.found
}

struct Judge<'a> {
    ran: &'a Ran,
    found: Vec<Difference>,
}

impl Judge<'_> {
    fn differs(&mut self, place: &Place, about: &str, expected: String, got: String) {
        self.found.push(Difference {
            place: Some(place.clone()),
            about: about.to_owned(),
            expected,
            got,
            step: None,
        });
    }

    fn run(&mut self, expect: &Expect, exit_of: fn(RunOutcome, Option<FailureKind>) -> u8) {
        let word = self.ran.word();
        let because = self
            .ran
            .why()
            .map_or_else(String::new, |why| format!(": {}", words(why)));
        if let Some(outcome) = &expect.outcome
            && outcome.value != word
        {
            let got = format!("`{word}`{because}");
            self.differs(&outcome.place, "the run", tick(&outcome.value), got);
        }
        let code = self.ran.exit_code(exit_of);
        if let Some(wanted) = &expect.exit_code
            && wanted.value != u64::from(code)
        {
            let got = format!("{code} (the run `{word}`{because})");
            self.differs(
                &wanted.place,
                "the exit code",
                wanted.value.to_string(),
                got,
            );
        }
        if let Some(wanted) = &expect.why
            && !holds(self.ran.why(), &wanted.value)
        {
            let got = quoted(self.ran.why());
            self.differs(
                &wanted.place,
                "the `why` of the run",
                has(&wanted.value),
                got,
            );
        }
        let begun = !matches!(self.ran.ending, Ending::Refused(_));
        if expect.outcome.is_none() && expect.exit_code.is_none() && !begun {
            self.found.push(Difference {
                place: None,
                about: "the run".to_owned(),
                expected: "that it begins".to_owned(),
                got: format!("it was refused{because}"),
                step: None,
            });
        }
    }

    fn step(&mut self, wanted: &StepExpect) {
        let id = &wanted.id.value;
        let from = self.found.len();
        match self.ran.step(id) {
            Some(ended) => self.ended(wanted, &ended.clone()),
            None => {
                let got = "it did not end: there is no such step, or the run was over before it";
                let about = format!("step `{id}`");
                self.differs(
                    &wanted.id.place,
                    &about,
                    "that it ends".to_owned(),
                    got.to_owned(),
                );
            }
        }
        for difference in self.found.iter_mut().skip(from) {
            difference.step = Some(id.clone());
        }
    }

    fn ended(&mut self, wanted: &StepExpect, ended: &StepEnded) {
        let about = format!("step `{}`", ended.step);
        let because = ended
            .why
            .as_ref()
            .map_or_else(String::new, |why| format!(": {}", words(why)));
        if let Some(outcome) = &wanted.outcome
            && outcome.value != ended.outcome
        {
            let got = format!("`{}`{because}", ended.outcome);
            self.differs(&outcome.place, &about, tick(outcome.value.as_str()), got);
        }
        if let Some(why) = &wanted.why
            && !holds(ended.why.as_deref(), &why.value)
        {
            let about = format!("the `why` of step `{}`", ended.step);
            self.differs(
                &why.place,
                &about,
                has(&why.value),
                quoted(ended.why.as_deref()),
            );
        }
        self.error(wanted, ended);
        for (name, value) in &wanted.outputs {
            let about = format!("output `{name}` of step `{}`", ended.step);
            self.value(&about, value, ended.outputs.get(name));
        }
    }

    fn error(&mut self, wanted: &StepExpect, ended: &StepEnded) {
        let error = ended.error.as_ref();
        let about = format!("the error of step `{}`", ended.step);
        let got = error.map_or_else(|| "there is none".to_owned(), shown);
        if let Some(kind) = &wanted.kind
            && error.map(|error| error.kind.as_str()) != Some(kind.value.as_str())
        {
            self.differs(&kind.place, &about, tick(&kind.value), got.clone());
        }
        if let Some(message) = &wanted.message
            && !holds(error.map(|error| error.message.as_str()), &message.value)
        {
            self.differs(&message.place, &about, has(&message.value), got.clone());
        }
        if let Some(status) = &wanted.status
            && error.and_then(|error| error.status).map(u64::from) != Some(status.value)
        {
            let expected = format!("status {}", status.value);
            self.differs(&status.place, &about, expected, got);
        }
    }

    fn outputs(&mut self, expect: &Expect) {
        let given = match &self.ran.ending {
            Ending::Ended(ended) => ended.outputs.clone(),
            _ => Map::new(),
        };
        for (name, value) in &expect.outputs {
            self.value(&format!("output `{name}`"), value, given.get(name));
        }
    }

    fn value(&mut self, about: &str, wanted: &At<Value>, got: Option<&Value>) {
        if got.is_some_and(|got| like(&wanted.value, got)) {
            return;
        }
        let got = got.map_or_else(|| "there is none".to_owned(), json);
        self.differs(&wanted.place, about, json(&wanted.value), got);
    }

    fn call(&mut self, wanted: &CallExpect) {
        let name = wanted.endpoint.value.as_str();
        let ran = self.ran;
        let sent: Vec<&Sent> = ran.sent.iter().filter(|s| s.endpoint == name).collect();
        let number = sent.len() as u64;
        let few = wanted.at_least.is_some_and(|least| number < least);
        let many = wanted.at_most.is_some_and(|most| number > most);
        if few || many {
            let expected = match (wanted.at_least, wanted.at_most) {
                (Some(least), Some(most)) if least == most => times(least),
                (Some(least), Some(most)) => format!("{} to {}", least, times(most)),
                (Some(least), None) => format!("at least {}", times(least)),
                (None, Some(most)) => format!("at most {}", times(most)),
                (None, None) => String::new(),
            };
            let when: Vec<String> = sent.iter().take(5).map(|s| show(s.after)).collect();
            let got = if when.is_empty() {
                "never".to_owned()
            } else {
                format!("{}, at {}", times(number), when.join(", "))
            };
            self.differs(
                &wanted.endpoint.place,
                &format!("calls of `{name}`"),
                expected,
                got,
            );
        }
        if wanted.with.is_empty() {
            return;
        }
        let fits = |sent: &&Sent| {
            let mut all = wanted.with.iter();
            all.all(|(name, value)| {
                let got = sent.parameters.get(name);
                got.is_some_and(|got| like(&value.value, got))
            })
        };
        if !sent.iter().any(fits) {
            let wanted_map: Map<String, Value> = wanted
                .with
                .iter()
                .map(|(name, at)| (name.clone(), at.value.clone()))
                .collect();
            let got: Vec<String> = sent
                .iter()
                .take(3)
                .map(|sent| json(&ran.redactor.value(&Value::Object(sent.parameters.clone()))))
                .collect();
            let got = if got.is_empty() {
                "no call".to_owned()
            } else {
                got.join("; ")
            };
            let about = format!("calls of `{name}`");
            let expected = format!("one with {}", json(&Value::Object(wanted_map)));
            self.differs(&wanted.endpoint.place, &about, expected, got);
        }
    }

    fn order(&mut self, wanted: &At<Vec<String>>) {
        let mut sent = self.ran.sent.iter().map(|sent| sent.endpoint);
        let missing = wanted
            .value
            .iter()
            .position(|name| !sent.any(|endpoint| endpoint == name));
        if let Some(missing) = missing {
            let name = wanted.value.get(missing).cloned().unwrap_or_default();
            let mut got: Vec<&str> = self
                .ran
                .sent
                .iter()
                .map(|sent| sent.endpoint)
                .filter(|endpoint| wanted.value.iter().any(|name| name == endpoint))
                .collect();
            got.dedup();
            let got = format!("{} (`{name}` is missing at its place)", got.join(", "));
            let expected = wanted.value.join(", ");
            self.differs(&wanted.place, "the order of the calls", expected, got);
        }
    }

    fn promotions(&mut self, wanted: &At<Vec<PromotionExpect>>) {
        let made: Vec<_> = self.ran.promotions().collect();
        let same = made.len() == wanted.value.len()
            && made.iter().zip(&wanted.value).all(|(made, wanted)| {
                made.0 == wanted.name
                    && wanted.overriding.is_none_or(|wanted| wanted == made.2)
                    && wanted.parameters.as_ref().is_none_or(|parameters| {
                        parameters.len() == made.1.len()
                            && made.1.iter().all(|(name, value)| {
                                let pattern = parameters.get(name);
                                pattern.is_some_and(|pattern| fits(pattern, value))
                            })
                    })
            });
        if same {
            return;
        }
        let named = |name: &str, parameters: &[(String, String)], overriding: bool| {
            let parameters: Vec<String> = parameters
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let with = if parameters.is_empty() {
                String::new()
            } else {
                format!(" with {}", parameters.join(", "))
            };
            let over = if overriding { " (override)" } else { "" };
            format!("`{name}`{with}{over}")
        };
        let got: Vec<String> = made.iter().map(|(n, p, o)| named(n, p, *o)).collect();
        let expected: Vec<String> = wanted
            .value
            .iter()
            .map(|wanted| {
                let parameters = wanted.parameters.clone().unwrap_or_default();
                let parameters: Vec<(String, String)> = parameters.into_iter().collect();
                named(&wanted.name, &parameters, wanted.overriding == Some(true))
            })
            .collect();
        let line = |all: Vec<String>| {
            if all.is_empty() {
                "none".to_owned()
            } else {
                words(&all.join("; "))
            }
        };
        self.differs(&wanted.place, "the promotions", line(expected), line(got));
    }

    fn elapsed(&mut self, expect: &Expect) {
        let took: Duration = self.ran.elapsed;
        if let Some(least) = &expect.at_least
            && took < least.value
        {
            let expected = format!("at least {}", show(least.value));
            self.differs(&least.place, "the virtual time", expected, show(took));
        }
        if let Some(most) = &expect.at_most
            && took > most.value
        {
            let expected = format!("at most {}", show(most.value));
            self.differs(&most.place, "the virtual time", expected, show(took));
        }
    }

    fn messages(&mut self, wanted: &[At<String>]) {
        if wanted.is_empty() {
            return;
        }
        let told = told(self.ran);
        for wanted in wanted {
            if told
                .iter()
                .any(|message| holds(Some(message), &wanted.value))
            {
                continue;
            }
            let got: Vec<String> = told
                .iter()
                .take(8)
                .map(|m| format!("\"{}\"", words(m)))
                .collect();
            let got = if got.is_empty() {
                "none".to_owned()
            } else {
                got.join(", ")
            };
            self.differs(&wanted.place, "the messages", has(&wanted.value), got);
        }
    }

    fn file(&mut self, wanted: &FileExpect) {
        let pattern = wanted.path.value.as_str();
        let all = &self.ran.files;
        let found: Vec<&(String, String)> =
            all.iter().filter(|(path, _)| fits(pattern, path)).collect();
        let about = format!("the files `{pattern}`");
        let listed = |files: &[&(String, String)]| {
            let paths: Vec<&str> = files
                .iter()
                .take(8)
                .map(|(path, _)| path.as_str())
                .collect();
            if paths.is_empty() {
                "no files at all".to_owned()
            } else {
                paths.join(", ")
            }
        };
        let place = &wanted.path.place;
        match (wanted.there, found.is_empty()) {
            (true, true) => {
                let got = listed(&all.iter().collect::<Vec<_>>());
                self.differs(place, &about, "that there are some".to_owned(), got);
            }
            (false, false) => {
                self.differs(
                    place,
                    &about,
                    "that there are none".to_owned(),
                    listed(&found),
                );
            }
            (true, false) | (false, true) => {}
        }
        for text in &wanted.holds {
            if !found.is_empty() && !found.iter().any(|(_, content)| content.contains(text)) {
                let got: Vec<String> = found
                    .iter()
                    .take(3)
                    .map(|(path, content)| format!("{path}: \"{}\"", words(content)))
                    .collect();
                self.differs(place, &about, has(text), got.join("; "));
            }
        }
    }
}

/// All that people are told about a run.
fn told(ran: &Ran) -> Vec<String> {
    let mut all: Vec<String> = ran.why().map(str::to_owned).into_iter().collect();
    let failure = |failure: &Failure| {
        let hint = failure.hint.clone();
        std::iter::once(failure.message.clone()).chain(hint)
    };
    for recorded in &ran.events {
        match &recorded.event {
            Event::StepEnded(ended) => {
                all.extend(ended.why.clone());
                all.extend(ended.error.iter().flat_map(failure));
            }
            Event::CallRetried { failure: why, .. } => all.extend(failure(why)),
            Event::Warned { message, .. } | Event::LimitHit { message, .. } => {
                all.push(message.clone());
            }
            Event::Parked { reason, .. } => all.push(reason.clone()),
            _ => {}
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|message| seen.insert(message.clone()));
    all
}
