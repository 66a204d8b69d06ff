//! Paths of the API out of ids and names.
//!
//! Duty: one percent-encoding for all. Invariant: a name is one segment, whatever stands in it. It must
//! not know the endpoints.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a path or query as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A text as one segment of a path, or as a name or value of a query.
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// A path and its query as they stand in an address.
pub fn with_query(path: &str, query: &[(String, String)]) -> String {
    let mut address = path.to_owned();
    for (n, (name, value)) in query.iter().enumerate() {
        address.push(if n == 0 { '?' } else { '&' });
        address.push_str(&encoded(name));
        address.push('=');
        address.push_str(&encoded(value));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_segment() {
        assert_eq!(
            encoded("a/../b?c=d#e%41 é"),
            "a%2F..%2Fb%3Fc%3Dd%23e%2541%20%C3%A9"
        );
        let query = [
            ("branch_name".to_owned(), "a&page=9".to_owned()),
            ("x".to_owned(), "+".to_owned()),
        ];
        assert_eq!(
            with_query("/p", &query),
            "/p?branch_name=a%26page%3D9&x=%2B"
        );
    }
}
