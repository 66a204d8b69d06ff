//! Pages of lists and the headers that speak of them.

use serde_json::{Map, Value};

use crate::simulator::http::{Reply, Request};
use crate::simulator::params::{encoded, pairs};

use super::answers::json;

/// A page that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    pub(super) page: usize,
    pub(super) size: usize,
}

impl Paging {
    /// What is no number above zero falls back silently.
    pub(super) fn lenient(params: &Map<String, Value>, size: usize) -> Self {
        let number = |name: &str, otherwise: usize| {
            params
                .get(name)
                .and_then(digits)
                .filter(|n| *n > 0)
                .unwrap_or(otherwise)
        };
        Self {
            page: number("page", 1),
            size: number("page_size", size),
        }
    }
}

/// A number written in digits, or a JSON number.
pub(super) fn digits(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            text.parse().ok()
        }
        Value::Number(number) => number.as_u64().and_then(|n| usize::try_from(n).ok()),
        _ => None,
    }
}

/// One page of `all` as a reply. A page beyond the end is clamped to the last one.
pub(super) fn paged<T>(
    request: &Request,
    params: &Map<String, Value>,
    paging: Paging,
    (all, view): (&[T], impl Fn(&T) -> Value),
) -> Reply {
    let total = all.len();
    let last = total.div_ceil(paging.size).max(1);
    let page = paging.page.min(last);
    let shown: Vec<Value> = all
        .iter()
        .skip((page - 1) * paging.size)
        .take(paging.size)
        .map(view)
        .collect();
    let mut reply = json(200, &Value::Array(shown));
    let link = links(request, params, page, last);
    for (name, value) in [
        ("link", link),
        ("total", total.to_string()),
        ("per-page", paging.size.to_string()),
        ("total-pages", last.to_string()),
        ("page-number", page.to_string()),
    ] {
        reply.headers.push((name.to_owned(), value));
    }
    reply
}

/// The links are made from the inner connection: `http`, the host as sent, keys sorted.
fn links(request: &Request, params: &Map<String, Value>, page: usize, last: usize) -> String {
    let host = request.get("host").unwrap_or("localhost");
    let host = host.strip_suffix(":80").unwrap_or(host);
    let mut kept: std::collections::BTreeMap<String, String> = pairs(&request.query).collect();
    for (name, value) in params {
        if let Value::String(value) = value {
            kept.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    let url = |number: usize| {
        let mut query = kept.clone();
        query.insert("page".to_owned(), number.to_string());
        let query: Vec<String> = query
            .iter()
            .map(|(k, v)| format!("{}={}", encoded(k), encoded(v)))
            .collect();
        format!("<http://{host}{}?{}>", request.path, query.join("&"))
    };
    let mut all = Vec::new();
    if page < last {
        all.push(format!("{}; rel=\"next\"", url(page + 1)));
    }
    if page > 1 {
        all.push(format!("{}; rel=\"prev\"", url(page - 1)));
    }
    all.push(format!("{}; rel=\"first\"", url(1)));
    all.push(format!("{}; rel=\"last\"", url(last)));
    all.join(", ")
}
