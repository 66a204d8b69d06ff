//! The machine: facts in, commands and events out.
//!
//! It owns the state of a run and is the only thing that changes it. It is pure: the same plan, inputs
//! and facts give the same commands and events. How the run moves through its stages stands in `stages.rs`, what
//! a single step does next in `moves.rs`, what becomes of its calls in `calling.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actions::Input;
use super::approval::Answers;
use super::call::Call;
use super::ending::Stop;
use super::frame::Frame;
use super::rounds::Unsettled;
use super::run_info::{RunInfo, StartError, run_timeout, run_value};
use super::schedule::Schedule;
use super::scope::Shared;
use super::seam::{Cmd, Due, Ev, Turn};
use super::step::{Ended, Node, Outstanding, State};
use super::stopping::{Started, Stopping};
use crate::clock::{Moment, later};
use crate::duration;
use crate::event::{Event, Resolution, RunCreated, StepEnded, StepInfo};
use crate::outcome::StepOutcome;
use crate::plan::{BoundInputs, Phase, Plan, PlanStep};
use crate::secret::{MASK, Redactor};
use crate::template::{Data, Scope};

pub(super) const RUN_DEADLINE: &str = "run-deadline";
pub(super) const FINALLY_DEADLINE: &str = "finally-deadline";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The concurrency group is not held yet.
    Gate,
    Main,
    /// What a canceled run started is being stopped.
    Stopping,
    /// What was done is taken back.
    Undo,
    Finally,
    Ended,
}

/// A run.
pub struct Machine {
    pub(super) run: RunInfo,
    pub(super) inputs: BoundInputs,
    /// The run's own playbook.
    pub(super) root: Frame,
    /// The playbooks that steps use, each as often as it is used.
    pub(super) used: Vec<Frame>,
    pub(super) nodes: Vec<Node>,
    /// How many nodes there were when the main phase had ended: those behind it are made anew each round.
    pub(super) main_nodes: Option<usize>,
    /// Where each step stands among the nodes.
    pub(super) by_id: BTreeMap<String, usize>,
    pub(super) schedule: Schedule,
    /// Steps with parts that something happened to.
    pub(super) touched: BTreeSet<usize>,
    pub(super) stage: Stage,
    /// How many steps of the stage have not ended.
    pub(super) open: usize,
    pub(super) undo_stop: Option<Stop>,
    /// The steps that were taken back and have not been done again.
    pub(super) taken_back: BTreeSet<String>,
    /// How many steps have ended.
    ends: u64,
    pub(super) run_timeout: Duration,
    deadline: Option<Timestamp>,
    /// The concurrency group, filled in.
    pub(super) group: Option<String>,
    /// Which round it is, from 1.
    pub(super) round: u32,
    /// How many calls the steps that have ended made: numbers go on from there.
    pub(super) calls_made: BTreeMap<String, u32>,
    /// Writes of unknown fate, by their steps.
    pub(super) lost: BTreeMap<usize, (crate::event::EffectKey, Call)>,
    /// The work of the steps that ended as unknown.
    pub(super) unsettled: BTreeMap<usize, Unsettled>,
    /// What people found out about them.
    pub(super) resolutions: BTreeMap<usize, Resolution>,
    /// Other plans that the run went on with, by their digests.
    pub(super) plans: BTreeMap<String, Arc<Plan>>,
    /// What this run has made on Semaphore.
    pub(super) started: Vec<Started>,
    /// Steps that triggered a promotion.
    pub(super) triggered: BTreeSet<String>,
    /// Promotions of steps that were given up, whose pipelines are not known.
    pub(super) sought: BTreeMap<String, Call>,
    pub(super) stopping: Vec<Stopping>,
    /// Whether Semaphore has ever answered in this run.
    pub(super) contacted: bool,
    /// The other servers that have answered in this run.
    pub(super) met: BTreeSet<String>,
    /// Answers of people to steps that have not asked yet.
    pub(super) answers: Answers,
    /// Ids that this run was given, and when (active time).
    pub(super) handed_out: BTreeMap<String, u64>,
    pub(super) now: Moment,
    pub(super) turn: Turn,
}

impl Machine {
    /// A run that has not begun. The redactor is told what turns out to be secret, which changes nothing that the
    /// machine decides.
    pub fn new(
        run: RunInfo,
        plan: Arc<Plan>,
        inputs: BoundInputs,
        redactor: &Redactor,
    ) -> Result<Self, StartError> {
        let shared = Shared::new(&plan, &inputs, &run_value(&run, &plan), redactor)?;
        let run_timeout = run_timeout(&run, &plan, &shared)?;
        let group = super::group::of(&plan, &shared)?;
        let now = Moment::start(run.started_at);
        Ok(Self {
            run,
            inputs,
            root: Frame::new(plan, shared, None, String::new()),
            used: Vec::new(),
            nodes: Vec::new(),
            main_nodes: None,
            by_id: BTreeMap::new(),
            schedule: Schedule::default(),
            touched: BTreeSet::new(),
            stage: Stage::Main,
            open: 0,
            undo_stop: None,
            taken_back: BTreeSet::new(),
            ends: 0,
            run_timeout,
            deadline: None,
            group,
            round: 1,
            calls_made: BTreeMap::new(),
            lost: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            resolutions: BTreeMap::new(),
            plans: BTreeMap::new(),
            started: Vec::new(),
            triggered: BTreeSet::new(),
            sought: BTreeMap::new(),
            stopping: Vec::new(),
            contacted: false,
            met: BTreeSet::new(),
            answers: Answers::default(),
            handed_out: BTreeMap::new(),
            now,
            turn: Turn::default(),
        })
    }

    /// Takes a fact, or begins the run, and says what is to be done.
    pub fn step(&mut self, ev: Option<Ev>, at: Moment) -> Turn {
        let reopens = matches!(
            ev,
            Some(Ev::Resolved { .. } | Ev::RoundRequested { .. } | Ev::PlanChanged { .. })
        );
        if self.has_ended() && !reopens {
            // The end is the last event of a run: what comes late is not taken note of any more.
            return Turn::default();
        }
        self.now = at;
        match ev {
            None => self.begin(),
            Some(ev) => {
                self.turn.events.push(ev.clone().into());
                self.take(ev);
            }
        }
        self.settle();
        std::mem::take(&mut self.turn)
    }

    /// Whether nothing more can happen.
    pub fn has_ended(&self) -> bool {
        self.stage == Stage::Ended
    }

    /// The place of a step in the plan's order, for delivering outcomes of one instant in that order.
    pub fn order(&self, step: &str) -> usize {
        self.by_id.get(step).copied().unwrap_or(usize::MAX)
    }

    fn begin(&mut self) {
        if !self.nodes.is_empty() || self.stage != Stage::Main {
            return;
        }
        let deadline = later(self.now.wall, self.run_timeout);
        let created = self.created(deadline);
        self.turn.events.push(Event::RunCreated(created));
        self.command_deadline(deadline);
        self.begin_main();
    }

    /// That the time of the run is over, when it is.
    pub fn overdue(&self, now: Timestamp) -> Option<Ev> {
        let waits = matches!(self.stage, Stage::Gate | Stage::Main);
        let over = self.deadline.is_some_and(|deadline| deadline <= now);
        (waits && over).then(|| Ev::Timer {
            key: RUN_DEADLINE.to_owned(),
        })
    }

    pub(super) fn command_deadline(&mut self, deadline: Timestamp) {
        self.deadline = Some(deadline);
        self.turn.commands.push(Cmd::Timer {
            key: RUN_DEADLINE.to_owned(),
            due: Due::Wall(deadline),
        });
    }

    /// What tokens and marks are derived from: another round makes other ones.
    pub(super) fn salt(&self) -> String {
        match self.round {
            1 => self.run.salt.clone(),
            round => format!("{}/{round}", self.run.salt),
        }
    }

    fn created(&self, deadline: Timestamp) -> RunCreated {
        let shown = |name: &String, value: &Value| {
            if self.inputs.secrets.contains(name) {
                json!(MASK)
            } else {
                value.clone()
            }
        };
        RunCreated {
            id: self.run.id.clone(),
            name: self.root.plan.name.clone(),
            path: self.run.path.clone(),
            digest: self.root.plan.digest.clone(),
            salt: self.run.salt.clone(),
            runner: self.run.runner.clone(),
            inputs: self
                .inputs
                .values
                .iter()
                .map(|(n, v)| (n.clone(), shown(n, v)))
                .collect(),
            secrets: self.inputs.secrets.clone(),
            url: self.run.url.clone(),
            steps: self
                .root
                .plan
                .steps
                .iter()
                .map(|step| step_info(step, &self.root, None))
                .collect(),
            deadline,
        }
    }

    /// Makes the steps of a phase of a playbook known to the schedule.
    pub(super) fn add_steps(&mut self, frame: usize, phase: Phase) {
        let plan = Arc::clone(&self.frame(frame).plan);
        let steps = self.frame(frame).steps_of(phase);
        for (at, step) in steps.iter().enumerate() {
            let node = self.nodes.len() + at;
            self.frame_mut(frame).place(*step, Some(node));
        }
        for index in steps {
            let Some(step) = plan.steps.get(index) else {
                continue;
            };
            let needs = step.needs.iter();
            let needs = needs.filter_map(|need| self.frame(frame).node_of(need.step));
            let needs: BTreeSet<usize> = needs.collect();
            let id = self.frame(frame).id_of(&step.id);
            self.add_node(Node::new(index, frame, id), &needs);
        }
    }

    /// Makes a step known to the schedule.
    pub(super) fn add_node(&mut self, node: Node, needs: &BTreeSet<usize>) -> usize {
        let index = self.nodes.len();
        self.schedule.add(needs);
        self.by_id.insert(node.id.clone(), index);
        if node.undoes.is_none() {
            self.frame_mut(node.frame).open += 1;
        }
        self.nodes.push(node);
        self.open += 1;
        index
    }

    fn take(&mut self, ev: Ev) {
        match ev {
            Ev::Ended { key, outcome } if self.stage == Stage::Stopping => {
                self.stop_call_ended(&key, &outcome);
            }
            Ev::Ended { key, outcome } => {
                if let Some(index) = self.by_id.get(&key.step).copied() {
                    self.call_ended(index, &key, &outcome);
                }
            }
            Ev::Timer { key } if key == RUN_DEADLINE => {
                if matches!(self.stage, Stage::Gate | Stage::Main) {
                    let after = duration::show(self.run_timeout);
                    self.stop_now(Stop::Deadline { after });
                }
            }
            Ev::Timer { key } if key == FINALLY_DEADLINE => {
                if self.stage == Stage::Finally {
                    let after = duration::show(self.root.plan.finally_timeout);
                    self.stop_now(Stop::FinallyDeadline { after });
                }
            }
            Ev::Timer { key } if self.stage == Stage::Stopping => self.stop_timer_fired(&key),
            Ev::Timer { key } => self.timer_fired(&key),
            Ev::Cancel { by } => self.stop_now(Stop::Canceled { by }),
            Ev::Resumed { .. } => self.resumed(),
            Ev::Resolved {
                step, resolution, ..
            } => self.resolved(&step, resolution),
            Ev::RoundRequested { failed, .. } => self.begin_round(failed),
            Ev::PlanChanged { digest, .. } => self.change_plan(&digest),
            Ev::GroupTaken { .. } => self.group_taken(),
            Ev::GroupBusy { group, by } => self.group_busy(&group, &by),
            Ev::Answered { step, approved, by } => self.answered(step, approved, by),
            // Parking is the driver's affair.
            Ev::Parked { .. } => {}
        }
    }

    fn timer_fired(&mut self, key: &str) {
        let found = self.nodes.iter().position(|node| match &node.state {
            State::Running(running) => running.outstanding.key().as_deref() == Some(key),
            State::Waiting | State::Ended(_) => false,
        });
        if let Some(index) = found {
            self.woken(index);
        }
    }

    /// A runner is there again: what stalled is asked again.
    fn resumed(&mut self) {
        for index in 0..self.nodes.len() {
            let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
                continue;
            };
            if let Outstanding::Stalled { key, call } = running.outstanding.clone() {
                self.call_again(index, &key, call, super::retry::Tries::default());
            }
        }
    }

    /// Records that a step has ended, and lets those that need it move on.
    pub(super) fn close(&mut self, index: usize, told: StepEnded, data: Data) {
        self.turn.events.push(Event::StepEnded(told.clone()));
        let (id, unknown) = (told.step.clone(), told.outcome == StepOutcome::Unknown);
        self.ends += 1;
        let order = self.ends;
        let before = self.nodes.get_mut(index).map(|node| {
            let wrote = node.running().is_some_and(|running| running.wrote);
            let ended = Ended {
                told,
                wrote,
                order,
                data,
            };
            std::mem::replace(&mut node.state, State::Ended(Box::new(ended)))
        });
        if let Some(State::Running(running)) = before {
            self.calls_made.insert(id, running.calls);
            if unknown {
                self.keep_unsettled(index, *running);
            }
        }
        self.open = self.open.saturating_sub(1);
        self.schedule.end(index);
        self.part_ended(index);
    }

    /// Whether any expression reads a step.
    pub(super) fn is_read(&self, index: usize) -> bool {
        let node = self.nodes.get(index);
        node.is_some_and(|node| node.undoes.is_none() && self.frame_of(index).is_read(node.step))
    }

    pub(super) fn plan_step(&self, index: usize) -> Option<&PlanStep> {
        let node = self.nodes.get(index)?;
        let step = self.frame(node.frame).plan.steps.get(node.step)?;
        match node.undoes {
            None => Some(step),
            Some(_) => step.undo.as_deref(),
        }
    }

    /// What the expressions of a step see.
    pub(super) fn scope_of(&self, index: usize) -> Scope {
        let frame = self.frame_of(index);
        let reads = self
            .plan_step(index)
            .map(|step| step.reads.clone())
            .unwrap_or_default();
        let reads = reads.into_iter().filter_map(|step| frame.node_of(step));
        let scope = frame.shared.scope().with("steps", self.steps_data(reads));
        let scope = match self.nodes.get(index).and_then(|node| node.item.as_ref()) {
            Some(item) => item.in_scope(scope),
            None => scope,
        };
        self.with_undone(index, scope)
    }

    /// Steps as the expressions of their playbook see them.
    pub(super) fn steps_data(&self, indices: impl Iterator<Item = usize>) -> Data {
        let fields = indices.filter_map(|index| {
            let node = self.nodes.get(index)?;
            let frame = self.frame(node.frame);
            let id = &frame.plan.steps.get(node.step)?.id;
            Some((id.clone(), node.ended()?.data.clone()))
        });
        Data::record(fields.collect(), &[])
    }

    /// Tells an action something, and carries on until it waits for the outside or has ended.
    pub(super) fn drive(&mut self, index: usize, input: Input<'_>) {
        let next = match self.nodes.get_mut(index).and_then(Node::running) {
            Some(running) => running.act.next(input),
            None => return,
        };
        self.carry_on(index, next);
    }

    /// The schedule as it stands after some steps were opened again.
    pub(super) fn rebuild_schedule(&mut self) {
        let mut schedule = Schedule::default();
        for (index, node) in self.nodes.iter().enumerate() {
            // What has ended, or is at work, waits for nothing: it must not begin when a need of it has
            // ended once more.
            let waits = match node.state {
                State::Waiting => self.waits_for(index),
                State::Running(_) | State::Ended(_) => BTreeSet::new(),
            };
            schedule.add(&waits);
            if self.is_held(index) {
                schedule.hold(index);
            }
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if node.ended().is_some() {
                schedule.end(index);
            }
        }
        for (index, node) in self.nodes.iter().enumerate() {
            if !matches!(node.state, State::Waiting) {
                schedule.withdraw(index);
            }
        }
        self.schedule = schedule;
        self.count_open();
    }

    /// The steps under `finally` have their turn once more at the end of a round, and what is taken back is
    /// found anew.
    pub(super) fn drop_finally(&mut self) {
        self.note_taken_back();
        let left = self.main_nodes.take().unwrap_or(self.nodes.len());
        self.nodes.truncate(left);
        self.by_id.retain(|_, index| *index < left);
        self.used
            .retain(|frame| frame.owner.is_some_and(|owner| owner < left));
        self.root.forget_from(left);
        self.unsettled.retain(|index, _| *index < left);
        self.resolutions.retain(|index, _| *index < left);
        self.lost.retain(|index, _| *index < left);
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a step is, for those who look on; `parent` is the step that uses its playbook.
pub(super) fn step_info(step: &PlanStep, frame: &Frame, parent: Option<&str>) -> StepInfo {
    let needs = step.needs.iter().filter_map(|need| {
        let needed = frame.plan.steps.get(need.step)?;
        Some((frame.id_of(&needed.id), need.accept.to_string()))
    });
    StepInfo {
        id: frame.id_of(&step.id),
        action: step.action.name.to_owned(),
        description: step.description.clone(),
        needs: needs.collect(),
        finally: step.phase == Phase::Finally,
        undoes: None,
        parent: parent.map(str::to_owned),
    }
}
