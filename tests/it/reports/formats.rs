//! The reports for people and for CI systems: as written, harmless in their own syntax, honest.

use std::collections::HashSet;

use quick_junit::{NonSuccessKind, Report, TestCaseStatus};
use runner::event::{Event, Recorded};
use runner::report::{ApiUse, Format, REPORT_BYTES_MAX, RunView, Told, text_in};
use runner::secret::Redactor;

use super::fixtures::{Golden, Item, events};
use super::hostile::{NAMES, poisoned};
use super::{RUNS, api};

const FORMATS: [(Format, &str); 3] = [
    (Format::Junit, "junit.xml"),
    (Format::Markdown, "md"),
    (Format::Html, "html"),
];

/// Names that want to be more than names, one for every syntax.
const HOSTILE: &str = "</script></style><script>alert(1)</script><img src=x onerror=alert(1)> \" ' onload=x \
    ]]> &lt; --> {{ 7*7 }} {% raw %} | a | `code` ```\n~~~ **b** [x](javascript:alert(1)) @everybody https://evil.test \
    \u{1b}[2J\u{0}\u{b}\u{202e}evil\u{2066}\u{fffe}\u{85}\r\n::error::boo\n# heading\n````\n<details>";

fn written(format: Format, events: &[Recorded], exit_code: u8, redactor: &Redactor) -> String {
    let view = RunView::of(events);
    let used = api();
    let told = Told {
        view: &view,
        exit_code,
        api: &used,
        bytes_max: REPORT_BYTES_MAX,
    };
    text_in(format, &told, redactor)
}

fn only_events(items: Vec<Item>) -> Vec<Recorded> {
    let event = |item| match item {
        Item::Event(event) => Some(event),
        Item::Observation(_) | Item::Tick { .. } => None,
    };
    items.into_iter().filter_map(event).collect()
}

#[test]
fn reports_of_every_format_are_as_written() {
    let mut golden = Golden::default();
    for (name, exit_code) in RUNS {
        for (format, ending) in FORMATS {
            let text = written(format, &events(name), exit_code, &Redactor::new());
            assert_eq!(
                text,
                written(format, &events(name), exit_code, &Redactor::new())
            );
            golden.check(&format!("{name}.report.{ending}"), &without_looks(&text));
        }
    }
    golden.finish();
}

/// A page without its style, its script and their digests, which say nothing of a run.
fn without_looks(page: &str) -> String {
    let mut out = page.to_owned();
    for (from, until) in [
        ("<style>", "</style>"),
        ("<script>", "</script>"),
        ("sha256-", "'"),
        ("script-src 'sha256-", "'"),
    ] {
        let start = out.find(from).map(|at| at + from.len());
        let end = start.and_then(|start| Some(start + out.get(start..)?.find(until)?));
        if let (Some(start), Some(end)) = (start, end) {
            out.replace_range(start..end, "");
        }
    }
    out.replace("'sha256-'", "'…'")
}

#[test]
fn a_run_of_which_nothing_is_known_has_every_report() {
    let view = RunView::new();
    let none = ApiUse::default();
    let told = Told {
        view: &view,
        exit_code: 70,
        api: &none,
        bytes_max: REPORT_BYTES_MAX,
    };
    for (format, ending) in FORMATS {
        let text = text_in(format, &told, &Redactor::new());
        assert!(text.contains("has not ended"), "{ending}: {text}");
    }
}

#[test]
fn a_report_that_is_too_long_is_shortened_and_says_so() {
    let view = RunView::of(&events("failed"));
    let used = api();
    for (format, ending) in FORMATS {
        let told = |bytes_max| Told {
            view: &view,
            exit_code: 1,
            api: &used,
            bytes_max,
        };
        let full = text_in(format, &told(REPORT_BYTES_MAX), &Redactor::new());
        let short = text_in(format, &told(full.len() - 1), &Redactor::new());
        assert!(!full.contains("this report was too long"), "{ending}");
        assert!(
            short.contains("this report was too long"),
            "{ending}: {short}"
        );
    }
}

/// Queue and run time are those that the answer told, whenever the runner looked.
#[test]
fn queue_and_run_time_are_told_apart() {
    let mut told = events("failed");
    for recorded in &mut told {
        if let Event::CallEnded { key, outcome } = &mut recorded.event
            && let ("tests", Ok(answer)) = (key.step.as_str(), &mut outcome.result)
        {
            answer.value["pipeline"]["queued_for"] = 5.into();
            answer.value["pipeline"]["ran_for"] = 250.into();
        }
    }
    let page = written(Format::Html, &told, 1, &Redactor::new());
    assert!(page.contains("queued 5s, ran 4m10s"), "{page}");
    assert!(page.contains("class=\"b queue\" x=\"1.89%\""), "{page}");
}

/// The night between two sessions is not on the time line, and the page says so.
#[test]
fn the_time_in_which_nobody_worked_on_a_run_is_left_out() {
    let mut told = events("failed");
    for recorded in told.iter_mut().filter(|recorded| recorded.seq > 10) {
        recorded.at.wall += jiff::SignedDuration::from_hours(9);
    }
    let page = written(Format::Html, &told, 1, &Redactor::new());
    assert!(page.contains("nobody worked on the run for 9h"), "{page}");
    assert!(
        !page.contains(">1h</text>") && page.contains(">4m</text>"),
        "{page}"
    );
}

/// The tags of a page without what stands between them; attributes in their quotes stay.
fn tags(page: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = page;
    while let Some((_, from)) = rest.split_once('<') {
        let Some((tag, after)) = from.split_once('>') else {
            break;
        };
        tags.push(tag);
        rest = after;
    }
    tags
}

#[test]
fn nothing_foreign_becomes_a_part_of_a_page() {
    for name in NAMES {
        let kind = |events: &[Recorded]| {
            let page = written(Format::Html, events, 1, &Redactor::new());
            let names = tags(&page).into_iter().map(|tag| {
                let end = tag.find([' ', '\n', '/']).filter(|at| *at > 0);
                tag.get(..end.unwrap_or(tag.len()))
                    .unwrap_or_default()
                    .to_owned()
            });
            (names.collect::<HashSet<_>>(), page)
        };
        let (plain, _) = kind(&events(name));
        let (hostile, page) = kind(&only_events(poisoned(name, HOSTILE)));
        let more: Vec<_> = hostile
            .difference(&plain)
            .filter(|tag| !tag.starts_with('/'))
            .collect();
        assert!(
            more.iter().all(|tag| [
                "pre", "p", "ul", "li", "dl", "dt", "dd", "div", "a", "code", "strong", "title"
            ]
            .contains(&tag.as_str())),
            "{name}: {more:?}"
        );
        for tag in tags(&page) {
            assert!(!tag.contains(" on") || !tag.contains("=alert"), "{tag}");
            assert!(!tag.contains("javascript:"), "{tag}");
            assert!(!tag.contains(" style="), "the policy forbids it: {tag}");
        }
        assert_eq!(page.matches("<script").count(), 1, "{name}");
        assert_eq!(page.matches("</script").count(), 1, "{name}");
        assert_eq!(page.matches("<style").count(), 1, "{name}");
        assert!(
            !page.contains("7*7 }} ") || page.contains("{{ 7*7 }}"),
            "a template in a template"
        );
    }
}

#[test]
fn a_page_asks_nobody_for_anything() {
    let page = written(Format::Html, &events("failed"), 1, &Redactor::new());
    for asks in [
        "src=",
        "<link",
        "@import",
        "url(h",
        "fetch(",
        "XMLHttpRequest",
        "<iframe",
        "<object",
    ] {
        assert!(!page.contains(asks), "{asks}");
    }
    let policy = "default-src 'none'; style-src 'sha256-";
    assert!(
        page.contains(policy) && !page.contains("unsafe"),
        "the policy"
    );
}

#[test]
fn what_ends_a_fence_or_a_row_of_markdown_is_none_of_foreign_text() {
    for name in NAMES {
        let text = written(
            Format::Markdown,
            &only_events(poisoned(name, HOSTILE)),
            1,
            &Redactor::new(),
        );
        let mut fence: Option<String> = None;
        for line in text.lines() {
            let ticks: String = line.chars().take_while(|c| *c == '`').collect();
            match &fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 && line.ends_with("text") => fence = Some(ticks),
                None => {
                    let prose = without_escapes(&without_code(line));
                    for mark in [
                        "<script", "<img", "<details", "](java", "@every", "**b**", "://evil",
                    ] {
                        assert!(!prose.contains(mark), "{name}: {mark} in {line}");
                    }
                    if line.starts_with('|') && !line.starts_with("|---") {
                        let cells = line.replace("\\|", "").matches('|').count();
                        assert!(matches!(cells, 3 | 5), "{name}: {cells} in {line}");
                    }
                    assert!(!line.starts_with("# "), "{name}: {line}");
                }
            }
        }
        assert_eq!(fence, None, "{name}: a fence is open\n{text}");
    }
}

/// A line without the characters that a backslash makes mean nothing.
fn without_escapes(line: &str) -> String {
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\\' {
            chars.next();
        } else {
            out.push(c);
        }
    }
    out
}

/// A line without its code spans, as a reader of Markdown finds them.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let escaped = before.ends_with('\\') && !before.ends_with("\\\\");
        let ticks = from.len() - from.trim_start_matches('`').len();
        let (mark, inside) = from.split_at(if escaped { 1 } else { ticks });
        let mut end = None;
        let mut seek = 0;
        while let Some(found) = inside.get(seek..).and_then(|rest| rest.find('`')) {
            let start = seek + found;
            let run = inside
                .get(start..)
                .map_or(0, |r| r.len() - r.trim_start_matches('`').len());
            if run == ticks && !escaped {
                end = Some(start + run);
                break;
            }
            seek = start + run;
        }
        rest = match end {
            Some(end) => inside.get(end..).unwrap_or_default(),
            None => {
                out.push_str(mark);
                inside
            }
        };
    }
    out.push_str(rest);
    out
}

/// Whether a character may stand in XML 1.0.
fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[test]
fn junit_is_xml_whatever_was_answered() {
    for name in NAMES {
        for text in [
            written(Format::Junit, &events(name), 1, &Redactor::new()),
            written(
                Format::Junit,
                &only_events(poisoned(name, HOSTILE)),
                1,
                &Redactor::new(),
            ),
        ] {
            assert!(text.chars().all(is_xml), "{name}: {text:?}");
            let read = Report::deserialize_from_str(&text);
            assert!(read.is_ok(), "{name}: {read:?}\n{text}");
        }
    }
}

/// There is a failure or an error exactly when the run did not pass.
#[test]
fn junit_is_red_exactly_when_the_run_is() {
    for (name, exit_code) in RUNS {
        let text = written(Format::Junit, &events(name), exit_code, &Redactor::new());
        let report = Report::deserialize_from_str(&text).expect("it is JUnit");
        assert_eq!(
            report.failures + report.errors > 0,
            exit_code != 0,
            "{name}\n{text}"
        );
    }
    // A run that was cut short has steps that passed and steps that never began, and nothing red.
    let mut cut = events("passed");
    cut.retain(|recorded| !matches!(recorded.event, Event::RunEnded(_)));
    let text = written(Format::Junit, &cut, 75, &Redactor::new());
    let report = Report::deserialize_from_str(&text).expect("it is JUnit");
    assert_eq!((report.failures, report.errors), (0, 1), "{text}");
}

#[test]
fn a_failed_pipeline_is_a_failure_and_what_could_not_be_found_out_an_error() {
    let kinds = |name: &str| -> Vec<NonSuccessKind> {
        let text = written(Format::Junit, &events(name), 1, &Redactor::new());
        let report = Report::deserialize_from_str(&text).expect("it is JUnit");
        let cases = report
            .test_suites
            .iter()
            .flat_map(|suite| &suite.test_cases);
        cases
            .filter_map(|case| match &case.status {
                TestCaseStatus::NonSuccess { kind, .. } => Some(*kind),
                TestCaseStatus::Success { .. } | TestCaseStatus::Skipped { .. } => None,
            })
            .collect()
    };
    assert_eq!(kinds("failed"), [NonSuccessKind::Failure]);
    assert_eq!(kinds("unknown"), [NonSuccessKind::Error]);
}
