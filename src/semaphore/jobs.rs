//! Jobs: describe, stop.
//!
//! Duty: the endpoints under `jobs`. Invariant: of a stop only the status counts. It must not read logs.

use serde_json::json;

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::transport::Request;
use super::wire::Job;
use crate::ids::Id;

const PATH: &str = "/api/v1alpha/jobs";

impl Client {
    /// Describes a job.
    pub async fn describe_job(&self, job: &Id) -> Result<Answer<Job>, Error> {
        let request = Request::get(format!("{PATH}/{job}"));
        self.ask(Operation::DescribeJob, request, Job::parse).await
    }

    /// Tells a job to stop, which it does in its own time.
    pub async fn stop_job(&self, job: &Id) -> Result<Answer<()>, Error> {
        let request = Request::post(format!("{PATH}/{job}/stop")).json(json!({}));
        let whole = self.whole(Operation::StopJob, request).await?;
        // The body can be two JSON values in a row, the second an error of the audit log: it says
        // nothing about the stop.
        Ok(Answer {
            value: (),
            response: json!({}),
            server_date: whole.date(),
        })
    }
}
