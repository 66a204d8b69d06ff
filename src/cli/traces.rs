//! Traces leave the process: OTLP over HTTP, as protobuf.
//!
//! Duty: a trace into the messages of the protocol, and a thin sender. Invariants: everything is masked
//! once more; the export takes seconds at the most, comes after all else, and changes no exit code.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span as Wire, Status, span, status,
};
use prost::Message as _;

use super::connect::http_options;
use super::main::Surroundings;
use super::settings::{Settings, Telemetry};
use crate::clock::Clock;
use crate::drivers::{Observer, run_local};
use crate::effects::{ReqwestWeb, Web as _, WebRequest};
use crate::event::Recorded;
use crate::report::spans::{Attribute, Attributes, Span, SpanKind, Spans, Trace};
use crate::secret::Redactor;
use crate::semaphore::AnswerLimits;
use crate::text::clean_line;

/// So many spans travel in one request.
const SPANS_PER_REQUEST: usize = 1_000;
/// The longest text of an attribute.
const TEXT_CHARACTERS_MAX: usize = 2_000;
/// The flags of a span that is recorded.
const SAMPLED: u32 = 1;

/// What one session did, collected while it goes.
#[derive(Clone)]
pub(super) struct Traced(Arc<Mutex<Spans>>);

/// What is to be exported, and where to.
pub(super) struct Finished {
    spans: Spans,
}

impl Traced {
    /// Collects when the environment names a collector.
    pub(super) fn wanted(around: &Surroundings, past: &[Recorded]) -> Option<Self> {
        match Telemetry::of(&around.environment) {
            Ok(None) => None,
            Ok(Some(telemetry)) => {
                let secrets = telemetry.headers.iter();
                secrets.for_each(|(_, value)| around.redactor.learn(value.expose()));
                let after = past.last().map_or(0, |recorded| recorded.seq);
                Some(Self(Arc::new(Mutex::new(Spans::after(after)))))
            }
            Err(why) => {
                around.say(&format!("warning: no traces are exported: {why}"));
                None
            }
        }
    }

    /// What was collected.
    pub(super) fn finished(&self) -> Finished {
        let spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Finished {
            spans: spans.clone(),
        }
    }
}

impl Observer for Traced {
    fn event(&mut self, recorded: &Recorded) {
        let mut spans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spans.apply(recorded);
    }
}

/// Sends a trace to its collector; what goes wrong is a warning.
pub(super) fn export(around: &Surroundings, settings: &Settings, finished: Finished) {
    let Ok(Some(telemetry)) = Telemetry::of(&around.environment) else {
        return;
    };
    let Some(mut trace) = finished.spans.finish(telemetry.parent) else {
        return;
    };
    mask(&mut trace, &around.redactor);
    if let Err(reason) = sent(settings, &telemetry, &trace) {
        let origin = telemetry.endpoint.origin();
        around.say(&format!(
            "warning: the traces were not taken by `{origin}`: {reason}"
        ));
    }
}

/// Masks before it cuts: half a secret is a secret.
fn mask(trace: &mut Trace, redactor: &Redactor) {
    trace.map_texts(|text| clean_line(&redactor.text(text), TEXT_CHARACTERS_MAX));
}

fn sent(settings: &Settings, telemetry: &Telemetry, trace: &Trace) -> Result<(), String> {
    let mut headers = HeaderMap::from_iter([(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    )]);
    for (name, value) in &telemetry.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value.expose());
        let (Ok(name), Ok(mut value)) = (name, value) else {
            return Err("a header of `OTEL_EXPORTER_OTLP_HEADERS` is none".to_owned());
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let mut options = http_options(settings);
    if let Some(file) = &telemetry.ca_file {
        options.ca_file = Some(file.clone());
    }
    let clock = Clock::real();
    let done = run_local(async {
        let web = ReqwestWeb::new(options);
        for spans in trace.spans.chunks(SPANS_PER_REQUEST) {
            let left = telemetry.timeout.saturating_sub(clock.elapsed());
            if left.is_zero() {
                return Err("it took too long".to_owned());
            }
            let request = WebRequest {
                method: Method::POST,
                address: telemetry.endpoint.clone(),
                headers: headers.clone(),
                body: Some(Bytes::from(
                    message(telemetry, trace, spans).encode_to_vec(),
                )),
                total_timeout: left,
                limits: AnswerLimits::default(),
            };
            match web
                .send(request)
                .await
                .map_err(|error| error.message)?
                .status
            {
                200..=299 => {}
                status => return Err(format!("it answered {status}")),
            }
        }
        Ok(())
    });
    done.unwrap_or_else(|error| Err(error.to_string()))
}

fn message(telemetry: &Telemetry, trace: &Trace, spans: &[Span]) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: telemetry
            .resource
            .iter()
            .map(|(name, value)| pair(name, any_value::Value::StringValue(value.clone())))
            .collect(),
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope),
                spans: spans.iter().map(|span| wire(trace, span)).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn wire(trace: &Trace, span: &Span) -> Wire {
    let kind = match span.kind {
        SpanKind::Run => span::SpanKind::Server,
        SpanKind::Step => span::SpanKind::Internal,
        SpanKind::Call => span::SpanKind::Client,
    };
    Wire {
        trace_id: trace.id.to_vec(),
        span_id: span.id.to_vec(),
        parent_span_id: span.parent.map(|id| id.to_vec()).unwrap_or_default(),
        flags: SAMPLED,
        name: span.name.clone(),
        kind: kind.into(),
        start_time_unix_nano: nanos(span.start),
        end_time_unix_nano: nanos(span.end),
        attributes: pairs(&span.attributes),
        events: span
            .notes
            .iter()
            .map(|note| span::Event {
                time_unix_nano: nanos(note.at),
                name: note.name.to_owned(),
                attributes: pairs(&note.attributes),
                ..span::Event::default()
            })
            .collect(),
        status: span.error.as_ref().map(|message| Status {
            message: message.clone(),
            code: status::StatusCode::Error.into(),
        }),
        ..Wire::default()
    }
}

fn nanos(at: jiff::Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}

fn pairs(attributes: &Attributes) -> Vec<KeyValue> {
    attributes
        .iter()
        .map(|(name, value)| {
            let value = match value {
                Attribute::Text(text) => any_value::Value::StringValue(text.clone()),
                Attribute::Number(number) => any_value::Value::IntValue(*number),
                Attribute::Flag(flag) => any_value::Value::BoolValue(*flag),
            };
            pair(name, value)
        })
        .collect()
}

fn pair(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
