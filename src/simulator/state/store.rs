//! The whole state, how things in it are found, and how time goes on.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;
use crate::simulator::acts::{Act, Done, Origin};
use crate::simulator::http::Request;
use crate::simulator::scenario::{Cue, Scenario};

use super::agenda::{Agenda, Due};
use super::places::{Place, Records};
use super::records::{Job, Pipeline, Queue, Workflow};

/// A queue holds as many pipelines as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueIsFull;

/// What a project has, in the order it was made.
#[derive(Debug, Clone, Default)]
pub(crate) struct OfProject {
    pub(crate) workflows: Vec<Place<Workflow>>,
    pub(crate) pipelines: Vec<Place<Pipeline>>,
}

/// Project, reference or branch, and file: what queues and runs are counted by.
pub(super) type Lane = (usize, String, String);

/// The whole state.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) scenario: Arc<Scenario>,
    seed: String,
    ids_made: u64,
    start: Timestamp,
    pub(super) now: Timestamp,
    pub(super) agenda: Agenda,
    pub(crate) workflows: Records<Workflow>,
    workflow_by_id: HashMap<String, Place<Workflow>>,
    pub(crate) pipelines: Records<Pipeline>,
    pipeline_by_id: HashMap<String, Place<Pipeline>>,
    pub(crate) jobs: Records<Job>,
    job_by_id: HashMap<String, Place<Job>>,
    pub(crate) queues: Records<Queue>,
    pub(super) queue_by_lane: HashMap<Lane, Place<Queue>>,
    pub(super) runs_by_lane: HashMap<Lane, usize>,
    by_project: Vec<OfProject>,
    pub(super) project_ids: Vec<String>,
    pub(super) request_tokens: HashMap<String, (Place<Workflow>, Place<Pipeline>)>,
    pub(super) promotion_tokens: HashSet<String>,
    /// Commits that were pushed: project and reference to its tip.
    pub(super) tips: HashMap<(usize, String), String>,
    pub(super) cues_seen: Vec<Cue>,
    acts: Vec<Act>,
}

impl State {
    /// The state at the start.
    pub(crate) fn new(scenario: Arc<Scenario>, seed: u64, start: Timestamp) -> Self {
        let mut state = Self {
            by_project: vec![OfProject::default(); scenario.projects.len()],
            project_ids: Vec::new(),
            scenario,
            seed: seed.to_string(),
            ids_made: 0,
            start,
            now: start,
            agenda: Agenda::default(),
            workflows: Records::default(),
            workflow_by_id: HashMap::new(),
            pipelines: Records::default(),
            pipeline_by_id: HashMap::new(),
            jobs: Records::default(),
            job_by_id: HashMap::new(),
            queues: Records::default(),
            queue_by_lane: HashMap::new(),
            runs_by_lane: HashMap::new(),
            request_tokens: HashMap::new(),
            promotion_tokens: HashSet::new(),
            tips: HashMap::new(),
            cues_seen: Vec::new(),
            acts: Vec::new(),
        };
        state.project_ids = state.ids_of_projects();
        state.schedule_visits();
        state
    }

    /// The time of the state.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// When it began.
    pub(crate) fn started_at(&self) -> Timestamp {
        self.start
    }

    /// Carries out what is due up to `now`, until a late request has to be acted on: then it stops
    /// and gives that request. `None` says that the state is the one of `now`.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Option<Request> {
        while let Some((at, due)) = self.agenda.take_due(now) {
            self.now = at.max(self.now);
            match due {
                Due::Initialized(p) => self.initialized(p),
                Due::Queuing(p) => self.queuing(p),
                Due::Ready(p) => self.ready(p),
                Due::JobStarts(j) => self.job_starts(j),
                Due::JobEnds(j) => self.job_ends(j),
                Due::StopNoticed(p) => self.stop_noticed(p),
                Due::JobStopNoticed(j) => self.job_stop_noticed(j),
                Due::ForcedEnd(p) => self.forced_end(p),
                Due::Told(p) => self.told(p),
                Due::Settled(p, event) => self.settled(p, event),
                Due::Visit(number) => self.visited(number),
                Due::Late(request) => return Some(*request),
            }
        }
        self.now = now.max(self.now);
        None
    }

    /// When the next thing happens by itself.
    pub(crate) fn next_change(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    /// Puts something on the agenda, so much later than now.
    pub(super) fn schedule(&mut self, after: Duration, due: Due) {
        let at = later(self.now, after);
        self.agenda.add(at, due);
    }

    /// A request that is acted on later, when its answer is long gone.
    pub(crate) fn schedule_late(&mut self, after: Duration, request: Request) {
        self.schedule(after, Due::Late(Box::new(request)));
    }

    /// A new id; never the same twice.
    pub(super) fn new_id(&mut self) -> String {
        self.ids_made += 1;
        crate::ids::derived_uuid(&["simulator", &self.seed, &self.ids_made.to_string()])
    }

    /// An id that belongs to these words.
    pub(crate) fn id_of(&self, words: &[&str]) -> String {
        let mut all = vec!["simulator", self.seed.as_str(), "fixed"];
        all.extend(words);
        crate::ids::derived_uuid(&all)
    }

    /// A number that belongs to these words, evenly spread.
    pub(crate) fn chance(&self, words: &[&str]) -> u64 {
        let mut all = vec!["simulator", self.seed.as_str()];
        all.extend(words);
        crate::ids::derived_number(&all)
    }

    pub(super) fn add_workflow(&mut self, workflow: Workflow) -> Place<Workflow> {
        let (id, project) = (workflow.id.clone(), workflow.project);
        let place = self.workflows.add(workflow);
        self.workflow_by_id.insert(id, place);
        if let Some(of) = self.by_project.get_mut(project) {
            of.workflows.push(place);
        }
        place
    }

    pub(super) fn add_pipeline(&mut self, pipeline: Pipeline) -> Place<Pipeline> {
        let (id, project) = (pipeline.id.clone(), pipeline.project);
        let workflow = pipeline.workflow;
        let place = self.pipelines.add(pipeline);
        self.pipeline_by_id.insert(id, place);
        self.workflows[workflow].pipelines.push(place);
        if let Some(of) = self.by_project.get_mut(project) {
            of.pipelines.push(place);
        }
        place
    }

    pub(super) fn add_job(&mut self, job: Job) -> Place<Job> {
        let id = job.id.clone();
        let place = self.jobs.add(job);
        self.job_by_id.insert(id, place);
        place
    }

    /// The workflow with this id.
    pub(crate) fn workflow(&self, id: &str) -> Option<Place<Workflow>> {
        self.workflow_by_id.get(id).copied()
    }

    /// The pipeline with this id.
    pub(crate) fn pipeline(&self, id: &str) -> Option<Place<Pipeline>> {
        self.pipeline_by_id.get(id).copied()
    }

    /// The job with this id.
    pub(crate) fn job(&self, id: &str) -> Option<Place<Job>> {
        self.job_by_id.get(id).copied()
    }

    /// What a project has.
    pub(crate) fn of_project(&self, project: usize) -> Option<&OfProject> {
        self.by_project.get(project)
    }

    /// All jobs, in the order they were made.
    pub(crate) fn all_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// When a task was run, and the workflows that came of it; newest first.
    pub(crate) fn task_runs(&self, task: &str) -> impl Iterator<Item = (Timestamp, &str)> {
        self.acts
            .iter()
            .rev()
            .filter_map(move |act| match &act.deed {
                Done::RunTask {
                    task_id,
                    workflow_id,
                } if task_id == task => Some((act.at, workflow_id.as_str())),
                _ => None,
            })
    }

    /// All that was done.
    pub(crate) fn acts(&self) -> &[Act] {
        &self.acts
    }

    /// Marks what was done after the first `from` acts: the one who asked does not know.
    pub(crate) fn answers_lost(&mut self, from: usize) {
        for act in self.acts.iter_mut().skip(from) {
            act.answer_lost = true;
        }
    }

    /// Writes down what was done.
    pub(crate) fn record(
        &mut self,
        origin: Origin,
        deed: Done,
        request_token: Option<&str>,
        parameters: &[(String, String)],
    ) {
        self.acts.push(Act {
            at: self.now,
            origin,
            deed,
            request_token: request_token.map(str::to_owned),
            parameters: parameters.to_vec(),
            answer_lost: false,
        });
    }
}
