//! What other people of the scenario do.

use crate::simulator::acts::{Done, Origin};
use crate::simulator::scenario::{Cue, Deed, Promote, Start};

use super::agenda::Due;
use super::creation::NewWorkflow;
use super::places::Place;
use super::promotions::Trigger;
use super::records::{Pipeline, Workflow, WorkflowCause};
use super::store::State;

impl State {
    /// Puts the visits that do not wait for anything on the agenda.
    pub(super) fn schedule_visits(&mut self) {
        let scenario = std::sync::Arc::clone(&self.scenario);
        for (number, visit) in scenario.people.iter().enumerate() {
            if visit.on.is_none() {
                self.schedule(visit.at.0, Due::Visit(number));
            }
        }
    }

    /// Something happened that visits may wait for; only its first time counts.
    pub(crate) fn cue(&mut self, cue: Cue) {
        if self.cues_seen.contains(&cue) {
            return;
        }
        self.cues_seen.push(cue);
        let scenario = std::sync::Arc::clone(&self.scenario);
        for (number, visit) in scenario.people.iter().enumerate() {
            if visit.on == Some(cue) {
                self.schedule(visit.at.0, Due::Visit(number));
            }
        }
    }

    /// Somebody does something. What is not possible is not done, as with real people.
    pub(super) fn visited(&mut self, number: usize) {
        let scenario = std::sync::Arc::clone(&self.scenario);
        let Some(visit) = scenario.people.get(number) else {
            return;
        };
        let origin = Origin::Person {
            user: visit.who.clone(),
        };
        match &visit.deed {
            Deed::Start(start) => self.visitor_starts(start, origin),
            Deed::Promote(promote) => self.visitor_promotes(promote, origin),
            Deed::Rerun(target) => {
                if let Some(workflow) = self.newest_workflow(&target.project) {
                    let token = self.new_id();
                    let _ = self.rerun(workflow, &token, origin);
                }
            }
            Deed::Rebuild(target) => {
                let broken = |p: &Pipeline| p.is_done() && !p.has_passed();
                if let Some(pipeline) = self.newest_pipeline(&target.project, broken) {
                    let token = self.new_id();
                    let _ = self.rebuild(pipeline, &token, origin);
                }
            }
            Deed::Stop(target) => {
                if let Some(workflow) = self.newest_workflow(&target.project) {
                    self.stop_workflow(workflow, origin);
                }
            }
            Deed::Push(push) => {
                if let Some(project) = self.project_by_name(&push.project) {
                    self.push(project, &push.reference, &push.commit);
                }
            }
        }
    }

    fn visitor_starts(&mut self, start: &Start, origin: Origin) {
        let Some(project) = self.project_by_name(&start.project) else {
            return;
        };
        let parameters: Vec<(String, String)> = start
            .parameters
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let started = self.start_workflow(NewWorkflow {
            project,
            reference: start.reference.clone(),
            commit_sha: start.commit_sha.clone(),
            file: start.pipeline_file.clone(),
            parameters: parameters.clone(),
            cause: WorkflowCause::Hook,
            requester: origin.user().to_owned(),
            rerun_of: String::new(),
        });
        if let Ok(started) = started {
            let deed = Done::RunWorkflow {
                project_id: self.project_id(project).to_owned(),
                reference: start.reference.clone(),
                pipeline_file: start.pipeline_file.clone(),
                workflow_id: self.workflows[started.workflow].id.clone(),
                pipeline_id: self.pipelines[started.pipeline].id.clone(),
            };
            self.record(origin, deed, None, &parameters);
        }
    }

    fn visitor_promotes(&mut self, promote: &Promote, origin: Origin) {
        let Some(project) = self.project_by_name(&promote.project) else {
            return;
        };
        let candidates = self.of_project(project).map(|of| of.pipelines.clone());
        let found = candidates
            .unwrap_or_default()
            .into_iter()
            .rev()
            .find(|p| self.could_promote(*p, &promote.name, promote.overriding));
        let Some(pipeline) = found else {
            return;
        };
        let parameters = promote
            .parameters
            .iter()
            .map(|(k, v)| (k.clone(), v.clone()));
        let trigger = Trigger {
            name: promote.name.clone(),
            overriding: promote.overriding,
            parameters: Some(parameters.collect()),
            request_token: None,
            origin,
        };
        let _ = self.promote(pipeline, trigger);
    }

    fn newest_workflow(&self, project: &str) -> Option<Place<Workflow>> {
        let project = self.project_by_name(project)?;
        self.of_project(project)?.workflows.last().copied()
    }

    fn newest_pipeline(
        &self,
        project: &str,
        wanted: impl Fn(&Pipeline) -> bool,
    ) -> Option<Place<Pipeline>> {
        let project = self.project_by_name(project)?;
        let all = &self.of_project(project)?.pipelines;
        all.iter()
            .rev()
            .copied()
            .find(|p| wanted(&self.pipelines[*p]))
    }
}
