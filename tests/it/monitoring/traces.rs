//! Traces as a collector gets them.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::receiver::Receiver;
use super::{program, with_quick, world};

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const HEADER_SECRET: &str = "collector-key-5f2c";

fn spans(collector: &Receiver) -> Vec<Span> {
    let heard = collector.heard();
    let requests = heard.iter().map(|heard| {
        assert_eq!(heard.what, "POST /v1/traces");
        assert!(heard.head.contains("content-type: application/x-protobuf"));
        assert!(heard.head.contains(&format!("x-key: {HEADER_SECRET}")));
        ExportTraceServiceRequest::decode(heard.body.as_slice()).expect("it is a message")
    });
    let resources = requests.flat_map(|request| request.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn text<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    let pair = span.attributes.iter().find(|pair| pair.key == name)?;
    match pair.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

#[test]
fn a_collector_gets_the_run_its_steps_and_their_calls() {
    let collector = Receiver::new(200);
    let server = world("failed");
    let program = program(&server)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url(""))
        .with(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("x-key={HEADER_SECRET}"),
        )
        .with("TRACEPARENT", TRACEPARENT);
    let done = program
        .run(&with_quick(&["apply", "release.yml", "-vv"]))
        .expect(1);
    assert!(!done.err.contains(HEADER_SECRET), "{}", done.err);
    let spans = spans(&collector);
    let run = spans
        .iter()
        .find(|span| span.name == "RUN release")
        .expect("a run");
    assert_eq!(run.trace_id[..2], [0x0a, 0xf7]);
    assert_eq!(run.parent_span_id[..2], [0xb7, 0xad]);
    assert_eq!(text(run, "cicd.pipeline.result"), Some("failure"));
    let step = spans
        .iter()
        .find(|span| span.name == "build")
        .expect("a step");
    assert_eq!(step.parent_span_id, run.span_id);
    assert_eq!(text(step, "cicd.pipeline.task.run.result"), Some("failure"));
    let calls: Vec<&Span> = spans
        .iter()
        .filter(|span| span.parent_span_id == step.span_id)
        .collect();
    assert!(calls.len() >= 2, "{spans:#?}");
    assert!(run.events.iter().any(|event| event.name == "step_blocked"));
    for span in &spans {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert_eq!(span.trace_id, run.trace_id);
    }
}

#[test]
fn a_session_that_goes_on_tells_its_own_part_of_the_same_trace() {
    let collector = Receiver::new(200);
    let server = world("passed");
    let program = program(&server)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url(""))
        .with(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("x-key={HEADER_SECRET}"),
        );
    let parked = ["apply", "release.yml", "--park", "0s", "--run-id", "r1"];
    program.run(&with_quick(&parked)).expect(75);
    let first = spans(&collector);
    program.run(&with_quick(&["resume", "r1"])).expect(0);
    let all = spans(&collector);
    assert!(!first.is_empty() && all.len() > first.len());
    assert!(all.iter().all(|span| span.trace_id == all[0].trace_id));
    let mut ids: Vec<_> = all.iter().map(|span| span.span_id.clone()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all.len(), "no span is told twice");
}

#[test]
fn a_collector_that_fails_changes_nothing() {
    let server = world("passed");
    let collector = Receiver::new(503);
    let program = program(&server)
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url(""))
        .with(
            "OTEL_EXPORTER_OTLP_HEADERS",
            &format!("x-key={HEADER_SECRET}"),
        );
    let done = program
        .run(&with_quick(&["apply", "release.yml"]))
        .expect(0);
    done.says(&["warning: the traces were not taken by", "answered 503"]);
    let program = program.with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    let done = program
        .run(&with_quick(&["apply", "release.yml"]))
        .expect(0);
    done.says(&["warning: no traces are exported"]);
    assert_eq!(collector.heard().len(), 1);
}
