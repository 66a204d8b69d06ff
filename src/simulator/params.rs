//! The parameters of a request the way Plug reads them: query and body merged into one map.
//!
//! Body wins over query; `a[b]=c` nests; JSON keeps its types while forms and queries give strings;
//! a content type that is not known leaves the body unread.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::http::Request;

/// Why the body could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadBody {
    /// The content type says JSON, and it is none: the words of the parser.
    Malformed(String),
}

/// Query and body in one map.
pub(super) fn merged(request: &Request) -> Result<Map<String, Value>, BadBody> {
    let mut all = from_pairs(&request.query);
    let kind = request.get("content-type").unwrap_or_default();
    let kind = kind
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match kind.as_str() {
        "application/json" => match json_body(&request.body)? {
            Value::Object(map) => all.extend(map),
            other => {
                all.insert("_json".to_owned(), other);
            }
        },
        "application/x-www-form-urlencoded" => {
            all.extend(from_pairs(&String::from_utf8_lossy(&request.body)));
        }
        _ => {}
    }
    Ok(all)
}

/// The body as JSON; an empty one is an empty object.
pub(super) fn json_body(body: &[u8]) -> Result<Value, BadBody> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(body).map_err(|error| BadBody::Malformed(unexpected(body, &error)))
}

/// The words of the server's own JSON parser, made from the place where ours stopped.
fn unexpected(body: &[u8], error: &serde_json::Error) -> String {
    if error.is_eof() {
        return format!("Unexpected end of input at position {}", body.len());
    }
    let line_start: usize = body
        .split_inclusive(|b| *b == b'\n')
        .take(error.line().saturating_sub(1))
        .map(<[u8]>::len)
        .sum();
    let position = line_start + error.column().saturating_sub(1);
    let token = String::from_utf8_lossy(body.get(position..).unwrap_or_default());
    let token: String = token.chars().take(1).collect();
    format!("Unexpected token at position {position}: {token}")
}

/// Reads `a=1&b[c]=2&d[]=3`.
pub(super) fn from_pairs(text: &str) -> Map<String, Value> {
    let mut all = Map::new();
    for (key, value) in pairs(text) {
        put(&mut all, &key, value);
    }
    all
}

/// The decoded pairs in their order.
pub(super) fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " "))
        .decode_utf8_lossy()
        .into_owned()
}

fn put(all: &mut Map<String, Value>, key: &str, value: String) {
    let nested = key
        .strip_suffix(']')
        .and_then(|key| key.split_once('['))
        .filter(|(outer, _)| !outer.is_empty());
    match nested {
        None => {
            all.insert(key.to_owned(), Value::String(value));
        }
        Some((outer, "")) => {
            let list = all.entry(outer).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(list) = list {
                list.push(Value::String(value));
            }
        }
        Some((outer, inner)) => {
            let map = all
                .entry(outer)
                .or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(map) = map {
                map.insert(inner.to_owned(), Value::String(value));
            }
        }
    }
}

/// A text that can stand in a path or a query.
pub(super) fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~')
        .remove(b' ');
    percent_encoding::utf8_percent_encode(text, KEPT)
        .to_string()
        .replace(' ', "+")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bodies_and_queries_are_one_map() {
        let mut request = Request::new("POST", "/x?a=1&b=2+3&p[N]=v&l[]=x&l[]=y");
        request.headers.push((
            "Content-Type".into(),
            "application/json; charset=utf-8".into(),
        ));
        request.body = br#"{"a": 5}"#.to_vec();
        assert_eq!(
            Value::Object(merged(&request).unwrap()),
            json!({"a": 5, "b": "2 3", "p": {"N": "v"}, "l": ["x", "y"]})
        );
    }

    #[test]
    fn what_is_no_json_is_told_with_its_position() {
        let words = |body: &str| json_body(body.as_bytes()).unwrap_err();
        assert_eq!(
            words(r#"{"project_id": }"#),
            BadBody::Malformed("Unexpected token at position 15: }".into())
        );
        assert_eq!(
            words("{"),
            BadBody::Malformed("Unexpected end of input at position 1".into())
        );
    }
}
