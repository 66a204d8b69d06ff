//! The simulator: one pure function from a request and a time to a reply.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::acts::Act;
use super::api::{self, Endpoint};
use super::faults::{Faults, Hit};
use super::http::{Fault, Reply, Request};
use super::scenario::{Mishap, Scenario};
use super::state::State;
use super::web::{Heard, Others};

/// What the real server waits for a slow backend before it says 500.
const BACKEND_PATIENCE: Duration = Duration::from_secs(5);

/// A simulated Semaphore.
#[derive(Debug, Clone)]
pub struct Simulator {
    state: State,
    faults: Faults,
    others: Others,
    start: Timestamp,
}

impl Simulator {
    /// A simulated Semaphore that can be asked from `start` on; what is the past of its scenario has happened
    /// by then. All ids are functions of the seed.
    pub fn new(scenario: Scenario, seed: u64, start: Timestamp) -> Self {
        let start = whole_micros(start);
        let scenario = Arc::new(scenario);
        let began = start.checked_sub(scenario.past.0).unwrap_or(start);
        Self {
            faults: Faults::new(&scenario),
            others: Others::new(Arc::clone(&scenario)),
            state: State::new(scenario, seed, began),
            start,
        }
    }

    /// Answers a request. Time never goes back: an earlier `now` counts as the latest one.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.advance(now);
        let endpoint = api::route(request);
        let since_start = Duration::try_from(self.state.now().duration_since(self.start));
        let state = &self.state;
        let hit = self.faults.pick(
            request,
            endpoint.as_ref().ok().map(Endpoint::name),
            since_start.unwrap_or_default(),
            |words| state.chance(words),
        );
        match hit {
            None => self.act(request, Duration::ZERO),
            Some(hit) => self.mishap(request, &hit),
        }
    }

    /// Answers a request to another server; its path is the whole address without the query. None when the
    /// scenario has no such server.
    pub fn handle_elsewhere(&mut self, request: &Request, now: Timestamp) -> Option<Reply> {
        self.others.answer(request, now)
    }

    /// What other servers heard so far, in order.
    pub fn heard(&self) -> &[Heard] {
        self.others.heard()
    }

    /// What was really done so far, in order.
    pub fn acts(&self) -> &[Act] {
        self.state.acts()
    }

    /// When something changes by itself after `now`, if ever.
    pub fn next_change(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.advance(now);
        self.state.next_change()
    }

    /// The scenario.
    pub fn scenario(&self) -> &Scenario {
        &self.state.scenario
    }

    /// How many requests came in so far.
    pub fn requests(&self) -> u64 {
        self.faults.requests()
    }

    fn advance(&mut self, now: Timestamp) {
        let now = whole_micros(now);
        while let Some(late) = self.state.advance(now) {
            let before = self.state.acts().len();
            self.act(&late, Duration::ZERO);
            self.state.answers_lost(before);
        }
    }

    fn act(&mut self, request: &Request, lag: Duration) -> Reply {
        let lag = lag.max(self.state.scenario.server.list_lag.0);
        api::answer(&mut self.state, request, lag)
    }

    fn act_with(&mut self, request: &Request, fault: Fault) -> Reply {
        Reply {
            fault,
            ..self.act(request, Duration::ZERO)
        }
    }

    fn act_unseen(&mut self, request: &Request, fault: Fault) -> Reply {
        let before = self.state.acts().len();
        let reply = self.act_with(request, fault);
        self.state.answers_lost(before);
        reply
    }

    fn mishap(&mut self, request: &Request, hit: &Hit) -> Reply {
        match &hit.mishap {
            Mishap::ResetBeforeActing => api::bare(0, "").with_fault(Fault::ResetBeforeActing),
            Mishap::ResetAfterActing => self.act_unseen(request, Fault::ResetAfterActing),
            Mishap::Hang => self.act_unseen(request, Fault::NeverAnswer),
            Mishap::CutBody(bytes) => self.act_unseen(request, Fault::CutBody(*bytes)),
            Mishap::Delay(span) => self.act_with(request, Fault::Delay(span.0)),
            Mishap::StaleList(span) => self.act(request, span.0),
            Mishap::RateLimit(span) => {
                let mut reply = api::bare(429, "Too Many Requests");
                let seconds = span.0.as_secs().to_string();
                reply.headers.push(("retry-after".to_owned(), seconds));
                reply
            }
            Mishap::SlowBackend(span) => {
                if span.0.is_zero() {
                    self.act_unseen(request, Fault::None);
                } else {
                    self.state.schedule_late(span.0, request.clone());
                }
                api::text(500, "\"Internal error\"").with_fault(Fault::Delay(BACKEND_PATIENCE))
            }
            Mishap::Answer(answer) => {
                if answer.acts {
                    self.act_unseen(request, Fault::None);
                }
                let mut reply = api::bare(answer.status, &answer.body);
                let headers = answer.headers.iter();
                reply
                    .headers
                    .extend(headers.map(|(k, v)| (k.clone(), v.clone())));
                reply
            }
        }
    }
}

/// The server's stamps end at microseconds.
fn whole_micros(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}
