//! A bench for the pure machine: no runtime, no effects. It answers calls and fires timers by itself,
//! in whatever order it is told, and keeps everything that was said for the checks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use runner::clock::{Moment, later};
use runner::engine::call::Call;
use runner::engine::{CallClass, Cmd, Due, Ev, Machine, Turn};
use runner::event::{
    Answer, EffectKey, Event, Failure, FailureKind, Fate, Outcome, RunEnded, StepEnded,
};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::plan::{BoundInputs, Limits, Plan};
use runner::secret::Redactor;
use serde_json::json;

use crate::rig;

/// Ids that stand for themselves.
pub(crate) const PIPELINE: &str = "6cf4569c-f76c-4dea-b293-3e4282ba1153";
pub(crate) const WORKFLOW: &str = "2c0ffee0-0000-4000-8000-000000000002";
const PROJECT: &str = "11111111-1111-4111-8111-111111111111";

/// What a call gives.
pub(crate) type Reply = Result<Answer, Failure>;

/// A run of the pure machine.
pub(crate) struct Bench {
    pub(crate) plan: Arc<Plan>,
    pub(crate) machine: Machine,
    pub(crate) at: Moment,
    /// What was commanded and has not come back, by its key.
    pub(crate) open: BTreeMap<String, Cmd>,
    pub(crate) turns: Vec<(Option<Ev>, Moment, Turn)>,
    pub(crate) parked: bool,
}

fn inputs(plan: &Plan) -> BoundInputs {
    let values = plan
        .inputs
        .iter()
        .filter_map(|(name, input)| Some((name.clone(), input.default.clone()?)));
    BoundInputs {
        values: values.collect(),
        secrets: Vec::new(),
        env: indexmap::IndexMap::new(),
    }
}

/// The machine of a plan, before anything happened.
pub(crate) fn machine(plan: &Arc<Plan>) -> Machine {
    Machine::new(
        rig::run_info(rig::start_time()),
        Arc::clone(plan),
        inputs(plan),
        &Redactor::new(),
    )
    .expect("a machine")
}

impl Bench {
    /// A run that has begun.
    pub(crate) fn new(playbook: &str) -> Self {
        Self::of(rig::plan(playbook, &Limits::default()))
    }

    pub(crate) fn of(plan: Arc<Plan>) -> Self {
        let mut bench = Self {
            machine: machine(&plan),
            plan,
            at: Moment::start(rig::start_time()),
            open: BTreeMap::new(),
            turns: Vec::new(),
            parked: false,
        };
        bench.tell(None);
        bench
    }

    /// Gives the machine a fact, and notes what it commands.
    pub(crate) fn tell(&mut self, ev: Option<Ev>) {
        match &ev {
            Some(Ev::Ended { key, .. }) => drop(self.open.remove(&key.to_string())),
            Some(Ev::Timer { key }) => drop(self.open.remove(key)),
            Some(Ev::Resumed { .. }) => self.parked = false,
            _ => {}
        }
        let turn = self.machine.step(ev.clone(), self.at);
        for command in &turn.commands {
            match command {
                Cmd::Call { key, .. } => {
                    self.open.insert(key.to_string(), command.clone());
                }
                Cmd::Timer { key, .. } => {
                    self.open.insert(key.clone(), command.clone());
                }
                Cmd::Drop { key } => drop(self.open.remove(key)),
                Cmd::Park { .. } => self.parked = true,
                Cmd::Acquire { .. } => {}
            }
        }
        self.turns.push((ev, self.at, turn));
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).expect("a short time");
        self.at = Moment {
            wall: later(self.at.wall, time),
            active_ms: self.at.active_ms + millis,
        };
    }

    /// The calls that are open, in the order of their keys.
    pub(crate) fn calls(&self) -> Vec<(EffectKey, Call)> {
        let calls = self.open.values().filter_map(|command| match command {
            Cmd::Call { key, call, .. } => Some((key.clone(), call.clone())),
            _ => None,
        });
        calls.collect()
    }

    /// The timers that are open, the earliest first.
    pub(crate) fn timers(&self) -> Vec<(u64, String)> {
        let mut timers: Vec<(u64, String)> = self
            .open
            .values()
            .filter_map(|command| match command {
                Cmd::Timer { key, due } => Some((self.left(*due), key.clone())),
                _ => None,
            })
            .collect();
        timers.sort();
        timers
    }

    fn left(&self, due: Due) -> u64 {
        match due {
            Due::Active(at) => at.saturating_sub(self.at.active_ms),
            Due::Wall(at) => runner::clock::millis_between(self.at.wall, at),
        }
    }

    pub(crate) fn answer(&mut self, key: &EffectKey, reply: Reply) {
        let outcome = Outcome {
            started_at: self.at.wall,
            ended_at: self.at.wall,
            requests: 1,
            repeated: false,
            result: reply,
        };
        let key = key.clone();
        self.tell(Some(Ev::Ended { key, outcome }));
    }

    /// Fires a timer when its time has come.
    pub(crate) fn fire(&mut self, (left, key): (u64, String)) {
        self.pass(Duration::from_millis(left));
        self.tell(Some(Ev::Timer { key }));
    }

    pub(crate) fn cancel(&mut self) {
        self.tell(Some(Ev::Cancel {
            by: "a test".into(),
        }));
    }

    /// A person answers a step.
    pub(crate) fn person(&mut self, step: &str, approved: bool) {
        self.tell(Some(Ev::Answered {
            step: step.into(),
            approved,
            by: "ada".into(),
        }));
    }

    /// Parks and goes on, as a driver does.
    pub(crate) fn park_and_resume(&mut self, session: u32) {
        self.tell(Some(Ev::Parked {
            reason: "a test".into(),
            exit_code: 75,
        }));
        self.tell(Some(Ev::Resumed { session }));
    }

    /// Answers calls (each takes a second), and fires timers when no call is open, until the run ends or
    /// is parked.
    pub(crate) fn go(&mut self, mut reply: impl FnMut(&EffectKey, &Call) -> Reply) -> &mut Self {
        for _ in 0..10_000 {
            if self.machine.has_ended() || self.parked {
                return self;
            }
            if let Some((key, call)) = self.calls().into_iter().next() {
                self.pass(Duration::from_secs(1));
                let reply = reply(&key, &call);
                self.answer(&key, reply);
            } else {
                let timer = self.timers().into_iter().next();
                self.fire(timer.expect("a run that has not ended waits for something"));
            }
        }
        panic!("the run does not end: {:#?}", self.words());
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.turns.iter().flat_map(|(_, _, turn)| &turn.events)
    }

    pub(crate) fn ended(&self) -> &RunEnded {
        self.events()
            .find_map(|event| match event {
                Event::RunEnded(ended) => Some(ended),
                _ => None,
            })
            .unwrap_or_else(|| panic!("the run has not ended: {:#?}", self.words()))
    }

    pub(crate) fn outcome(&self) -> RunOutcome {
        self.ended().outcome
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepEnded> {
        self.events().filter_map(|event| match event {
            Event::StepEnded(ended) => Some(ended),
            _ => None,
        })
    }

    pub(crate) fn step(&self, id: &str) -> &StepEnded {
        self.steps()
            .find(|step| step.step == id)
            .unwrap_or_else(|| panic!("no `{id}` in {:#?}", self.words()))
    }

    pub(crate) fn why(&self, id: &str) -> &str {
        self.step(id).why.as_deref().unwrap_or_default()
    }

    pub(crate) fn kind(&self, id: &str) -> Option<FailureKind> {
        self.step(id).error.as_ref().map(|error| error.kind)
    }

    /// Step and outcome, in the order of the plan.
    pub(crate) fn outcomes(&self) -> Vec<(&str, StepOutcome)> {
        let mut all: Vec<(&str, StepOutcome)> = self
            .steps()
            .map(|step| (step.step.as_str(), step.outcome))
            .collect();
        all.sort_by_key(|(id, _)| self.machine.order(id));
        all
    }

    pub(crate) fn words(&self) -> Vec<String> {
        self.steps()
            .map(|s| format!("{} {} {:?}", s.step, s.outcome, s.why))
            .collect()
    }
}

/// What a call gives when all is well: everything passes at once.
pub(crate) fn good(call: &Call) -> Answer {
    let done = |result: &str| {
        json!({
            "pipeline": {"pipeline_id": PIPELINE, "name": "Build", "state": "done", "result": result,
                "reason": if result == "passed" { "" } else { "test" },
                "switch_id": WORKFLOW, "commit_sha": "4f2a81c"},
            "blocks": [], "failed_jobs": [], "url": "https://acme.semaphore.test/workflows/w",
        })
    };
    let value = match call {
        Call::ResolveProject { name } => json!({"id": PROJECT, "name": name}),
        Call::RunWorkflow { .. } => {
            json!({"workflow_id": WORKFLOW, "pipeline_id": PIPELINE, "url": "https://acme.semaphore.test/w"})
        }
        Call::DescribePipeline { .. } | Call::AwaitPipeline { .. } => done("passed"),
        Call::RerunWorkflow { .. } | Call::RunTask { .. } => {
            json!({"workflow_id": WORKFLOW, "pipeline_id": PIPELINE, "url": "https://acme.semaphore.test/w"})
        }
        Call::RebuildPipeline { .. } => json!({"pipeline_id": PIPELINE}),
        Call::ResolveTask { .. } => {
            json!({"id": WORKFLOW, "name": "nightly", "reference": "refs/heads/main", "parameters": []})
        }
        Call::AwaitWorkflow { .. } => {
            json!({"pipelines": [], "result": "passed", "reason": "", "url": "https://acme.semaphore.test/w"})
        }
        Call::FindPipeline { .. } => json!({"found": null, "undecided": false}),
        Call::AwaitPromotion { .. } => {
            json!({"pipeline_id": PIPELINE, "triggered_by": "me", "status": "passed"})
        }
        Call::ListPromotions { .. } => json!({"events": []}),
        Call::DescribeJob { job_id } => json!({"job_id": job_id}),
        Call::FetchLog { job_id, .. } => {
            json!({"job_id": job_id, "job": "unit", "path": "logs/unit.txt", "bytes": 3, "complete": true})
        }
        Call::Http(_) => json!({"status": 200, "headers": {}, "body": {"id": 7}}),
        _ => json!({}),
    };
    Answer {
        response: Some(value.clone()),
        value,
        ..Answer::default()
    }
}

/// A pipeline that ended red.
pub(crate) fn red(call: &Call) -> Answer {
    let mut answer = good(call);
    if let Some(pipeline) = answer.value.get_mut("pipeline") {
        pipeline["result"] = json!("failed");
        pipeline["reason"] = json!("test");
        answer.response = Some(answer.value.clone());
    }
    answer
}

pub(crate) fn failure(kind: FailureKind, fate: Fate, status: Option<u16>) -> Failure {
    let mut failure = Failure::new(kind, format!("{kind}, as the test wants")).fate(fate);
    failure.status = status;
    failure
}

pub(crate) fn class(command: &Cmd) -> Option<CallClass> {
    match command {
        Cmd::Call { call, .. } => Some(CallClass::of(call)),
        _ => None,
    }
}

/// The text of all events, for comparing byte by byte.
pub(crate) fn bytes(events: &[&Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| serde_json::to_string(event).expect("an event"))
        .collect()
}
