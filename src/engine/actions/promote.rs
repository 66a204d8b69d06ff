//! `promote`: triggers a promotion of a pipeline, finds the pipeline that it starts and, unless told
//! otherwise, waits for that.
//!
//! The order matters (contract: promotions). First the pipeline itself, for a promotion of what has not
//! passed is refused without `override`, and one of a pipeline without promotions answers like an
//! outage. Then the events that are there, for the answer to a trigger holds no id: ours is the one that
//! was not there before. Then the trigger, with a token that repeats when it is tried again.

use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use crate::engine::call::{Call, SoughtEvent, promotion_event_key};
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Answer, Failure, FailureKind, Fate};

/// How long an event may take to show (contract: give up after about 90 s).
const EVENT_WITHIN: Duration = Duration::from_secs(90);
/// How long to look for what a trigger of unknown fate may have done.
const SETTLE: Duration = Duration::from_secs(60);
const INITIALIZING_EVERY: Duration = Duration::from_secs(2);
/// How many events of before are read.
const EVENTS_MAX: u64 = 500;

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
    before: Vec<String>,
    listed_at: Option<Timestamp>,
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
                // Done again because it ended badly: the event that is there is our own of before.
                _ if cx.round > 0 => IfExists::Again,
                "fail" => IfExists::Fail,
                "again" => IfExists::Again,
                _ => IfExists::Join,
            },
            wait: params.flag("wait", true),
            token: cx.token(&format!("promote {pipeline_id} {name}")),
            before: Vec::new(),
            listed_at: None,
            state: State::Describing,
            record: Record::default(),
        }
    }

    fn describe(&self) -> Next {
        Next::Call(Call::DescribePipeline {
            pipeline_id: self.pipeline_id.clone(),
            detailed: false,
            topology: false,
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
            status: None,
            created_after: None,
            limit: Some(EVENTS_MAX),
        })
    }

    /// What is there already decides whether ours is triggered.
    fn listed(&mut self, answer: &Answer) -> Next {
        let events: Vec<&Value> = answer
            .value
            .get("events")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        self.listed_at = time(&answer.value, "server_time");
        self.before = events
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
                let sought = SoughtEvent::Known(promotion_event_key(event));
                self.find(sought, EVENT_WITHIN, None)
            }
            (Some(_), IfExists::Again) | (None, _) => {
                self.state = State::Triggering;
                Next::Call(Call::TriggerPromotion {
                    pipeline_id: self.pipeline_id.clone(),
                    name: self.name.clone(),
                    parameters: self.parameters.clone(),
                    r#override: self.r#override,
                    token: self.token.clone(),
                    listed_at: self.listed_at,
                })
            }
        }
    }

    /// The event of our trigger; `answer` is what Semaphore said to it, when it said yes.
    fn ours(&self, answer: Option<&Answer>) -> SoughtEvent {
        let between = |name: &str| answer.and_then(|answer| time(&answer.value, name));
        SoughtEvent::Ours {
            before: self.before.clone(),
            not_before: between("after").or(self.listed_at),
            not_after: between("before"),
            answered: answer.is_some(),
            parameters: self.parameters.clone(),
        }
    }

    fn find(&mut self, sought: SoughtEvent, within: Duration, after: Option<Failure>) -> Next {
        self.state = State::Finding { after };
        Next::Call(Call::AwaitPromotion {
            pipeline_id: self.pipeline_id.clone(),
            name: self.name.clone(),
            sought,
            within_ms: u64::try_from(within.as_millis()).unwrap_or(u64::MAX),
        })
    }

    fn found(&mut self, answer: &Answer) -> Next {
        self.record
            .take(&answer.value, &["pipeline_id", "triggered_by"]);
        self.record.response.clone_from(&answer.response);
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

impl Act for Promote {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Describing, Input::Start | Input::Slept) => self.describe(),
            (State::Describing, Input::Answer(answer)) => self.described(answer),
            (State::Listing, Input::Answer(answer)) => self.listed(answer),
            (State::Triggering, Input::Answer(answer)) => {
                self.find(self.ours(Some(answer)), EVENT_WITHIN, None)
            }
            // The token makes sure that it happened at most once; whether it happened, the events tell.
            (State::Triggering, Input::Failure(failure)) if failure.fate == Fate::Unknown => {
                self.find(self.ours(None), SETTLE, Some(failure.clone()))
            }
            (State::Triggering, Input::Failure(failure)) => Next::Fail(refused(failure)),
            (State::Finding { .. }, Input::Answer(answer)) => self.found(answer),
            (State::Finding { after: Some(first) }, Input::Failure(failure)) => {
                Next::Fail(unanswered(first, failure))
            }
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, Expect::Passed)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (_, Input::Start | Input::Slept) => out_of_turn("promote"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}

/// A trigger that was never answered, and what looking for its event gave.
fn unanswered(first: &Failure, found: &Failure) -> Failure {
    let mut failure = match found.kind {
        // Nothing appeared for as long as it could have.
        FailureKind::PromotionFailed => {
            let mut failure = first.clone().fate(Fate::NotDone);
            failure.message.push_str("; no promotion appeared");
            return failure;
        }
        FailureKind::FateUnknown => found.clone(),
        _ => Failure::new(FailureKind::FateUnknown, found.message.clone())
            .hint("look for it on Semaphore, then say so with `runner resolve`"),
    };
    failure.fate = Fate::Unknown;
    failure.status = first.status;
    failure.message = format!(
        "whether the promotion was triggered is not known: {}; {}",
        first.message, failure.message
    );
    failure
}

/// A refusal, with what can be done about it.
fn refused(failure: &Failure) -> Failure {
    let mut failure = failure.clone();
    if failure.hint.is_none() && failure.message.contains("deployment target failed") {
        failure.hint = Some(
            "its deployment target decides what may be promoted, when and by whom: look at it on Semaphore"
                .to_owned(),
        );
    }
    failure
}

/// A time of an answer.
fn time(value: &Value, name: &str) -> Option<Timestamp> {
    text(value, name).parse().ok()
}
