//! Why a job went wrong.
//!
//! Duty: the one endpoint that knows why the platform could not run a job. Invariant: reads only. It
//! must not guess a reason where none is given.

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::transport::Request;
use super::wire::JobTrouble;
use crate::ids::Id;

impl Client {
    /// What the troubleshooter says of a job.
    pub async fn troubleshoot_job(&self, job: &Id) -> Result<Answer<JobTrouble>, Error> {
        let request = Request::get(format!("/api/v1alpha/troubleshoot/job/{job}"));
        self.ask(Operation::TroubleshootJob, request, JobTrouble::parse)
            .await
    }
}
