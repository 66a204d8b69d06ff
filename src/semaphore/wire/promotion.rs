//! Events of promotions: each is one press of the button, not a promotion of the pipeline file.
//!
//! Duty: to read what the list says. Invariant: a status of `passed` means only that the promoted
//! pipeline was made. It must not find out which event is ours: that is the effects' work.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{Fields, Odd};
use super::time;
use super::words::PromotionStatus;
use crate::ids::Id;

/// What `triggered_by` says of a promotion that a rule triggered.
pub const AUTO_PROMOTION: &str = "Pipeline Done request";

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromotionEvent {
    /// The name of the promotion.
    pub name: String,
    /// The user, or a sentence when it was a rule.
    pub triggered_by: String,
    /// When.
    pub triggered_at: Option<Timestamp>,
    /// Whether its pipeline was made.
    pub status: PromotionStatus,
    /// When it was made.
    pub scheduled_at: Option<Timestamp>,
    /// The promoted pipeline, once it was made.
    pub scheduled_pipeline_id: Option<Id>,
    /// Whether the pipeline was promoted though it had not passed.
    pub r#override: bool,
}

impl PromotionEvent {
    /// Reads an event.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("promotion event", value)?;
        Ok(Self {
            name: f.text("name")?,
            triggered_by: f.text_or_number("triggered_by")?,
            triggered_at: f.time("triggered_at")?,
            status: f.required_word(&["status"])?,
            scheduled_at: f.time("scheduled_at")?,
            scheduled_pipeline_id: f.id(&["scheduled_pipeline_id"])?,
            r#override: f.flag("override")?,
        })
    }

    /// Whether a rule triggered it.
    pub fn is_auto(&self) -> bool {
        self.triggered_by == AUTO_PROMOTION
    }

    /// What tells it from most others: events have no id.
    pub(in crate::semaphore) fn looks(&self) -> String {
        let at = self.triggered_at.map(|at| at.to_string());
        format!(
            "{}|{}|{}",
            self.name,
            self.triggered_by,
            at.unwrap_or_default()
        )
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({
            "name": self.name,
            "triggered_by": self.triggered_by,
            "triggered_at": time::to_value(self.triggered_at),
            "status": self.status.as_str(),
            "scheduled_at": time::to_value(self.scheduled_at),
            "scheduled_pipeline_id": self.scheduled_pipeline_id,
            "override": self.r#override,
        })
    }
}
