//! `http`: a request to another address.

use super::{Action, Field, Param, Reach, Shape, Type};

/// The methods that change nothing.
pub const SAFE_METHODS: &[&str] = &["GET", "HEAD"];

/// The description.
pub(super) static ACTION: Action = Action {
    name: "http",
    summary: "Sends a request to another address: a webhook, a health check, a release note.",
    doc: "The address is https; plain http goes to this machine alone. Redirects are not followed, and the API token of \
          Semaphore is never sent along. The step passes when the status is expected; the answer's headers and body are \
          outputs, also when it fails.\n\n`GET` and `HEAD` are sent again when they go wrong, by the words of `retry`; so \
          are `PUT` and `DELETE`, for doing them twice is doing them once. A `POST` or `PATCH` is sent at most once: \
          only what certainly was not done (no connection, 429) is sent again. When its answer is lost, the step fails \
          with the kind `fate_unknown`; when doing it twice does no harm, `idempotent: true` lets it be sent again.\n\n\
          At most one of `json`, `form` and `body` is given, and none with `GET` and `HEAD`.",
    shape: Shape::Map,
    params: &[
        Param::required(
            "method",
            Type::OneOf(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
            "The method.",
        ),
        Param::required(
            "url",
            Type::Text,
            "The address, without a user name. Messages show it without its query.",
        ),
        Param::optional(
            "headers",
            Type::Map(&Type::Text),
            "Names and values. What the connection says itself (`Host`, `Content-Length` and the like) is not given.",
        ),
        Param::optional("json", Type::Any, "A value that is sent as JSON."),
        Param::optional(
            "form",
            Type::Map(&Type::Text),
            "Names and values that are sent as a form.",
        ),
        Param::optional("body", Type::Text, "Text that is sent as it is."),
        Param::optional(
            "expect",
            Type::List(&Type::Integer),
            "The statuses that will do, such as `[200, 404]`.",
        )
        .default("any from 200 to 299"),
        Param::optional(
            "idempotent",
            Type::Boolean,
            "Whether a `POST` or `PATCH` may be sent again although it may have been done.",
        )
        .default("false"),
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("status", Type::Integer, "The status of the answer."),
        Field::always(
            "headers",
            Type::Map(&Type::Text),
            "The headers of the answer, their names in lower case.",
        ),
        Field::always(
            "body",
            Type::Any,
            "The body of the answer: its value when it is JSON, else its text.",
        ),
    ],
    response: "the body of the answer, when it is JSON",
    errors: &[
        (
            "refused",
            "the status is none that is expected, or no request can be made of the parameters",
        ),
        ("rate_limited", "the answer is 429, also after trying again"),
        (
            "server",
            "the status is 500 or higher, also after trying again",
        ),
        (
            "network",
            "there was no connection, also after trying again",
        ),
        ("timeout", "there was no answer in time"),
        (
            "fate_unknown",
            "the answer to a `POST` or `PATCH` was lost: whether it was done is not known",
        ),
        ("limit", "the answer is larger than what is taken (8 MiB)"),
    ],
    reach: Reach::Web,
    waits: false,
    example: "playbook: 1\ninputs:\n  hook: { type: string, secret: true, env: RELEASE_HOOK }\nsteps:\n  healthy:\n    http: { method: GET, url: \"https://app.example.com/health\" }\n    assert: this.body.ready\n  tell:\n    needs: healthy\n    http:\n      method: POST\n      url: \"{{ inputs.hook }}\"\n      json: { text: \"run {{ run.id }} is out\" }\n",
};

/// What the connection says itself.
const OWN_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
    "proxy-connection",
];

/// Whether a header can have this name; the mistake is the end of a sentence that begins with it.
pub fn check_header_name(name: &str) -> Result<(), &'static str> {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) {
        Err("is not of the form that names of headers have")
    } else if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        Err("is set by the connection itself")
    } else {
        Ok(())
    }
}

/// Whether a header can have this value; the mistake is the end of a sentence that begins with it.
pub fn check_header_value(value: &str) -> Result<(), &'static str> {
    if value.contains(['\r', '\n', '\0']) {
        Err("holds a line break, which would begin another header")
    } else if value
        .bytes()
        .all(|b| b == b'\t' || (b' '..=b'~').contains(&b))
    {
        Ok(())
    } else {
        Err("holds a character that is not ASCII")
    }
}
