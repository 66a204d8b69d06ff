//! Which requests the fault rules of a scenario hit.

use std::time::Duration;

use super::http::Request;
use super::scenario::{FaultRule, Mishap, Scenario, fits};

/// The rules and how often they matched.
#[derive(Debug, Clone)]
pub(super) struct Faults {
    rules: Vec<(FaultRule, u64, u64)>,
    requests: u64,
}

/// A rule that hits.
#[derive(Debug, Clone)]
pub(super) struct Hit {
    pub(super) mishap: Mishap,
}

impl Faults {
    /// The rules of a scenario.
    pub(super) fn new(scenario: &Scenario) -> Self {
        Self {
            rules: scenario
                .faults
                .iter()
                .map(|rule| (rule.clone(), 0, 0))
                .collect(),
            requests: 0,
        }
    }

    /// How many requests came in so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests
    }

    /// The first rule that hits this request, if any. Every rule that matches counts it.
    pub(super) fn pick(
        &mut self,
        request: &Request,
        endpoint: Option<&str>,
        since_start: Duration,
        chance: impl Fn(&[&str]) -> u64,
    ) -> Option<Hit> {
        self.requests += 1;
        let number = self.requests.to_string();
        let mut hit = None;
        for (place, (rule, matched, hits)) in self.rules.iter_mut().enumerate() {
            let too_early = rule.from.is_some_and(|from| since_start < from.0);
            let too_late = rule.until.is_some_and(|until| since_start >= until.0);
            if too_early || too_late || !is_about(rule, request, endpoint) {
                continue;
            }
            *matched += 1;
            let lucky = rule.percent.is_some_and(|percent| {
                chance(&["fault", &place.to_string(), &number]) % 100 >= u64::from(percent)
            });
            if hit.is_some() || lucky || *matched < rule.nth || *hits >= rule.count_max() {
                continue;
            }
            *hits += 1;
            hit = Some(Hit {
                mishap: rule.mishap.clone(),
            });
        }
        hit
    }
}

fn is_about(rule: &FaultRule, request: &Request, endpoint: Option<&str>) -> bool {
    match rule.on.as_str() {
        "any" => true,
        "reads" => request.method == "GET",
        "writes" => request.method != "GET",
        pattern if pattern.contains(' ') => {
            fits(pattern, &format!("{} {}", request.method, request.path))
        }
        name => endpoint == Some(name),
    }
}
