//! A run as a trace: from events to spans, after the conventions of OpenTelemetry for CI systems.
//!
//! Duty: a run is a trace, a session on it a span, a step a span below that, a call a span below its step,
//! and a retry an event of its call. Pure, and total like `fold.rs`. Each session tells what happened in it
//! alone, so that a run that was parked and gone on with is told once, in slices of one trace. Ids are
//! derived from the run, never drawn. It must not know how a trace leaves the process.

use indexmap::IndexMap;
use jiff::Timestamp;

use super::span_words::{links, note, result_of_run, result_of_step};
use super::trace_parent::TraceParent;
use crate::clock::later;
use crate::event::{
    EffectKey, Event, Failure, Outcome, Recorded, RunCreated, RunEnded, StepEnded, StepInfo,
};
use crate::ids;

/// More spans than this are left out; the first span says how many.
pub const SPANS_MAX: usize = 10_000;
/// More notes on one span than this are left out.
const NOTES_MAX: usize = 200;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// Text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Flag(bool),
}

/// Names and values.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// A trace, or a slice of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Which.
    pub id: [u8; 16],
    /// Its spans, that of the session first.
    pub spans: Vec<Span>,
}

/// What a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// A run.
    Run,
    /// A step.
    Step,
    /// A call.
    Call,
}

/// A piece of a trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Which.
    pub id: [u8; 8],
    /// Which it is a part of.
    pub parent: Option<[u8; 8]>,
    /// What it stands for.
    pub kind: SpanKind,
    /// Its name.
    pub name: String,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; for what had not ended, when the session did.
    pub end: Timestamp,
    /// What is known of it.
    pub attributes: Attributes,
    /// What happened meanwhile.
    pub notes: Vec<Note>,
    /// What went wrong, in words.
    pub error: Option<String>,
}

/// Something that happened at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// What.
    pub name: &'static str,
    /// What is known of it.
    pub attributes: Attributes,
}

impl Trace {
    /// Changes every text of it.
    pub fn map_texts(&mut self, change: impl Fn(&str) -> String) {
        let all = |attributes: &mut Attributes| {
            for (_, value) in attributes {
                if let Attribute::Text(text) = value {
                    *text = change(text);
                }
            }
        };
        for span in &mut self.spans {
            span.name = change(&span.name);
            if let Some(error) = &mut span.error {
                *error = change(error);
            }
            all(&mut span.attributes);
            span.notes.iter_mut().for_each(|n| all(&mut n.attributes));
        }
    }
}

/// Collects what one session does.
#[derive(Debug, Clone, Default)]
pub struct Spans {
    /// Events up to here belong to earlier sessions.
    after: u64,
    created: Option<RunCreated>,
    began: Option<Timestamp>,
    last: Option<Timestamp>,
    known: IndexMap<String, StepInfo>,
    steps: IndexMap<String, StepSpan>,
    notes: Vec<Note>,
    ended: Option<RunEnded>,
    parked: Option<String>,
}

#[derive(Debug, Clone)]
struct StepSpan {
    began: Timestamp,
    ended: Option<(Timestamp, Box<StepEnded>)>,
    calls: IndexMap<u32, CallSpan>,
}

#[derive(Debug, Clone)]
struct CallSpan {
    word: String,
    about: String,
    writes: bool,
    began: Timestamp,
    ended: Option<Timestamp>,
    attempts: u32,
    requests: u32,
    failure: Option<Failure>,
    retries: Vec<Note>,
}

impl Spans {
    /// Of a session whose first event comes after this one.
    pub fn after(seq: u64) -> Self {
        Self {
            after: seq,
            ..Self::default()
        }
    }

    /// Takes the next event.
    pub fn apply(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::RunCreated(created) => {
                let steps = created.steps.iter().cloned();
                self.known.extend(steps.map(|info| (info.id.clone(), info)));
                self.created = Some(created.clone());
            }
            Event::StepAdded(info) => drop(self.known.insert(info.id.clone(), info.clone())),
            _ if recorded.seq <= self.after => return,
            _ => {}
        }
        if recorded.seq <= self.after {
            return;
        }
        let at = recorded.at.wall;
        self.began.get_or_insert(at);
        self.last = Some(at);
        if let Some(note) = note(&recorded.event, at)
            && self.notes.len() < NOTES_MAX
        {
            self.notes.push(note);
        }
        self.happened(&recorded.event, at);
    }

    fn happened(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::StepStarted { step, .. } => {
                self.steps.insert(step.clone(), StepSpan::from(at));
            }
            Event::CallStarted {
                key,
                call,
                about,
                writes,
            } => {
                let span = self.call(key, at);
                span.word.clone_from(call);
                span.about.clone_from(about);
                span.writes = *writes;
                span.ended = None;
            }
            Event::CallEnded { key, outcome } => self.call(key, at).end(outcome),
            Event::CallRetried {
                key,
                failure,
                delay_ms,
            } => self.call(key, at).again(failure, *delay_ms, at),
            Event::StepEnded(ended) => {
                // What never began took no time: it is a note of the run.
                if let Some(step) = self.steps.get_mut(&ended.step) {
                    step.ended = Some((at, Box::new(ended.clone())));
                }
            }
            Event::RunEnded(ended) => self.ended = Some(ended.clone()),
            Event::Parked { reason, .. } => self.parked = Some(reason.clone()),
            _ => {}
        }
    }

    /// A step that was begun by an earlier session goes on from the beginning of this one.
    fn call(&mut self, key: &EffectKey, at: Timestamp) -> &mut CallSpan {
        let began = self.began.unwrap_or(at);
        let step = self
            .steps
            .entry(key.step.clone())
            .or_insert_with(|| StepSpan::from(began));
        let call = step.calls.entry(key.call).or_insert(CallSpan {
            word: String::new(),
            about: String::new(),
            writes: false,
            began: at,
            ended: None,
            attempts: 0,
            requests: 0,
            failure: None,
            retries: Vec::new(),
        });
        call.attempts = call.attempts.max(key.attempt);
        call
    }

    /// The trace as far as this session knows it; none when nothing happened in it.
    pub fn finish(&self, parent: Option<TraceParent>) -> Option<Trace> {
        let (created, began) = (self.created.as_ref()?, self.began?);
        let last = self.last.unwrap_or(began);
        let number = self.after.to_string();
        let root = self.id(&created.salt, &[&number]);
        let mut spans = vec![self.run_span(created, root, parent, (began, last))];
        let ids: IndexMap<&str, [u8; 8]> = self
            .steps
            .keys()
            .map(|step| (step.as_str(), self.id(&created.salt, &[&number, step])))
            .collect();
        for (name, step) in &self.steps {
            let Some(id) = ids.get(name.as_str()) else {
                continue;
            };
            let of = self.known.get(name).and_then(|info| info.parent.as_deref());
            let around = of.and_then(|step| ids.get(step).copied());
            let around = around.or_else(|| step_around(name, &ids)).unwrap_or(root);
            spans.push(self.step_span(name, step, (*id, around), (&created.id, last)));
            for (call, span) in &step.calls {
                let call = call.to_string();
                let call_id = self.id(&created.salt, &[&number, name, &call]);
                spans.push(span.finish((call_id, *id), last));
            }
        }
        let left_out = spans.len().saturating_sub(SPANS_MAX);
        spans.truncate(SPANS_MAX);
        if let (Some(first), 1..) = (spans.first_mut(), left_out) {
            let count = i64::try_from(left_out).unwrap_or(i64::MAX);
            let attribute = ("runner.spans_left_out", Attribute::Number(count));
            first.attributes.push(attribute);
        }
        let own = || trace_id(&created.salt, &created.id);
        Some(Trace {
            id: parent.map_or_else(own, |parent| parent.trace),
            spans,
        })
    }

    fn id(&self, salt: &str, parts: &[&str]) -> [u8; 8] {
        let mut all = vec!["span", salt];
        all.extend(parts);
        some_bytes(&ids::digest(&all))
    }

    fn run_span(
        &self,
        created: &RunCreated,
        id: [u8; 8],
        parent: Option<TraceParent>,
        (start, end): (Timestamp, Timestamp),
    ) -> Span {
        let text = |text: &str| Attribute::Text(text.to_owned());
        let mut attributes: Attributes = vec![
            ("cicd.pipeline.name", text(&created.name)),
            ("cicd.pipeline.run.id", text(&created.id)),
            ("cicd.pipeline.action.name", text("RUN")),
            ("runner.playbook.path", text(&created.path)),
            ("runner.playbook.digest", text(&created.digest)),
        ];
        if !created.url.is_empty() {
            attributes.push(("cicd.pipeline.run.url.full", text(&created.url)));
        }
        let mut error = None;
        if let Some(ended) = &self.ended {
            attributes.push(("cicd.pipeline.result", text(result_of_run(ended.outcome))));
            attributes.push(("runner.run.outcome", text(ended.outcome.as_str())));
            if let Some(kind) = ended.failure {
                attributes.push(("error.type", text(kind.as_str())));
                error = Some(ended.why.clone().unwrap_or_default());
            }
        } else if let Some(reason) = &self.parked {
            attributes.push(("runner.run.outcome", text("parked")));
            attributes.push(("runner.run.parked", text(reason)));
        }
        Span {
            id,
            parent: parent.map(|parent| parent.span),
            kind: SpanKind::Run,
            name: format!("RUN {}", created.name),
            start,
            end,
            attributes,
            notes: self.notes.clone(),
            error,
        }
    }

    fn step_span(
        &self,
        name: &str,
        step: &StepSpan,
        (id, parent): ([u8; 8], [u8; 8]),
        (run, last): (&str, Timestamp),
    ) -> Span {
        let text = |text: &str| Attribute::Text(text.to_owned());
        let mut attributes: Attributes = vec![
            ("cicd.pipeline.task.name", text(name)),
            ("cicd.pipeline.task.run.id", text(&format!("{run}/{name}"))),
        ];
        if let Some(info) = self.known.get(name) {
            attributes.push(("runner.step.action", text(&info.action)));
        }
        let mut error = None;
        if let Some((_, ended)) = &step.ended {
            let result = text(result_of_step(ended));
            attributes.push(("cicd.pipeline.task.run.result", result));
            attributes.push(("runner.step.outcome", text(ended.outcome.as_str())));
            attributes.extend(links(ended));
            if let Some(failure) = &ended.error {
                attributes.push(("error.type", text(failure.kind.as_str())));
                error = Some(failure.message.clone());
            }
        }
        Span {
            id,
            parent: Some(parent),
            kind: SpanKind::Step,
            name: name.to_owned(),
            start: step.began,
            end: step.ended.as_ref().map_or(last, |(at, _)| *at),
            attributes,
            notes: Vec::new(),
            error,
        }
    }
}

impl StepSpan {
    fn from(began: Timestamp) -> Self {
        Self {
            began,
            ended: None,
            calls: IndexMap::new(),
        }
    }
}

impl CallSpan {
    fn end(&mut self, outcome: &Outcome) {
        if self.attempts <= 1 {
            self.began = self.began.min(outcome.started_at);
        }
        self.ended = Some(outcome.ended_at);
        self.requests = self.requests.saturating_add(outcome.requests);
        self.failure = outcome.result.as_ref().err().cloned();
    }

    fn again(&mut self, failure: &Failure, delay_ms: u64, at: Timestamp) {
        let until = later(at, std::time::Duration::from_millis(delay_ms));
        self.ended = Some(self.ended.unwrap_or(at));
        if self.retries.len() < NOTES_MAX {
            let delay = i64::try_from(delay_ms).unwrap_or(i64::MAX);
            self.retries.push(Note {
                at,
                name: "retry",
                attributes: vec![
                    ("error.type", Attribute::Text(failure.kind.as_str().into())),
                    ("error.message", Attribute::Text(failure.message.clone())),
                    ("runner.retry.delay_ms", Attribute::Number(delay)),
                    ("runner.retry.at", Attribute::Text(until.to_string())),
                ],
            });
        }
    }

    fn finish(&self, (id, parent): ([u8; 8], [u8; 8]), last: Timestamp) -> Span {
        let name = match self.word.as_str() {
            "" => "call",
            word => word,
        };
        let mut attributes: Attributes = vec![
            ("runner.call.about", Attribute::Text(self.about.clone())),
            ("runner.call.writes", Attribute::Flag(self.writes)),
            (
                "runner.call.attempts",
                Attribute::Number(self.attempts.into()),
            ),
            (
                "runner.call.requests",
                Attribute::Number(self.requests.into()),
            ),
        ];
        if let Some(failure) = &self.failure {
            let kind = failure.kind.as_str().to_owned();
            attributes.push(("error.type", Attribute::Text(kind)));
            if let Some(status) = failure.status {
                let status = Attribute::Number(status.into());
                attributes.push(("http.response.status_code", status));
            }
        }
        Span {
            id,
            parent: Some(parent),
            kind: SpanKind::Call,
            name: name.to_owned(),
            start: self.began,
            end: self.ended.unwrap_or(last).max(self.began),
            attributes,
            notes: self.retries.clone(),
            error: self.failure.as_ref().map(|f| f.message.clone()),
        }
    }
}

/// The nearest step that is there around a step of a used playbook (`release/build`) or an item
/// (`nightly[web]`): one that has not said what it is a part of, or whose step began in an earlier session.
fn step_around(name: &str, ids: &IndexMap<&str, [u8; 8]>) -> Option<[u8; 8]> {
    let cuts = name.rmatch_indices(['/', '[']);
    cuts.filter_map(|(at, _)| name.get(..at))
        .find_map(|prefix| ids.get(prefix).copied())
}

/// The trace of a run that no caller gave one.
fn trace_id(salt: &str, run: &str) -> [u8; 16] {
    some_bytes(&ids::digest(&["trace", salt, run]))
}

/// The first bytes of a digest in hexadecimal; never all zero, which would be no id.
fn some_bytes<const N: usize>(digest: &str) -> [u8; N] {
    let mut out = [1; N];
    for (at, byte) in out.iter_mut().enumerate() {
        let pair = digest.get(2 * at..2 * at + 2).unwrap_or("01");
        *byte = u8::from_str_radix(pair, 16).unwrap_or(1);
    }
    if out == [0; N] { [1; N] } else { out }
}
