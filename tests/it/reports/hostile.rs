//! What must never happen: a panic, a secret that gets out, a byte that drives a terminal or a CI.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use jiff::Timestamp;
use jsonschema::Validator;
use proptest::prelude::*;
use runner::cli::causes::ids;
use runner::cli::output::{Output, write_report};
use runner::cli::progress::{Mode, Progress, Size, board};
use runner::cli::screen::{Screen, columns};
use runner::cli::show::{RunRow, runs, show};
use runner::cli::summary::{Ending, summary};
use runner::diagnostic::{Diagnostic, Diagnostics, Source};
use runner::event::{Observation, Recorded, Seen};
use runner::report::{
    ApiUse, Format, REPORT_BYTES_MAX, RunView, Told, event_v1, json_line, masked, report,
    report_schema, report_text, text_in,
};
use runner::secret::Redactor;
use runner::store::Estimates;

use super::fixtures::{Item, Shared, events, items, time};

const CANARY: &str = "canary-5up3r/s3cret+value";
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}evil\u{2066}\r\n::error::boo\n##vso[task]x\n##teamcity[y]\n  ##[group]\u{0}\u{85}\u{200b}\n::set-output name=a::b";

fn canaries() -> Vec<String> {
    let base64 = base64::engine::general_purpose::STANDARD;
    let hex: String = CANARY.bytes().map(|b| format!("{b:02x}")).collect();
    vec![
        CANARY.to_owned(),
        base64.encode(CANARY),
        base64.encode(format!("user:{CANARY}")),
        hex,
        CANARY.chars().rev().collect(),
        "canary-5up3r%2Fs3cret%2Bvalue".to_owned(),
        CANARY[4..16].to_owned(),
        // Torn apart by what the cleaning takes out.
        "can\u{200b}ary-5up\u{1b}[0m3r/s3c\u{202e}ret+value".to_owned(),
    ]
}

/// A fixture with a text in the place of every text that comes from outside.
pub(crate) fn poisoned(name: &str, poison: &str) -> Vec<Item> {
    let foreign = [
        "message",
        "hint",
        "why",
        "about",
        "description",
        "name",
        "reason",
        "by",
        "command",
        "job",
        "state",
        "url",
        "last_lines",
        "commit",
        "result",
        "failed_jobs",
        "path",
        "workflow_id",
        "reference",
        "to",
        "runner",
        "limit",
    ];
    let poisoned = |value: serde_json::Value| poison_value(value, &foreign, poison);
    items(name)
        .into_iter()
        .map(|item| match item {
            Item::Event(event) => {
                let value = poisoned(serde_json::to_value(event).unwrap());
                Item::Event(serde_json::from_value(value).unwrap())
            }
            Item::Observation(seen) => {
                let value = poisoned(serde_json::to_value(seen).unwrap());
                Item::Observation(serde_json::from_value(value).unwrap())
            }
            tick @ Item::Tick { .. } => tick,
        })
        .collect()
}

fn poison_value(value: serde_json::Value, foreign: &[&str], poison: &str) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, item)| {
                let item = match item {
                    Value::String(_) if foreign.contains(&key.as_str()) => poison.into(),
                    Value::Array(list) if foreign.contains(&key.as_str()) => {
                        list.into_iter().map(|_| Value::from(poison)).collect()
                    }
                    other => poison_value(other, foreign, poison),
                };
                (key, item)
            })
            .collect(),
        Value::Array(list) => list
            .into_iter()
            .map(|item| poison_value(item, foreign, poison))
            .collect(),
        other => other,
    }
}

/// Everything that a run shows, everywhere, through the sinks.
fn everything(items: &[Item], redactor: &Redactor, width: usize) -> Vec<(&'static str, String)> {
    let screen = Screen::new(width, redactor);
    let (out, err) = (Shared::default(), Shared::default());
    let output = Arc::new(Output::to(out.clone(), err.clone(), redactor.clone()));
    let mut progress = Progress::new(Mode::Plain, Arc::clone(&output));
    let mut drawn = Vec::new();
    let mut now = Timestamp::UNIX_EPOCH;
    for item in items {
        match item {
            Item::Event(event) => {
                now = event.at.wall;
                progress.event(event);
                let line = masked(&event_v1::Line::from(event), redactor);
                output.json_line(&line).unwrap();
            }
            Item::Observation(seen) => progress.observe(seen),
            Item::Tick { tick } => progress.tick(*tick),
        }
        let size = Size {
            rows: 24,
            columns: width,
        };
        let none = Estimates::default();
        drawn.extend(board(progress.view(), size, now, &none, &screen));
    }
    let view = progress.view().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let made = report(&view, 1, &ApiUse::default());
    write_report(&path, &report_text(&made, redactor)).unwrap();
    let raw = summary(&view, &Ending::default(), &screen);
    output.talk(&raw);
    output.data(&show(&view, now, &screen)).unwrap();
    output
        .data(&runs(&[RunRow::of(&view, now)], now, &screen))
        .unwrap();
    output.talk(&ids(&view, &screen).join("\n"));
    drop(progress);
    let none = ApiUse::default();
    let told = Told {
        view: &view,
        exit_code: 1,
        api: &none,
        bytes_max: REPORT_BYTES_MAX,
    };
    let page = text_in(Format::Html, &told, redactor);
    vec![
        ("junit", text_in(Format::Junit, &told, redactor)),
        ("markdown", text_in(Format::Markdown, &told, redactor)),
        ("html", page),
        ("lines", drawn.join("\n")),
        ("summary", raw),
        ("report", std::fs::read_to_string(path).unwrap()),
        ("stdout", out.text()),
        ("stderr", err.text()),
    ]
}

fn assert_harmless(what: &str, text: &str) {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(harmful), "{what}: {text:?}");
    for line in text.lines() {
        let start = line.trim_start();
        for command in ["::", "##[", "##vso[", "##teamcity["] {
            assert!(!start.starts_with(command), "{what}: {line:?}");
        }
    }
}

pub(crate) const NAMES: [&str; 6] = ["passed", "failed", "parked", "unknown", "retried", "parts"];

#[test]
fn nothing_drives_the_terminal_or_the_ci() {
    for name in NAMES {
        for (what, text) in everything(&poisoned(name, HOSTILE), &Redactor::new(), 80) {
            assert!(!text.is_empty(), "{name}: {what}");
            assert_harmless(what, &text);
        }
    }
}

#[test]
fn no_secret_gets_out_whole_or_cut() {
    let redactor = Redactor::new();
    redactor.learn(CANARY);
    for name in NAMES {
        for canary in canaries() {
            // Cut at every place: the beginning of a secret must not be left over.
            for (before, width) in [("", 80), ("xxxxxxxxxxxxxxxxxxxxx ", 40), ("x ", 200)] {
                let poison = format!("{before}{canary} tail");
                for (what, text) in everything(&poisoned(name, &poison), &redactor, width) {
                    assert!(
                        !redactor.finds_in(&text),
                        "{name}: {what}: {canary}\n{text}"
                    );
                    let plain = CANARY.get(..8).unwrap_or_default();
                    let torn = canary.contains('\u{200b}') && matches!(what, "report" | "stdout");
                    assert!(torn || !text.contains(plain), "{name}: {what}: {text}");
                }
            }
        }
    }
}

#[test]
fn diagnostics_and_talk_are_guarded_at_the_sink() {
    let redactor = Redactor::new();
    redactor.learn(CANARY);
    let (out, err) = (Shared::default(), Shared::default());
    let output = Output::to(out.clone(), err.clone(), redactor);
    let source = Source::new("a.yml", format!("key: {CANARY}\nnext: {HOSTILE}\n"));
    let mut all = Diagnostics::new();
    all.push(Diagnostic::error("P001", source.place(5..20), HOSTILE).hint(CANARY));
    all.push(Diagnostic::error("P002", source.place(40..60), CANARY).fix(HOSTILE));
    output.talk(&runner::cli::render::human(&all, 100, false));
    output
        .data(&runner::cli::render::human(&all, 60, true))
        .unwrap();
    let entries = masked(&runner::cli::render::entries(&all), output.redactor());
    output.json(&entries).unwrap();
    output.talk(HOSTILE);
    output.talk(CANARY);
    for text in [out.text(), err.text()] {
        assert_harmless("sink", &text);
        assert!(!text.contains("canary-5"), "{text}");
    }
}

/// A pipe whose reader is gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn a_closed_pipe_ends_talk_quietly_and_data_with_an_error() {
    let output = Output::to(Closed, Closed, Redactor::new());
    output.talk("nobody hears this");
    let error = output.data("nobody reads this").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(output.json(&serde_json::json!({})).is_err());
}

#[test]
fn a_report_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    std::fs::write(&path, "old").unwrap();
    write_report(&path, "new").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let missing = folder.path().join("no/such/report.json");
    let error = write_report(&missing, "x").unwrap_err().to_string();
    assert!(error.contains("no/such/report.json"), "{error}");
    // A folder, a device, a link: what is there is not replaced.
    assert!(write_report(folder.path(), "x").is_err());
    assert!(write_report(Path::new("/"), "x").is_err());
    #[cfg(unix)]
    {
        assert!(write_report(Path::new("/dev/null"), "x").is_err());
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(write_report(&link, "x").is_err());
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert!(left.len() <= 2, "{left:?}");
}

/// All events of all fixtures, and some that they lack.
static POOL: LazyLock<Vec<Recorded>> = LazyLock::new(pool);

fn pool() -> Vec<Recorded> {
    let mut all: Vec<Recorded> = NAMES.into_iter().flat_map(events).collect();
    let more = r#"[
        {"event": "timer_fired", "key": "t"},
        {"event": "answered", "step": "go", "approved": false, "by": "ada"},
        {"event": "cancel_requested", "by": "bob"},
        {"event": "resumed", "session": 1},
        {"event": "warned", "step": null, "message": "m"},
        {"event": "limit_hit", "step": null, "limit": "l", "message": "m"},
        {"event": "step_started", "step": ""},
        {"event": "step_started", "step": "a[b"},
        {"event": "step_started", "step": "a[b]["}
    ]"#;
    let more: Vec<runner::event::Event> = serde_json::from_str(more).unwrap();
    all.extend(more.into_iter().map(|event| Recorded {
        seq: 0,
        at: runner::clock::Moment::start(Timestamp::MAX),
        event,
    }));
    all
}

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| super::validator(&report_schema()));

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(150)
    })]

    /// Any events in any order: everything can be shown, and the report fits its schema.
    #[test]
    fn nothing_panics_whatever_the_order(
        picks in prop::collection::vec((0_usize..4_000, any::<bool>()), 0..60),
        now in -60_i64..20_000,
        width in 1_usize..300,
    ) {
        let redactor = Redactor::new();
        let screen = Screen::new(width, &redactor);
        let now = Timestamp::from_second(
            time("2026-11-24T12:00:00Z").as_second() + now
        ).unwrap();
        let output = Arc::new(Output::to(io::sink(), io::sink(), redactor.clone()));
        let mut progress = Progress::new(Mode::Plain, output);
        for (n, (pick, trouble)) in picks.into_iter().enumerate() {
            let mut event = POOL[pick % POOL.len()].clone();
            event.seq = n as u64 + 1;
            progress.event(&event);
            let seen = if trouble {
                Seen::Trouble { message: "m".into() }
            } else {
                Seen::Pipeline {
                    pipeline_id: String::new(), name: String::new(), state: String::new(),
                    queued_ms: Some(u64::MAX), running_ms: Some(u64::MAX),
                    blocks: Some((9, 1)), next_blocks: vec![String::new(); 5], failed_jobs: vec![String::new(); 5], url: String::new(),
                }
            };
            for step in ["tests", "nightly[web]", "none"] {
                progress.observe(&Observation { step: step.into(), at: now, seen: seen.clone() });
            }
            progress.tick(now);
            json_line(&masked(&event_v1::Line::from(&event), &redactor));
        }
        let view: &RunView = progress.view();
        for rows in [0, 1, 2, 5, 24, 500] {
            let size = Size { rows, columns: width };
            let drawn = board(view, size, now, &Estimates::default(), &screen);
            prop_assert!(drawn.len() <= rows.saturating_sub(1));
            prop_assert!(drawn.iter().all(|line| columns(line) < width.max(1)));
        }
        prop_assert!(!summary(view, &Ending::default(), &screen).is_empty());
        prop_assert!(!show(view, now, &screen).is_empty());
        let made = masked(&report(view, 1, &ApiUse::default()), &redactor);
        prop_assert!(VALIDATOR.is_valid(&made), "{made:#}");
    }
}
