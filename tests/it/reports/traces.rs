//! The runs of the fixtures as traces: as files, and in slices.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use runner::report::TraceParent;
use runner::report::spans::{Attribute, Span, SpanKind, Spans, Trace};

use super::RUNS;
use super::fixtures::{Golden, events};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn line(out: &mut String, words: std::fmt::Arguments<'_>) {
    out.write_fmt(words).expect("it is a string");
}

/// A trace as people read it: one line for a span, its attributes and notes below it.
fn shown(trace: &Trace) -> String {
    let mut out = format!("trace {}\n", hex(&trace.id));
    for span in &trace.spans {
        let depth = match span.kind {
            SpanKind::Run => "",
            SpanKind::Step => "  ",
            SpanKind::Call => "    ",
        };
        let parent = span.parent.map(|id| hex(&id)).unwrap_or_default();
        line(
            &mut out,
            format_args!(
                "{depth}{} {} < {parent} | {} .. {}\n",
                span.name,
                hex(&span.id),
                span.start,
                span.end
            ),
        );
        if let Some(error) = &span.error {
            line(&mut out, format_args!("{depth}  error: {error}\n"));
        }
        for (name, value) in &span.attributes {
            line(
                &mut out,
                format_args!("{depth}  {name} = {}\n", word(value)),
            );
        }
        for note in &span.notes {
            let pairs = note.attributes.iter();
            let pairs: Vec<String> = pairs.map(|(k, v)| format!("{k}={}", word(v))).collect();
            line(
                &mut out,
                format_args!("{depth}  * {} {} {}\n", note.at, note.name, pairs.join(" ")),
            );
        }
    }
    out
}

fn word(value: &Attribute) -> String {
    match value {
        Attribute::Text(text) => text.clone(),
        Attribute::Number(number) => number.to_string(),
        Attribute::Flag(flag) => flag.to_string(),
    }
}

fn trace(name: &str, after: u64, parent: Option<TraceParent>) -> Option<Trace> {
    let mut spans = Spans::after(after);
    events(name).iter().for_each(|event| spans.apply(event));
    spans.finish(parent)
}

#[test]
fn traces_are_as_written() {
    let mut golden = Golden::default();
    for (name, _) in RUNS {
        let trace = trace(name, 0, None).expect("something happened");
        golden.check(&format!("{name}.trace.txt"), &shown(&trace));
    }
    golden.finish();
}

#[test]
fn the_trace_of_a_caller_is_continued() {
    let parent = TraceParent {
        trace: [7; 16],
        span: [9; 8],
        sampled: true,
    };
    let trace = trace("failed", 0, Some(parent)).expect("something happened");
    assert_eq!(trace.id, [7; 16]);
    assert_eq!(trace.spans[0].parent, Some([9; 8]));
}

/// Wherever a run is cut in two sessions, no span is told twice, parts hang on what is there, and nothing
/// lasts for less than no time.
#[test]
fn each_session_tells_its_own_part() {
    for (name, _) in RUNS {
        let all = events(name);
        let last = all.last().expect("there are events").seq;
        for cut in 0..last {
            let mut first = Spans::after(0);
            let heard = all.iter().take_while(|event| event.seq <= cut);
            heard.for_each(|event| first.apply(event));
            let first = first.finish(None);
            let second = trace(name, cut, None).expect("something happened after it");
            let spans = |trace: &Option<Trace>| -> Vec<Span> {
                trace.iter().flat_map(|t| t.spans.clone()).collect()
            };
            let both = [spans(&first), spans(&Some(second.clone()))];
            let mut seen = BTreeSet::new();
            for spans in &both {
                let ids: BTreeSet<[u8; 8]> = spans.iter().map(|span| span.id).collect();
                for span in spans {
                    assert!(
                        seen.insert(span.id),
                        "{name} cut at {cut}: {} twice",
                        span.name
                    );
                    assert!(span.start <= span.end, "{name} cut at {cut}: {}", span.name);
                    let hangs = span.parent.is_none_or(|parent| ids.contains(&parent));
                    assert!(hangs, "{name} cut at {cut}: {}", span.name);
                }
            }
            if let Some(first) = &first {
                assert_eq!(first.id, second.id);
            }
        }
    }
}

#[test]
fn a_trace_ends_somewhere() {
    let mut all = events("passed");
    let mut spans = Spans::after(0);
    let template = all
        .iter()
        .find(|recorded| matches!(recorded.event, runner::event::Event::StepStarted { .. }));
    let template = template.expect("a step begins").clone();
    let mut seq = all.last().expect("there are events").seq;
    for number in 0..runner::report::spans::SPANS_MAX + 10 {
        seq += 1;
        let mut one = template.clone();
        one.seq = seq;
        if let runner::event::Event::StepStarted { step, .. } = &mut one.event {
            *step = format!("s{number}");
        }
        all.push(one);
    }
    all.iter().for_each(|event| spans.apply(event));
    let trace = spans.finish(None).expect("something happened");
    assert_eq!(trace.spans.len(), runner::report::spans::SPANS_MAX);
    let left_out = |(name, _): &&(&str, Attribute)| *name == "runner.spans_left_out";
    assert!(trace.spans[0].attributes.iter().any(|pair| left_out(&pair)));
}
