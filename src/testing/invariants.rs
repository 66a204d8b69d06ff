//! What holds in every run, whatever its world does to it.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Difference;
use super::ran::{Ending, Ran};
use crate::duration::show;
use crate::event::{Event, StepInfo};
use crate::outcome::StepOutcome;
use crate::simulator::{Done, Origin};

/// Everything that a run broke.
pub(super) fn broken(ran: &Ran) -> Vec<Difference> {
    let mut found = Vec::new();
    let journal = serde_json::to_string(&ran.events).unwrap_or_default();
    ends(ran, &mut found);
    order(ran, &mut found);
    if matches!(ran.ending, Ending::Ended(_) | Ending::Parked { .. }) {
        never_twice(ran, &mut found);
        nothing_forgotten(ran, &journal, &mut found);
    }
    no_secret(ran, &journal, &mut found);
    found
}

fn wrong(found: &mut Vec<Difference>, about: &str, expected: &str, got: String) {
    found.push(Difference {
        place: None,
        about: about.to_owned(),
        expected: expected.to_owned(),
        got,
        step: None,
    });
}

/// A run always ends, and its last event says so.
fn ends(ran: &Ran, found: &mut Vec<Difference>) {
    match &ran.ending {
        Ending::Broken(why) => wrong(
            found,
            "the runner",
            "that it works on the run to its end",
            why.clone(),
        ),
        Ending::Endless(after) => wrong(
            found,
            "the run",
            "that it ends",
            format!("it did not in {} of virtual time", show(*after)),
        ),
        Ending::Ended(ended) => {
            let last = ran.events.last().map(|recorded| &recorded.event);
            if !matches!(last, Some(Event::RunEnded(told)) if told == ended) {
                let got = "the last event tells another end".to_owned();
                wrong(found, "the journal", "that it ends as the run does", got);
            }
        }
        Ending::Parked { .. } | Ending::Refused(_) => {}
    }
}

/// A step starts only after all its needs have ended, and what has ended never changes.
fn order(ran: &Ran, found: &mut Vec<Difference>) {
    let mut infos: BTreeMap<&str, &StepInfo> = BTreeMap::new();
    let mut ended: BTreeMap<&str, StepOutcome> = BTreeMap::new();
    for recorded in &ran.events {
        match &recorded.event {
            Event::RunCreated(created) => {
                infos.extend(created.steps.iter().map(|info| (info.id.as_str(), info)));
            }
            Event::StepAdded(info) => drop(infos.insert(&info.id, info)),
            Event::StepStarted { step, .. } => {
                let needs = infos.get(step.as_str()).map(|info| info.needs.as_slice());
                for (need, _) in needs.unwrap_or_default() {
                    if !ended.contains_key(need.as_str()) {
                        let got = format!("`{need}` had not ended");
                        let about = format!("step `{step}`");
                        wrong(found, &about, "that it starts after what it needs", got);
                    }
                }
            }
            Event::StepEnded(told) => {
                if let Some(before) = ended.insert(&told.step, told.outcome) {
                    let got = format!("it ended as `{before}`, then as `{}`", told.outcome);
                    let about = format!("step `{}`", told.step);
                    wrong(found, &about, "that it ends once", got);
                }
            }
            _ => {}
        }
    }
}

/// The call of the engine that makes a deed.
fn call_of(deed: &Done) -> &'static str {
    match deed {
        Done::RunWorkflow { .. } => "run_workflow",
        Done::RunTask { .. } => "run_task",
        Done::Rerun { .. } => "rerun_workflow",
        Done::Rebuild { .. } => "rebuild_pipeline",
        Done::Promote { .. } => "trigger_promotion",
        // To stop twice is to stop once.
        Done::StopWorkflow { .. } | Done::StopPipeline { .. } | Done::StopJob { .. } => "",
    }
}

/// Each write is done at most once: no more deeds than calls, however often they were tried.
fn never_twice(ran: &Ran, found: &mut Vec<Difference>) {
    let mut calls: BTreeMap<&str, BTreeSet<(&str, u32)>> = BTreeMap::new();
    for recorded in &ran.events {
        if let Event::CallStarted {
            key,
            call,
            writes: true,
            ..
        } = &recorded.event
        {
            let of_word = calls.entry(call.as_str()).or_default();
            of_word.insert((key.step.as_str(), key.call));
        }
    }
    let mut deeds: BTreeMap<&str, usize> = BTreeMap::new();
    for deed in ours(ran).filter(|word| !word.is_empty()) {
        *deeds.entry(deed).or_default() += 1;
    }
    for (word, done) in deeds {
        let wanted = calls.get(word).map_or(0, BTreeSet::len);
        if done > wanted {
            let got = format!("Semaphore did it {done} times for {wanted} calls");
            wrong(
                found,
                &format!("the write `{word}`"),
                "that each call acts at most once",
                got,
            );
        }
    }
}

fn ours(ran: &Ran) -> impl Iterator<Item = &'static str> {
    ran.acts
        .iter()
        .filter(|act| matches!(&act.origin, Origin::Api { user } if *user == ran.user))
        .map(|act| call_of(&act.deed))
}

/// What was started is in the journal, covered by an open intent, or named as unknown.
fn nothing_forgotten(ran: &Ran, journal: &str, found: &mut Vec<Difference>) {
    let unknown = ran.steps().any(|step| step.outcome == StepOutcome::Unknown);
    if ran.open_intents > 0 || unknown {
        return;
    }
    for act in &ran.acts {
        let ours = matches!(&act.origin, Origin::Api { user } if *user == ran.user);
        let id = match &act.deed {
            Done::RunWorkflow { workflow_id, .. } | Done::RunTask { workflow_id, .. } => {
                workflow_id
            }
            Done::Rerun {
                new_workflow_id, ..
            } => new_workflow_id,
            Done::Rebuild {
                new_pipeline_id, ..
            } => new_pipeline_id,
            Done::Promote { .. }
            | Done::StopWorkflow { .. }
            | Done::StopPipeline { .. }
            | Done::StopJob { .. } => continue,
        };
        if ours && !journal.contains(id.as_str()) {
            let got = format!("`{id}` is not in it");
            wrong(
                found,
                "the journal",
                "that it knows everything that the run started",
                got,
            );
        }
    }
}

/// No secret in anything that the run leaves behind.
fn no_secret(ran: &Ran, journal: &str, found: &mut Vec<Difference>) {
    let places = [
        ("the journal", journal),
        ("what was observed", ran.observed.as_str()),
    ];
    let files = ran
        .files
        .iter()
        .flat_map(|(path, content)| [("the name of a file", path.as_str()), ("a file", content)]);
    for (place, text) in places.into_iter().chain(files) {
        if ran.redactor.finds_in(text) {
            wrong(
                found,
                place,
                "that it holds no secret",
                "it holds one".to_owned(),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Moment;
    use crate::event::{EffectKey, Recorded, RunEnded};
    use crate::outcome::RunOutcome;
    use crate::secret::Redactor;
    use crate::simulator::Act;
    use jiff::Timestamp;

    fn act(deed: Done) -> Act {
        Act {
            at: Timestamp::UNIX_EPOCH,
            origin: Origin::Api { user: "us".into() },
            deed,
            request_token: None,
            parameters: Vec::new(),
            answer_lost: false,
        }
    }

    fn started(workflow_id: &str) -> Act {
        act(Done::RunWorkflow {
            project_id: "p".into(),
            reference: "main".into(),
            pipeline_file: "x".into(),
            workflow_id: workflow_id.into(),
            pipeline_id: "y".into(),
        })
    }

    fn run(events: Vec<Event>, acts: Vec<Act>) -> Ran {
        let ended = RunEnded {
            outcome: RunOutcome::Passed,
            why: None,
            failure: None,
            outputs: serde_json::Map::new(),
        };
        let all = events.into_iter().chain([Event::RunEnded(ended.clone())]);
        let recorded = all.zip(1..).map(|(event, seq)| Recorded {
            seq,
            at: Moment::start(Timestamp::UNIX_EPOCH),
            event,
        });
        Ran {
            ending: Ending::Ended(ended),
            events: recorded.collect(),
            sent: Vec::new(),
            acts,
            user: "us".into(),
            open_intents: 0,
            elapsed: Duration::ZERO,
            killed: Vec::new(),
            commits: 0,
            files: Vec::new(),
            observed: String::new(),
            redactor: Redactor::new(),
        }
    }

    fn call(number: u32, attempt: u32, about: &str) -> Event {
        Event::CallStarted {
            key: EffectKey {
                step: "build".into(),
                call: number,
                attempt,
            },
            call: "run_workflow".into(),
            about: about.into(),
            writes: true,
        }
    }

    fn said(ran: &Ran) -> Vec<String> {
        broken(ran)
            .into_iter()
            .map(|d| format!("{}: {}", d.about, d.got))
            .collect()
    }

    #[test]
    fn a_write_that_acts_twice_is_found() {
        let once = run(vec![call(1, 1, "w1")], vec![started("w1")]);
        assert!(said(&once).is_empty(), "{:?}", said(&once));
        let again = vec![call(1, 1, "w1"), call(1, 2, "w2")];
        let twice = run(again, vec![started("w1"), started("w2")]);
        assert_eq!(
            said(&twice),
            ["the write `run_workflow`: Semaphore did it 2 times for 1 calls"]
        );
        let two_calls = vec![call(1, 1, "w1"), call(2, 1, "w2")];
        let both = run(two_calls, vec![started("w1"), started("w2")]);
        assert!(said(&both).is_empty());
    }

    #[test]
    fn what_the_journal_forgot_is_found() {
        let mut ran = run(vec![call(1, 1, "nothing")], vec![started("w1")]);
        assert_eq!(said(&ran), ["the journal: `w1` is not in it"]);
        ran.open_intents = 1;
        assert!(said(&ran).is_empty(), "an intent covers it");
    }

    #[test]
    fn a_run_that_does_not_end_is_found() {
        let mut ran = run(Vec::new(), Vec::new());
        ran.ending = Ending::Endless(Duration::from_secs(3_600));
        assert_eq!(said(&ran), ["the run: it did not in 1h of virtual time"]);
        ran.ending = Ending::Broken("the journal is torn".into());
        assert_eq!(said(&ran), ["the runner: the journal is torn"]);
        let mut other = run(Vec::new(), Vec::new());
        other.events.pop();
        assert_eq!(
            said(&other),
            ["the journal: the last event tells another end"]
        );
    }

    #[test]
    fn a_step_before_its_needs_is_found() {
        let info = |id: &str, needs: &[&str]| {
            Event::StepAdded(StepInfo {
                id: id.into(),
                action: "set".into(),
                description: None,
                needs: needs
                    .iter()
                    .map(|need| ((*need).into(), "passed".into()))
                    .collect(),
                finally: false,
                undoes: None,
                parent: None,
            })
        };
        let early = vec![
            info("a", &[]),
            info("b", &["a"]),
            Event::StepStarted {
                step: "b".into(),
                because: None,
            },
        ];
        assert_eq!(
            said(&run(early, Vec::new())),
            ["step `b`: `a` had not ended"]
        );
    }

    #[test]
    fn a_secret_is_found_wherever_it_is() {
        for place in 0..4 {
            let mut ran = run(vec![call(1, 1, "it")], Vec::new());
            ran.redactor.learn("hunter2-hunter2");
            let secret = "so hunter2-hunter2 it is".to_owned();
            match place {
                0 => {
                    ran = Ran {
                        events: run(vec![call(1, 1, &secret)], Vec::new()).events,
                        ..ran
                    }
                }
                1 => ran.observed = secret,
                2 => ran.files.push(("x".into(), secret)),
                _ => ran.files.push((secret, String::new())),
            }
            assert_eq!(said(&ran).len(), 1, "{place}: {:?}", said(&ran));
        }
    }
}
