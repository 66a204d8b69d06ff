//! One session: a runner's work on one run, until it ends or is parked.
//!
//! The only owner of machine, journal and timers. Calls run as tasks of their own and send what they
//! have to say through one channel; whatever has arrived in one instant is given to the machine in the
//! order of the plan.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::gate::Gate;
use super::journal::{Journal, redacted};
use super::timers::Timers;
use crate::clock::{Clock, Moment};
use crate::engine::call::Call;
use crate::engine::{
    CallClass, CallRequest, Cmd, Effects, Ev, GROUP, IntentError, Intents, Machine, Turn,
};
use crate::event::{
    EffectKey, Event, Failure, FailureKind, Fate, Intent, Observation, Outcome, Recorded, RunEnded,
};
use crate::secret::Redactor;
use crate::store::{InboxMessage, OwnerInfo, Posted, Store, StoreError, StoreErrorKind};

/// How long a write that is under way is waited for before the run is parked.
const PARK_GRACE: Duration = Duration::from_secs(2);
/// How often the inbox is looked into.
const INBOX_EVERY: Duration = Duration::from_secs(1);
const EXIT_PARKED: u8 = 75;
const EXIT_UNREACHABLE: u8 = 7;

/// Somebody who looks on. Sees nothing but events and observations, already without secrets.
pub trait Observer {
    /// An event was recorded.
    fn event(&mut self, recorded: &Recorded);
    /// A running step was seen doing something.
    fn observation(&mut self, _observation: &Observation) {}
    /// Something that people should know and that is no event of the run.
    fn notice(&mut self, _words: &str) {}
    /// Time has passed.
    fn tick(&mut self, _now: Moment) {}
}

/// What a session is told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopRequest {
    /// Stop working on the run; it can be resumed.
    Park {
        /// Why.
        reason: String,
        /// What the runner ends with.
        exit_code: u8,
    },
    /// Stop the run for good.
    Cancel {
        /// Who asks.
        by: String,
    },
}

/// What a session works with.
pub struct Conditions {
    /// The time.
    pub clock: Clock,
    /// Where the run is kept.
    pub store: Arc<dyn Store>,
    /// Who does things.
    pub effects: Arc<dyn Effects>,
    /// What masks secrets.
    pub redactor: Redactor,
    /// Who looks on.
    pub observers: Vec<Box<dyn Observer>>,
    /// Requests to stop.
    pub stop: UnboundedReceiver<StopRequest>,
    /// After this long a run that only waits is parked.
    pub park_after: Option<Duration>,
    /// How often those who look on are told that time has passed.
    pub tick_every: Option<Duration>,
    /// Whether messages from other processes are looked for.
    pub inbox: bool,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Finish {
    /// The run ended.
    Ended(RunEnded),
    /// The run was parked.
    Parked {
        /// Why.
        reason: String,
        /// What the runner ends with.
        exit_code: u8,
    },
}

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store could not be written or read. Nothing was sent that it does not know of.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal does not fit what the machine does: another playbook, or a bug.
    #[error(
        "the recorded events do not fit the playbook from event {seq} on: this is a bug in runner, or the store was altered"
    )]
    Replay {
        /// The first event that does not fit.
        seq: u64,
    },
}

enum Message {
    Ended {
        key: EffectKey,
        outcome: Outcome,
    },
    Intent {
        intent: Intent,
        reply: oneshot::Sender<Result<(), IntentError>>,
    },
    Seen(Observation),
}

struct UnderWay {
    abort: AbortHandle,
    writes: bool,
}

/// The work on one run.
pub struct Session {
    run: String,
    machine: Machine,
    conditions: Conditions,
    journal: Journal,
    timers: Timers,
    under_way: BTreeMap<String, UnderWay>,
    sender: UnboundedSender<Message>,
    messages: UnboundedReceiver<Message>,
    base_active_ms: u64,
    started_elapsed: Duration,
    parking: Option<(StopRequest, Duration)>,
    inbox_up_to: Option<u64>,
    gate: Gate,
    /// Told before anything is carried out, when a run is resumed.
    opening: Vec<Ev>,
    /// Messages that were looked at, and not told yet.
    mail: Vec<Posted>,
    finish: Option<Finish>,
}

impl Session {
    /// A session on a run whose header is in the store, and whose recorded events are `past`.
    pub fn new(run: &str, machine: Machine, conditions: Conditions, past: &[Recorded]) -> Self {
        let (sender, messages) = unbounded_channel();
        let journal = Journal::new(
            Arc::clone(&conditions.store),
            run,
            conditions.redactor.clone(),
            past.len(),
        );
        let owner = OwnerInfo {
            pid: std::process::id(),
            host: String::new(),
            since: conditions.clock.now(),
            run: run.to_owned(),
        };
        Self {
            run: run.to_owned(),
            machine,
            journal,
            timers: Timers::default(),
            under_way: BTreeMap::new(),
            sender,
            messages,
            base_active_ms: past.last().map_or(0, |recorded| recorded.at.active_ms),
            started_elapsed: conditions.clock.elapsed(),
            parking: None,
            inbox_up_to: None,
            gate: Gate::new(Arc::clone(&conditions.store), owner),
            opening: Vec::new(),
            mail: Vec::new(),
            finish: None,
            conditions,
        }
    }

    /// The same with the name under which it holds what only one may hold.
    #[must_use]
    pub fn owned_by(mut self, owner: OwnerInfo) -> Self {
        self.gate.set_owner(owner);
        self
    }

    /// The same with facts that are told first when the run is resumed: that another round is wanted.
    #[must_use]
    pub fn opening_with(mut self, facts: Vec<Ev>) -> Self {
        self.opening = facts;
        self
    }

    /// Works on the run until it ends or is parked.
    pub async fn work(mut self, past: Vec<Recorded>) -> Result<Finish, SessionError> {
        if past.is_empty() {
            self.begin()?;
        } else {
            self.replay(past).await?;
        }
        let mut last_inbox = self.now().active_ms;
        let mut last_tick = last_inbox;
        let mut last_gate = last_inbox;
        while self.finish.is_none() {
            self.wait().await?;
            let now = self.now();
            while let Some(key) = self.timers.take_due(self.now()) {
                self.tell(Ev::Timer { key })?;
            }
            if self.conditions.inbox
                && now.active_ms.saturating_sub(last_inbox) >= millis(self.scaled(INBOX_EVERY))
            {
                last_inbox = now.active_ms;
                self.look_into_inbox()?;
            }
            if self.gate.waits()
                && now.active_ms.saturating_sub(last_gate) >= millis(self.scaled(INBOX_EVERY))
            {
                last_gate = now.active_ms;
                self.look_at_gate()?;
            }
            if let Some(every) = self.conditions.tick_every
                && now.active_ms.saturating_sub(last_tick) >= millis(self.scaled(every))
            {
                last_tick = now.active_ms;
                self.conditions
                    .observers
                    .iter_mut()
                    .for_each(|observer| observer.tick(now));
            }
            self.park_when_it_only_waits();
            self.park_when_quiet()?;
            self.journal.flush_when_due(now.active_ms)?;
        }
        self.journal.flush()?;
        if let Some(up_to) = self.inbox_up_to {
            self.conditions.store.settle(&self.run, up_to)?;
        }
        for call in self.under_way.values() {
            call.abort.abort();
        }
        Ok(self.finish.unwrap_or(Finish::Parked {
            reason: String::new(),
            exit_code: EXIT_PARKED,
        }))
    }

    fn now(&self) -> Moment {
        let elapsed = self
            .conditions
            .clock
            .elapsed()
            .saturating_sub(self.started_elapsed);
        Moment {
            wall: self.conditions.clock.now(),
            active_ms: self.base_active_ms.saturating_add(millis(elapsed)),
        }
    }

    /// A duration of real time as the clock of the run counts it.
    fn scaled(&self, real: Duration) -> Duration {
        real.saturating_mul(self.conditions.clock.speed())
    }

    fn begin(&mut self) -> Result<(), SessionError> {
        let at = self.now();
        let turn = self.machine.step(None, at);
        self.record_all(turn.events, at);
        let mut outstanding = turn.commands;
        let facts = self.mail()?;
        let canceled = facts.iter().any(|fact| matches!(fact, Ev::Cancel { .. }));
        self.tell_before(facts, &mut outstanding);
        if canceled {
            // Whoever canceled a run that had not begun wants nothing sent, and nothing was.
            let unsent: Vec<Ev> = outstanding.iter().filter_map(|c| unsent(c, at)).collect();
            self.tell_before(unsent, &mut outstanding);
        }
        let commands = outstanding;
        let events = Vec::new();
        self.carry_out(Turn { commands, events }, at)?;
        self.settle_inbox()
    }

    /// Gives the recorded facts to the machine, which makes the same decisions again; what it decides
    /// beyond the record is new. Then what is still outstanding is carried out.
    async fn replay(&mut self, past: Vec<Recorded>) -> Result<(), SessionError> {
        let mut outstanding: Vec<Cmd> = Vec::new();
        let mut decided: Vec<(Event, Moment)> = Vec::new();
        let first = past
            .first()
            .map_or_else(|| self.now(), |recorded| recorded.at);
        let facts = past.iter().filter_map(|r| Some((Ev::of(&r.event)?, r.at)));
        let mut sessions = 0;
        for (ev, at) in std::iter::once((None, first)).chain(facts.map(|(ev, at)| (Some(ev), at))) {
            if let Some(Ev::Resumed { session }) = &ev {
                sessions = *session;
            }
            settle_command(&mut outstanding, ev.as_ref());
            let turn = self.machine.step(ev, at);
            decided.extend(turn.events.into_iter().map(|event| (event, at)));
            add_commands(&mut outstanding, turn.commands);
        }
        let fits = |(recorded, (event, _)): (&Recorded, &(Event, Moment))| {
            same_kind(&recorded.event, event)
        };
        let misfit = past.iter().zip(&decided).position(|pair| !fits(pair));
        if misfit.is_some() || decided.len() < past.len() {
            let seq = misfit.unwrap_or(decided.len()) as u64 + 1;
            return Err(SessionError::Replay { seq });
        }
        for recorded in &past {
            self.conditions
                .observers
                .iter_mut()
                .for_each(|observer| observer.event(recorded));
        }
        for (event, at) in decided.into_iter().skip(past.len()) {
            self.record(event, at);
        }
        self.take_group_again().await?;
        if self.finish.is_some() {
            return Ok(());
        }
        // What people asked for meanwhile counts before anything is carried out, and so does the clock.
        let mut facts = self.mail()?;
        facts.append(&mut self.opening);
        facts.extend(self.machine.overdue(self.now().wall));
        facts.push(Ev::Resumed {
            session: sessions + 1,
        });
        self.tell_before(facts, &mut outstanding);
        let at = self.now();
        self.carry_out(
            Turn {
                commands: outstanding,
                events: Vec::new(),
            },
            at,
        )?;
        self.settle_inbox()?;
        self.end_when_nothing_is_left(&past);
        Ok(())
    }

    /// What was left for this run while nobody worked on it.
    fn mail(&mut self) -> Result<Vec<Ev>, StoreError> {
        let mut posted = std::mem::take(&mut self.mail);
        posted.extend(self.conditions.store.take(&self.run)?);
        self.inbox_up_to = posted.last().map(|last| last.number);
        Ok(posted.into_iter().map(fact_of).collect())
    }

    /// Tells the machine facts whose commands are carried out later.
    fn tell_before(&mut self, facts: Vec<Ev>, outstanding: &mut Vec<Cmd>) {
        for fact in facts {
            if self.finish.is_some() {
                return;
            }
            let at = self.now();
            let Some(ev) = Ev::of(&redacted(fact.into(), &self.conditions.redactor)) else {
                continue;
            };
            // A run that has ended hears only what may open it again.
            let opens = matches!(ev, Ev::RoundRequested { .. });
            let settles = matches!(ev, Ev::Resolved { .. });
            if (self.machine.has_ended() && !opens && !settles)
                || (opens && !self.machine.unsettled().is_empty())
            {
                continue;
            }
            settle_command(outstanding, Some(&ev));
            let turn = self.machine.step(Some(ev), at);
            self.record_all(turn.events, at);
            add_commands(outstanding, turn.commands);
        }
    }

    /// A run that had ended, and that nothing opened again, has still ended.
    fn end_when_nothing_is_left(&mut self, past: &[Recorded]) {
        if self.finish.is_some() || !self.machine.has_ended() {
            return;
        }
        self.finish = past
            .iter()
            .rev()
            .find_map(|recorded| match &recorded.event {
                Event::RunEnded(ended) => Some(Finish::Ended(ended.clone())),
                _ => None,
            });
    }

    /// A run that holds a concurrency group gave it back when it was parked: it must have it again before
    /// it goes on. While it waits, the time of its steps stands still.
    async fn take_group_again(&mut self) -> Result<(), SessionError> {
        let Some((group, waits)) = self.machine.group() else {
            return Ok(());
        };
        if self.machine.has_ended() && self.opening.is_empty() {
            return Ok(());
        }
        self.gate.want(group.to_owned());
        loop {
            let news = self.gate.look()?;
            match news {
                Some(Ev::GroupBusy { group, by }) if !waits => {
                    let message = format!("the concurrency group `{group}` is held by {by}");
                    let kind = StoreErrorKind::Locked { by: None };
                    return Err(StoreError::new(kind, message).into());
                }
                Some(Ev::GroupBusy { group, by }) => self.warn_of_group(&group, &by),
                Some(_) | None => {}
            }
            // Who cancels a run does not wait for others; nor does one whose time is over.
            let over = self.machine.overdue(self.now().wall).is_some();
            if !self.gate.waits() || over || self.is_canceled()? {
                break;
            }
            let clock = self.conditions.clock;
            let pause = self.scaled(INBOX_EVERY);
            tokio::select! {
                biased;
                Some(request) = self.conditions.stop.recv() => match request {
                    StopRequest::Park { reason, exit_code } => {
                        self.finish = Some(Finish::Parked { reason, exit_code });
                        return Ok(());
                    }
                    StopRequest::Cancel { by } => {
                        self.opening.push(Ev::Cancel { by });
                        break;
                    }
                },
                () = clock.sleep(pause) => {}
            }
        }
        self.gate.give_up();
        self.started_elapsed = self.conditions.clock.elapsed();
        Ok(())
    }

    fn is_canceled(&mut self) -> Result<bool, StoreError> {
        self.mail.extend(self.conditions.store.take(&self.run)?);
        Ok(self
            .mail
            .iter()
            .any(|posted| matches!(posted.message, InboxMessage::Cancel { .. })))
    }

    fn warn_of_group(&mut self, group: &str, by: &str) {
        let message = format!("waiting: the concurrency group `{group}` is held by {by}");
        self.conditions
            .observers
            .iter_mut()
            .for_each(|observer| observer.notice(&message));
    }

    fn look_at_gate(&mut self) -> Result<(), SessionError> {
        match self.gate.look()? {
            Some(fact) => self.tell(fact),
            None => Ok(()),
        }
    }

    /// Waits until something happens: a message, a request to stop, a timer, a commit that is due.
    async fn wait(&mut self) -> Result<(), SessionError> {
        let pause = self.longest_pause();
        let clock = self.conditions.clock;
        tokio::select! {
            biased;
            message = self.messages.recv() => {
                let mut batch: Vec<Message> = message.into_iter().collect();
                while let Ok(message) = self.messages.try_recv() {
                    batch.push(message);
                }
                self.take_messages(batch)?;
            }
            Some(request) = self.conditions.stop.recv() => self.stop_requested(request)?,
            () = clock.sleep(pause) => {}
        }
        Ok(())
    }

    fn longest_pause(&self) -> Duration {
        let now = self.now();
        let mut pauses = vec![Duration::from_secs(3600)];
        pauses.extend(self.timers.until_next(now));
        pauses.extend(self.journal.until_due(now.active_ms));
        let looks = self.conditions.inbox || self.gate.waits();
        pauses.extend(looks.then(|| self.scaled(INBOX_EVERY)));
        pauses.extend(self.conditions.tick_every.map(|every| self.scaled(every)));
        pauses.extend(
            self.parking
                .as_ref()
                .map(|(_, until)| until.saturating_sub(self.conditions.clock.elapsed())),
        );
        if let Some(after) = self.conditions.park_after {
            pauses.push(
                after.saturating_sub(Duration::from_millis(now.active_ms - self.base_active_ms)),
            );
        }
        if !self.conditions.clock.is_virtual() {
            // The wall clock may be set: no sleep goes past a minute without a look at it.
            pauses.push(Duration::from_secs(60));
        }
        pauses.into_iter().min().unwrap_or_default()
    }

    fn take_messages(&mut self, batch: Vec<Message>) -> Result<(), SessionError> {
        let mut ended = Vec::new();
        for message in batch {
            match message {
                Message::Seen(observation) => {
                    let observation = redacted_observation(observation, &self.conditions.redactor);
                    self.conditions
                        .store
                        .put_observation(&self.run, &observation);
                    self.conditions
                        .observers
                        .iter_mut()
                        .for_each(|o| o.observation(&observation));
                }
                Message::Intent { intent, reply } => {
                    let written = self.journal.intent(&intent);
                    let told = written.as_ref().map(|()| ()).map_err(|e| IntentError {
                        message: e.to_string(),
                    });
                    // The call may have been given up meanwhile; then nothing is sent.
                    let _ = reply.send(told);
                    written?;
                }
                Message::Ended { key, outcome } => ended.push((key, outcome)),
            }
        }
        ended.sort_by_key(|(key, _)| self.machine.order(&key.step));
        for (key, outcome) in ended {
            let wrote = self
                .under_way
                .remove(&key.to_string())
                .is_some_and(|call| call.writes);
            self.tell(Ev::Ended { key, outcome })?;
            if wrote {
                // The outcome of a write is durable at once, or a crash would have to look it up.
                self.journal.flush()?;
            }
        }
        Ok(())
    }

    /// Gives the machine a fact, and does what it says.
    fn tell(&mut self, ev: Ev) -> Result<(), SessionError> {
        if self.finish.is_some() {
            return Ok(());
        }
        let at = self.now();
        let fact = redacted(ev.into(), &self.conditions.redactor);
        let Some(ev) = Ev::of(&fact) else {
            return Ok(());
        };
        let turn = self.machine.step(Some(ev), at);
        self.carry_out(turn, at)
    }

    fn carry_out(&mut self, turn: Turn, at: Moment) -> Result<(), SessionError> {
        self.record_all(turn.events, at);
        for command in turn.commands {
            match command {
                Cmd::Timer { key, due } => self.timers.add(key, due),
                Cmd::Acquire { group } => {
                    self.gate.want(group);
                    self.look_at_gate()?;
                }
                Cmd::Drop { key } => {
                    if key == GROUP {
                        self.gate.give_up();
                    }
                    self.timers.remove(&key);
                    if let Some(call) = self.under_way.remove(&key) {
                        call.abort.abort();
                    }
                }
                Cmd::Call {
                    key,
                    call,
                    deadline_active_ms,
                } => {
                    // While it is being parked, a run begins nothing: a resume will.
                    if self.parking.is_none() {
                        self.start_call(key, call, deadline_active_ms)?;
                    }
                }
                Cmd::Park { failure } => {
                    let request = StopRequest::Park {
                        reason: failure.message,
                        exit_code: EXIT_UNREACHABLE,
                    };
                    self.stop_requested(request)?;
                }
            }
        }
        Ok(())
    }

    fn record_all(&mut self, events: Vec<Event>, at: Moment) {
        for event in events {
            if let Event::RunEnded(ended) = self.record(event, at).event {
                self.finish = Some(Finish::Ended(ended));
            }
        }
    }

    fn record(&mut self, event: Event, at: Moment) -> Recorded {
        let recorded = self.journal.add(event, at);
        self.conditions
            .observers
            .iter_mut()
            .for_each(|observer| observer.event(&recorded));
        recorded
    }

    fn start_call(
        &mut self,
        key: EffectKey,
        call: Call,
        deadline_active_ms: u64,
    ) -> Result<(), SessionError> {
        let writes = CallClass::of(&call).writes();
        let previous = if writes {
            self.conditions.store.intent(&self.run, &key)?
        } else {
            None
        };
        let seen = self.sender.clone();
        let request = CallRequest {
            key: key.clone(),
            call,
            remaining: Duration::from_millis(
                deadline_active_ms.saturating_sub(self.now().active_ms),
            ),
            intents: Box::new(Notes {
                previous,
                sender: self.sender.clone(),
            }),
            observe: Box::new(move |observation| {
                // Nobody listens any more once the session is over.
                let _ = seen.send(Message::Seen(observation));
            }),
        };
        let began = self.conditions.clock.now();
        let clock = self.conditions.clock;
        let work = AssertUnwindSafe(self.conditions.effects.call(request)).catch_unwind();
        let sender = self.sender.clone();
        let name = key.to_string();
        let task = tokio::spawn(async move {
            let outcome = work.await.unwrap_or_else(|_| broke(began, clock.now()));
            let _ = sender.send(Message::Ended { key, outcome });
        });
        self.under_way.insert(
            name,
            UnderWay {
                abort: task.abort_handle(),
                writes,
            },
        );
        Ok(())
    }

    fn stop_requested(&mut self, request: StopRequest) -> Result<(), SessionError> {
        match request {
            StopRequest::Cancel { by } => self.tell(Ev::Cancel { by }),
            StopRequest::Park { .. } => {
                match &mut self.parking {
                    // Told twice: at once.
                    Some((_, until)) => *until = Duration::ZERO,
                    None => {
                        let until = self.conditions.clock.elapsed() + self.scaled(PARK_GRACE);
                        self.parking = Some((request, until));
                    }
                }
                Ok(())
            }
        }
    }

    fn park_when_it_only_waits(&mut self) {
        let Some(after) = self.conditions.park_after else {
            return;
        };
        let worked = self.now().active_ms.saturating_sub(self.base_active_ms);
        if worked >= millis(after) && self.parking.is_none() && !self.writes_under_way() {
            let reason = format!("`--park {}`", crate::duration::show(after));
            let request = StopRequest::Park {
                reason,
                exit_code: EXIT_PARKED,
            };
            self.parking = Some((request, Duration::ZERO));
        }
    }

    fn writes_under_way(&self) -> bool {
        self.under_way.values().any(|call| call.writes)
    }

    /// Parks as soon as no write is under way, or the grace is over.
    fn park_when_quiet(&mut self) -> Result<(), SessionError> {
        let Some((StopRequest::Park { reason, exit_code }, until)) = self.parking.clone() else {
            return Ok(());
        };
        if self.finish.is_some()
            || (self.writes_under_way() && self.conditions.clock.elapsed() < until)
        {
            return Ok(());
        }
        self.tell(Ev::Parked {
            reason: reason.clone(),
            exit_code,
        })?;
        self.finish = Some(Finish::Parked { reason, exit_code });
        Ok(())
    }

    fn look_into_inbox(&mut self) -> Result<(), SessionError> {
        for posted in self.conditions.store.take(&self.run)? {
            self.inbox_up_to = Some(posted.number);
            self.tell(fact_of(posted))?;
        }
        self.settle_inbox()
    }

    fn settle_inbox(&mut self) -> Result<(), SessionError> {
        if let Some(up_to) = self.inbox_up_to.take() {
            self.journal.flush()?;
            self.conditions.store.settle(&self.run, up_to)?;
        }
        Ok(())
    }
}

/// The notes about one write, as its effect gets them.
struct Notes {
    previous: Option<Intent>,
    sender: UnboundedSender<Message>,
}

impl Intents for Notes {
    fn previous(&self) -> Option<Intent> {
        self.previous.clone()
    }

    fn open(&self, intent: Intent) -> futures_util::future::BoxFuture<'_, Result<(), IntentError>> {
        Box::pin(async move {
            let gone = || IntentError {
                message: "the session is over".to_owned(),
            };
            let (reply, answer) = oneshot::channel();
            self.sender
                .send(Message::Intent { intent, reply })
                .map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        })
    }
}

fn redacted_observation(observation: Observation, redactor: &Redactor) -> Observation {
    serde_json::to_value(&observation)
        .ok()
        .and_then(|value| serde_json::from_value(redactor.value(&value)).ok())
        .unwrap_or(observation)
}

/// A call that panicked: what it did is not known.
fn broke(started_at: jiff::Timestamp, ended_at: jiff::Timestamp) -> Outcome {
    let failure = Failure::new(
        FailureKind::Bug,
        "a call broke off: this is a bug in runner",
    );
    Outcome {
        started_at,
        ended_at,
        requests: 0,
        result: Err(failure.fate(Fate::Unknown)),
    }
}

/// A call that is not carried out at all.
fn unsent(command: &Cmd, at: Moment) -> Option<Ev> {
    let Cmd::Call { key, .. } = command else {
        return None;
    };
    let failure = Failure::new(
        FailureKind::Canceled,
        "the run was canceled before it began",
    );
    let outcome = Outcome {
        started_at: at.wall,
        ended_at: at.wall,
        requests: 0,
        result: Err(failure.fate(Fate::NotSent)),
    };
    let key = key.clone();
    Some(Ev::Ended { key, outcome })
}

/// What a message says.
fn fact_of(posted: Posted) -> Ev {
    match posted.message {
        InboxMessage::Cancel { by } => Ev::Cancel { by },
        InboxMessage::Answer { step, approved, by } => Ev::Answered { step, approved, by },
        InboxMessage::Resolve {
            step,
            resolution,
            by,
        } => Ev::Resolved {
            step,
            resolution,
            by,
        },
    }
}

/// What is commanded is outstanding, unless it takes something back.
fn add_commands(outstanding: &mut Vec<Cmd>, commands: Vec<Cmd>) {
    for command in commands {
        match &command {
            Cmd::Drop { key } => outstanding.retain(|c| command_key(c).as_deref() != Some(key)),
            Cmd::Call { .. } | Cmd::Timer { .. } | Cmd::Acquire { .. } => outstanding.push(command),
            Cmd::Park { .. } => {}
        }
    }
}

/// What a recorded fact settles is no longer outstanding.

fn settle_command(outstanding: &mut Vec<Cmd>, ev: Option<&Ev>) {
    let settled = match ev {
        Some(Ev::Ended { key, .. }) => key.to_string(),
        Some(Ev::Timer { key }) => key.clone(),
        Some(Ev::GroupTaken { .. }) => GROUP.to_owned(),
        Some(
            Ev::Answered { .. }
            | Ev::Cancel { .. }
            | Ev::Parked { .. }
            | Ev::Resumed { .. }
            | Ev::Resolved { .. }
            | Ev::RoundRequested { .. }
            | Ev::GroupBusy { .. },
        )
        | None => return,
    };
    outstanding.retain(|command| command_key(command).as_deref() != Some(&settled));
}

fn command_key(command: &Cmd) -> Option<String> {
    match command {
        Cmd::Call { key, .. } => Some(key.to_string()),
        Cmd::Timer { key, .. } | Cmd::Drop { key } => Some(key.clone()),
        Cmd::Acquire { .. } => Some(GROUP.to_owned()),
        Cmd::Park { .. } => None,
    }
}

/// Whether two events are the same but for what may have been masked.
fn same_kind(recorded: &Event, decided: &Event) -> bool {
    match (recorded, decided) {
        (Event::StepEnded(a), Event::StepEnded(b)) => a.step == b.step && a.outcome == b.outcome,
        (Event::CallStarted { key: a, .. }, Event::CallStarted { key: b, .. }) => a == b,
        (Event::StepStarted { step: a }, Event::StepStarted { step: b }) => a == b,
        (Event::RunCreated(a), Event::RunCreated(b)) => a.digest == b.digest && a.id == b.id,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
