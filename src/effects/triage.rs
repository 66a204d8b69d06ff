//! Why a pipeline ended red: the ends of the logs of its failed jobs, and what the history knows of them.
//!
//! It costs one or two requests per job, one job after the other, and only when a pipeline is red. A log that cannot be read
//! tells nothing; the call itself never fails. What is kept of a log is its last lines, in memory alone.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::dispatch::Inner;
use super::failures::{id, of_error};
use super::transcript::{Heard, Transcript};
use crate::engine::call::{RedJob, RedPipeline};
use crate::event::{Answer, Failure};
use crate::semaphore::Class;
use crate::text::clean_line;
use crate::triage::{
    Excerpt, Finding, Past, Sightings, TAIL_LINES_MAX, infrastructure, overall, signature, verdict,
};

/// A log is not read any further than this: agents cut theirs here too.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// All logs together take no longer than this.
const WITHIN: Duration = Duration::from_secs(60);
/// So many last lines are shown to people.
const SHOWN_LINES_MAX: usize = 10;
const SHOWN_CHARACTERS_MAX: usize = 300;

/// What is remembered of failures of earlier runs.
pub trait History: Send + Sync {
    /// The failures of a project with this signature since a time; none when nothing can be remembered.
    fn failures(&self, project_id: &str, signature: &str, since: Timestamp) -> Vec<Past>;
}

/// A job that was looked at.
struct Looked<'a> {
    job: &'a RedJob,
    excerpt: Excerpt,
    /// Why there is no log.
    missing: Option<String>,
    finding: Finding,
}

impl Inner {
    /// Finds out why a pipeline ended red.
    pub(super) async fn triage(&self, red: &RedPipeline) -> Answer {
        let until = self.clock.elapsed() + WITHIN;
        let mut looked = Vec::new();
        // What Semaphore gave up needs no log to be told.
        let given_up = matches!(red.reason.as_str(), "stuck" | "internal");
        let jobs = red.jobs.iter().filter(|_| !given_up);
        for job in jobs {
            let left = until.saturating_sub(self.clock.elapsed());
            let heard = tokio::select! {
                biased;
                heard = self.listen(job) => heard,
                () = self.clock.sleep(left) => Err("there was no time for its log".to_owned()),
            };
            looked.push(self.look_at(red, job, heard));
        }
        if looked.is_empty() && !red.description.is_empty() {
            looked.push(self.malformed(red));
        }
        let findings: Vec<Finding> = looked.iter().map(|looked| looked.finding.clone()).collect();
        let window = crate::duration::show(self.settings.triage_window);
        let verdict = verdict(&red.reason, &findings, &window);
        let jobs: Vec<Value> = looked.iter().map(Looked::value).collect();
        let sightings = verdict.sightings;
        let value = json!({
            "triage": {
                "kind": verdict.kind.as_str(), "why": verdict.why, "signature": overall(&findings),
                "seen": sightings.seen, "branches": sightings.branches,
                "passed_later": sightings.passed_later, "jobs": jobs,
            },
            "about": {
                "project_id": red.project_id, "pipeline_id": red.pipeline_id, "branch": red.branch,
                "commit_sha": red.commit_sha, "pipeline_file": red.pipeline_file,
            },
        });
        Answer {
            value,
            ..Answer::default()
        }
    }

    /// The end of the log of a job, or why there is none, in words.
    async fn listen(&self, job: &RedJob) -> Result<Heard, String> {
        let words = |failure: Failure| clean_line(&failure.message, SHOWN_CHARACTERS_MAX);
        let job = id(&job.job_id).map_err(words)?;
        let mut stream = match self.client.log(&job).await {
            Ok(stream) => stream,
            Err(error) if error.class == Class::NotFound && !error.server_words.is_empty() => {
                return Err(clean_line(&error.server_words, SHOWN_CHARACTERS_MAX));
            }
            Err(error) => return Err(words(of_error(error))),
        };
        let mut transcript = Transcript::unwritten(self.redactor.clone(), TAIL_LINES_MAX);
        while let Some(event) = stream.next().await.map_err(|e| words(of_error(e)))? {
            transcript.take(event).map_err(words)?;
            if stream.bytes() > LOG_BYTES_MAX.min(self.settings.log_bytes_max) {
                return Err("its log is too long to be looked through".to_owned());
            }
        }
        Ok(transcript.heard(stream.is_complete()))
    }

    fn look_at<'a>(
        &self,
        red: &RedPipeline,
        job: &'a RedJob,
        heard: Result<Heard, String>,
    ) -> Looked<'a> {
        let mut looked = Looked {
            job,
            excerpt: Excerpt {
                job: job.name.clone(),
                ..Excerpt::default()
            },
            missing: None,
            finding: Finding::default(),
        };
        match heard {
            Err(missing) => {
                // Semaphore keeps why a job never ran in the place of its log.
                if missing.to_lowercase().contains("never started") {
                    looked.finding.infrastructure = Some(format!(
                        "the job `{}` never started",
                        clean_line(&job.name, 80)
                    ));
                }
                looked.missing = Some(missing);
            }
            Ok(heard) => {
                looked.finding.infrastructure = of_the_platform(job, &heard);
                looked.excerpt.command = heard.command;
                looked.excerpt.exit_code = heard.exit_code;
                looked.excerpt.lines = heard.last_lines;
                looked.finding.signature = signature(&looked.excerpt);
            }
        }
        looked.finding.sightings = self.sightings_of(red, looked.finding.signature.as_deref());
        looked
    }

    /// A pipeline whose file is malformed has no jobs; what Semaphore says of the file stands for them.
    fn malformed<'a>(&self, red: &RedPipeline) -> Looked<'a> {
        const NO_JOB: RedJob = RedJob {
            job_id: String::new(),
            name: String::new(),
            block: String::new(),
            result: String::new(),
        };
        static NONE: RedJob = NO_JOB;
        let excerpt = Excerpt {
            command: red.pipeline_file.clone(),
            lines: red.description.lines().map(str::to_owned).collect(),
            ..Excerpt::default()
        };
        let signature = signature(&excerpt);
        Looked {
            job: &NONE,
            finding: Finding {
                sightings: self.sightings_of(red, signature.as_deref()),
                signature,
                infrastructure: None,
            },
            excerpt,
            missing: None,
        }
    }

    fn sightings_of(&self, red: &RedPipeline, signature: Option<&str>) -> Sightings {
        let (Some(history), Some(signature)) = (&self.history, signature) else {
            return Sightings::default();
        };
        let window = SignedDuration::try_from(self.settings.triage_window);
        let since = self
            .clock
            .now()
            .saturating_sub(window.unwrap_or(SignedDuration::MAX))
            .unwrap_or(Timestamp::MIN);
        let past = history.failures(&red.project_id, signature, since);
        Sightings::of(&past, &red.pipeline_id, &red.branch)
    }
}

/// Why it is the platform that failed, and not the job.
fn of_the_platform(job: &RedJob, heard: &Heard) -> Option<String> {
    let name = clean_line(&job.name, 80);
    if let Some(words) = infrastructure(heard.last_lines.iter().map(String::as_str)) {
        return Some(format!("the log of `{name}` says `{words}`"));
    }
    if job.result != "failed" || heard.exit_code.is_some() || heard.commands == 0 {
        return None;
    }
    Some(if heard.complete {
        format!("the job `{name}` failed, and none of its commands did")
    } else {
        format!("the log of `{name}` breaks off in the middle")
    })
}

impl Looked<'_> {
    fn value(&self) -> Value {
        let lines = &self.excerpt.lines;
        let skip = lines.len().saturating_sub(SHOWN_LINES_MAX);
        let shown: Vec<String> = lines
            .iter()
            .skip(skip)
            .map(|line| clean_line(line, SHOWN_CHARACTERS_MAX))
            .collect();
        json!({
            "job_id": self.job.job_id, "job": self.job.name, "block": self.job.block,
            "command": clean_line(&self.excerpt.command, SHOWN_CHARACTERS_MAX),
            "exit_code": self.excerpt.exit_code,
            "signature": self.finding.signature.as_deref().unwrap_or_default(),
            "seen": self.finding.sightings.seen,
            "infrastructure": self.finding.infrastructure,
            "last_lines": shown, "missing": self.missing,
        })
    }
}
