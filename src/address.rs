//! An address on the web whose form was checked once.
//!
//! Duty: to say whether a text is an address that a request may go to, and what may be shown of it.
//! Invariants: https, or http to this very machine; a host; no user and no password; nothing that a
//! second reader could take for another host. It must not know who sends what.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address longer than this is a mistake.
const ADDRESS_BYTES_MAX: usize = 8_192;
/// A shorter part of an address is no key.
const KEY_CHARACTERS_MIN: usize = 6;
/// The part of an address that messages show.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// An address that a request may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    whole: String,
    https: bool,
    /// In lower case, without its port; IPv6 in brackets.
    host: String,
    port: Option<u16>,
    /// Where the authority ends.
    path_at: usize,
}

/// What is wrong with an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotAnAddress {
    /// As the end of a sentence that begins with its name: lower case, no full stop.
    pub reason: &'static str,
    /// What to do about it.
    pub hint: &'static str,
}

const fn refused(reason: &'static str, hint: &'static str) -> NotAnAddress {
    NotAnAddress { reason, hint }
}

const WRITE_IT_SO: &str = "write it like `https://example.com/path`";

impl Address {
    /// Reads an address.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(refused(
                "is longer than 8192 bytes",
                "put what is long into the body of the request",
            ));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused(
                "holds a space, a line break or a character that is not ASCII",
                "percent-encode it: `| urlencode`",
            ));
        }
        if text.contains(['\\', '<', '>', '"', '`', '{', '}', '|', '^']) {
            return Err(refused(
                "holds a character that no address has",
                "percent-encode it: `| urlencode`",
            ));
        }
        if text.contains('#') {
            return Err(refused(
                "has a part after `#`, which is never sent",
                "leave it out",
            ));
        }
        let https = scheme(text)?;
        let begin = if https { 8 } else { 7 };
        let rest = text.get(begin..).unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, port) = authority(rest.get(..end).unwrap_or_default())?;
        if !https && !is_loopback(&host) {
            return Err(refused(
                "is plain http: everybody on the way could read and change what is sent",
                "write `https://`; plain http is for this machine alone (`http://127.0.0.1:8080/`)",
            ));
        }
        let whole = text.to_owned();
        let path_at = begin + end;
        Ok(Self {
            whole,
            https,
            host,
            port,
            path_at,
        })
    }

    /// What can be said of an address of which only the beginning is known, up to the first part that is
    /// filled in later.
    pub fn check_beginning(text: &str) -> Result<(), NotAnAddress> {
        let Some((_, rest)) = text.split_once("://") else {
            // The scheme itself may be filled in.
            return Ok(());
        };
        match rest.find(['/', '?']) {
            Some(_) => Self::parse(text).map(|_| ()),
            None if rest.contains('@') => Err(WITH_USER),
            // The host is not whole yet; its scheme is.
            None => match scheme(text) {
                Err(error) => Err(error),
                Ok(_) => Ok(()),
            },
        }
    }

    /// The address, for the one place that sends to it.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The host, with its port when it is not the usual one.
    pub fn host(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// Whether it is this very machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The scheme and the host: what two addresses of one server share.
    pub fn origin(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// The parts of the path and of the query that look like keys: who knows them can speak for us. What is
    /// made of lower-case words alone (`nightly-release`) is taken for a name.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let rest = self.whole.get(self.path_at..).unwrap_or_default();
        rest.split(['/', '?', '&', '=']).filter(|part| {
            let marked = part
                .bytes()
                .any(|b| !b.is_ascii_lowercase() && b != b'-' && b != b'_');
            let words = part.contains(['-', '_']);
            part.len() >= KEY_CHARACTERS_MIN && (marked || (!words && part.len() >= 20))
        })
    }

    /// The address with one more part at the end of its path, before the query.
    pub fn below(&self, part: &str) -> Result<Self, NotAnAddress> {
        let (path, query) = match self.whole.split_once('?') {
            Some((path, query)) => (path, format!("?{query}")),
            None => (self.whole.as_str(), String::new()),
        };
        Self::parse(&format!("{}/{part}{query}", path.trim_end_matches('/')))
    }

    /// What is shown of it: without its query, which often holds a key.
    pub fn shown(&self) -> String {
        let path = self.whole.get(self.path_at..).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        crate::text::clean_line(&format!("{}{path}", self.origin()), SHOWN_CHARACTERS_MAX)
    }
}

const WITH_USER: NotAnAddress = refused(
    "holds a user name or password, which would be shown with it",
    "put them into the header `Authorization`",
);

/// Whether it is https; anything but https and http is refused.
fn scheme(text: &str) -> Result<bool, NotAnAddress> {
    let Some((scheme, _)) = text.split_once("://") else {
        return Err(refused("has no `https://` in front", WRITE_IT_SO));
    };
    if scheme.eq_ignore_ascii_case("https") {
        Ok(true)
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok(false)
    } else {
        Err(refused("is not https", WRITE_IT_SO))
    }
}

fn authority(text: &str) -> Result<(String, Option<u16>), NotAnAddress> {
    if text.contains('@') {
        return Err(WITH_USER);
    }
    let bad_host = refused("has no host that can be read", WRITE_IT_SO);
    let bad_port = refused("has a port that is none", "a port is a number up to 65535");
    let (host, port) = if text.starts_with('[') {
        let (inside, rest) = text.split_once(']').ok_or_else(|| bad_host.clone())?;
        let ip = inside.trim_start_matches('[');
        let ip = ip.parse::<Ipv6Addr>().map_err(|_| bad_host.clone())?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port),
            None if rest.is_empty() => None,
            None => return Err(bad_host),
        };
        (format!("[{ip}]"), port)
    } else {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        if !is_host(host) {
            return Err(bad_host);
        }
        (host.to_ascii_lowercase(), port)
    };
    let port = match port {
        None => None,
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(digits.parse::<u16>().map_err(|_| bad_port.clone())?)
        }
        Some(_) => return Err(bad_port),
    };
    Ok((host, port))
}

/// A name, or four numbers. What looks like a number in another form (`0x7f.1`, `2130706433`) is refused,
/// for readers disagree about which machine that is.
fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let last = host.trim_end_matches('.').rsplit('.').next();
    let last = last.unwrap_or_default();
    let numeric =
        last.bytes().all(|b| b.is_ascii_digit()) || last.to_ascii_lowercase().starts_with("0x");
    !host.is_empty()
        && host.len() <= 253
        && host.chars().all(plain)
        && !host.starts_with(['.', '-'])
        && (!numeric || host.parse::<Ipv4Addr>().is_ok())
}

/// Whether a host is this machine, so that nobody on the way can listen.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_addresses() {
        let good = [
            "https://example.com",
            "HTTPS://Example.com:8443/a/b?c=d&e=%20f",
            "https://hooks.example.com/services/T0/B0/x",
            "http://127.0.0.1:8080/",
            "http://localhost/x",
            "http://[::1]:9/x",
            "https://10.0.0.1/x",
            "https://under_score.example.com./",
            "https://example.com?x=1",
        ];
        for text in good {
            assert!(Address::parse(text).is_ok(), "{text}");
        }
        let bad = [
            "",
            "example.com",
            "//example.com/x",
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript://x/",
            "http://example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost.example.com/",
            "https://user:password@example.com/",
            "https://user@example.com/",
            "https://good.example\\@evil.example/",
            "https://example.com/a b",
            "https://example.com/a\r\nX: y",
            "https://exämple.com/",
            "https://example.com/#part",
            "https://example.com:port/",
            "https://example.com:99999/",
            "https://example.com:/{{ x }}",
            "https:///path",
            "https://?x",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1.5/",
            "https://[::1/",
            "https://[zz]/",
            "https://[::1]x/",
            "https://.example.com/",
        ];
        for text in bad {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_query_is_not_shown() {
        let address = Address::parse("https://Example.com:8443/a/b?key=hidden").unwrap();
        assert_eq!(address.shown(), "https://example.com:8443/a/b");
        assert_eq!(address.origin(), "https://example.com:8443");
        assert_eq!(address.host(), "example.com:8443");
    }

    #[test]
    fn keys_are_told_from_names() {
        let keys = |text: &str| -> Vec<String> {
            let address = Address::parse(text).unwrap();
            address.keys().map(str::to_owned).collect()
        };
        let uuid = "0b9e2a6c-5f1d-4f57-9d0e-6d2f8a2b7c11";
        assert_eq!(keys(&format!("https://hc-ping.com/{uuid}")), [uuid]);
        assert_eq!(
            keys("https://hc-ping.com/Zq3xW9PgkT7mR2vN/nightly-release"),
            ["Zq3xW9PgkT7mR2vN"]
        );
        assert_eq!(
            keys("https://kuma.example.com/api/push/a8Fk2LmQ?status=up&msg=OK&ping="),
            ["a8Fk2LmQ"]
        );
        assert_eq!(
            keys("https://example.com/abcdefghijklmnopqrstuvwx").len(),
            1
        );
        assert!(keys("https://example.com").is_empty());
    }

    #[test]
    fn a_part_goes_before_the_query() {
        let below = |text: &str| Address::parse(text).unwrap().below("fail").unwrap().whole;
        assert_eq!(below("https://a.example/x"), "https://a.example/x/fail");
        assert_eq!(
            below("https://a.example/x/?k=1"),
            "https://a.example/x/fail?k=1"
        );
        assert_eq!(below("https://a.example"), "https://a.example/fail");
    }

    #[test]
    fn a_beginning_is_refused_when_no_end_can_mend_it() {
        for good in [
            "",
            "https://",
            "https://example.com/",
            "https://ex",
            "http://",
        ] {
            assert!(Address::check_beginning(good).is_ok(), "{good}");
        }
        for bad in [
            "ftp://",
            "http://example.com/",
            "https://me@",
            "https://a b/",
        ] {
            assert!(Address::check_beginning(bad).is_err(), "{bad}");
        }
    }
}
