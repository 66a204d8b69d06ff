//! A rig for whole runs in virtual time: a playbook, a scenario, the very machine, session and effects
//! that run in production, the simulator in process, and a store in memory. Every run has a canary token
//! and a canary secret, which must not be found in anything that the run leaves behind.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use runner::clock::Clock;
use runner::diagnostic::Source;
use runner::drivers::{
    Conditions, Finish, InProcessTransport, InProcessWeb, Observer, Remembered, Session,
    StopRequest, run_virtual,
};
use runner::effects::{EffectSettings, SemaphoreEffects};
use runner::engine::{Budget, Machine, RunInfo};
use runner::event::{Event, Observation, Recorded, StepEnded};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::plan::{BoundInputs, Limits, Plan};
use runner::secret::{Redactor, Secret};
use runner::semaphore::{Limits as ClientLimits, Origin};
use runner::simulator::{Act, Heard, InProcess, Scenario, Simulator};
use runner::store::{InboxMessage, MemoryStore, RunHeader, Store};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// The token of every run of the rig; scenarios take it as their own.
pub(crate) const CANARY_SECRET: &str = "canary-secret-7Zq1xPv9";

/// What a person answers, and when: after how long, step, yes or no, who.
pub(crate) type PlannedAnswer = (Duration, &'static str, bool, &'static str);

/// What to run.
pub(crate) struct Rig {
    pub(crate) playbook: String,
    pub(crate) scenario: Scenario,
    pub(crate) inputs: Vec<(String, Value)>,
    pub(crate) secrets: Vec<String>,
    pub(crate) limits: Limits,
    pub(crate) effects: EffectSettings,
    pub(crate) stops: Vec<(Duration, StopRequest)>,
    pub(crate) park_after: Option<Duration>,
    /// What people answer, and when: step, yes or no, who.
    pub(crate) answers: Vec<PlannedAnswer>,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) finish: Finish,
    pub(crate) events: Vec<Recorded>,
    pub(crate) acts: Vec<Act>,
    /// What other servers heard.
    pub(crate) heard: Vec<Heard>,
    pub(crate) requests: u64,
    pub(crate) virtual_time: Duration,
    pub(crate) files: tempfile::TempDir,
    pub(crate) observations: Vec<Observation>,
}

/// Collects what an observer sees.
#[derive(Clone, Default)]
struct Seen(Arc<std::sync::Mutex<Vec<Observation>>>);

impl Observer for Seen {
    fn event(&mut self, _recorded: &Recorded) {}
    fn observation(&mut self, observation: &Observation) {
        self.0
            .lock()
            .expect("not poisoned")
            .push(observation.clone());
    }
}

/// How much of something a test does: a number of the environment, or what is enough for every day.
/// `RUNNER_TEST_CASES` (random cases of the machine), `RUNNER_TEST_SEEDS` (random schedules of faults),
/// `RUNNER_TEST_SEED` (the first seed), `RUNNER_TEST_EXHAUSTIVE=1` (every point of every sweep).
pub(crate) fn knob(name: &str, default: u64) -> u64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "tests are told how much to do by their environment"
    )]
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().expect("a number"))
}

/// Whether this one of so many requests is worth a fault or a crash of its own: most are looks at a
/// pipeline that runs, and some of them stand for all.
pub(crate) fn worth_a_try(number: u64, requests: u64) -> bool {
    let edge = number <= 8 || number + 14 > requests;
    edge || number.is_multiple_of(9) || exhaustive()
}

/// Whether every point of every sweep is wanted.
pub(crate) fn exhaustive() -> bool {
    knob("RUNNER_TEST_EXHAUSTIVE", 0) > 0
}

pub(crate) fn start_time() -> Timestamp {
    "2026-11-24T08:00:00Z".parse().expect("a time")
}

pub(crate) fn plan(text: &str, limits: &Limits) -> Arc<Plan> {
    let source = Source::new("test.yml", text);
    let (plan, diagnostics) = runner::plan::check(&source, limits);
    let errors: Vec<String> = diagnostics
        .sorted()
        .iter()
        .map(|d| {
            format!(
                "{:?} {} {} {:?}",
                d.place.as_ref().map(ToString::to_string),
                d.code,
                d.message,
                d.hint
            )
        })
        .collect();
    Arc::new(plan.unwrap_or_else(|| panic!("the playbook has mistakes: {errors:#?}")))
}

impl Rig {
    pub(crate) fn new(playbook: &str, scenario: &str) -> Self {
        Self::over(
            playbook,
            Scenario::built_in(scenario).expect("a built-in scenario"),
        )
    }

    pub(crate) fn over(playbook: &str, scenario: Scenario) -> Self {
        Self {
            playbook: playbook.to_owned(),
            scenario,
            inputs: Vec::new(),
            secrets: Vec::new(),
            limits: Limits::default(),
            effects: EffectSettings::default(),
            stops: Vec::new(),
            park_after: None,
            answers: Vec::new(),
        }
    }

    pub(crate) fn from_yaml(playbook: &str, scenario: &str) -> Self {
        let source = Source::new("scenario.yml", scenario);
        let scenario = Scenario::parse(&source).unwrap_or_else(|mistakes| {
            panic!(
                "{:#?}",
                mistakes
                    .sorted()
                    .iter()
                    .map(|d| format!(
                        "{:?} {}",
                        d.place.as_ref().map(ToString::to_string),
                        d.message
                    ))
                    .collect::<Vec<_>>()
            )
        });
        Self::over(playbook, scenario)
    }

    pub(crate) fn input(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.inputs.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn secret(mut self, name: &str) -> Self {
        self.secrets.push(name.to_owned());
        self.input(name, CANARY_SECRET)
    }

    pub(crate) fn run(self) -> Ran {
        let store = Arc::new(MemoryStore::new());
        self.session(&store, None)
    }

    /// The inputs that are given, over the defaults of the plan.
    fn bound(&self, plan: &Plan) -> BoundInputs {
        let defaults = plan
            .inputs
            .iter()
            .filter_map(|(name, input)| Some((name.clone(), input.default.clone()?)));
        let mut values: indexmap::IndexMap<String, Value> = defaults.collect();
        values.extend(self.inputs.clone());
        BoundInputs {
            values,
            secrets: self.secrets.clone(),
            env: indexmap::IndexMap::new(),
        }
    }

    /// Goes on with a run that a store knows, in the world as it was left when `world` is given.
    pub(crate) fn session(self, store: &Arc<MemoryStore>, world: Option<Simulator>) -> Ran {
        let files = tempfile::tempdir().expect("a folder");
        let plan = plan(&self.playbook, &self.limits);
        let bound = self.bound(&plan);
        let redactor = Redactor::new();
        let token = self.scenario.admin_token().expect("a token").to_owned();
        redactor.learn(&token);
        redactor.learn(CANARY_SECRET);
        let redactor_after = redactor.clone();
        let settings = EffectSettings {
            files_dir: files.path().to_owned(),
            ..self.effects.clone()
        };
        let kept = Arc::clone(store);
        let seen = Seen::default();
        let observer = seen.clone();
        let (finish, (acts, heard), requests, virtual_time) = run_virtual(async move {
            let store = kept;
            let past = store.load("r1").unwrap_or_default();
            let last = past.last().map(|recorded| recorded.at.wall);
            let start = last.unwrap_or_else(start_time);
            let clock = Clock::paused(start);
            let fresh = || Simulator::new(self.scenario.clone(), 7, clock.now());
            let connection = InProcess::new(world.unwrap_or_else(fresh), clock);
            let shared: Arc<dyn Store> = Arc::clone(&store) as _;
            let effects = effects(&connection, token, settings, &redactor)
                .with_history(Arc::new(Remembered::new(Arc::clone(&shared), "r1")));
            let began = past.first().map_or(start, |recorded| recorded.at.wall);
            let machine = Machine::new(run_info(began), plan, bound, &redactor).expect("a machine");
            if past.is_empty() {
                store.create_run(&header()).expect("a run in the store");
            }
            let (send, stop) = unbounded_channel();
            people(clock, (&send, self.stops), (&shared, self.answers));
            let conditions = Conditions {
                clock,
                store: shared,
                effects: Arc::new(effects),
                redactor,
                observers: vec![Box::new(observer)],
                stop,
                park_after: self.park_after,
                tick_every: None,
                inbox: true,
            };
            let session = Session::new("r1", machine, conditions, &past);
            let finish = session.work(past).await.expect("a session");
            drop(send);
            let world = connection.world.lock().expect("not poisoned");
            (
                finish,
                (world.acts().to_vec(), world.heard().to_vec()),
                world.requests(),
                clock.elapsed(),
            )
        })
        .expect("a runtime");
        let events = store.load("r1").expect("events");
        let ran = Ran {
            finish,
            events,
            acts,
            heard,
            requests,
            virtual_time,
            files,
            observations: seen.0.lock().expect("not poisoned").clone(),
        };
        ran.holds_no_secret(&redactor_after);
        ran
    }
}

/// The effects against a simulator in this process.
fn effects(
    connection: &InProcess,
    token: String,
    settings: EffectSettings,
    redactor: &Redactor,
) -> SemaphoreEffects {
    let web = InProcessWeb::new(connection.clone());
    let never = Secret::new(token.clone());
    let transport = InProcessTransport::new(
        connection.clone(),
        Secret::new(token),
        "acme.semaphore.test",
    );
    let origin = Origin::parse("https://acme.semaphore.test").expect("an origin");
    SemaphoreEffects::new(
        Arc::new(transport),
        origin,
        (ClientLimits::default(), settings),
        connection.clock,
        redactor.clone(),
    )
    .with_web(Arc::new(web), never)
}

/// People who stop the run and who answer it, each at a time of theirs.
fn people(
    clock: Clock,
    (send, stops): (&UnboundedSender<StopRequest>, Vec<(Duration, StopRequest)>),
    (store, answers): (&Arc<dyn Store>, Vec<PlannedAnswer>),
) {
    for (after, request) in stops {
        let send = send.clone();
        tokio::spawn(async move {
            clock.sleep(after).await;
            let _ = send.send(request);
        });
    }
    for (after, step, approved, by) in answers {
        let store = Arc::clone(store);
        let message = InboxMessage::Answer {
            step: step.to_owned(),
            approved,
            by: by.to_owned(),
        };
        tokio::spawn(async move {
            clock.sleep(after).await;
            store.post("r1", &message).expect("the run takes messages");
        });
    }
}

/// What the run of the rig is.
pub(crate) fn run_info(started_at: Timestamp) -> RunInfo {
    RunInfo {
        id: "r1".into(),
        salt: "salt".into(),
        path: "test.yml".into(),
        runner: "0.0.0".into(),
        url: String::new(),
        started_at,
        timeout: None,
        budget: Budget::default(),
        mark: true,
        triage: 3,
    }
}

pub(crate) fn header() -> RunHeader {
    RunHeader {
        id: "r1".into(),
        name: "test".into(),
        created_at: start_time(),
        playbook: "test.yml".into(),
        sources: Vec::new(),
        digest: "digest".into(),
        inputs: indexmap::IndexMap::new(),
        env: indexmap::IndexMap::new(),
        settings: Value::Null,
        files_dir: String::new(),
    }
}

impl Ran {
    /// How the run ended; a parked run has no outcome.
    pub(crate) fn outcome(&self) -> Option<RunOutcome> {
        match &self.finish {
            Finish::Ended(ended) => Some(ended.outcome),
            Finish::Parked { .. } => None,
        }
    }

    pub(crate) fn step(&self, id: &str) -> &StepEnded {
        self.steps()
            .find(|step| step.step == id)
            .unwrap_or_else(|| panic!("no step `{id}` in {:#?}", self.words()))
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = &StepEnded> {
        self.events
            .iter()
            .filter_map(|recorded| match &recorded.event {
                Event::StepEnded(ended) => Some(ended),
                _ => None,
            })
    }

    /// Step and outcome, in the order in which they ended.
    pub(crate) fn outcomes(&self) -> Vec<(&str, StepOutcome)> {
        self.steps()
            .map(|step| (step.step.as_str(), step.outcome))
            .collect()
    }

    /// Each step with its outcome and why, for messages of tests.
    pub(crate) fn words(&self) -> Vec<String> {
        self.steps()
            .map(|s| format!("{} {} {:?} {:?}", s.step, s.outcome, s.why, s.error))
            .collect()
    }

    fn holds_no_secret(&self, redactor: &Redactor) {
        let events = serde_json::to_string(&self.events).expect("events");
        assert!(!redactor.finds_in(&events), "a secret is in the events");
        let seen = serde_json::to_string(&self.observations).expect("observations");
        assert!(
            !redactor.finds_in(&seen),
            "a secret is in what was observed"
        );
        look_through(self.files.path(), redactor);
    }
}

/// No file below a folder holds a secret, in its name or in its content.
pub(crate) fn look_through(folder: &Path, redactor: &Redactor) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        assert!(
            !redactor.finds_in(&entry.file_name().to_string_lossy()),
            "a secret is in the name {path:?}"
        );
        if path.is_dir() {
            look_through(&path, redactor);
        } else {
            let content = std::fs::read(&path).expect("a readable file");
            assert!(
                !redactor.finds_in(&String::from_utf8_lossy(&content)),
                "a secret is in {path:?}"
            );
        }
    }
}
