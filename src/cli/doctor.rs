//! `runner doctor`: what works of settings, state folder, host, token and clock, and what to do about the
//! rest. It sends one cheap read and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::Doctor;
use super::connect::{client_limits, endpoint, http_options};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::render;
use super::runs::store;
use super::settings::{Origin, Settings};
use crate::clock::Clock;
use crate::drivers::run_local;
use crate::semaphore::{Class, Client, Endpoint, Error, HttpTransport};
use crate::store::{ListFilter, OwnerInfo, Store as _};

/// A clock that is off by more than this is worth a word.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// What is known of one thing that was looked at.
struct Finding {
    what: &'static str,
    words: String,
    hint: Option<String>,
    /// How the process would end because of it.
    exit: Exit,
}

impl Finding {
    fn good(what: &'static str, words: impl Into<String>) -> Self {
        Self {
            what,
            words: words.into(),
            hint: None,
            exit: Exit::Passed,
        }
    }

    fn bad(what: &'static str, failing: &Failing, around: &Surroundings) -> Self {
        let (words, hint) = match failing {
            Failing::Words { message, hint, .. } => (message.clone(), hint.clone()),
            Failing::Mistakes(_, all) => (render::human(all, around.width(), false), None),
        };
        Self {
            what,
            words,
            hint,
            exit: failing.exit(),
        }
    }
}

/// Looks.
pub(super) fn doctor(around: &Surroundings, args: &Doctor) -> Result<Exit, Failing> {
    let mut findings = Vec::new();
    match around.settings(None) {
        Err(failing) => findings.push(Finding::bad("settings", &failing, around)),
        Ok(settings) => {
            findings.push(Finding::good("settings", set(&settings)));
            findings.push(match state(around, &settings) {
                Ok(words) => Finding::good("state folder", words),
                Err(failing) => Finding::bad("state folder", &failing, around),
            });
            match endpoint(around, &args.connection) {
                Err(failing) => findings.push(Finding::bad("connection", &failing, around)),
                Ok(endpoint) => findings.extend(semaphore(around, &settings, endpoint)?),
            }
        }
    }
    let mut text = String::new();
    let mut exit = Exit::Passed;
    for finding in &findings {
        let mark = match (finding.exit, &finding.hint) {
            (Exit::Passed, None) => "ok",
            (Exit::Passed, Some(_)) => "look",
            _ => "BAD",
        };
        text.push_str(&format_line(mark, finding));
        exit = exit.or(finding.exit);
    }
    around.output.data(&text)?;
    Ok(exit)
}

fn format_line(mark: &str, finding: &Finding) -> String {
    let words = finding
        .words
        .trim_end()
        .replace('\n', "\n                    ");
    let mut line = format!("{mark:<4}  {:<12}  {words}\n", finding.what);
    if let Some(hint) = &finding.hint {
        line.push_str(&["                    hint: ", hint, "\n"].concat());
    }
    line
}

/// What somebody has set, and where.
fn set(settings: &Settings) -> String {
    let given: Vec<String> = settings
        .listing()
        .into_iter()
        .filter(|listed| *listed.origin != Origin::Default)
        .map(|listed| format!("{} = {} ({})", listed.name, listed.text, listed.origin))
        .collect();
    if given.is_empty() {
        "all have their defaults".to_owned()
    } else {
        given.join("\n")
    }
}

/// Opens the store, looks through it, and takes a lock in it: that writes.
fn state(around: &Surroundings, settings: &Settings) -> Result<String, Failing> {
    let store = store(around, settings)?;
    store.check()?;
    let owner = OwnerInfo {
        pid: std::process::id(),
        host: around.environment.host(),
        since: Clock::real().now(),
        run: String::new(),
    };
    drop(store.acquire_group(&format!("doctor {}", std::process::id()), &owner)?);
    let runs = match store.list(&ListFilter::default())?.len() {
        1 => "1 run".to_owned(),
        number => format!("{number} runs"),
    };
    let path = store.path();
    let folder = path.parent().unwrap_or(&path);
    Ok(format!(
        "{} holds {runs} and can be written",
        folder.display()
    ))
}

/// One cheap read says whether the host answers, whether the token is good, and what time it is there.
fn semaphore(
    around: &Surroundings,
    settings: &Settings,
    endpoint: Endpoint,
) -> Result<Vec<Finding>, Failing> {
    let origin = endpoint.origin.clone();
    let url = origin.url();
    let asked = run_local(async {
        let transport = HttpTransport::new(endpoint, http_options(settings));
        let client = Client::new(Arc::new(transport), origin, around.redactor.clone())
            .with_limits(client_limits(settings));
        client.list_projects(1).await
    })?;
    let now = Clock::real().now();
    Ok(match asked {
        Ok(listing) => {
            let projects = match listing.items.first() {
                Some(project) => format!("it may read projects (`{}` for one)", project.name),
                None => "it sees no project".to_owned(),
            };
            let mut all = vec![
                Finding::good("host", format!("{url} answers")),
                Finding::good("token", format!("it is accepted; {projects}")),
            ];
            all.extend(listing.server_date.map(|server| clock(now, server)));
            all
        }
        Err(error) => refused(&url, error),
    })
}

fn refused(url: &str, error: Error) -> Vec<Finding> {
    let exit = match error.class {
        Class::Unauthorized | Class::Permission => Exit::Unauthorized,
        Class::Network
        | Class::Timeout
        | Class::Server
        | Class::AuthOutage
        | Class::RateLimited => Exit::Unreachable,
        Class::NotFound
        | Class::Refused
        | Class::QueueFull
        | Class::NotPassed
        | Class::InvalidAnswer
        | Class::Redirected => Exit::Unreachable,
    };
    let wrong = |what| Finding {
        what,
        words: error.message.clone(),
        hint: error.hint.clone(),
        exit,
    };
    if exit == Exit::Unauthorized {
        vec![
            Finding::good("host", format!("{url} answers")),
            wrong("token"),
        ]
    } else {
        vec![wrong("host")]
    }
}

/// Nothing is decided by our clock alone, but time stamps and deadlines come from it.
fn clock(ours: Timestamp, theirs: Timestamp) -> Finding {
    let ahead = ours.duration_since(theirs);
    let off = ahead.unsigned_abs();
    if off <= SKEW_MAX {
        return Finding::good("clock", "agrees with the server's to the minute");
    }
    let side = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    Finding {
        what: "clock",
        words: format!(
            "is {} {side} the server's",
            crate::duration::show(Duration::from_secs(off.as_secs()))
        ),
        hint: Some(
            "set the clock of this machine: time stamps and deadlines come from it".to_owned(),
        ),
        exit: Exit::Passed,
    }
}
