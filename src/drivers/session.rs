//! One session: a runner's work on one run, until it ends or is parked.
//!
//! The only owner of machine, journal and timers. Calls run as tasks of their own and send what they
//! have to say through one channel; whatever has arrived in one instant is given to the machine in the
//! order of the plan.

mod conditions;
mod going_on;
mod outside;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

pub use self::conditions::{Conditions, Finish, Observer, SessionError, StopRequest};
use super::gate::Gate;
use super::journal::{Journal, redacted};
use super::timers::Timers;
use crate::clock::Moment;
use crate::engine::call::Call;
use crate::engine::{CallClass, CallRequest, Cmd, Ev, GROUP, IntentError, Intents, Machine};
use crate::event::{
    EffectKey, Event, Failure, FailureKind, Fate, Intent, Observation, Outcome, Recorded,
};
use crate::secret::Redactor;
use crate::store::{OwnerInfo, Posted};

/// How long a write that is under way is waited for before the run is parked.
const PARK_GRACE: Duration = Duration::from_secs(2);
/// How often the inbox is looked into.
const INBOX_EVERY: Duration = Duration::from_secs(1);
const EXIT_PARKED: u8 = 75;
const EXIT_UNREACHABLE: u8 = 7;

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

/// A call under way; it ends with the session, however that ends.
struct UnderWay {
    abort: AbortHandle,
    writes: bool,
    /// Whether its intent is durable, so that it may have been sent.
    sent: bool,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.abort.abort();
    }
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
    /// Writes that wait for their intent until the run is parked.
    held: Vec<oneshot::Sender<Result<(), IntentError>>>,
    inbox_up_to: Option<u64>,
    gate: Gate,
    last_gate_ms: u64,
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
            held: Vec::new(),
            inbox_up_to: None,
            gate: Gate::new(Arc::clone(&conditions.store), owner),
            last_gate_ms: 0,
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
            self.go_on(&past).await?;
        }
        let mut last_inbox = self.now().active_ms;
        let mut last_tick = last_inbox;
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
            if let Some(every) = self.conditions.tick_every
                && now.active_ms.saturating_sub(last_tick) >= millis(self.scaled(every))
            {
                last_tick = now.active_ms;
                self.conditions
                    .observers
                    .iter_mut()
                    .for_each(|observer| observer.tick(now));
            }
            self.look_at_gate_when_due(now)?;
            self.park_when_it_only_waits();
            self.park_when_quiet()?;
            self.journal.flush_when_due(now.active_ms)?;
        }
        self.journal.flush()?;
        self.settle_inbox()?;
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
        if let Some(after) = self.conditions.park_after
            && !self.writes_under_way()
        {
            let worked = now.active_ms.saturating_sub(self.base_active_ms);
            pauses.push(after.saturating_sub(Duration::from_millis(worked)));
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
                // While it is being parked, nothing new is sent: a resume will.
                Message::Intent { reply, .. } if self.parking.is_some() => self.held.push(reply),
                Message::Intent { intent, reply } => {
                    if let Some(call) = self.under_way.get_mut(&intent.key.to_string()) {
                        call.sent = true;
                    }
                    let written = self.journal.intent(&intent);
                    let told = written.as_ref().copied().map_err(|e| IntentError {
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
            let Some(call) = self.under_way.remove(&key.to_string()) else {
                // It was given up in this very instant.
                continue;
            };
            self.tell(Ev::Ended { key, outcome })?;
            if call.writes {
                // The outcome of a write is durable at once, or a crash would have to look it up.
                self.journal.flush()?;
            }
        }
        Ok(())
    }

    /// Gives the machine a fact, and does what it says.
    fn tell(&mut self, ev: Ev) -> Result<(), SessionError> {
        let commands = self.hear(ev);
        self.carry_out(commands)
    }

    /// Gives the machine a fact and records what it makes of it; what it commands is still to be done.
    fn hear(&mut self, ev: Ev) -> Vec<Cmd> {
        if self.finish.is_some() {
            return Vec::new();
        }
        let at = self.now();
        let fact = redacted(ev.into(), &self.conditions.redactor);
        let Some(ev) = Ev::of(&fact) else {
            return Vec::new();
        };
        let turn = self.machine.step(Some(ev), at);
        for event in turn.events {
            self.record(event, at);
        }
        turn.commands
    }

    fn carry_out(&mut self, commands: Vec<Cmd>) -> Result<(), SessionError> {
        for command in commands {
            match command {
                Cmd::Timer { key, due } => self.timers.add(key, due),
                Cmd::Acquire { group } => {
                    self.gate.want(group);
                    self.look_at_gate(self.now())?;
                }
                Cmd::Drop { key } => {
                    if key == GROUP {
                        self.gate.give_up();
                    }
                    self.timers.remove(&key);
                    self.under_way.remove(&key);
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

    fn record(&mut self, event: Event, at: Moment) {
        let recorded = self.journal.add(event, at);
        if let Event::Asked { .. } = recorded.event {
            // Who is asked finds the question in the store. Should it not be written down now, the next
            // commit says so.
            let _ = self.journal.flush();
        }
        self.conditions
            .observers
            .iter_mut()
            .for_each(|observer| observer.event(&recorded));
        if let Event::RunEnded(ended) = recorded.event {
            self.finish = Some(Finish::Ended(ended));
        }
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
        let previous_sent = previous.is_some();
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
        let work = self.conditions.effects.call(request);
        let sender = self.sender.clone();
        let name = key.to_string();
        let clock = self.conditions.clock;
        let sent = previous_sent;
        let task = tokio::spawn(async move {
            let started_at = clock.now();
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| broken(started_at, clock.now(), writes));
            let _ = sender.send(Message::Ended { key, outcome });
        });
        self.under_way.insert(
            name,
            UnderWay {
                abort: task.abort_handle(),
                writes,
                sent,
            },
        );
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

/// The outcome of a call whose effect panicked: what it did is not known.
fn broken(started_at: Timestamp, ended_at: Timestamp, writes: bool) -> Outcome {
    let fate = if writes { Fate::Unknown } else { Fate::NotDone };
    let failure = Failure::new(
        FailureKind::Bug,
        "a call broke off in the middle: this is a bug in runner",
    );
    Outcome {
        started_at,
        ended_at,
        requests: 0,
        repeated: false,
        result: Err(failure.fate(fate)),
    }
}

fn redacted_observation(observation: Observation, redactor: &Redactor) -> Observation {
    serde_json::to_value(&observation)
        .ok()
        .and_then(|value| serde_json::from_value(redactor.value(&value)).ok())
        .unwrap_or(observation)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
