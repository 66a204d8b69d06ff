//! How much a run asked of Semaphore: counted while a session works, kept with the run, told by its report.

use crate::effects::SemaphoreEffects;
use crate::report::{ApiUse, RunView};
use crate::store::Usage;

/// What a session has asked.
pub(super) fn of_session(effects: &SemaphoreEffects) -> Usage {
    let usage = effects.usage();
    let by_endpoint = usage.by_endpoint.iter();
    Usage {
        requests: usage.requests,
        by_endpoint: by_endpoint
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect(),
        saved: effects.saved(),
        bytes: usage.bytes,
    }
}

/// What the report says. Of a session that was killed only the journal tells.
pub(super) fn api_use(view: &RunView, usage: &Usage) -> ApiUse {
    let by_endpoint = usage.by_endpoint.iter();
    ApiUse {
        requests: usage.requests.max(view.requests),
        by_endpoint: by_endpoint.map(|(name, n)| (name.clone(), *n)).collect(),
        retries: view.retries,
        saved: usage.saved,
        bytes: usage.bytes,
    }
}
