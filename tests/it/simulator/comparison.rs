//! Compares a recorded answer with one of the simulator.

use std::collections::BTreeMap;

use runner::simulator::Reply;
use serde_json::Value;

use super::recorded::Answer;

/// What of an exchange is not compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exempt {
    /// Nothing: the request is not sent.
    All,
    /// The body.
    Body,
    /// Values in the body, but its keys and types are.
    Values,
    /// One value in the body.
    Value(&'static str),
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Comparison {
    /// Which of our ids stands for which recorded one.
    pub(super) ids: BTreeMap<String, String>,
    /// What differs.
    pub(super) mistakes: Vec<String>,
    /// The exchange at hand.
    pub(super) exchange: String,
    exempt_value: &'static str,
}

impl Comparison {
    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.mistakes.push(format!("{}: {what}", self.exchange));
    }

    /// A recorded text in our ids.
    pub(super) fn ours(&self, recorded: &str) -> String {
        self.ids
            .iter()
            .fold(recorded.to_owned(), |text, (theirs, ours)| {
                text.replace(theirs, ours)
            })
    }

    /// Compares a whole answer.
    pub(super) fn compare(&mut self, recorded: &Answer, reply: &Reply, exempt: Option<Exempt>) {
        if recorded.status != reply.status {
            self.wrong(format!("status {} is {}", recorded.status, reply.status));
        }
        self.compare_headers(recorded, reply);
        if exempt == Some(Exempt::Body) {
            return;
        }
        let values = exempt != Some(Exempt::Values);
        self.exempt_value = match exempt {
            Some(Exempt::Value(at)) => at,
            _ => "",
        };
        if let Some(theirs) = &recorded.json {
            match reply.json() {
                Some(ours) => self.compare_json("", (theirs, &ours), values),
                None => self.wrong(format!("the body is no JSON: {}", reply.text())),
            }
        }
        if let Some(theirs) = &recorded.text {
            let (theirs, ours) = (self.ours(theirs), reply.text());
            // An HTML page of the recording ends with a newline or not.
            if theirs.trim_end() != ours.trim_end() {
                self.wrong(format!("the body `{theirs}` is `{ours}`"));
            }
        }
        if let Some(theirs) = &recorded.beginning {
            // Enough to show the kind of the body and its first key.
            let first_key = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
            let ours = reply.text();
            if first_key(theirs) != first_key(&ours) {
                self.wrong(format!("the body begins with {}", first_key(&ours)));
            }
        }
    }

    fn compare_headers(&mut self, recorded: &Answer, reply: &Reply) {
        // The recording left this one out; it stands on every answer of the v1alpha servers.
        let names: Vec<&str> = reply
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| *name != "cache-control")
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if !recorded.headers.keys().eq(sorted.iter()) {
            let theirs: Vec<&String> = recorded.headers.keys().collect();
            self.wrong(format!("headers {theirs:?} are {sorted:?}"));
        }
        for (name, theirs) in &recorded.headers {
            let ours = reply.get(name).unwrap_or_default().to_owned();
            let same = match name.as_str() {
                "link" => shape_of_links(&self.ours(theirs)) == shape_of_links(&ours),
                "location" => without_secret(&self.ours(theirs)) == without_secret(&ours),
                "total" | "total-pages" => ours.parse::<u64>().is_ok(),
                _ => *theirs == ours,
            };
            if !same {
                self.wrong(format!("header {name} `{theirs}` is `{ours}`"));
            }
        }
    }

    fn compare_json(&mut self, at: &str, (theirs, ours): (&Value, &Value), values: bool) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                let keys = |map: &serde_json::Map<String, Value>| {
                    let mut keys: Vec<String> = map.keys().cloned().collect();
                    keys.sort();
                    keys
                };
                if keys(theirs) != keys(ours) {
                    self.wrong(format!(
                        "{at}: keys {:?} are {:?}",
                        keys(theirs),
                        keys(ours)
                    ));
                }
                for (key, theirs) in theirs {
                    if let Some(ours) = ours.get(key) {
                        self.compare_json(&format!("{at}.{key}"), (theirs, ours), values);
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                if values && theirs.len() != ours.len() {
                    self.wrong(format!("{at}: {} entries are {}", theirs.len(), ours.len()));
                }
                for (n, pair) in theirs.iter().zip(ours).enumerate() {
                    self.compare_json(&format!("{at}[{n}]"), pair, values);
                }
            }
            (Value::String(theirs), Value::String(ours)) => {
                if values && at != self.exempt_value {
                    self.compare_text(at, theirs, ours);
                }
            }
            (Value::Number(_), Value::Number(_)) if is_time(at) => {
                let unset = |n: &Value| n.as_i64() == Some(0);
                // A stamp may fall on a whole second; an unset one is zero in both parts.
                if at.ends_with(".seconds") && unset(theirs) != unset(ours) {
                    self.wrong(format!("{at}: {theirs} is {ours}"));
                }
            }
            _ => {
                let same_kind = std::mem::discriminant(theirs) == std::mem::discriminant(ours);
                if !same_kind || (values && theirs != ours) {
                    self.wrong(format!("{at}: {theirs} is {ours}"));
                }
            }
        }
    }

    fn compare_text(&mut self, at: &str, theirs: &str, ours: &str) {
        let kind = Kind::of(theirs);
        if kind != Kind::of(ours) {
            self.wrong(format!("{at}: `{theirs}` is `{ours}`"));
        } else if kind == Kind::Id {
            let known = self
                .ids
                .entry(theirs.to_owned())
                .or_insert_with(|| ours.to_owned());
            if known != ours {
                let known = known.clone();
                self.wrong(format!("{at}: `{theirs}` stood for `{known}`, is `{ours}`"));
            }
        } else if kind == Kind::Word && self.ours(theirs) != ours {
            self.wrong(format!("{at}: `{theirs}` is `{ours}`"));
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Commit,
    Time,
    Seconds,
    Word,
}

impl Kind {
    fn of(text: &str) -> Self {
        // Users, the organization and the project have the same ids in both worlds.
        let fixed = ["aaaaaaaa-", "0a0a0a0a-", "11111111-"];
        if runner::ids::Id::parse(text).is_ok() && !fixed.iter().any(|f| text.starts_with(f)) {
            Self::Id
        } else if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Self::Commit
        } else if text.starts_with("20") && text.len() == 27 && text.ends_with('Z') {
            Self::Time
        } else if text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit()) {
            Self::Seconds
        } else {
            Self::Word
        }
    }
}

fn is_time(at: &str) -> bool {
    [
        ".seconds",
        ".nanos",
        ".timestamp",
        "started_at",
        "finished_at",
    ]
    .iter()
    .any(|end| at.ends_with(end))
}

/// The names of the links, and where they point to but for the number of the page.
fn shape_of_links(links: &str) -> Vec<(String, String)> {
    let digits_gone = |url: &str| {
        let mut shape = String::new();
        for part in url.split('&') {
            let kept = if part.contains("?page=") || part.starts_with("page=") {
                part.trim_end_matches(|c: char| c.is_ascii_digit())
            } else {
                part
            };
            shape.push_str(kept);
            shape.push('&');
        }
        shape
    };
    links
        .split(", ")
        .map(|link| {
            let (url, rel) = link.split_once("; ").unwrap_or((link, ""));
            let url = url.trim_start_matches('<').trim_end_matches('>');
            (digits_gone(url), rel.to_owned())
        })
        .collect()
}

fn without_secret(url: &str) -> &str {
    url.split_once("jwt=").map_or(url, |(place, _)| place)
}
