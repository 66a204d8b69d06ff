//! The account of the run itself.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::cause::{Cause, causes};
use super::detail::Detail;
use super::step::{Step, mark, steps};
use crate::duration;
use crate::outcome::{RunOutcome, StepOutcome};
use crate::report::critical_path::critical_path;
use crate::report::gate::Gate;
use crate::report::json::{ApiUse, time_v1};
use crate::report::timeline::Axis;
use crate::report::view::{RunState, RunView, StepState};
use crate::size;
use crate::text::shell_word;

/// Names and ids are cut to this.
pub(super) const NAME_CHARACTERS_MAX: usize = 200;
/// Words and messages are cut to this.
pub(super) const WORDS_CHARACTERS_MAX: usize = 2_000;
/// So many warnings and limits are told.
const NOTES_MAX: usize = 100;

/// What is told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// What is known of the run.
    pub view: &'a RunView,
    /// The code that the runner ends with.
    pub exit_code: u8,
    /// How much it asked of Semaphore.
    pub api: &'a ApiUse,
    /// A longer report is cut, with a note.
    pub bytes_max: usize,
}

/// The account of a run.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Account {
    pub(in crate::report) id: String,
    pub(in crate::report) name: String,
    /// The word for where it stands.
    pub(in crate::report) state: &'static str,
    pub(in crate::report) mark: &'static str,
    /// What follows the name in a headline: `failed after 4m12s`.
    pub(in crate::report) verdict: String,
    pub(in crate::report) why: Option<String>,
    pub(in crate::report) exit_code: u8,
    pub(in crate::report) counts: Vec<Count>,
    pub(in crate::report) playbook: String,
    pub(in crate::report) digest: String,
    pub(in crate::report) runner: String,
    pub(in crate::report) started_at: Option<String>,
    pub(in crate::report) finished_at: Option<String>,
    pub(in crate::report) duration_ms: u64,
    pub(in crate::report) resumed: u32,
    pub(in crate::report) inputs: Vec<Named>,
    pub(in crate::report) outputs: Vec<Named>,
    pub(in crate::report) steps: Vec<Step>,
    pub(in crate::report) causes: Vec<Cause>,
    pub(in crate::report) causes_more: usize,
    /// The next commands to type.
    pub(in crate::report) next: Vec<Next>,
    /// The chain that the length of the run comes from, and how long it took.
    pub(in crate::report) critical: Vec<String>,
    pub(in crate::report) critical_lasted: String,
    /// How much of that was spent in Semaphore's queue, and running there.
    pub(in crate::report) critical_queued: Option<String>,
    pub(in crate::report) critical_ran: Option<String>,
    pub(in crate::report) notes: Vec<Note>,
    pub(in crate::report) facts: Vec<Named>,
    pub(in crate::report) ticks: Vec<Tick>,
    pub(in crate::report) parks: Vec<Tick>,
}

/// So many steps stand there.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Count {
    pub(in crate::report) state: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) count: usize,
}

/// A value with its name.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Named {
    pub(in crate::report) name: String,
    pub(in crate::report) value: String,
}

/// A command to type, and what for.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Next {
    pub(in crate::report) purpose: &'static str,
    pub(in crate::report) command: String,
}

/// Something that people should know.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Note {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) step: Option<String>,
    pub(in crate::report) message: String,
}

/// A place on the axis, in percent, and what stands there.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Tick {
    pub(in crate::report) x: f64,
    pub(in crate::report) label: String,
}

/// A time that does not change any more.
pub(super) fn lasted(ms: u64) -> String {
    duration::show(std::time::Duration::from_millis(ms))
}

/// A time as people read it, in UTC.
pub(super) fn moment(time: Timestamp) -> String {
    let text = time_v1(time);
    let (seconds, _) = text.split_at_checked(19).unwrap_or((&text, ""));
    format!("{} UTC", seconds.replace('T', " "))
}

impl Account {
    pub(in crate::report) fn of(told: &Told<'_>, gate: Gate<'_>, detail: &Detail) -> Self {
        let view = told.view;
        let axis = Axis::of(view);
        let path = critical_path(view);
        let (causes, causes_more) = causes(view, gate, detail);
        let created = view.created.as_ref();
        let name = gate.line(view.name(), NAME_CHARACTERS_MAX);
        let text = |text: Option<&String>| {
            gate.line(text.map_or("", String::as_str), WORDS_CHARACTERS_MAX)
        };
        let (state, mark, verdict, why) = verdict(view);
        let steps = steps(view, (gate, detail), (&axis, &path));
        let spent = |of: fn(&Step) -> u64| {
            let critical = steps.iter().filter(|step| step.critical);
            Some(critical.map(of).sum())
                .filter(|ms| *ms > 0)
                .map(lasted)
        };
        let chain = steps.iter().filter(|step| step.critical);
        Self {
            id: gate.line(view.id(), NAME_CHARACTERS_MAX),
            name: if name.is_empty() {
                "run".to_owned()
            } else {
                name
            },
            state,
            mark,
            verdict,
            why: why.map(|why| gate.line(why, WORDS_CHARACTERS_MAX)),
            exit_code: told.exit_code,
            counts: counts(view),
            playbook: text(created.map(|c| &c.path)),
            digest: text(created.map(|c| &c.digest)),
            runner: text(created.map(|c| &c.runner)),
            started_at: view.started_at.map(moment),
            finished_at: view.ended().and(view.last).map(|last| moment(last.wall)),
            duration_ms: view.last.map_or(0, |last| last.active_ms),
            resumed: view.resumed,
            inputs: named(created.iter().flat_map(|c| &c.inputs), (gate, detail)),
            outputs: named(view.ended().iter().flat_map(|e| &e.outputs), (gate, detail)),
            critical_lasted: lasted(chain.map(|step| step.duration_ms).sum()),
            critical_queued: spent(|step| step.queued_ms),
            critical_ran: spent(|step| step.ran_ms),
            critical: path
                .iter()
                .map(|id| gate.line(id, NAME_CHARACTERS_MAX))
                .collect(),
            steps,
            causes,
            causes_more,
            next: next(view, gate),
            notes: notes(view, gate, detail),
            facts: facts(told),
            ticks: tick_list(axis.ticks().into_iter().map(|at| (at, lasted(at))), &axis),
            parks: tick_list(axis.parked().map(|(at, ms)| (at, lasted(ms))), &axis),
        }
    }
}

impl Account {
    /// What a step consists of: its items, or the steps of what it uses.
    pub(in crate::report) fn parts_of<'a>(&'a self, step: &Step) -> impl Iterator<Item = &'a Step> {
        let n = step.n;
        self.steps.iter().filter(move |part| part.parent == Some(n))
    }
}

fn tick_list(at: impl Iterator<Item = (u64, String)>, axis: &Axis) -> Vec<Tick> {
    at.map(|(ms, label)| Tick {
        x: axis.percent(ms),
        label,
    })
    .collect()
}

/// The word, the mark, the headline, and why.
fn verdict(view: &RunView) -> (&'static str, &'static str, String, Option<&String>) {
    let time = lasted(view.last.map_or(0, |last| last.active_ms));
    match &view.state {
        RunState::Running => ("running", "▸", format!("has not ended, after {time}"), None),
        RunState::Parked { reason, .. } => (
            "parked",
            "‖",
            format!("is parked after {time}"),
            Some(reason),
        ),
        RunState::Ended(ended) => {
            let (mark, words) = match ended.outcome {
                RunOutcome::Passed => ("✓", format!("passed in {time}")),
                RunOutcome::Failed => ("✗", format!("failed after {time}")),
                RunOutcome::Canceled => ("■", format!("was canceled after {time}")),
                RunOutcome::Unknown => {
                    ("?", format!("is unknown after {time}: a person must look"))
                }
                RunOutcome::Deadline => ("✗", format!("ran into its deadline after {time}")),
            };
            (ended.outcome.as_str(), mark, words, ended.why.as_ref())
        }
    }
}

fn counts(view: &RunView) -> Vec<Count> {
    let ended = StepOutcome::ALL.map(StepState::Ended);
    ended
        .into_iter()
        .chain([StepState::Running, StepState::Pending])
        .filter_map(|state| {
            let mut of_it = view.steps.values().filter(|step| step.state == state);
            let word = of_it.next()?.word();
            Some(Count {
                state: word,
                mark: mark(state),
                count: of_it.count() + 1,
            })
        })
        .collect()
}

fn named<'v>(
    values: impl Iterator<Item = (&'v String, &'v Value)>,
    (gate, detail): (Gate<'_>, &Detail),
) -> Vec<Named> {
    values
        .map(|(name, value)| Named {
            name: gate.line(name, NAME_CHARACTERS_MAX),
            value: gate.value(value, detail.value_characters_max),
        })
        .collect()
}

/// What to type next.
fn next(view: &RunView, gate: Gate<'_>) -> Vec<Next> {
    let word = |id: &str| shell_word(&gate.line(id, NAME_CHARACTERS_MAX));
    if view.id().is_empty() {
        return Vec::new();
    }
    let run = word(view.id());
    let mut next = Vec::new();
    let mut add = |purpose, command| next.push(Next { purpose, command });
    match &view.state {
        RunState::Running | RunState::Parked { .. } => {
            for (id, step) in &view.steps {
                let asks = step.state == StepState::Running
                    && step.info.action == "approve"
                    && step.answered.is_none();
                if asks {
                    add("to say yes", format!("runner approve {run} {}", word(id)));
                }
            }
            add("to go on", format!("runner resume {run}"));
        }
        RunState::Ended(ended) if ended.outcome == RunOutcome::Passed => {}
        RunState::Ended(ended) => {
            add("to look closer", format!("runner show {run}"));
            if matches!(ended.outcome, RunOutcome::Failed | RunOutcome::Deadline) {
                let again = format!("runner resume {run} --failed");
                add("to do again what did not pass", again);
            }
        }
    }
    next
}

fn notes(view: &RunView, gate: Gate<'_>, detail: &Detail) -> Vec<Note> {
    let step = |step: &Option<String>| step.as_ref().map(|id| gate.line(id, NAME_CHARACTERS_MAX));
    let mut notes: Vec<Note> = Vec::new();
    if detail.is_cut {
        notes.push(Note {
            kind: "limit",
            step: None,
            message: "this report was too long: outputs and excerpts are cut, see the JSON report"
                .to_owned(),
        });
    }
    notes.extend(view.warnings.iter().map(|(id, message)| Note {
        kind: "warning",
        step: step(id),
        message: gate.line(message, WORDS_CHARACTERS_MAX),
    }));
    notes.extend(view.limits.iter().map(|(id, limit, message)| Note {
        kind: "limit",
        step: step(id),
        message: format!(
            "{}: {}",
            gate.line(limit, NAME_CHARACTERS_MAX),
            gate.line(message, WORDS_CHARACTERS_MAX)
        ),
    }));
    let more = notes.len().saturating_sub(NOTES_MAX);
    notes.truncate(NOTES_MAX);
    if more > 0 {
        notes.push(Note {
            kind: "limit",
            step: None,
            message: format!("and {more} more: see the JSON report"),
        });
    }
    notes
}

fn facts(told: &Told<'_>) -> Vec<Named> {
    let api = told.api;
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| {
        facts.push(Named {
            name: name.to_owned(),
            value,
        });
    };
    add("requests to Semaphore", api.requests.to_string());
    if api.retries > 0 {
        add("tries again", api.retries.to_string());
    }
    if api.saved > 0 {
        add("requests saved by shared answers", api.saved.to_string());
    }
    if api.bytes > 0 {
        add("answers", size::show(api.bytes));
    }
    add("exit code", told.exit_code.to_string());
    facts
}
