//! Promotions: what refuses a trigger, how an event becomes a pipeline, and the ones that start by
//! themselves.
//!
//! The switch of a pipeline learns its result a while after its end. Until then a trigger without
//! `override` is refused although the pipeline has passed: the race every client has to live with.

use std::sync::Arc;

use crate::simulator::acts::{Done, Origin};
use crate::simulator::scenario::{Cue, EventFate, Promotion, Verdict};

use super::agenda::Due;
use super::creation::NewPipeline;
use super::places::Place;
use super::records::{Pipeline, PipelineCause, PromotionEvent};
use super::store::State;

/// A trigger to be.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) name: String,
    pub(crate) overriding: bool,
    /// Parameters, or nothing when one of them was no text.
    pub(crate) parameters: Option<Vec<(String, String)>>,
    pub(crate) request_token: Option<String>,
    pub(crate) origin: Origin,
}

/// Why a trigger is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PromoteRefusal {
    /// The pipeline has no promotions, or is not initialized yet.
    NoSwitch,
    /// It has none of this name; the id of the switch.
    NoTarget(String),
    /// The pipeline is not known to have passed.
    NotPassed,
    /// A parameter is missing, unknown, or has a value that is not allowed.
    BadParameter,
    /// The deployment target refuses, and why.
    DeploymentTarget(String),
}

impl State {
    /// Records a trigger of a promotion. The same token again changes nothing.
    pub(crate) fn promote(
        &mut self,
        p: Place<Pipeline>,
        trigger: Trigger,
    ) -> Result<(), PromoteRefusal> {
        let pipeline = &self.pipelines[p];
        let (Some(switch), Some(plan)) = (&pipeline.switch, pipeline.plan.clone()) else {
            return Err(PromoteRefusal::NoSwitch);
        };
        let found = plan
            .promotions
            .iter()
            .enumerate()
            .find(|(_, promotion)| promotion.name == trigger.name);
        let Some((number, promotion)) = found else {
            return Err(PromoteRefusal::NoTarget(switch.id.clone()));
        };
        let known_passed = switch.told && pipeline.has_passed();
        if !known_passed && !trigger.overriding {
            return Err(PromoteRefusal::NotPassed);
        }
        let known_token = trigger
            .request_token
            .as_ref()
            .is_some_and(|token| self.promotion_tokens.contains(token));
        if known_token {
            return Ok(());
        }
        let parameters = complete(promotion, trigger.parameters.as_deref())?;
        if let Some(why) = &promotion.deployment_target {
            return Err(PromoteRefusal::DeploymentTarget(why.clone()));
        }
        if let Some(token) = &trigger.request_token {
            self.promotion_tokens.insert(token.clone());
        }
        let deed = Done::Promote {
            pipeline_id: pipeline.id.clone(),
            name: trigger.name,
            overriding: trigger.overriding,
        };
        let asked = trigger.parameters.unwrap_or_default();
        let by_api = matches!(trigger.origin, Origin::Api { .. });
        let user = trigger.origin.user().to_owned();
        self.record(
            trigger.origin,
            deed,
            trigger.request_token.as_deref(),
            &asked,
        );
        self.add_event(
            p,
            promotion,
            PromotionEvent {
                promotion: number,
                triggered_by: user,
                triggered_at: self.now,
                overriding: trigger.overriding,
                auto: false,
                parameters,
                settled: None,
                hidden: promotion.event == EventFate::Vanishes,
            },
        );
        if by_api {
            self.cue(Cue::Promotion);
        }
        Ok(())
    }

    fn add_event(&mut self, p: Place<Pipeline>, promotion: &Promotion, event: PromotionEvent) {
        let Some(switch) = &mut self.pipelines[p].switch else {
            return;
        };
        let number = switch.events.len();
        let hidden = event.hidden;
        switch.events.push(event);
        if !hidden {
            self.schedule(promotion.schedule.0, Due::Settled(p, number));
        }
    }

    /// The promotions of a pipeline learn how it ended; some start by themselves.
    pub(super) fn told(&mut self, p: Place<Pipeline>) {
        let Some(switch) = &mut self.pipelines[p].switch else {
            return;
        };
        switch.told = true;
        let Some((result, _)) = self.pipelines[p].ending else {
            return;
        };
        let Some(plan) = self.pipelines[p].plan.clone() else {
            return;
        };
        for (number, promotion) in plan.promotions.iter().enumerate() {
            let Ok(parameters) = complete(promotion, Some(&[])) else {
                continue;
            };
            if !promotion.auto.contains(&result) {
                continue;
            }
            let deed = Done::Promote {
                pipeline_id: self.pipelines[p].id.clone(),
                name: promotion.name.clone(),
                overriding: false,
            };
            self.record(Origin::Server, deed, None, &[]);
            self.add_event(
                p,
                promotion,
                PromotionEvent {
                    promotion: number,
                    triggered_by: "Pipeline Done request".to_owned(),
                    triggered_at: self.now,
                    overriding: false,
                    auto: true,
                    parameters,
                    settled: None,
                    hidden: promotion.event == EventFate::Vanishes,
                },
            );
        }
    }

    /// The event of a promotion is settled: its pipeline is made, or cannot be made.
    pub(super) fn settled(&mut self, p: Place<Pipeline>, number: usize) {
        let pipeline = &self.pipelines[p];
        let (workflow, project) = (pipeline.workflow, pipeline.project);
        let Some(plan) = pipeline.plan.as_ref().map(Arc::clone) else {
            return;
        };
        let events = pipeline.switch.as_ref().map(|s| s.events.as_slice());
        let Some(event) = events.and_then(|e| e.get(number)).cloned() else {
            return;
        };
        let Some(promotion) = plan.promotions.get(event.promotion) else {
            return;
        };
        let branch = self.workflows[workflow].branch_name.clone();
        let room = self.queue_with_room(project, &branch, &promotion.pipeline_file);
        let child = match room {
            Ok(queue) if promotion.event == EventFate::Passes => {
                Some(self.start_pipeline(NewPipeline {
                    workflow,
                    queue,
                    file: promotion.pipeline_file.clone(),
                    env_vars: event.parameters,
                    cause: if event.auto {
                        PipelineCause::AutoPromotion
                    } else {
                        PipelineCause::Promotion
                    },
                    user: if event.auto {
                        String::new()
                    } else {
                        event.triggered_by
                    },
                    promotion_of: Some(p),
                    partial_rerun_of: None,
                }))
            }
            Ok(_) | Err(_) => None,
        };
        let now = self.now;
        if let Some(switch) = &mut self.pipelines[p].switch
            && let Some(event) = switch.events.get_mut(number)
        {
            event.settled = Some((now, child));
        }
    }

    /// Whether a pipeline has a promotion of this name that would be taken now.
    pub(super) fn could_promote(&self, p: Place<Pipeline>, name: &str, overriding: bool) -> bool {
        let pipeline = &self.pipelines[p];
        let named = pipeline
            .plan
            .as_ref()
            .is_some_and(|plan| plan.promotions.iter().any(|x| x.name == name));
        let told = pipeline.switch.as_ref().is_some_and(|s| s.told);
        named && (overriding || (told && matches!(pipeline.ending, Some((Verdict::Passed, _)))))
    }
}

/// The parameters with their defaults, when they are allowed.
fn complete(
    promotion: &Promotion,
    given: Option<&[(String, String)]>,
) -> Result<Vec<(String, String)>, PromoteRefusal> {
    let given = given.ok_or(PromoteRefusal::BadParameter)?;
    let unknown = given
        .iter()
        .any(|(name, _)| promotion.parameters.iter().all(|p| p.name != *name));
    if unknown {
        return Err(PromoteRefusal::BadParameter);
    }
    let mut all = Vec::new();
    for parameter in &promotion.parameters {
        let value = given
            .iter()
            .find(|(name, _)| *name == parameter.name)
            .map(|(_, value)| value)
            .or(parameter.default.as_ref());
        match value {
            Some(value) => {
                let allowed = parameter.options.is_empty()
                    || parameter.options.contains(value)
                    || parameter.default.as_ref() == Some(value);
                if !allowed {
                    return Err(PromoteRefusal::BadParameter);
                }
                all.push((parameter.name.clone(), value.clone()));
            }
            None if parameter.required => return Err(PromoteRefusal::BadParameter),
            None => {}
        }
    }
    Ok(all)
}
