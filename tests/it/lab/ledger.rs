//! A store that dies on demand, notes every intent, and can be made to break a rule.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use runner::event::{EffectKey, Intent, Observation, Recorded};
use runner::store::{
    InboxMessage, ListFilter, LockGuard, OwnerInfo, PastStep, Posted, RunHeader, RunSummary, Store,
    StoreError, StoreErrorKind, Usage,
};
use runner::triage::Past;

/// On which side of something the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

/// A rule that a store can break, to show that the checks see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach {
    /// An intent is said to be durable and is not.
    IntentNotKept,
    /// The events before an intent are not written with it.
    IntentWithoutItsPast,
    /// The intent of an earlier session is not given back.
    PreviousForgotten,
    /// The outcome of a call is said to be durable and is not, though its intent is closed.
    OutcomeNotKept,
    /// The end of the run is kept as another one.
    OtherOutcome,
}

/// What happens at a commit, and which commit it is.
type Hook = Arc<dyn Fn(u64, Side) + Send + Sync>;

pub(crate) struct Ledger {
    state: Mutex<State>,
}

struct State {
    inner: Arc<dyn Store>,
    commits: u64,
    total: u64,
    crash: Option<(u64, Side)>,
    dead: bool,
    breach: Option<Breach>,
    intents: Vec<Intent>,
    hook: Option<Hook>,
}

fn dead() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the process is dead, as the test wants")
}

impl Ledger {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            state: Mutex::new(State {
                inner,
                commits: 0,
                total: 0,
                crash: None,
                dead: false,
                breach: None,
                intents: Vec::new(),
                hook: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    /// What is really kept.
    pub(crate) fn inner(&self) -> Arc<dyn Store> {
        Arc::clone(&self.state().inner)
    }

    /// A new process opens the store.
    pub(crate) fn begin(&self, crash: Option<(u64, Side)>) {
        let mut state = self.state();
        state.commits = 0;
        state.crash = crash;
        state.dead = false;
    }

    /// Goes on with another store, which holds what was durable.
    pub(crate) fn replace(&self, inner: Arc<dyn Store>) {
        self.state().inner = inner;
    }

    pub(crate) fn breaks(&self, breach: Breach) {
        self.state().breach = Some(breach);
    }

    pub(crate) fn on_commit(&self, hook: Hook) {
        self.state().hook = Some(hook);
    }

    pub(crate) fn die(&self) {
        self.state().dead = true;
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Commits of the session at work, and of all sessions.
    pub(crate) fn commits(&self) -> (u64, u64) {
        let state = self.state();
        (state.commits, state.total)
    }

    /// Every intent that was ever written, in order.
    pub(crate) fn intents(&self) -> Vec<Intent> {
        self.state().intents.clone()
    }

    fn living(&self) -> Result<Arc<dyn Store>, StoreError> {
        let state = self.state();
        if state.dead {
            Err(dead())
        } else {
            Ok(Arc::clone(&state.inner))
        }
    }

    fn commit(
        &self,
        write: impl FnOnce(&dyn Store) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let inner = self.living()?;
        let (number, crash, hook) = {
            let mut state = self.state();
            state.commits += 1;
            state.total += 1;
            (state.commits, state.crash, state.hook.clone())
        };
        let tell = |side| {
            if let Some(hook) = &hook {
                hook(number, side);
            }
        };
        tell(Side::Before);
        if crash == Some((number, Side::Before)) {
            self.die();
            return Err(dead());
        }
        write(inner.as_ref())?;
        tell(Side::After);
        if crash == Some((number, Side::After)) {
            self.die();
            return Err(dead());
        }
        Ok(())
    }

    fn breach(&self) -> Option<Breach> {
        self.state().breach
    }
}

fn renumbered(store: &dyn Store, run: &str, events: &[Recorded]) -> Vec<Recorded> {
    let first = store.load(run).map_or(0, |events| events.len()) as u64 + 1;
    events
        .iter()
        .cloned()
        .zip(first..)
        .map(|(event, seq)| Recorded { seq, ..event })
        .collect()
}

/// The events as a store that breaks a rule keeps them.
fn bent(breach: Option<Breach>, events: &[Recorded]) -> Vec<Recorded> {
    use runner::event::Event;
    use runner::outcome::RunOutcome;
    let mut kept = events.to_vec();
    for recorded in &mut kept {
        if let (Some(Breach::OtherOutcome), Event::RunEnded(ended)) = (breach, &mut recorded.event)
        {
            ended.outcome = RunOutcome::Passed;
        }
    }
    kept
}

impl Store for Ledger {
    fn append(&self, run: &str, events: &[Recorded]) -> Result<(), StoreError> {
        use runner::event::Event;
        if events.is_empty() {
            return Ok(());
        }
        let breach = self.breach();
        self.commit(|inner| match breach {
            None => inner.append(run, events),
            Some(Breach::OutcomeNotKept | Breach::IntentWithoutItsPast) => {
                let lost = |e: &Recorded| {
                    breach == Some(Breach::OutcomeNotKept)
                        && matches!(e.event, Event::CallEnded { .. })
                };
                let kept: Vec<Recorded> = events.iter().filter(|e| !lost(e)).cloned().collect();
                inner.append(run, &renumbered(inner, run, &kept))
            }
            Some(_) => inner.append(run, &bent(breach, events)),
        })
    }

    fn write_intent(
        &self,
        run: &str,
        intent: &Intent,
        pending: &[Recorded],
    ) -> Result<(), StoreError> {
        let breach = self.breach();
        self.commit(|inner| {
            match breach {
                Some(Breach::IntentNotKept) => inner.append(run, pending),
                Some(Breach::IntentWithoutItsPast) => inner.write_intent(run, intent, &[]),
                Some(Breach::OutcomeNotKept) => {
                    inner.write_intent(run, intent, &renumbered(inner, run, pending))
                }
                _ => inner.write_intent(run, intent, pending),
            }
            .inspect(|()| self.state().intents.push(intent.clone()))
        })
    }

    fn intent(&self, run: &str, key: &EffectKey) -> Result<Option<Intent>, StoreError> {
        if self.breach() == Some(Breach::PreviousForgotten) {
            return Ok(None);
        }
        self.living()?.intent(run, key)
    }

    fn settle(&self, run: &str, up_to: u64) -> Result<(), StoreError> {
        self.commit(|inner| inner.settle(run, up_to))
    }

    fn create_run(&self, header: &RunHeader) -> Result<(), StoreError> {
        self.living()?.create_run(header)
    }

    fn open_intents(&self, run: &str) -> Result<Vec<Intent>, StoreError> {
        self.living()?.open_intents(run)
    }

    fn load(&self, run: &str) -> Result<Vec<Recorded>, StoreError> {
        self.living()?.load(run)
    }

    fn header(&self, run: &str) -> Result<RunHeader, StoreError> {
        self.living()?.header(run)
    }

    fn list(&self, filter: &ListFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.living()?.list(filter)
    }

    fn find(&self, prefix: &str) -> Result<String, StoreError> {
        self.living()?.find(prefix)
    }

    fn put_observation(&self, run: &str, observation: &Observation) {
        if let Ok(inner) = self.living() {
            inner.put_observation(run, observation);
        }
    }

    fn observations(&self, run: &str) -> Result<Vec<Observation>, StoreError> {
        self.living()?.observations(run)
    }

    fn put_usage(&self, run: &str, usage: &Usage) {
        if let Ok(inner) = self.living() {
            inner.put_usage(run, usage);
        }
    }

    fn usage(&self, run: &str) -> Result<Usage, StoreError> {
        self.living()?.usage(run)
    }

    fn post(&self, run: &str, message: &InboxMessage) -> Result<(), StoreError> {
        self.living()?.post(run, message)
    }

    fn take(&self, run: &str) -> Result<Vec<Posted>, StoreError> {
        self.living()?.take(run)
    }

    fn acquire(&self, run: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        self.living()?.acquire(run, owner)
    }

    fn acquire_group(&self, group: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        self.living()?.acquire_group(group, owner)
    }

    fn owner(&self, run: &str) -> Result<Option<OwnerInfo>, StoreError> {
        self.living()?.owner(run)
    }

    fn history(&self, name: &str, step: &str) -> Result<Vec<PastStep>, StoreError> {
        self.living()?.history(name, step)
    }

    fn histories(&self, name: &str) -> Result<BTreeMap<String, Vec<PastStep>>, StoreError> {
        self.living()?.histories(name)
    }

    fn failures(
        &self,
        run: &str,
        failure: (&str, &str),
        since: Timestamp,
    ) -> Result<Vec<Past>, StoreError> {
        self.living()?.failures(run, failure, since)
    }

    fn prune(&self, ended_before: Timestamp) -> Result<Vec<String>, StoreError> {
        self.living()?.prune(ended_before)
    }
}
