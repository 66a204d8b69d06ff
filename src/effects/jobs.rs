//! Jobs: what they are, why one never ran, and waiting for their end.

use serde_json::{Value, json};

use super::dispatch::{Inner, answer};
use super::failures::of_error;
use super::patience::{Patience, Teller};
use crate::event::{Answer, Failure};
use crate::ids::Id;
use crate::semaphore::wire::{Job, JobState, Verdict};

impl Inner {
    /// Describes a job. Of one that ended without having run, it asks the troubleshooter why.
    pub(super) async fn describe_job(&self, job: &Id) -> Result<Answer, Failure> {
        let described = self.client.describe_job(job).await.map_err(of_error)?;
        let mut value = described.value.to_value();
        value["url"] = json!(self.client.job_url(job));
        value["failure_reason"] = self.failure_reason(job, &described.value).await;
        Ok(answer(value, described.response))
    }

    /// Why a job never ran, when it never did; that nobody knows is no failure.
    async fn failure_reason(&self, id: &Id, job: &Job) -> Value {
        let never_ran = job.state == JobState::Finished
            && job.started_at.is_none()
            && job.result != Some(Verdict::Passed);
        if !never_ran {
            return Value::Null;
        }
        match self.client.troubleshoot_job(id).await {
            Ok(trouble) => json!(crate::text::clean_line(&trouble.value.failure_reason, 300)),
            Err(_) => Value::Null,
        }
    }

    /// Waits until a job has finished.
    pub(super) async fn await_job(
        &self,
        job: &Id,
        remaining: std::time::Duration,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let mut patience = Patience::new(self, "the job had not finished", remaining);
        let mut looks = 0;
        loop {
            match patience.look(self, self.describe_job(job)).await? {
                Ok(found) => {
                    self.contact();
                    patience.seeing();
                    let state = found.value["state"].as_str().unwrap_or_default();
                    if state == JobState::Finished.as_str() {
                        return Ok(found);
                    }
                    patience.last = format!("`{state}`");
                }
                Err(failure) => patience.blind(self, failure, teller)?,
            }
            looks += 1;
            let pause = self.interval(job, patience.waited(self), looks);
            patience.pause(self, pause).await?;
        }
    }
}
