//! JSON of a server that may be hostile.
//!
//! Duty: bytes to a value in bounded memory and depth. Invariant: eight MiB of commas do not become
//! hundreds of MiB of values: they are counted before anything is built. It must not know what the
//! value means.

use serde_json::Value;

use super::wire::Odd;

/// Values of one answer; a page of 500 projects has about a third of these.
pub const VALUES_MAX: usize = 300_000;

/// Reads JSON; nested deeper than 128 it is refused.
pub fn json_of(body: &[u8]) -> Result<Value, Odd> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Odd("it is empty".to_owned()));
    }
    if values_in(body) > VALUES_MAX {
        return Err(Odd(format!("it holds more than {VALUES_MAX} values")));
    }
    // A commit message may hold bytes that are no text; that spoils that message, not the answer.
    let text = String::from_utf8_lossy(body);
    serde_json::from_str(&text).map_err(|error| {
        if text.trim_start().starts_with('<') {
            Odd("it is a web page".to_owned())
        } else {
            Odd(format!("it is not JSON ({error})"))
        }
    })
}

/// At least as many values as there are: each but the first follows a comma, a colon or a bracket.
fn values_in(body: &[u8]) -> usize {
    let (mut values, mut in_text, mut escaped) = (1_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_bounded_in_depth_and_number_and_forgiving_in_bytes() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(json_of(deep.as_bytes()).is_err());
        let wide = format!("[0{}]", ",0".repeat(VALUES_MAX));
        let odd = json_of(wide.as_bytes()).unwrap_err();
        assert_eq!(odd.0, "it holds more than 300000 values");
        let text = format!("{{\"a\": \"\\\"{}\"}}", "[,".repeat(VALUES_MAX));
        assert!(
            json_of(text.as_bytes()).is_ok(),
            "commas in a text are no values"
        );
        assert_eq!(json_of(b"").unwrap_err().0, "it is empty");
        assert_eq!(json_of(b"<html>").unwrap_err().0, "it is a web page");
        assert!(json_of(b"{\"a\":1e999}").is_err());
        let lossy = json_of(b"{\"message\":\"\xff\"}").unwrap();
        assert_eq!(lossy["message"], "\u{fffd}");
    }
}
