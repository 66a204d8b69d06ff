//! Whether and when a call that went wrong is tried again: pure functions.
//!
//! The table is that of the API contract ("retry classification"): what may be repeated depends on the
//! kind of call, on what the server said, and on whether the request may have arrived. Attempts count
//! answers; what never left the machine counts against a budget of time instead.

use std::time::Duration;

use super::call::Call;
use crate::event::{Failure, FailureKind, Fate};
use crate::ids::derived_number;
use crate::plan::{Retry, RetryOn};

/// How a call may be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallClass {
    /// It only reads.
    Read,
    /// It waits, and looks again by itself: what it gives back is final.
    Wait,
    /// It writes, and doing it twice is the same as doing it once (stop).
    Repeatable,
    /// It writes with a request token of its own (rerun, rebuild, promote).
    Token,
    /// It writes, and nothing keeps it from happening twice (run workflow, run task).
    Blind,
    /// It writes elsewhere, where nobody can look for what it did: it is sent at most once.
    Once,
}

impl CallClass {
    /// The class of a call.
    pub fn of(call: &Call) -> Self {
        match call {
            Call::ResolveProject { .. }
            | Call::ResolveTask { .. }
            | Call::DescribeWorkflow { .. }
            | Call::Adopt { .. }
            | Call::DescribePipeline { .. }
            | Call::DescribeJob { .. }
            | Call::FindPipeline { .. }
            | Call::ListWorkflows { .. }
            | Call::ListPipelines(_)
            | Call::ListPromotions { .. }
            | Call::FetchLog { .. }
            | Call::Triage(_) => Self::Read,
            Call::AwaitPipeline { .. }
            | Call::AwaitWorkflow { .. }
            | Call::AwaitJob { .. }
            | Call::AwaitPromotion { .. } => Self::Wait,
            Call::StopWorkflow { .. } | Call::StopPipeline { .. } | Call::StopJob { .. } => {
                Self::Repeatable
            }
            Call::RerunWorkflow { .. }
            | Call::RebuildPipeline { .. }
            | Call::TriggerPromotion { .. } => Self::Token,
            Call::RunWorkflow { .. } | Call::RunTask { .. } => Self::Blind,
            Call::Http(call) => Self::of_method(&call.method, call.idempotent),
        }
    }

    fn of_method(method: &str, idempotent: bool) -> Self {
        match method {
            "GET" | "HEAD" => Self::Read,
            "PUT" | "DELETE" => Self::Repeatable,
            _ if idempotent => Self::Repeatable,
            _ => Self::Once,
        }
    }

    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        match self {
            Self::Read | Self::Wait => false,
            Self::Repeatable | Self::Token | Self::Blind | Self::Once => true,
        }
    }
}

/// For how long the network may be away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// After Semaphore answered at least once.
    pub retry: Duration,
    /// Before it ever answered, so that a typo in the host does not hang.
    pub first_contact: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            retry: Duration::from_secs(15 * 60),
            first_contact: Duration::from_secs(30),
        }
    }
}

/// What was tried of one call so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tries {
    /// Answers that were failures.
    pub(super) answers: u32,
    /// Since when (active time) nothing could be sent.
    pub(super) unsent_since_ms: Option<u64>,
    /// Since when (active time) the server says that the pipeline has not passed.
    pub(super) not_passed_since_ms: Option<u64>,
    /// Since when (active time) an id that we were given is not found.
    pub(super) not_found_since_ms: Option<u64>,
    /// How many delays there were.
    pub(super) delays: u32,
}

/// What to do about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again after this long.
    Again(Duration),
    /// The network is away for too long: park the run.
    Park,
    /// The call has failed.
    GiveUp,
}

/// What the decision depends on besides the failure.
pub(super) struct Situation<'a> {
    pub(super) class: CallClass,
    pub(super) policy: &'a Retry,
    pub(super) budget: Budget,
    /// Whether Semaphore has ever answered in this run.
    pub(super) contacted: bool,
    /// Whether the id that the call is about was handed out in this run, not long ago.
    pub(super) fresh_id: bool,
    pub(super) now_active_ms: u64,
    /// What the jitter is derived from.
    pub(super) seed: &'a [&'a str],
}

const NOT_PASSED_FOR: Duration = Duration::from_secs(30);
const NOT_FOUND_FOR: Duration = Duration::from_secs(15);
const QUEUE_FULL_EVERY: Duration = Duration::from_secs(30);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

/// Decides, and counts the failure among the tries.
pub(super) fn decide(failure: &Failure, tries: &mut Tries, at: &Situation<'_>) -> Verdict {
    let allowed = |on: RetryOn| at.policy.on.contains(&on);
    let counted = |on: RetryOn, tries: &mut Tries| {
        if allowed(on) {
            count_answer(failure, tries, at)
        } else {
            Verdict::GiveUp
        }
    };
    match failure.kind {
        FailureKind::Network if failure.fate == Fate::NotSent => {
            if allowed(RetryOn::Network) {
                unsent(failure, tries, at)
            } else {
                Verdict::GiveUp
            }
        }
        FailureKind::Network | FailureKind::Timeout => counted(RetryOn::Network, tries),
        FailureKind::Server | FailureKind::InvalidAnswer | FailureKind::AuthOutage => {
            counted(RetryOn::Server, tries)
        }
        FailureKind::RateLimited => counted(RetryOn::RateLimited, tries),
        FailureKind::QueueFull => Verdict::Again(jittered(QUEUE_FULL_EVERY, tries, at)),
        FailureKind::NotPassed => {
            let since = *tries.not_passed_since_ms.get_or_insert(at.now_active_ms);
            patient(since, NOT_PASSED_FOR, tries, at)
        }
        FailureKind::NotFound if at.fresh_id => {
            let since = *tries.not_found_since_ms.get_or_insert(at.now_active_ms);
            patient(since, NOT_FOUND_FOR, tries, at)
        }
        FailureKind::NotFound
        | FailureKind::Unauthorized
        | FailureKind::Permission
        | FailureKind::Refused
        | FailureKind::FateUnknown
        | FailureKind::Limit
        | FailureKind::File
        | FailureKind::Deadline
        | FailureKind::PipelineFailed
        | FailureKind::PipelineStopped
        | FailureKind::PromotionFailed
        | FailureKind::Assert
        | FailureKind::Check
        | FailureKind::Fail
        | FailureKind::Extract
        | FailureKind::Template
        | FailureKind::Parameter
        | FailureKind::Rejected
        | FailureKind::Canceled
        | FailureKind::Locked
        | FailureKind::StepFailed
        | FailureKind::Bug => Verdict::GiveUp,
    }
}

/// What never left this machine counts against the budget of time.
fn unsent(failure: &Failure, tries: &mut Tries, at: &Situation<'_>) -> Verdict {
    // A wait has used up the budget itself before it gives back that nothing could be sent.
    if at.class == CallClass::Wait {
        return Verdict::Park;
    }
    let limit = if at.contacted {
        at.budget.retry
    } else {
        at.budget.first_contact
    };
    let since = *tries.unsent_since_ms.get_or_insert(at.now_active_ms);
    let left = limit.saturating_sub(Duration::from_millis(
        at.now_active_ms.saturating_sub(since),
    ));
    match (left.is_zero(), failure.elsewhere) {
        (false, _) => Verdict::Again(next_delay(tries, at).min(left)),
        // Another server that is away is no reason to leave the run alone.
        (true, true) => Verdict::GiveUp,
        (true, false) => Verdict::Park,
    }
}

/// An answer, or what may have been one: the attempts are counted.
fn count_answer(failure: &Failure, tries: &mut Tries, at: &Situation<'_>) -> Verdict {
    tries.unsent_since_ms = None;
    tries.answers += 1;
    let may_repeat = match at.class {
        CallClass::Read | CallClass::Repeatable | CallClass::Token => true,
        // What a wait gives back, it has looked at often enough itself.
        CallClass::Wait => false,
        // The effects have already looked for what it may have done.
        CallClass::Blind | CallClass::Once => failure.fate != Fate::Unknown,
    };
    if !may_repeat || tries.answers >= at.policy.attempts {
        return Verdict::GiveUp;
    }
    let asked = failure
        .retry_after_ms
        .map(|ms| Duration::from_millis(ms).min(RETRY_AFTER_MAX));
    let own = next_delay(tries, at);
    Verdict::Again(asked.map_or(own, |asked| asked.max(Duration::from_millis(1))))
}

/// Asks again every two seconds or so until the patience is over.
fn patient(since_ms: u64, patience: Duration, tries: &mut Tries, at: &Situation<'_>) -> Verdict {
    let waited = Duration::from_millis(at.now_active_ms.saturating_sub(since_ms));
    if waited >= patience {
        return Verdict::GiveUp;
    }
    Verdict::Again(jittered(Duration::from_secs(2), tries, at))
}

/// The delay of the policy: exponential, capped, with a part of it derived from the seed.
fn next_delay(tries: &mut Tries, at: &Situation<'_>) -> Duration {
    let power = i32::try_from(tries.delays.min(64)).unwrap_or(64);
    let grown = at.policy.first.as_secs_f64() * at.policy.factor.powi(power);
    let capped = grown.min(at.policy.max.as_secs_f64()).max(0.0);
    let base = Duration::try_from_secs_f64(capped).unwrap_or(at.policy.max);
    jittered(base, tries, at)
}

/// A delay of which up to the policy's share is taken away, derived from the seed.
fn jittered(base: Duration, tries: &mut Tries, at: &Situation<'_>) -> Duration {
    tries.delays += 1;
    let number = tries.delays.to_string();
    let mut parts = at.seed.to_vec();
    parts.push(&number);
    let share = (derived_number(&parts) % 1_000) as f64 / 1_000.0;
    let factor = 1.0 - at.policy.jitter.clamp(0.0, 1.0) * share;
    Duration::from_millis((base.as_secs_f64() * factor * 1_000.0).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(class: CallClass, policy: &Retry) -> Situation<'_> {
        Situation {
            class,
            policy,
            budget: Budget::default(),
            contacted: true,
            fresh_id: false,
            now_active_ms: 0,
            seed: &["salt", "step"],
        }
    }

    fn failure(kind: FailureKind, fate: Fate) -> Failure {
        Failure::new(kind, "x").fate(fate)
    }

    /// The table of the contract: what is tried again, for each class of call.
    #[test]
    fn the_table_of_the_contract() {
        use CallClass::{Blind, Once, Read, Repeatable, Token};
        use FailureKind as K;
        let policy = Retry::default();
        let all = [Read, Repeatable, Token, Blind, Once];
        let table: &[(K, Fate, [bool; 5])] = &[
            (K::Network, Fate::NotSent, [true; 5]),
            (K::Network, Fate::Unknown, [true, true, true, false, false]),
            (K::Timeout, Fate::Unknown, [true, true, true, false, false]),
            (K::Server, Fate::Unknown, [true, true, true, false, false]),
            (K::Server, Fate::NotDone, [true; 5]),
            (K::RateLimited, Fate::NotDone, [true; 5]),
            (K::AuthOutage, Fate::NotDone, [true; 5]),
            (K::QueueFull, Fate::NotDone, [true; 5]),
            (K::NotPassed, Fate::NotDone, [true; 5]),
            (K::NotFound, Fate::NotDone, [false; 5]),
            (K::Unauthorized, Fate::NotDone, [false; 5]),
            (K::Permission, Fate::NotDone, [false; 5]),
            (K::Refused, Fate::NotDone, [false; 5]),
            (K::FateUnknown, Fate::Unknown, [false; 5]),
        ];
        for (kind, fate, expected) in table {
            let got = all.map(|class| {
                let at = situation(class, &policy);
                decide(&failure(*kind, *fate), &mut Tries::default(), &at) != Verdict::GiveUp
            });
            assert_eq!(got, *expected, "{kind} {fate:?}");
        }
    }

    #[test]
    fn attempts_count_answers_and_end() {
        let policy = Retry {
            jitter: 0.0,
            ..Retry::default()
        };
        let at = situation(CallClass::Read, &policy);
        let mut tries = Tries::default();
        let server = failure(FailureKind::Server, Fate::NotDone);
        let delays: Vec<Verdict> = (0..5).map(|_| decide(&server, &mut tries, &at)).collect();
        let again = |s| Verdict::Again(Duration::from_secs(s));
        assert_eq!(
            delays,
            [again(1), again(2), again(4), again(8), Verdict::GiveUp]
        );
    }

    #[test]
    fn what_never_left_counts_against_the_budget() {
        let policy = Retry::default();
        let mut at = situation(CallClass::Blind, &policy);
        let mut tries = Tries::default();
        let away = failure(FailureKind::Network, Fate::NotSent);
        for minute in 0..15 {
            at.now_active_ms = minute * 60_000;
            assert!(
                matches!(decide(&away, &mut tries, &at), Verdict::Again(_)),
                "{minute}"
            );
        }
        at.now_active_ms = 15 * 60_000;
        assert_eq!(decide(&away, &mut tries, &at), Verdict::Park);
        at.contacted = false;
        at.now_active_ms = 30_000;
        assert_eq!(decide(&away, &mut tries, &at), Verdict::Park);
    }

    #[test]
    fn retry_after_wins_over_the_backoff_up_to_five_minutes() {
        let policy = Retry::default();
        let at = situation(CallClass::Read, &policy);
        let mut limited = failure(FailureKind::RateLimited, Fate::NotDone);
        limited.retry_after_ms = Some(7_000);
        assert_eq!(
            decide(&limited, &mut Tries::default(), &at),
            Verdict::Again(Duration::from_secs(7))
        );
        limited.retry_after_ms = Some(7_000_000);
        assert_eq!(
            decide(&limited, &mut Tries::default(), &at),
            Verdict::Again(RETRY_AFTER_MAX)
        );
    }

    #[test]
    fn the_override_race_is_sat_out_for_thirty_seconds() {
        let policy = Retry::default();
        let mut at = situation(CallClass::Token, &policy);
        let mut tries = Tries::default();
        let early = failure(FailureKind::NotPassed, Fate::NotDone);
        assert!(matches!(decide(&early, &mut tries, &at), Verdict::Again(_)));
        at.now_active_ms = 30_000;
        assert_eq!(decide(&early, &mut tries, &at), Verdict::GiveUp);
    }
}
