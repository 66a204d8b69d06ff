//! `promote`: triggers a promotion of a pipeline, finds the pipeline that it starts and, unless told
//! otherwise, waits for that.
//!
//! The order matters (contract: promotions). First the pipeline itself, for a promotion of what has not
//! passed is refused without `override`, and one of a pipeline without promotions answers like an
//! outage. Then the events that are there, for the answer to a trigger holds no id: ours is the one that
//! was not there before. Then the trigger, with a token that repeats when it is tried again.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use crate::engine::call::{Call, promotion_event_key};
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Answer, Failure, FailureKind, Fate};

/// How long an event may take to show (contract: give up after about 90 s).
const EVENT_WITHIN: Duration = Duration::from_secs(90);
/// How long to look for what a trigger of unknown fate may have done.
const SETTLE: Duration = Duration::from_secs(60);
const INITIALIZING_EVERY: Duration = Duration::from_secs(2);

enum State {
    Describing,
    Listing,
    Triggering,
    Finding { after: Option<Failure> },
    Waiting,
}

/// What to do when an event of the same name is already there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfExists {
    Join,
    Fail,
    Again,
}

/// The action.
pub(super) struct Promote {
    pipeline_id: String,
    name: String,
    parameters: IndexMap<String, String>,
    r#override: bool,
    if_exists: IfExists,
    wait: bool,
    token: String,
    known: Vec<String>,
    state: State,
    record: Record,
}

impl Promote {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        let (pipeline_id, name) = (params.text("pipeline"), params.text("name"));
        Self {
            pipeline_id: pipeline_id.to_owned(),
            name: name.to_owned(),
            parameters: params.texts("parameters"),
            r#override: params.flag("override", false),
            if_exists: match params.text("if_exists") {
                "fail" => IfExists::Fail,
                "again" => IfExists::Again,
                _ => IfExists::Join,
            },
            wait: params.flag("wait", true),
            token: cx.token(&format!("promote {pipeline_id} {name}")),
            known: Vec::new(),
            state: State::Describing,
            record: Record::default(),
        }
    }

    fn describe(&self) -> Next {
        Next::Call(Call::DescribePipeline {
            pipeline_id: self.pipeline_id.clone(),
            detailed: false,
        })
    }

    /// Whether the pipeline can be promoted at all.
    fn described(&mut self, answer: &Answer) -> Next {
        let pipeline = answer.value.get("pipeline").unwrap_or(&Value::Null);
        let (state, result) = (text(pipeline, "state"), text(pipeline, "result"));
        let refused = |words: String| Next::Fail(Failure::new(FailureKind::Refused, words));
        if !self.r#override && state != "done" {
            return Next::Fail(
                Failure::new(FailureKind::Refused, format!("the pipeline `{}` is {state}: it has not passed", self.pipeline_id))
                    .hint("wait for it first with `wait_pipeline`; `override: true` promotes it all the same"),
            );
        }
        if !self.r#override && result != "passed" {
            return Next::Fail(
                Failure::new(FailureKind::Refused, format!("the pipeline `{}` ended as {result}: it is not promoted", self.pipeline_id))
                    .hint("needs like `needs: { tests: passed }` keep a promotion from being tried; `override: true` promotes it all the same"),
            );
        }
        if text(pipeline, "switch_id").is_empty() {
            return if state == "initializing" {
                Next::Sleep(INITIALIZING_EVERY)
            } else {
                refused(format!(
                    "the pipeline `{}` has no promotions",
                    self.pipeline_id
                ))
            };
        }
        self.state = State::Listing;
        Next::Call(Call::ListPromotions {
            pipeline_id: self.pipeline_id.clone(),
            name: Some(self.name.clone()),
        })
    }

    /// What is there already decides whether ours is triggered.
    fn listed(&mut self, answer: &Answer) -> Next {
        let events: Vec<&Value> = answer
            .value
            .as_array()
            .into_iter()
            .flatten()
            .filter(|event| text(event, "name") == self.name)
            .collect();
        self.known = events
            .iter()
            .map(|event| promotion_event_key(event))
            .collect();
        let alive = events
            .iter()
            .find(|event| text(event, "status") != "failed");
        match (alive, self.if_exists) {
            (Some(event), IfExists::Fail) => Next::Fail(
                Failure::new(
                    FailureKind::Refused,
                    format!(
                        "the promotion `{}` was already triggered by {} at {}",
                        self.name,
                        text(event, "triggered_by"),
                        text(event, "triggered_at")
                    ),
                )
                .hint("`if_exists: join` takes its pipeline over, `if_exists: again` promotes once more"),
            ),
            (Some(event), IfExists::Join) => {
                let key = promotion_event_key(event);
                self.known.retain(|known| *known != key);
                self.find(EVENT_WITHIN, None)
            }
            (Some(_), IfExists::Again) | (None, _) => {
                self.state = State::Triggering;
                Next::Call(Call::TriggerPromotion {
                    pipeline_id: self.pipeline_id.clone(),
                    name: self.name.clone(),
                    parameters: self.parameters.clone(),
                    r#override: self.r#override,
                    token: self.token.clone(),
                })
            }
        }
    }

    fn find(&mut self, within: Duration, after: Option<Failure>) -> Next {
        self.state = State::Finding { after };
        Next::Call(Call::AwaitPromotion {
            pipeline_id: self.pipeline_id.clone(),
            name: self.name.clone(),
            known: self.known.clone(),
            within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn found(&mut self, answer: &Answer) -> Next {
        self.record
            .take(&answer.value, &["pipeline_id", "triggered_by", "url"]);
        self.record.response.clone_from(&answer.response);
        self.record.link("pipeline", text(&answer.value, "url"));
        if text(&answer.value, "status") == "failed" {
            return Next::Fail(
                Failure::new(FailureKind::PromotionFailed, format!("Semaphore could not start the pipeline of the promotion `{}`", self.name))
                    .hint("its queue may be full, or its deployment target may refuse it: look at the promotion on Semaphore"),
            );
        }
        if !self.wait {
            return Next::Done;
        }
        self.state = State::Waiting;
        Next::Call(Call::AwaitPipeline {
            pipeline_id: text(&answer.value, "pipeline_id").to_owned(),
            follow: false,
        })
    }
}

/// A trigger of unknown fate, and nothing to be seen of it. Only a look that saw the list until its time
/// was over says that nothing happened.
fn not_found(first: &Failure, look: &Failure) -> Failure {
    let seen = look.kind == FailureKind::Deadline;
    let mut failure = first
        .clone()
        .fate(if seen { Fate::NotDone } else { Fate::Unknown });
    if seen {
        failure.message.push_str("; no promotion appeared");
    } else {
        let words = format!("; it could not be looked for either: {}", look.message);
        failure.message.push_str(&words);
    }
    failure
}

impl Act for Promote {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Describing, Input::Start | Input::Slept) => self.describe(),
            (State::Describing, Input::Answer(answer)) => self.described(answer),
            (State::Listing, Input::Answer(answer)) => self.listed(answer),
            (State::Triggering, Input::Answer(_)) => self.find(EVENT_WITHIN, None),
            // The token makes sure that it happened at most once; whether it happened, the events tell.
            (State::Triggering, Input::Failure(failure)) if failure.fate == Fate::Unknown => {
                self.find(SETTLE, Some(failure.clone()))
            }
            (State::Finding { .. }, Input::Answer(answer)) => self.found(answer),
            (State::Finding { after: Some(first) }, Input::Failure(look)) => {
                Next::Fail(not_found(first, look))
            }
            (State::Waiting, Input::Answer(answer)) => {
                match pipeline::ended(&mut self.record, answer, Expect::Passed) {
                    Ok(()) => Next::Done,
                    Err(red) => Next::Fail(red),
                }
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (_, Input::Start | Input::Slept) => out_of_turn("promote"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
