//! Finding the pipeline that a promotion starts.
//!
//! The answer to a trigger holds no id. Its event shows in the list of promotions, at first without a
//! pipeline, then with one; or it fails; or, with a deployment target that refuses late, it never shows.
//! A rule or a colleague may trigger the same promotion at the same moment. So ours must be new, of a
//! person, in the time that the server's own clock gives our trigger, and its pipeline must have our
//! parent and our parameters; and it must still be the only such event when any other of that time would
//! show too. What is not so certain is not taken over: it is told to a person.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::dispatch::{Inner, answer};
use super::failures::of_error;
use super::patience::{Patience, Teller};
use crate::engine::call::{SoughtEvent, promotion_event_key};
use crate::event::{Answer, Candidate, Failure, FailureKind, Fate};
use crate::ids::Id;
use crate::semaphore::Listing;
use crate::semaphore::wire::{PromotionEvent, PromotionStatus};

const LOOK_FIRST: Duration = Duration::from_secs(1);
const LOOK_RARELY: Duration = Duration::from_secs(5);
const EVENTS_MAX: usize = 500;
/// By how much the server's clocks, and a stamp that is cut to whole seconds, may differ.
const SLACK: Duration = Duration::from_secs(2);
/// How long to watch for a second event when the server does not say its time.
const SECOND_WITHIN: Duration = Duration::from_secs(5);

/// What a promotion is looked for.
pub(super) struct Sought<'a> {
    pub(super) pipeline: &'a Id,
    pub(super) name: &'a str,
    pub(super) event: &'a SoughtEvent,
}

/// What one look at the events leaves to do.
enum Look {
    /// It is this one.
    Found(Box<Answer>),
    /// Nothing can be said yet; in words.
    Wait(&'static str),
    /// Several could be ours, and nothing tells them apart.
    Several(Vec<Candidate>),
}

/// What was learnt of the events so far.
#[derive(Default)]
struct Learnt {
    /// Pipelines that are certainly not ours, by the key of their event.
    foreign: Vec<String>,
    /// When (on the run's clock) an event was first the only one that can be ours.
    alone_since: BTreeMap<String, Duration>,
    /// New events of people that are not in our time.
    strangers: Vec<Candidate>,
    /// The server's time at the first look, which came after our trigger was answered.
    first_look: Option<Timestamp>,
}

impl Inner {
    /// Waits until the event that is sought has its pipeline, or has failed. What counts towards `within`
    /// is the time in which the list could be seen: while it cannot, nothing has failed to show.
    pub(super) async fn await_promotion(
        &self,
        sought: Sought<'_>,
        within: Duration,
        remaining: Duration,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let what = "the pipeline of the promotion did not show";
        let mut patience = Patience::new(self, what, remaining);
        let mut unseen = Duration::ZERO;
        let mut seen_at = self.clock.elapsed();
        let mut learnt = Learnt::default();
        let mut pause = LOOK_FIRST;
        loop {
            let look = self.look_at_events(&sought, &mut learnt);
            match patience.look(self, look).await {
                Ok(Ok(Look::Found(found))) => return Ok(*found),
                Ok(Ok(Look::Several(candidates))) => return Err(several(sought.name, candidates)),
                Ok(Ok(Look::Wait(last))) => {
                    let now = self.clock.elapsed();
                    if patience.trouble().is_some() {
                        unseen += now.saturating_sub(seen_at);
                    }
                    seen_at = now;
                    patience.seeing();
                    patience.last = last.to_owned();
                    if patience.waited(self).saturating_sub(unseen) >= within {
                        return Err(never_showed(sought.name, &patience.last, learnt));
                    }
                }
                Ok(Err(failure)) => patience.blind(self, failure, teller)?,
                Err(late) => return Err(late),
            }
            patience.pause(self, pause).await?;
            pause = (pause * 2).min(LOOK_RARELY);
        }
    }

    async fn look_at_events(
        &self,
        sought: &Sought<'_>,
        learnt: &mut Learnt,
    ) -> Result<Look, Failure> {
        let listing = self
            .client
            .list_promotions(sought.pipeline, Some(sought.name), EVENTS_MAX)
            .await
            .map_err(of_error)?;
        self.contact();
        let of_name = |event: &&PromotionEvent| event.name == sought.name;
        match sought.event {
            SoughtEvent::Known(key) => {
                let mut events = listing.items.iter().filter(of_name);
                // Of those that look alike the oldest: it was there when it was chosen.
                let known = events.rfind(|event| key_of(event) == *key);
                Ok(match known {
                    Some(event) => self.settled(event, &listing),
                    None => Look::Wait("its event is not in the list"),
                })
            }
            SoughtEvent::Ours {
                before,
                not_before,
                not_after,
                answered,
                parameters,
            } => {
                let events: Vec<&PromotionEvent> = listing.items.iter().filter(of_name).collect();
                learnt.first_look = learnt.first_look.or(listing.server_date);
                let seen = learnt.first_look.filter(|_| *answered);
                let window = Window {
                    from: *not_before,
                    to: not_after.or(seen),
                    answered: *answered,
                };
                let (inside, outside): (Vec<_>, Vec<_>) = newcomers(&events, before)
                    .into_iter()
                    .partition(|event| window.holds(event));
                learnt.strangers = outside.into_iter().map(candidate).collect();
                self.choose(sought, (inside, parameters, &window), learnt, &listing)
                    .await
            }
        }
    }

    /// Which of the events that can be ours it is.
    async fn choose(
        &self,
        sought: &Sought<'_>,
        (inside, parameters, window): (Vec<&PromotionEvent>, &IndexMap<String, String>, &Window),
        learnt: &mut Learnt,
        listing: &Listing<PromotionEvent>,
    ) -> Result<Look, Failure> {
        let mut possible = Vec::new();
        for event in inside {
            let key = key_of(event);
            if learnt.foreign.contains(&key) {
                continue;
            }
            if self.is_foreign(sought.pipeline, event, parameters).await? {
                learnt.foreign.push(key);
            } else {
                possible.push(event);
            }
        }
        match possible.as_slice() {
            [] => Ok(Look::Wait("")),
            [only] => {
                let now = self.clock.elapsed();
                let since = *learnt.alone_since.entry(key_of(only)).or_insert(now);
                if now.saturating_sub(since) < window.second_within(only) {
                    return Ok(Look::Wait("its event, while another one may still show"));
                }
                Ok(match self.settled(only, listing) {
                    // Nobody answered our trigger: that a promotion is there now does not make it ours.
                    Look::Found(_) if !window.answered => Look::Several(vec![candidate(only)]),
                    other => other,
                })
            }
            several if several.iter().all(|event| is_settled(event)) => Ok(Look::Several(
                several.iter().map(|event| candidate(event)).collect(),
            )),
            _ => Ok(Look::Wait("several events without a pipeline")),
        }
    }

    /// Whether the pipeline of an event shows that it is not ours.
    async fn is_foreign(
        &self,
        parent: &Id,
        event: &PromotionEvent,
        parameters: &IndexMap<String, String>,
    ) -> Result<bool, Failure> {
        let Some(child) = &event.scheduled_pipeline_id else {
            return Ok(false);
        };
        let described = self.client.describe_pipeline(child, false).await;
        let child = described.map_err(of_error)?.value.pipeline;
        let other_parent = child.promotion_of.is_some_and(|of| of != *parent);
        let other_parameters = parameters.iter().any(|(name, value)| {
            let shown = child.env_vars.value(name);
            shown.is_some_and(|shown| shown != value)
        });
        Ok(other_parent || other_parameters)
    }

    fn settled(&self, event: &PromotionEvent, listing: &Listing<PromotionEvent>) -> Look {
        if !is_settled(event) {
            return Look::Wait("its event without a pipeline");
        }
        let value = json!({
            "pipeline_id": event.scheduled_pipeline_id, "triggered_by": event.triggered_by,
            "status": event.status.as_str(),
        });
        Look::Found(Box::new(answer(value, listing.response.clone())))
    }
}

/// Between which times of the server our trigger was.
struct Window {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    /// Whether the server said yes to it.
    answered: bool,
}

impl Window {
    fn holds(&self, event: &PromotionEvent) -> bool {
        let Some(at) = event.triggered_at else {
            return true;
        };
        let early = self.from.is_some_and(|from| gap(at, from) > SLACK);
        let late = self.to.is_some_and(|to| gap(to, at) > SLACK);
        !early && !late
    }

    /// For how long after this event is seen another one of the same time may show: lists lag for all
    /// events alike.
    fn second_within(&self, event: &PromotionEvent) -> Duration {
        match (event.triggered_at, self.to) {
            (Some(at), Some(to)) => (gap(at, to) + SLACK).min(SECOND_WITHIN),
            _ => SECOND_WITHIN,
        }
    }
}

/// How much later `to` is than `from`; nothing when it is earlier.
fn gap(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn is_settled(event: &PromotionEvent) -> bool {
    event.scheduled_pipeline_id.is_some() || event.status == PromotionStatus::Failed
}

fn key_of(event: &PromotionEvent) -> String {
    promotion_event_key(&event.to_value())
}

/// The events of people that were not there before. Events that look alike are counted.
fn newcomers<'a>(events: &[&'a PromotionEvent], before: &[String]) -> Vec<&'a PromotionEvent> {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for key in before {
        *left.entry(key).or_default() += 1;
    }
    let mut new: Vec<&PromotionEvent> = Vec::new();
    // The list has the newest first, and what was there before is older.
    for event in events.iter().rev() {
        match left.get_mut(key_of(event).as_str()) {
            Some(count) if *count > 0 => *count -= 1,
            Some(_) | None => new.push(event),
        }
    }
    new.retain(|event| !event.is_auto());
    new
}

fn candidate(event: &PromotionEvent) -> Candidate {
    let at = event
        .triggered_at
        .map_or_else(|| "at an unknown time".to_owned(), |at| format!("at {at}"));
    let by = crate::text::clean_line(&event.triggered_by, 80);
    let id = match &event.scheduled_pipeline_id {
        Some(id) => id.to_string(),
        None => key_of(event),
    };
    Candidate {
        id,
        about: format!("promotion triggered by {by} {at}"),
    }
}

fn several(name: &str, candidates: Vec<Candidate>) -> Failure {
    let words = if candidates.len() == 1 {
        format!("the promotion `{name}` shows an event that may be ours, but nothing proves it")
    } else {
        format!(
            "the promotion `{name}` was triggered more than once at the same moment, and nothing tells which is ours"
        )
    };
    let mut failure = Failure::new(FailureKind::FateUnknown, words)
        .hint("one of the candidates may be it: look at them on Semaphore, then say so with `runner resolve`")
        .fate(Fate::Unknown);
    failure.candidates = candidates;
    failure
}

fn never_showed(name: &str, last: &str, learnt: Learnt) -> Failure {
    if !learnt.strangers.is_empty() {
        return several(name, learnt.strangers);
    }
    let mut words = format!("the promotion `{name}` did not show its pipeline");
    if !last.is_empty() {
        words.push_str(": last seen ");
        words.push_str(last);
    }
    Failure::new(FailureKind::PromotionFailed, words).hint(
        "a deployment target may have refused it, or its queue is full: look at the promotion on Semaphore",
    )
}

/// The JSON of an event, with the name that ids of pipelines have everywhere.
pub(super) fn event_value(event: &PromotionEvent) -> Value {
    let mut value = event.to_value();
    if let Some(fields) = value.as_object_mut() {
        let id = fields.remove("scheduled_pipeline_id");
        fields.insert("pipeline_id".to_owned(), id.unwrap_or(Value::Null));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(by: &str, second: i64) -> PromotionEvent {
        PromotionEvent::parse(&json!({
            "name": "Production", "triggered_by": by, "status": "processing",
            "triggered_at": {"seconds": second, "nanos": 0}, "override": false,
        }))
        .unwrap()
    }

    #[test]
    fn what_was_there_or_came_by_a_rule_is_never_ours() {
        let (old, ours, auto) = (
            event("u1", 100),
            event("u1", 200),
            event("Pipeline Done request", 200),
        );
        let list = [&auto, &ours, &old];
        assert_eq!(newcomers(&list, &[key_of(&old)]), [&ours]);
        // Two that look alike: the one that was there counts once.
        let twin = event("u1", 100);
        assert_eq!(newcomers(&[&twin, &old], &[key_of(&old)]).len(), 1);
        assert_eq!(newcomers(&[&old], &[key_of(&old)]).len(), 0);
    }

    #[test]
    fn ours_is_in_the_time_of_our_trigger() {
        let at = |second| Timestamp::from_second(second).ok();
        let window = Window {
            from: at(100),
            to: at(101),
            answered: true,
        };
        for (second, inside) in [(97, false), (98, true), (103, true), (104, false)] {
            assert_eq!(window.holds(&event("u", second)), inside, "{second}");
        }
        let open = Window {
            from: at(100),
            to: None,
            answered: false,
        };
        assert!(open.holds(&event("u", 9_000)) && !open.holds(&event("u", 10)));
        assert_eq!(
            window.second_within(&event("u", 100)),
            Duration::from_secs(3)
        );
        assert_eq!(
            window.second_within(&event("u", 103)),
            Duration::from_secs(2)
        );
    }
}
