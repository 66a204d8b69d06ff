//! Other servers than Semaphore, as far as the scenario plays them.

use std::sync::Arc;

use jiff::Timestamp;

use super::http::{Fault, Reply, Request};
use super::scenario::{Scenario, WebMishap, WebTarget, fits};

/// A request to another server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// When.
    pub at: Timestamp,
    /// What was asked; its path is the whole address without the query.
    pub request: Request,
    /// Whether it arrived, and was answered with this status; none when it never arrived.
    pub status: Option<u16>,
}

/// The other servers and what they heard.
#[derive(Debug, Clone)]
pub(super) struct Others {
    scenario: Arc<Scenario>,
    /// How many requests each rule matched.
    matched: Vec<u64>,
    heard: Vec<Heard>,
}

impl Others {
    pub(super) fn new(scenario: Arc<Scenario>) -> Self {
        Self {
            matched: vec![0; scenario.http.len()],
            scenario,
            heard: Vec::new(),
        }
    }

    pub(super) fn heard(&self) -> &[Heard] {
        &self.heard
    }

    /// The answer of the first rule that still answers such a request; none when there is no such rule.
    pub(super) fn answer(&mut self, request: &Request, now: Timestamp) -> Option<Reply> {
        let mut found = None;
        for (target, matched) in self.scenario.http.iter().zip(&mut self.matched) {
            if !is_about(target, request) {
                continue;
            }
            *matched += 1;
            let until = target
                .count
                .map_or(u64::MAX, |count| target.nth.saturating_add(count));
            if found.is_none() && *matched >= target.nth && *matched < until {
                found = Some(target);
            }
        }
        let target = found?;
        let refused = target.mishap == Some(WebMishap::Refuse);
        self.heard.push(Heard {
            at: now,
            request: request.clone(),
            status: (!refused).then_some(target.status),
        });
        Some(reply(target))
    }
}

fn is_about(target: &WebTarget, request: &Request) -> bool {
    let method = target
        .method
        .as_ref()
        .is_none_or(|method| method.eq_ignore_ascii_case(&request.method));
    method && fits(&target.url, &request.path)
}

fn reply(target: &WebTarget) -> Reply {
    let mut headers: Vec<(String, String)> = target
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let body = match (&target.json, &target.body) {
        (Some(json), _) => {
            headers.push(("content-type".to_owned(), "application/json".to_owned()));
            json.to_string()
        }
        (None, Some(text)) => text.clone(),
        (None, None) => String::new(),
    };
    let fault = match target.mishap {
        None => Fault::None,
        Some(WebMishap::Refuse) => Fault::Refused,
        Some(WebMishap::Reset) => Fault::ResetAfterActing,
        Some(WebMishap::Hang) => Fault::NeverAnswer,
        Some(WebMishap::Delay(span)) => Fault::Delay(span.0),
        Some(WebMishap::CutBody(bytes)) => Fault::CutBody(bytes),
    };
    Reply {
        status: target.status,
        headers,
        body: body.into_bytes(),
        fault,
    }
}
