//! One run of a case: sessions on a paused clock, each in a runtime of its own, until the run has ended.
//!
//! A kill drops the whole runtime: what was not on disk is gone, as are the calls that were under way. The
//! simulated world and its time go on.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::file::Case;
use super::ran::{Ending, Ran};
use super::schedule::Schedule;
use super::scratch::Scratch;
use super::wire::{Log, Recording};
use crate::clock::{Clock, later};
use crate::drivers::{
    Conditions, Finish, InProcessTransport, InProcessWeb, Observer, Remembered, Session,
    SessionError, StopRequest, run_virtual,
};
use crate::effects::{EffectSettings, SemaphoreEffects};
use crate::engine::{Machine, RunInfo};
use crate::event::{FailureKind, Observation, Recorded};
use crate::outcome::RunOutcome;
use crate::plan::{self, Plan};
use crate::secret::{Redactor, Secret};
use crate::semaphore::{Limits, Origin};
use crate::simulator::{Approval, InProcess, Simulator};
use crate::store::{InboxMessage, MemoryStore, RunHeader, Store};

/// The id of every run of a test.
const RUN: &str = "test";
/// A run that takes longer (in virtual time) has no end: no deadline is longer than this by itself.
const VIRTUAL_MAX: Duration = Duration::from_secs(90 * 24 * 3_600);
/// As many as when nobody sets `triage.jobs`.
const TRIAGE_JOBS: u32 = 3;
/// More sessions than this are not a resume any more.
const SESSIONS_MAX: usize = 100;

/// With what runs are played.
#[derive(Debug, Clone)]
pub struct PlaySettings {
    /// A folder in which folders may be made.
    pub scratch: PathBuf,
    /// How the effects go about their work; its folder for files is not used.
    pub effects: EffectSettings,
    /// The code that the runner ends with.
    pub exit_of: fn(RunOutcome, Option<FailureKind>) -> u8,
}

/// When all runs of tests begin.
fn start_time() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Plays a case once. `usual` is how long it takes when nothing goes wrong.
pub(super) fn play(
    case: &Case,
    plan: &Arc<Plan>,
    schedule: Schedule,
    usual: Duration,
    settings: &PlaySettings,
) -> Ran {
    let mut stage = Stage::new(case, plan, schedule, settings);
    let mut kills = case.kill_at.clone();
    kills.extend(schedule.kills(usual));
    kills.sort();
    let mut kills = kills.into_iter().peekable();
    let mut ending = Ending::Endless(VIRTUAL_MAX);
    for _ in 0..SESSIONS_MAX {
        while kills.peek().is_some_and(|at| *at < stage.elapsed) {
            kills.next();
        }
        match stage.session(kills.peek().copied()) {
            Came::Finished(Finish::Ended(ended)) => {
                ending = Ending::Ended(ended);
                break;
            }
            Came::Finished(Finish::Parked { reason, exit_code }) => {
                ending = Ending::Parked { reason, exit_code };
                break;
            }
            Came::Killed => {
                kills.next();
                stage.killed.push(stage.elapsed);
            }
            Came::Refused(why) => {
                ending = Ending::Refused(why);
                break;
            }
            Came::Broken(_) if stage.store.has_crashed() => stage.killed.push(stage.elapsed),
            Came::Broken(why) => {
                ending = Ending::Broken(why);
                break;
            }
            Came::TooLate => break,
        }
        stage.store.restart();
    }
    stage.left(ending)
}

/// What a session came to.
enum Came {
    Finished(Finish),
    Killed,
    Refused(String),
    Broken(String),
    TooLate,
}

/// All that outlives a session.
struct Stage<'a> {
    case: &'a Case,
    plan: &'a Arc<Plan>,
    schedule: Schedule,
    settings: &'a PlaySettings,
    store: Arc<MemoryStore>,
    world: Arc<Mutex<Simulator>>,
    user: String,
    log: Log,
    seen: Seen,
    redactor: Redactor,
    scratch: Scratch,
    elapsed: Duration,
    killed: Vec<Duration>,
    /// Whether people have given their answers.
    answered: AtomicBool,
}

impl<'a> Stage<'a> {
    fn new(
        case: &'a Case,
        plan: &'a Arc<Plan>,
        schedule: Schedule,
        settings: &'a PlaySettings,
    ) -> Self {
        let mut scenario = case.world.scenario.clone();
        // The first rule that hits counts: what the schedule says comes first.
        scenario.faults.splice(0..0, schedule.faults());
        let redactor = Redactor::new();
        redactor.learn(&case.world.token);
        for text in plan::secret_texts(plan, &case.inputs) {
            redactor.learn(&text);
        }
        let store = MemoryStore::new();
        if let Some((commit, side)) = schedule.crash() {
            store.crash_at_commit(commit, side);
        }
        let mut users = scenario.tokens.iter();
        let user = users.find(|token| token.token == case.world.token);
        Self {
            user: user.map(|token| token.user.clone()).unwrap_or_default(),
            world: Arc::new(Mutex::new(Simulator::new(
                scenario,
                schedule.seed(),
                start_time(),
            ))),
            case,
            plan,
            schedule,
            store: Arc::new(store),
            log: Log::default(),
            seen: Seen::default(),
            redactor,
            scratch: Scratch::below(&settings.scratch),
            elapsed: Duration::ZERO,
            killed: Vec::new(),
            answered: AtomicBool::new(false),
            settings,
        }
    }

    /// One session, up to its end or to the time at which it is killed.
    fn session(&mut self, kill_at: Option<Duration>) -> Came {
        let before = self.elapsed;
        let within = kill_at.map(|at| at.saturating_sub(before));
        let left = VIRTUAL_MAX.saturating_sub(before);
        let played = run_virtual(async {
            let clock = Clock::paused(later(start_time(), before));
            let came = tokio::select! {
                biased;
                came = self.work(clock, before) => came,
                () = clock.sleep(within.unwrap_or(left)) => match within {
                    Some(_) => Came::Killed,
                    None => Came::TooLate,
                },
            };
            (came, clock.elapsed())
        });
        match played {
            Ok((came, took)) => {
                self.elapsed += took;
                came
            }
            Err(error) => Came::Broken(format!("there is no runtime: {error}")),
        }
    }

    async fn work(&self, clock: Clock, before: Duration) -> Came {
        let broken = |error: &dyn std::fmt::Display| Came::Broken(error.to_string());
        let past = match self.past() {
            Ok(past) => past,
            Err(error) => return broken(&error),
        };
        let (plan, inputs) = (Arc::clone(self.plan), self.case.inputs.clone());
        let machine = match Machine::new(self.info(), plan, inputs, &self.redactor) {
            Ok(machine) => machine,
            Err(error) => return Came::Refused(error.to_string()),
        };
        let effects = match self.effects(clock, before) {
            Ok(effects) => effects,
            Err(error) => return broken(&error),
        };
        let (send, stop) = tokio::sync::mpsc::unbounded_channel();
        if let Some(at) = self.case.cancel_at.filter(|at| *at >= before) {
            let send = send.clone();
            tokio::spawn(async move {
                clock.sleep(at.saturating_sub(before)).await;
                let by = "a person".to_owned();
                // When the run has ended meanwhile, nobody listens.
                let _ = send.send(StopRequest::Cancel { by });
            });
        }
        let conditions = Conditions {
            clock,
            store: Arc::clone(&self.store) as Arc<dyn Store>,
            effects: Arc::new(effects),
            redactor: self.redactor.clone(),
            observers: vec![Box::new(self.seen.clone())],
            stop,
            park_after: None,
            tick_every: None,
            inbox: !self.case.world.scenario.approvals.is_empty(),
        };
        let session = Session::new(RUN, machine, conditions, &past);
        let finish = session.work(past).await;
        drop(send);
        match finish {
            Ok(finish) => Came::Finished(finish),
            Err(SessionError::Store(error)) => broken(&error),
            Err(error @ SessionError::Replay { .. }) => broken(&error),
        }
    }

    /// What is on disk of the run; it is made when nothing is.
    fn past(&self) -> Result<Vec<Recorded>, crate::store::StoreError> {
        let store = &self.store;
        if store.header(RUN).is_err() {
            self.create()?;
        }
        self.answer()?;
        store.load(RUN)
    }

    fn create(&self) -> Result<(), crate::store::StoreError> {
        self.store.create_run(&RunHeader {
            id: RUN.to_owned(),
            name: self.plan.name.clone(),
            created_at: start_time(),
            playbook: String::new(),
            sources: Vec::new(),
            digest: self.plan.digest.clone(),
            inputs: indexmap::IndexMap::new(),
            env: indexmap::IndexMap::new(),
            settings: serde_json::Value::Null,
            files_dir: String::new(),
        })
    }

    /// People answer whether the runner lives or not. Answers that come before a step asks are kept until
    /// it does.
    fn answer(&self) -> Result<(), crate::store::StoreError> {
        if self.answered.load(Ordering::Relaxed) {
            return Ok(());
        }
        for (step, answer) in &self.case.world.scenario.approvals {
            let message = InboxMessage::Answer {
                step: step.clone(),
                approved: *answer == Approval::Approve,
                by: "the test".to_owned(),
            };
            self.store.post(RUN, &message)?;
        }
        self.answered.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn info(&self) -> RunInfo {
        RunInfo {
            id: RUN.to_owned(),
            salt: format!("salt-{}", self.schedule.seed()),
            path: self
                .plan
                .sources
                .first()
                .map(|source| source.name.clone())
                .unwrap_or_default(),
            runner: env!("CARGO_PKG_VERSION").to_owned(),
            url: String::new(),
            started_at: start_time(),
            timeout: None,
            budget: self.settings.effects.budget,
            mark: true,
            triage: TRIAGE_JOBS,
        }
    }

    fn effects(
        &self,
        clock: Clock,
        before: Duration,
    ) -> Result<SemaphoreEffects, crate::semaphore::ConfigError> {
        let host = self.case.world.scenario.organization.host.clone();
        let origin = Origin::parse(&format!("https://{host}"))?;
        let connection = InProcess {
            world: Arc::clone(&self.world),
            clock,
        };
        let token = Secret::new(self.case.world.token.clone());
        let web = InProcessWeb::new(connection.clone());
        let never = token.clone();
        let transport = Recording {
            inner: InProcessTransport::new(connection, token, host),
            log: Arc::clone(&self.log),
            clock,
            before,
        };
        let settings = EffectSettings {
            files_dir: self.scratch.path().to_owned(),
            ..self.settings.effects.clone()
        };
        Ok(SemaphoreEffects::new(
            Arc::new(transport),
            origin,
            (Limits::default(), settings),
            clock,
            self.redactor.clone(),
        )
        .with_web(Arc::new(web), never)
        .with_history(Arc::new(Remembered::new(
            Arc::clone(&self.store) as Arc<dyn Store>,
            RUN,
        ))))
    }

    fn left(self, ending: Ending) -> Ran {
        let world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sent = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ran {
            ending,
            events: self.store.load(RUN).unwrap_or_default(),
            sent: std::mem::take(&mut *sent),
            acts: world.acts().to_vec(),
            user: self.user.clone(),
            open_intents: self.store.open_intents(RUN).map_or(0, |open| open.len()),
            elapsed: self.elapsed,
            killed: self.killed.clone(),
            commits: self.store.commits(),
            files: self.scratch.files(),
            observed: serde_json::to_string(&*seen).unwrap_or_default(),
            redactor: self.redactor.clone(),
        }
    }
}

/// Collects what those who look on are shown.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Observation>>>);

impl Observer for Seen {
    fn event(&mut self, _recorded: &Recorded) {}

    fn observation(&mut self, observation: &Observation) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(observation.clone());
    }
}
