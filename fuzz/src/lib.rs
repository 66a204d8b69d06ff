//! What is fuzzed: one function for each kind of foreign bytes. None may panic, hang, or break what it
//! promises; what each promises stands beside it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue};
use runner::cli::render::{entries, github, human};
use runner::cli::screen::Screen;
use runner::cli::summary::Ending;
use runner::diagnostic::{Diagnostics, Source};
use runner::event::Recorded;
use runner::ids::Id;
use runner::plan::Limits;
use runner::report::{ApiUse, Format, RunView, Told, explain, text_in};
use runner::secret::Redactor;
use runner::semaphore::{
    Client, Happening, Origin, PipelineFilter, PipelinesOf, Request, Response, Target, Transport,
    TransportError, WorkflowFilter,
};
use runner::triage::{infrastructure, is_telling, normalised};
use runner::template::{Data, Expression, JsonPath, Scope, Template};
use serde_json::{Value, json};

const ID: &str = "6cf4569c-f76c-4dea-b293-3e4282ba1153";

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// A playbook: loads or is refused, and every mistake has a place within the text and can be shown.
pub fn playbook(data: &[u8]) {
    let Some(source) = source("fuzz.yml", data) else { return };
    let (plan, wrong) = runner::plan::check(&source, &Limits::default());
    assert_eq!(plan.is_some(), !wrong.has_errors());
    show(&wrong);
}

/// A test file: reads or is refused, in the same way.
pub fn test_file(data: &[u8]) {
    let Some(source) = source("fuzz.test.yml", data) else { return };
    let (draft, wrong) = runner::testing::read(&source, &Limits::default());
    assert!(draft.is_some() || wrong.has_errors());
    show(&wrong);
}

/// The bytes of a file as every file is read.
fn source(name: &str, data: &[u8]) -> Option<Arc<Source>> {
    match runner::playbook::source_from_bytes(name, data.to_vec(), &Limits::default()) {
        Ok(source) => Some(source),
        Err(mistake) => {
            let mut wrong = Diagnostics::new();
            wrong.push(*mistake);
            show(&wrong);
            None
        }
    }
}

/// Mistakes point to what is there, and say the same about it in every format.
fn show(wrong: &Diagnostics) {
    for mistake in wrong.sorted() {
        let labelled = mistake.labels.iter().map(|(place, _)| place);
        for place in mistake.place.iter().chain(labelled) {
            let again = place.source.place(place.span.clone());
            assert_eq!(&again, place, "{}", mistake.message);
        }
    }
    for width in [40, 100] {
        harmless(&human(wrong, width, false));
    }
    harmless(&github(wrong));
    assert_eq!(entries(wrong).len(), wrong.sorted().len());
}

/// Nothing that drives a terminal.
fn harmless(text: &str) {
    let drives = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!text.contains(drives), "{text:?}");
}

/// A template and an expression: compile or are refused, and come to a value or an error.
pub fn template(data: &[u8]) {
    let text = text(data);
    let scope = Scope::new().with("inputs", Data::new(&json!({"a": 1, "b": [1, "x"], "c": {"d": null}})));
    if let Ok(expression) = Expression::parse(&text) {
        let _ = expression.eval(&scope);
        let _ = expression.explain(&scope);
    }
    if let Ok(Some(template)) = Template::parse(&text) {
        let _ = template.render(&scope);
    }
}

/// A path, then a document on the next line: what is found stands in the document.
pub fn jsonpath(data: &[u8]) {
    let text = text(data);
    let (path, document) = text.split_once('\n').unwrap_or((&text, "{}"));
    let Ok(path) = JsonPath::parse(path) else { return };
    let document: Value = serde_json::from_str(document)
        .unwrap_or_else(|_| json!({"a": [{"b": 1}, {"b": "x"}], "c": {"a": null}}));
    let _ = path.find(&document).len();
}

/// The events of a journal, one per line: those that can be read fold into a view, and all is told of it.
pub fn journal(data: &[u8]) {
    let text = text(data);
    let events: Vec<Recorded> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    told(&RunView::of(&events));
    for recorded in &events {
        let written = serde_json::to_string(recorded).expect("what was read can be written");
        let again: Recorded = serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(&again, recorded);
    }
}

/// Every report, and what is said on a terminal.
fn told(view: &RunView) {
    let (api, redactor) = (ApiUse::default(), Redactor::new());
    let told = Told { view, exit_code: 1, api: &api, bytes_max: 1 << 20 };
    for format in [Format::Json, Format::Junit, Format::Markdown, Format::Html] {
        harmless(&text_in(format, &told, &redactor));
    }
    let now = view.last.map_or(jiff::Timestamp::UNIX_EPOCH, |last| last.wall);
    let explained = explain(view, now);
    for width in [40, 100] {
        let screen = Screen::new(width, &redactor);
        harmless(&runner::cli::show::show(view, now, &screen));
        harmless(&runner::cli::summary::summary(view, &Ending { reports: Vec::new() }, &screen));
        harmless(&runner::cli::explained::run(&explained, None, &screen));
    }
}

/// Times, durations, sizes, ids and dates in headers.
pub fn times(data: &[u8]) {
    let text = text(data);
    let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
    if let Ok(Some(time)) = runner::semaphore::wire::time::parse(&value) {
        let shown = runner::semaphore::wire::time::to_value(Some(time));
        assert!(shown.is_string());
    }
    if let Ok(duration) = runner::duration::parse(&text) {
        // What is shown has two units at the most, and is never more than was meant.
        let shown = runner::duration::show(duration);
        if let Ok(again) = runner::duration::parse(&shown) {
            assert!(again <= duration && (duration - again) * 10 <= duration, "{duration:?} is shown as {shown}");
        }
    }
    if let Some(meant) = runner::duration::meant(&text) {
        assert!(runner::duration::parse(&meant).is_ok(), "{meant}");
    }
    if let Ok(size) = runner::size::parse(&text) {
        let _ = runner::size::show(size);
    }
    let _ = runner::semaphore::error::retry_after(&text, None);
    let _ = runner::semaphore::error::http_date(&text);
    let _ = Id::parse(&text);
}

/// Answers that were made up: status, headers and pieces of the body are cut out of the data.
struct Made(Mutex<VecDeque<Response>>);

impl Transport for Made {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        // Whatever a server says, the token goes to nobody else.
        assert!(matches!(request.target, Target::Own { .. } | Target::Signed(_)));
        let next = self.0.lock().expect("one thread").pop_front();
        Box::pin(async move {
            next.ok_or_else(|| {
                TransportError::maybe_sent(runner::semaphore::Trouble::Reset, "there is no more")
            })
        })
    }
}

fn response(status: u16, header: &[u8], body: &[u8], piece: usize) -> Response {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_bytes(header) {
        for name in ["link", "x-has-more", "retry-after", "date", "location", "content-type"] {
            headers.insert(name, value.clone());
        }
    }
    let pieces: Vec<Result<Bytes, TransportError>> =
        body.chunks(piece.max(1)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    Response {
        status,
        headers,
        body: futures_util::stream::iter(pieces).boxed(),
    }
}

/// A few answers, all of the same data.
fn client(data: &[u8], status: u16) -> Client {
    let (header, body) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => data.split_at(at),
        None => (&[][..], data),
    };
    let piece = usize::from(*body.last().unwrap_or(&1)) + 1;
    let answers = (0..4).map(|_| response(status, header, body, piece)).collect();
    let origin = Origin::parse("https://acme.semaphore.test").expect("an origin");
    Client::new(Arc::new(Made(Mutex::new(answers))), origin, Redactor::new())
}

fn done<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(work)
}

/// The answers to every kind of request: a value, or an error without control characters.
pub fn answers(data: &[u8]) {
    let Some((first, data)) = data.split_first() else { return };
    let statuses = [200, 200, 200, 302, 400, 401, 403, 404, 429, 500, 503];
    let status = statuses[usize::from(*first) % statuses.len()];
    let id: Id = Id::parse(ID).expect("an id");
    let said = done(async {
        let errors = [
            client(data, status).describe_pipeline(&id, true).await.err(),
            client(data, status).describe_workflow(&id).await.err(),
            client(data, status).describe_job(&id).await.err(),
            client(data, status).describe_topology(&id).await.err(),
            client(data, status).describe_task(&id).await.err(),
            client(data, status).troubleshoot_job(&id).await.err(),
            client(data, status).project_by_name("demo").await.err(),
            client(data, status).list_projects(50).await.err(),
            client(data, status).list_tasks(&id, 50).await.err(),
            client(data, status).list_promotions(&id, None, 50).await.err(),
            client(data, status).rerun_workflow(&id, ID).await.err(),
            client(data, status).rebuild_pipeline(&id, ID).await.err(),
            client(data, status).stop_pipeline(&id).await.err(),
            client(data, status).stop_job(&id).await.err(),
        ];
        errors.into_iter().flatten().collect::<Vec<_>>()
    });
    for error in said {
        for text in [&error.message, &error.server_words] {
            assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        }
    }
}

/// A `Link` header, and what it does to the reading of a list: it ends.
pub fn link(data: &[u8]) {
    let mut page = data.to_vec();
    page.retain(|byte| *byte != b'\n');
    page.extend_from_slice(b"\n[]");
    let id: Id = Id::parse(ID).expect("an id");
    done(async {
        let of = PipelineFilter::of(PipelinesOf::Workflow(id.clone()), 100);
        let _ = client(&page, 200).list_pipelines(&of).await;
        let _ = client(&page, 200).list_workflows(&WorkflowFilter::of_project(id, 100)).await;
    });
}

/// A log: it ends, and its cleaned text drives no terminal.
pub fn logs(data: &[u8]) {
    let id: Id = Id::parse(ID).expect("an id");
    done(async {
        let Ok(mut stream) = client(data, 200).log(&id).await else { return };
        while let Ok(Some(event)) = stream.next().await {
            if let Happening::Output(text) = event.what {
                let clean = runner::text::clean(&text);
                harmless(&clean);
                assert_eq!(runner::text::clean(&clean), clean);
                let command = |line: &str| line.trim_start().starts_with("::");
                assert!(!clean.lines().any(command), "{clean:?}");
                for line in clean.lines() {
                    let normal = normalised(line);
                    harmless(&normal);
                    let _ = (is_telling(&normal), infrastructure([line]));
                }
            }
        }
    });
    let line = runner::text::clean_line(&text(data), 80);
    assert!(!line.contains(|c: char| c.is_control()), "{line:?}");
    let name = runner::text::file_name(&text(data), 200);
    assert!(name.len() <= 200 && !name.contains('/') && !name.is_empty() && name != "." && name != "..");
}
