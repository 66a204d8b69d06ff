//! What people and programs see of a run: every screen and report of some handmade runs, as files.

mod fixtures;
mod formats;
#[expect(
    clippy::unwrap_used,
    reason = "what fails here fails the test that calls it"
)]
mod hostile;
mod screens;
mod traces;

use std::io;
use std::sync::Arc;

use indicatif::TermLike;
use jsonschema::Validator;
use runner::cli::explained;
use runner::cli::output::Output;
use runner::cli::progress::{Mode, Progress, Surroundings};
use runner::cli::screen::Screen;
use runner::cli::show::{RunRow, runs, show};
use runner::cli::summary::{Ending, summary};
use runner::report::explain_v1::Explanation;
use runner::report::{
    ApiUse, RunView, critical_path, event_schema, event_v1, explain, explain_schema, json_line,
    json_pretty, masked, only, report, report_schema, report_text,
};
use runner::secret::Redactor;
use serde_json::Value;

use fixtures::{Golden, Item, Shared, events, items, time};

const RUNS: [(&str, u8); 6] = [
    ("passed", 0),
    ("failed", 1),
    ("parked", 143),
    ("unknown", 5),
    ("retried", 0),
    ("parts", 1),
];
const WIDTHS: [usize; 3] = [40, 80, 200];

fn api() -> ApiUse {
    ApiUse {
        requests: 47,
        by_endpoint: [("pipelines.describe".to_owned(), 41)]
            .into_iter()
            .collect(),
        retries: 2,
        saved: 12,
        bytes: 90_210,
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(schema)
        .expect("the schema is a schema")
}

fn assert_valid(validator: &Validator, value: &Value) {
    let mistakes: Vec<String> = validator
        .iter_errors(value)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}\n{value:#}");
}

#[test]
fn reports_are_as_written_and_fit_their_schema() {
    let mut golden = Golden::default();
    let validator = validator(&report_schema());
    for (name, exit_code) in RUNS {
        let made = report(&RunView::of(&events(name)), exit_code, &api());
        let text = report_text(&made, &Redactor::new());
        assert_valid(&validator, &serde_json::from_str(&text).expect("JSON"));
        golden.check(&format!("{name}.report.json"), &text);
    }
    // An empty run has a report too.
    let empty = report(&RunView::new(), 70, &ApiUse::default());
    assert_valid(&validator, &masked(&empty, &Redactor::new()));
    golden.finish();
}

#[test]
fn event_lines_are_as_written_and_fit_their_schema() {
    let mut golden = Golden::default();
    let validator = validator(&event_schema());
    for (name, _) in RUNS {
        let (mut text, mut seq) = (String::new(), 0);
        for item in items(name) {
            let line = match item {
                Item::Event(event) => {
                    seq = event.seq;
                    event_v1::Line::from(&event)
                }
                Item::Observation(observation) => event_v1::Line::observed(&observation, seq),
                Item::Tick { .. } => continue,
            };
            let line = masked(&line, &Redactor::new());
            assert_valid(&validator, &line);
            text.push_str(&json_line(&line));
        }
        golden.check(&format!("{name}.events.jsonl"), &text);
    }
    golden.finish();
}

#[test]
fn a_schema_refuses_what_is_no_report() {
    let validator = validator(&report_schema());
    let made = report(&RunView::of(&events("passed")), 0, &api());
    let good = masked(&made, &Redactor::new());
    for (path, wrong) in [
        ("/report", Value::from(2)),
        ("/run/outcome", Value::from("green")),
        ("/run/started_at", Value::from("yesterday")),
        ("/steps/build/duration_ms", Value::from("3s")),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("it is there") = wrong;
        assert!(!validator.is_valid(&bad), "{path}");
    }
}

#[test]
fn published_schemas_are_those_of_the_code() {
    let mut golden = Golden::default();
    for (file, schema) in [
        ("report.v1.schema.json", report_schema()),
        ("event.v1.schema.json", event_schema()),
        ("explain.v1.schema.json", explain_schema()),
    ] {
        golden.check_file("schemas", file, &json_pretty(&schema));
    }
    golden.finish();
}

#[test]
fn the_end_of_a_run_is_told_at_any_width() {
    let mut golden = Golden::default();
    let redactor = Redactor::new();
    let ending = Ending {
        reports: vec!["out/report.json".into()],
    };
    for (name, _) in RUNS {
        let view = RunView::of(&events(name));
        for width in WIDTHS {
            let text = summary(&view, &ending, &Screen::new(width, &redactor));
            golden.check(&format!("{name}.summary.{width}.txt"), &text);
        }
    }
    golden.finish();
}

#[test]
fn a_run_is_explained() {
    let mut golden = Golden::default();
    let validator = validator(&explain_schema());
    let redactor = Redactor::new();
    let screen = Screen::new(100, &redactor);
    let now = time("2026-11-24T13:00:00Z");
    for (name, _) in RUNS {
        let mut view = RunView::new();
        for item in items(name) {
            match item {
                Item::Event(event) => view.apply(&event),
                Item::Observation(seen) => view.observe(&seen),
                Item::Tick { .. } => {}
            }
        }
        let found = explain(&view, now);
        assert_valid(
            &validator,
            &masked(&Explanation::Run(Box::new(found.clone())), &redactor),
        );
        let mut text = explained::run(&found, None, &screen);
        for step in found.steps.keys() {
            let alone = only(found.clone(), step).expect("it is there");
            text.extend(["\n--- ", step, "\n"]);
            text.push_str(&explained::step(&alone, step, &screen));
        }
        golden.check(&format!("{name}.explain.txt"), &text);
    }
    golden.finish();
}

#[test]
fn a_run_at_work_is_explained_as_it_stands() {
    let mut golden = Golden::default();
    let redactor = Redactor::new();
    let screen = Screen::new(100, &redactor);
    for (name, now) in [
        ("failed", "2026-11-24T12:03:20Z"),
        ("parked", "2026-11-24T12:00:30Z"),
        ("retried", "2026-11-24T12:00:05Z"),
    ] {
        let now = time(now);
        let mut view = RunView::new();
        for item in items(name) {
            match item {
                Item::Event(event) if event.at.wall <= now => view.apply(&event),
                Item::Observation(seen) if seen.at <= now => view.observe(&seen),
                Item::Event(_) | Item::Observation(_) | Item::Tick { .. } => {}
            }
        }
        let owner = Some("process 4711 on ci-1 works on it");
        let text = explained::run(&explain(&view, now), owner, &screen);
        golden.check(&format!("{name}.explain.live.txt"), &text);
    }
    golden.finish();
}

#[test]
fn a_run_is_shown() {
    let mut golden = Golden::default();
    let redactor = Redactor::new();
    let screen = Screen::new(100, &redactor);
    let now = time("2026-11-24T13:00:00Z");
    let mut rows = Vec::new();
    for (name, _) in RUNS {
        let view = RunView::of(&events(name));
        golden.check(&format!("{name}.show.txt"), &show(&view, now, &screen));
        rows.push(RunRow::of(&view, now));
    }
    golden.check("runs.txt", &runs(&rows, now, &screen));
    assert!(runs(&[], now, &screen).starts_with("no runs yet"));
    golden.finish();
}

/// Everything that a mode of the display writes to stderr for a fixture.
fn told(name: &str, mode: Mode) -> String {
    let (out, err) = (Shared::default(), Shared::default());
    let output = Arc::new(Output::to(out.clone(), err.clone(), Redactor::new()));
    let mut progress = Progress::new(mode, output);
    for item in items(name) {
        match item {
            Item::Event(event) => progress.event(&event),
            Item::Observation(observation) => progress.observe(&observation),
            Item::Tick { tick } => progress.tick(tick),
        }
    }
    progress.finish();
    assert_eq!(out.text(), "", "progress is talk");
    err.text()
}

#[test]
fn progress_without_a_terminal_is_a_line_per_change() {
    let mut golden = Golden::default();
    for (name, _) in RUNS {
        golden.check(&format!("{name}.progress.txt"), &told(name, Mode::Plain));
        assert_eq!(told(name, Mode::Quiet), "");
    }
    golden.finish();
}

#[test]
fn the_display_fits_its_surroundings() {
    let terminal = Surroundings {
        terminal: true,
        ..Surroundings::default()
    };
    for (around, mode) in [
        (terminal, Mode::Terminal),
        (Surroundings::default(), Mode::Plain),
        (
            Surroundings {
                ci: true,
                ..terminal
            },
            Mode::Plain,
        ),
        (
            Surroundings {
                dumb: true,
                ..terminal
            },
            Mode::Plain,
        ),
        (
            Surroundings {
                no_progress: true,
                ..terminal
            },
            Mode::Plain,
        ),
        (
            Surroundings {
                quiet: true,
                ..terminal
            },
            Mode::Quiet,
        ),
    ] {
        assert_eq!(Mode::choose(around), mode, "{around:?}");
    }
}

/// A terminal that is gone.
#[derive(Debug)]
struct Gone;

impl Gone {
    fn write() -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

impl TermLike for Gone {
    fn width(&self) -> u16 {
        80
    }

    fn height(&self) -> u16 {
        24
    }

    fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
        Self::write()
    }

    fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
        Self::write()
    }

    fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
        Self::write()
    }

    fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
        Self::write()
    }

    fn write_line(&self, _line: &str) -> io::Result<()> {
        Self::write()
    }

    fn write_str(&self, _text: &str) -> io::Result<()> {
        Self::write()
    }

    fn clear_line(&self) -> io::Result<()> {
        Self::write()
    }

    fn flush(&self) -> io::Result<()> {
        Self::write()
    }
}

#[test]
fn a_terminal_that_is_gone_stops_nothing() {
    let output = Arc::new(Output::to(io::sink(), io::sink(), Redactor::new()));
    let mut progress = Progress::on(Arc::new(Gone), Arc::clone(&output));
    for event in events("failed") {
        progress.event(&event);
        progress.tick(event.at.wall);
    }
    output.talk("still here");
    progress.finish();
    assert_eq!(progress.view().word(), "failed");
}

#[test]
fn the_critical_path_is_the_longest_chain() {
    for (name, path) in [
        ("passed", vec!["build", "tests", "deploy", "announce"]),
        ("failed", vec!["build", "tests", "logs"]),
        ("retried", vec!["find", "nightly"]),
        ("unknown", vec!["build"]),
        ("parked", vec![]),
    ] {
        assert_eq!(critical_path(&RunView::of(&events(name))), path, "{name}");
    }
}

#[test]
fn events_that_come_again_change_nothing() {
    for (name, _) in RUNS {
        let all = events(name);
        let mut view = RunView::of(&all);
        let once = view.clone();
        all.iter().for_each(|event| view.apply(event));
        assert_eq!(view, once);
    }
}
