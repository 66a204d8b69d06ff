//! Finding the pipeline that a promotion starts.
//!
//! The answer to a trigger holds no id. Its event shows in the list of promotions, at first without a
//! pipeline, then with one; or it fails; or, with a deployment target that refuses late, it never shows.

use std::time::Duration;

use serde_json::json;

use super::dispatch::{Inner, answer};
use super::failures::{of_error, out_of_time};
use super::watch::Teller;
use crate::engine::call::promotion_event_key;
use crate::event::{Answer, Failure, FailureKind, Observation, Seen};
use crate::ids::Id;
use crate::semaphore::wire::{PromotionEvent, PromotionStatus};

const LOOK_FIRST: Duration = Duration::from_secs(1);
const LOOK_RARELY: Duration = Duration::from_secs(5);
const EVENTS_MAX: usize = 500;

impl Inner {
    /// Waits until an event that was not known has its pipeline, or has failed.
    pub(super) async fn await_promotion(
        &self,
        pipeline: &Id,
        (name, known): (&str, &[String]),
        within: Duration,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let began = self.clock.elapsed();
        let mut pause = LOOK_FIRST;
        let mut last = "";
        loop {
            let mut trouble: Option<Failure> = None;
            match self
                .client
                .list_promotions(pipeline, Some(name), EVENTS_MAX)
                .await
                .map_err(of_error)
            {
                Ok(listing) => {
                    let ours = newcomer(&listing.items, name, known);
                    if let Some(event) = ours {
                        last = "its event without a pipeline";
                        if let Some(found) = self.scheduled(event, listing.response.clone()) {
                            return Ok(found);
                        }
                    }
                }
                Err(failure) if failure.kind == FailureKind::Unauthorized => return Err(failure),
                Err(failure) => {
                    let seen = Seen::Trouble {
                        message: failure.message.clone(),
                    };
                    (teller.observe)(Observation {
                        step: teller.step.to_owned(),
                        at: self.clock.now(),
                        seen,
                    });
                    trouble = Some(failure);
                }
            }
            let waited = self.clock.elapsed().saturating_sub(began);
            let left = within.saturating_sub(waited);
            if left.is_zero() {
                let trouble = trouble.as_ref().map(|failure| failure.message.as_str());
                let what = format!("the promotion `{name}` did not show its pipeline");
                return Err(out_of_time(&what, last, trouble, waited).hint(
                    "a deployment target may have refused it, or its queue is full: look at the promotion on Semaphore",
                ));
            }
            self.clock.sleep(pause.min(left)).await;
            pause = (pause * 2).min(LOOK_RARELY);
        }
    }

    fn scheduled(&self, event: &PromotionEvent, response: serde_json::Value) -> Option<Answer> {
        let failed = event.status == PromotionStatus::Failed;
        if event.scheduled_pipeline_id.is_none() && !failed {
            return None;
        }
        let value = json!({
            "pipeline_id": event.scheduled_pipeline_id, "triggered_by": event.triggered_by,
            "status": event.status.as_str(),
        });
        Some(answer(value, response))
    }
}

/// The event that was not there before: the earliest of them, and one of a person before one of a rule,
/// for ours was triggered by a person's token.
fn newcomer<'a>(
    events: &'a [PromotionEvent],
    name: &str,
    known: &[String],
) -> Option<&'a PromotionEvent> {
    let new = || {
        events
            .iter()
            .filter(|event| event.name == name)
            .filter(|event| !known.contains(&promotion_event_key(&event.to_value())))
    };
    new()
        .filter(|event| !event.is_auto())
        .next_back()
        .or_else(|| new().next_back())
}
