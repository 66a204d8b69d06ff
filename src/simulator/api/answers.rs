//! The dialects in which the servers behind the host answer.

use serde_json::Value;

use crate::simulator::http::{Fault, Reply};

impl Reply {
    /// The same with a fault.
    pub(in crate::simulator) fn with_fault(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// A reply of the ingress: a body and nothing else.
pub(in crate::simulator) fn bare(status: u16, body: &str) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
        fault: Fault::None,
    }
}

/// Text of the v1alpha servers; they set no content type.
pub(in crate::simulator) fn text(status: u16, body: &str) -> Reply {
    bare(status, body).with_header("cache-control", "max-age=0, private, must-revalidate")
}

/// JSON of the v1alpha servers; they set no content type here either.
pub(super) fn json(status: u16, body: &Value) -> Reply {
    text(status, &body.to_string())
}

/// An error as a JSON string, quotes included.
pub(super) fn said(status: u16, message: &str) -> Reply {
    json(status, &Value::String(message.to_owned()))
}

/// What is unknown, foreign or not allowed.
pub(super) fn not_found() -> Reply {
    text(404, "Not Found")
}

/// A route that is not there.
pub(super) fn oops() -> Reply {
    text(404, "oops")
}

/// An exception that nobody caught.
pub(super) fn something_went_wrong() -> Reply {
    text(500, "Something went wrong")
}

/// A backend said something that the API does not know.
pub(super) fn internal_error() -> Reply {
    said(500, "Internal error")
}

/// JSON of the servers that do set a content type: projects and jobs.
pub(super) fn typed_json(status: u16, body: &Value) -> Reply {
    bare(status, &body.to_string()).with_header("content-type", "application/json")
}

/// An error of the jobs' gateway.
pub(super) fn gateway_error(status: u16, code: u8, message: &str) -> Reply {
    typed_json(
        status,
        &serde_json::json!({"code": code, "message": message, "details": []}),
    )
}

/// An error of the projects' server.
pub(super) fn message(status: u16, message: &str) -> Reply {
    typed_json(status, &serde_json::json!({ "message": message }))
}

/// A page of the web UI.
pub(super) fn html(status: u16, body: &str) -> Reply {
    bare(status, body).with_header("content-type", "text/html; charset=utf-8")
}

/// Another place to look.
pub(super) fn redirect(status: u16, location: &str) -> Reply {
    text(status, "").with_header("location", location)
}

/// Plain text with its type.
pub(super) fn plain(status: u16, body: &str) -> Reply {
    bare(status, body).with_header("content-type", "text/plain; charset=utf-8")
}

/// JSON text as it stands in the store, with its type.
pub(super) fn raw_json(status: u16, body: &str) -> Reply {
    text(status, body).with_header("content-type", "application/json; charset=utf-8")
}
