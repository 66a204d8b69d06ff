//! A laboratory: one run and its world, worked on by one session after the other, each of which may be
//! killed at any instant. What is durable and what happened on Semaphore outlive the sessions; a new
//! session finds them as a new process would.

mod ledger;
mod wire;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use runner::clock::{Clock, later};
use runner::drivers::{
    Conditions, Finish, InProcessTransport, InProcessWeb, Observer, Session, SessionError,
    StopRequest, run_virtual,
};
use runner::effects::{EffectSettings, SemaphoreEffects};
use runner::engine::{Effects, Ev, Machine};
use runner::event::Recorded;
use runner::plan::{BoundInputs, Limits, Plan};
use runner::secret::{Redactor, Secret};
use runner::semaphore::{Limits as ClientLimits, Origin};
use runner::simulator::{Act, Approval, InProcess, Scenario, Simulator};
use runner::store::{InboxMessage, MemoryStore, Store};
use runner::testing::Case;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) use ledger::{Breach, Ledger, Side};
pub(crate) use wire::{Sent, Tap, Wire};

use crate::rig;

/// More polls of a session than any honest one needs: it spins.
const POLLS_MAX: u64 = 300_000;

/// How a session came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// The run ended or was parked.
    Finished(Finish),
    /// The session gave up.
    Broken(SessionError),
    /// It was killed.
    Killed,
    /// It went round and round without getting anywhere.
    Spins,
}

/// What is in store for a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plot {
    /// It is killed at this commit of its own, counted from 1.
    pub(crate) at_commit: Option<(u64, Side)>,
    /// It is killed at this request of its own, counted from 1.
    pub(crate) at_request: Option<(u64, Side)>,
    /// It is killed after this long.
    pub(crate) after: Option<Duration>,
    /// It is told to stop.
    pub(crate) stops: Vec<(Duration, StopRequest)>,
    /// It parks when it only waits.
    pub(crate) park_after: Option<Duration>,
    /// It is told these first, when it goes on.
    pub(crate) opening: Vec<Ev>,
}

/// Puts something between the session and the effects.
pub(crate) type Wrap = fn(Arc<dyn Effects>) -> Arc<dyn Effects>;

/// A run and its world.
pub(crate) struct Lab {
    pub(crate) plan: Arc<Plan>,
    bound: BoundInputs,
    /// The store in memory, which is told when a new process opens it.
    memory: Option<MemoryStore>,
    pub(crate) world: Arc<Mutex<Simulator>>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) now: Timestamp,
    pub(crate) files: tempfile::TempDir,
    pub(crate) redactor: Redactor,
    pub(crate) token: String,
    pub(crate) effects: EffectSettings,
    pub(crate) wrap: Option<Wrap>,
    /// What each session's observer saw, by the number of the event.
    pub(crate) seen: Vec<Vec<u64>>,
    pub(crate) salt: String,
    /// A run that nothing disturbs any more ends within this time of the world.
    pub(crate) longest: Duration,
    /// Whether what has not passed may be promoted when the playbook says so.
    pub(crate) overrides: bool,
}

#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<u64>>>);

impl Observer for Watcher {
    fn event(&mut self, recorded: &Recorded) {
        self.0.lock().expect("not poisoned").push(recorded.seq);
    }
}

impl Lab {
    /// A run that has not begun, in a world that has just begun.
    pub(crate) fn new(plan: &Arc<Plan>, scenario: Scenario) -> Self {
        let memory = MemoryStore::new();
        let mut lab = Self::over(plan, scenario, Arc::new(memory.clone()));
        lab.memory = Some(memory);
        lab
    }

    /// The run of a case of a test file, in the world of that case.
    pub(crate) fn of_case(plan: &Arc<Plan>, case: &Case) -> Self {
        let mut lab = Self::new(plan, case.scenario().clone());
        lab.bound = case.inputs().clone();
        lab.token = case.token().to_owned();
        // Some releases wait for a night, or for a person.
        lab.longest = Duration::from_secs(90 * 86_400);
        lab.overrides = true;
        lab.redactor.learn(&lab.token);
        for name in &lab.bound.secrets {
            let secret = lab.bound.values.get(name).and_then(|value| value.as_str());
            secret
                .into_iter()
                .for_each(|secret| lab.redactor.learn(secret));
        }
        for (step, answer) in &case.scenario().approvals {
            lab.answer(step, *answer == Approval::Approve);
        }
        lab
    }

    pub(crate) fn over(plan: &Arc<Plan>, scenario: Scenario, store: Arc<dyn Store>) -> Self {
        let values = plan.inputs.iter().filter_map(|(name, input)| {
            let default = input.default.clone()?;
            Some((name.clone(), default))
        });
        let token = scenario.admin_token().expect("a token").to_owned();
        let redactor = Redactor::new();
        redactor.learn(&token);
        let now = rig::start_time();
        store
            .create_run(&rig::header())
            .expect("a run in the store");
        Self {
            bound: BoundInputs {
                values: values.collect(),
                secrets: Vec::new(),
                env: indexmap::IndexMap::new(),
            },
            plan: Arc::clone(plan),
            memory: None,
            world: Arc::new(Mutex::new(Simulator::new(scenario, 7, now))),
            ledger: Arc::new(Ledger::new(store)),
            wire: Arc::default(),
            now,
            files: tempfile::tempdir().expect("a folder"),
            redactor,
            token,
            effects: EffectSettings::default(),
            wrap: None,
            seen: Vec::new(),
            salt: "salt".into(),
            longest: Duration::from_secs(8 * 3_600),
            overrides: false,
        }
    }

    /// A person answers a step before it asks.
    pub(crate) fn answer(&self, step: &str, approved: bool) {
        let message = InboxMessage::Answer {
            step: step.to_owned(),
            approved,
            by: "ada".to_owned(),
        };
        self.ledger.inner().post("r1", &message).expect("posted");
    }

    pub(crate) fn events(&self) -> Vec<Recorded> {
        self.ledger.inner().load("r1").expect("the events")
    }

    pub(crate) fn acts(&self) -> Vec<Act> {
        self.world.lock().expect("not poisoned").acts().to_vec()
    }

    /// One session, from the first step of a new process to its end or death.
    pub(crate) fn session(&mut self, plot: &Plot) -> End {
        if let Some(memory) = &self.memory {
            memory.restart();
        }
        self.ledger.begin(plot.at_commit);
        self.wire.begin(plot.at_request);
        let watcher = Watcher::default();
        let observer = watcher.clone();
        let past = self.events();
        let (end, now) = run_virtual(self.work(plot.clone(), past, observer)).expect("a runtime");
        self.now = now;
        self.seen
            .push(watcher.0.lock().expect("not poisoned").clone());
        end
    }

    fn work(
        &self,
        plot: Plot,
        past: Vec<Recorded>,
        observer: Watcher,
    ) -> impl Future<Output = (End, Timestamp)> + 'static {
        let world = Arc::clone(&self.world);
        let (ledger, wire) = (Arc::clone(&self.ledger), Arc::clone(&self.wire));
        let (plan, bound, start) = (Arc::clone(&self.plan), self.bound.clone(), self.now);
        let (token, redactor, wrap) = (self.token.clone(), self.redactor.clone(), self.wrap);
        let settings = EffectSettings {
            files_dir: self.files.path().to_owned(),
            ..self.effects.clone()
        };
        let salt = self.salt.clone();
        async move {
            let clock = Clock::paused(start);
            let connection = InProcess { world, clock };
            let web = InProcessWeb::new(connection.clone());
            let never = Secret::new(token.clone());
            let inner =
                InProcessTransport::new(connection, Secret::new(token), "acme.semaphore.test");
            let tap = Tap::new(
                inner,
                Arc::clone(&wire),
                Arc::clone(&ledger),
                clock,
                redactor.clone(),
            );
            let origin = Origin::parse("https://acme.semaphore.test").expect("an origin");
            let effects = SemaphoreEffects::new(
                Arc::new(tap),
                origin,
                (ClientLimits::default(), settings),
                clock,
                redactor.clone(),
            )
            .with_web(Arc::new(web), never);
            let effects: Arc<dyn Effects> = Arc::new(effects);
            let started = past.first().map_or(start, |recorded| recorded.at.wall);
            let mut info = rig::run_info(started);
            info.salt = salt;
            let machine = Machine::new(info, plan, bound, &redactor).expect("a machine");
            let (send, stop) = told_to_stop(plot.stops, clock);
            let conditions = Conditions {
                clock,
                store: ledger,
                effects: wrap
                    .map_or_else(|| Arc::clone(&effects), |wrap| wrap(Arc::clone(&effects))),
                redactor,
                observers: vec![Box::new(observer)],
                stop,
                park_after: plot.park_after,
                tick_every: None,
                inbox: true,
            };
            let session = Session::new("r1", machine, conditions, &past).opening_with(plot.opening);
            let work = limited(session.work(past), POLLS_MAX);
            let never = Duration::from_secs(10 * 365 * 86_400);
            let end = tokio::select! {
                biased;
                () = wire.killed() => End::Killed,
                () = clock.sleep(plot.after.unwrap_or(never)) => End::Killed,
                done = work => match done {
                    None => End::Spins,
                    Some(Ok(finish)) => End::Finished(finish),
                    Some(Err(error)) => End::Broken(error),
                },
            };
            drop(send);
            (end, clock.now())
        }
    }

    /// Sessions until the run ends: the first ones as plotted, later ones undisturbed. A parked run is
    /// gone on with a minute later, a killed one after a second.
    pub(crate) fn until_the_end(&mut self, plots: &[Plot], each: &mut dyn FnMut(&Self)) -> Finish {
        let calm = Plot::default();
        for number in 0..plots.len() + 40 {
            let plot = plots.get(number).unwrap_or(&calm);
            let end = self.session(plot);
            each(self);
            let pause = match end {
                End::Finished(finish @ Finish::Ended(_)) => return finish,
                End::Finished(Finish::Parked { .. }) => Duration::from_secs(60),
                End::Killed => Duration::from_secs(1),
                End::Broken(_) if self.ledger.is_dead() => Duration::from_secs(1),
                End::Broken(error) => panic!("a session gave up: {error}"),
                End::Spins => panic!("a session spins without getting anywhere"),
            };
            self.now = later(self.now, pause);
        }
        panic!("the run does not end");
    }
}

/// Where a session hears that it is to stop, and when.
fn told_to_stop(
    stops: Vec<(Duration, StopRequest)>,
    clock: Clock,
) -> (UnboundedSender<StopRequest>, UnboundedReceiver<StopRequest>) {
    let (send, stop) = unbounded_channel();
    for (after, request) in stops {
        let send = send.clone();
        tokio::spawn(async move {
            clock.sleep(after).await;
            let _ = send.send(request);
        });
    }
    (send, stop)
}

/// A future that is given up after so many polls; virtual time knows no other sign of spinning.
async fn limited<T>(work: impl Future<Output = T>, polls_max: u64) -> Option<T> {
    let mut work = std::pin::pin!(work);
    let mut polls = 0;
    std::future::poll_fn(move |cx| {
        polls += 1;
        if polls > polls_max {
            return std::task::Poll::Ready(None);
        }
        work.as_mut().poll(cx).map(Some)
    })
    .await
}

/// A plan from text.
pub(crate) fn plan(text: &str) -> Arc<Plan> {
    rig::plan(text, &Limits::default())
}
