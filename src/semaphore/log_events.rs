//! Events of a log out of a stream of bytes that may be broken anywhere.
//!
//! Duty: to find the events in `{"events": [...], "next": N}` as the bytes arrive, in memory for one
//! event. The server joins stored lines without reading them, so that two events can run together in the
//! middle of a text; what cannot be read is skipped and counted, and the next event is found again by its
//! beginning, which cannot stand inside a JSON text. It must not know where the bytes come from.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::Value;

use super::wire::time;

/// Keys with which an event can begin.
const FIRST_KEYS: [&[u8]; 8] = [
    b"event",
    b"timestamp",
    b"output",
    b"directive",
    b"exit_code",
    b"started_at",
    b"finished_at",
    b"result",
];
/// The beginning of an event, up to the colon after its first key, fits here.
const BEGINNING_BYTES_MAX: usize = 40;
/// What stands outside of events is kept up to here, to find `next` in it.
const OUTSIDE_BYTES_MAX: usize = 256;
/// What stands before the list of events fits here.
const HEAD_BYTES_MAX: usize = 4096;
/// Events are flat; anything deeper is none.
const DEPTH_MAX: usize = 32;

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// The job began.
    JobStarted,
    /// A command began.
    CommandStarted {
        /// The command line.
        directive: String,
    },
    /// Output of the command that runs: a piece that may end in the middle of a line.
    Output(String),
    /// A command ended.
    CommandFinished {
        /// The command line.
        directive: String,
        /// Its exit code.
        exit_code: Option<i64>,
        /// When it began.
        started_at: Option<Timestamp>,
        /// When it ended.
        finished_at: Option<Timestamp>,
    },
    /// The job ended: the log is whole.
    JobFinished {
        /// `passed`, `failed` or `stopped`.
        result: String,
    },
    /// A kind of event that this version does not know.
    Other(String),
}

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct LogEvent {
    /// When.
    pub at: Option<Timestamp>,
    /// What.
    pub what: Happening,
    /// As the server sent it.
    pub raw: Value,
}

impl LogEvent {
    /// Output that came without an event around it.
    pub(super) fn bare(output: String) -> Self {
        Self {
            at: None,
            raw: serde_json::json!({"event": "cmd_output", "output": output}),
            what: Happening::Output(output),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let raw: Value = serde_json::from_str(&text).ok()?;
        let kind = raw.get("event")?.as_str()?;
        let text = |key: &str| {
            let value = raw.get(key).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let at = |key: &str| {
            raw.get(key)
                .and_then(|value| time::parse(value).ok().flatten())
        };
        let what = match kind {
            "job_started" => Happening::JobStarted,
            "cmd_started" => Happening::CommandStarted {
                directive: text("directive"),
            },
            "cmd_output" => Happening::Output(text("output")),
            "cmd_finished" => Happening::CommandFinished {
                directive: text("directive"),
                exit_code: raw.get("exit_code").and_then(Value::as_i64),
                started_at: at("started_at"),
                finished_at: at("finished_at"),
            },
            "job_finished" => Happening::JobFinished {
                result: text("result").to_ascii_lowercase(),
            },
            other => Happening::Other(crate::text::clean_line(other, 60)),
        };
        Some(Self {
            at: at("timestamp"),
            what,
            raw,
        })
    }
}

#[derive(Debug, PartialEq)]
enum Mode {
    /// Between events.
    Outside,
    /// In an object.
    Inside,
    /// After something that could not be read: looking for the beginning of an event.
    Seeking,
}

/// Finds events in bytes.
#[derive(Debug)]
pub(super) struct EventScanner {
    mode: Mode,
    /// The object that is being read; while seeking, what may be the beginning of one.
    current: Vec<u8>,
    /// What stands outside, the end of it.
    outside: Vec<u8>,
    open: Vec<u8>,
    in_text: bool,
    escaped: bool,
    /// The last byte outside of texts that is no space.
    before: u8,
    /// The last `{` in `current`, and whether an object may stand there.
    brace: Option<(usize, bool)>,
    event_bytes_max: usize,
    skipped: u64,
    found: VecDeque<LogEvent>,
}

impl EventScanner {
    pub(super) fn new(event_bytes_max: usize) -> Self {
        Self {
            mode: Mode::Outside,
            current: Vec::new(),
            outside: Vec::new(),
            open: Vec::new(),
            in_text: false,
            escaped: false,
            before: 0,
            brace: None,
            event_bytes_max,
            skipped: 0,
            found: VecDeque::new(),
        }
    }

    /// Takes more bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match self.mode {
                Mode::Outside => self.outside(*byte),
                Mode::Inside => self.inside(*byte),
                Mode::Seeking => self.seeking(*byte),
            }
        }
    }

    /// The next event that was found.
    pub(super) fn take(&mut self) -> Option<LogEvent> {
        self.found.pop_front()
    }

    /// How many pieces could not be read.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Ends a body: gives its `next`, and is ready for another.
    pub(super) fn finish(&mut self) -> Option<i64> {
        if self.mode == Mode::Inside {
            self.skipped += 1;
        }
        let next = next_of(&self.outside);
        self.mode = Mode::Outside;
        self.current.clear();
        self.outside.clear();
        next
    }

    fn outside(&mut self, byte: u8) {
        if byte == b'{' {
            self.current.clear();
            self.current.push(byte);
            self.begin(b'{');
        } else {
            if self.outside.len() >= 2 * OUTSIDE_BYTES_MAX {
                self.outside.drain(..OUTSIDE_BYTES_MAX);
            }
            self.outside.push(byte);
        }
    }

    /// An object begins with `current`.
    fn begin(&mut self, before: u8) {
        self.mode = Mode::Inside;
        self.open.clear();
        self.open.push(b'{');
        self.in_text = false;
        self.escaped = false;
        self.before = before;
        self.brace = Some((0, true));
    }

    fn inside(&mut self, byte: u8) {
        if byte == b'{' {
            self.brace = Some((self.current.len(), !self.in_text && self.may_open()));
        }
        self.current.push(byte);
        if self.current.len() > self.event_bytes_max || self.open.len() > DEPTH_MAX {
            self.skipped += 1;
            self.current.clear();
            self.mode = Mode::Seeking;
            return;
        }
        if byte == b':' && self.colon() {
            return;
        }
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_text = false;
                    self.before = byte;
                }
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.open.push(byte),
            b'}' | b']' => {
                self.open.pop();
                if self.open.is_empty() {
                    self.end();
                    return;
                }
            }
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            self.before = byte;
        }
    }

    /// Whether JSON allows an object at this place.
    fn may_open(&self) -> bool {
        match self.open.last() {
            Some(b'{') => self.before == b':',
            Some(_) => matches!(self.before, b'[' | b','),
            None => true,
        }
    }

    /// After a colon: whether the object turned out to be something else.
    fn colon(&mut self) -> bool {
        if let Some((at, allowed)) = self.brace.take() {
            let beginning = self.current.get(at..).unwrap_or_default();
            if at > 0 && !allowed && is_beginning(beginning) {
                // An event cannot begin here unless the one before it is broken.
                self.skipped += 1;
                self.current.drain(..at);
                self.begin(b':');
                self.brace = None;
                return true;
            }
        }
        let is_head = !self.in_text
            && self.open.len() == 1
            && self.current.len() <= HEAD_BYTES_MAX
            && ends_with_key(&self.current, b"events");
        if is_head {
            self.outside = std::mem::take(&mut self.current);
            self.mode = Mode::Outside;
        }
        is_head
    }

    fn end(&mut self) {
        self.mode = Mode::Outside;
        let event = LogEvent::read(&self.current);
        self.current.clear();
        match event {
            Some(event) => self.found.push_back(event),
            None => self.skipped += 1,
        }
    }

    fn seeking(&mut self, byte: u8) {
        if byte == b'{' {
            self.current.clear();
            self.current.push(byte);
        } else if !self.current.is_empty() {
            self.current.push(byte);
            if byte == b':' && is_beginning(&self.current) {
                self.begin(b':');
                self.brace = None;
            } else if byte == b':' || self.current.len() > BEGINNING_BYTES_MAX {
                self.current.clear();
            }
        }
    }
}

/// Whether bytes are `{"key":` with a key that an event has.
fn is_beginning(bytes: &[u8]) -> bool {
    let key = bytes
        .strip_prefix(b"{")
        .and_then(|rest| rest.strip_suffix(b":"))
        .map(<[u8]>::trim_ascii)
        .and_then(|quoted| quoted.strip_prefix(b"\""))
        .and_then(|rest| rest.strip_suffix(b"\""));
    bytes.len() <= BEGINNING_BYTES_MAX && key.is_some_and(|key| FIRST_KEYS.contains(&key))
}

/// Whether bytes end with `"key":`.
fn ends_with_key(bytes: &[u8], key: &[u8]) -> bool {
    bytes
        .strip_suffix(b":")
        .map(<[u8]>::trim_ascii_end)
        .and_then(|rest| rest.strip_suffix(b"\""))
        .and_then(|rest| rest.strip_suffix(key))
        .is_some_and(|rest| rest.ends_with(b"\""))
}

/// The number after the last `"next":`; none for null.
fn next_of(outside: &[u8]) -> Option<i64> {
    let text = String::from_utf8_lossy(outside);
    let (_, after) = text.rsplit_once("\"next\"")?;
    let number: String = after
        .trim_start()
        .strip_prefix(':')?
        .trim_start()
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events in short, what was skipped, and `next`, for a body cut into pieces of `size`.
    fn scan(body: &[u8], size: usize) -> (Vec<String>, u64, Option<i64>) {
        let mut scanner = EventScanner::new(1 << 10);
        for piece in body.chunks(size.max(1)) {
            scanner.feed(piece);
        }
        let next = scanner.finish();
        let mut events = Vec::new();
        while let Some(event) = scanner.take() {
            events.push(match event.what {
                Happening::Output(text) => format!("out {text}"),
                Happening::CommandStarted { directive } => format!("cmd {directive}"),
                Happening::CommandFinished { exit_code, .. } => format!("exit {exit_code:?}"),
                Happening::JobStarted => "start".to_owned(),
                Happening::JobFinished { result } => format!("end {result}"),
                Happening::Other(word) => format!("other {word}"),
            });
        }
        (events, scanner.skipped(), next)
    }

    #[test]
    fn events_are_found_wherever_the_pieces_are_cut() {
        let body = "{ \"events\": [{\"timestamp\":1,\"event\":\"job_started\"},\
            {\"event\":\"cmd_started\",\"directive\":\"echo \\\"{\\\\\\\"\"}, \
            {\"output\":\"a{\\\"event\\\":b}✗\\n\",\"event\":\"cmd_output\"},\
            {\"event\":\"cmd_finished\",\"exit_code\":2,\"extra\":{\"event\":[{\"a\":1}]}},\
            {\"event\":\"brand_new\"},{\"event\":\"job_finished\",\"result\":\"FAILED\"}], \"next\": 42 }";
        let expected = vec![
            "start".to_owned(),
            "cmd echo \"{\\\"".to_owned(),
            "out a{\"event\":b}✗\n".to_owned(),
            "exit Some(2)".to_owned(),
            "other brand_new".to_owned(),
            "end failed".to_owned(),
        ];
        for size in 1..body.len() {
            assert_eq!(
                scan(body.as_bytes(), size),
                (expected.clone(), 0, Some(42)),
                "{size}"
            );
        }
    }

    #[test]
    fn what_is_broken_is_skipped_and_the_next_event_is_found() {
        let out = |n: u8| format!("{{\"event\":\"cmd_output\",\"output\":\"{n}\"}}");
        let (one, two, three) = (out(1), out(2), out(3));
        let half = one.get(..30).unwrap();
        for (body, expected, skipped) in [
            // Two events run together in the middle of a text.
            (
                format!("{{\"events\":[{half}{two},{three}]}}"),
                vec!["out 2", "out 3"],
                1,
            ),
            (
                format!("{{\"events\":[{half},{two},{three}]}}"),
                vec!["out 2", "out 3"],
                1,
            ),
            (
                format!("{{\"events\":[{{\"event\":\"cmd_output\",\"timestamp\":12{two}]}}"),
                vec!["out 2"],
                1,
            ),
            (
                format!("{{\"events\":[{{\"event\":5}},{two}]}}"),
                vec!["out 2"],
                1,
            ),
            (format!("{{\"events\":[{one},{half}"), vec!["out 1"], 1),
            (
                format!("{{\"events\":[{{\"event\":\"cmd_output\",\"output\":\"\\q\"}},{two}]"),
                vec!["out 2"],
                1,
            ),
            (format!("[{one},{two}]"), vec!["out 1", "out 2"], 0),
            (
                format!(
                    "{{\"events\":[{{\"event\":\"x\",\"output\":\"{}\"}},{two}]}}",
                    "y".repeat(3000)
                ),
                vec!["out 2"],
                1,
            ),
            (
                format!("{{\"events\":[{{\"event\":{}{two}]}}", "[".repeat(99)),
                vec!["out 2"],
                1,
            ),
            ("\"no log\"".to_owned(), vec![], 0),
            ("<html>{}</html>".to_owned(), vec![], 1),
        ] {
            for size in [1, 7, 4096] {
                let (events, skips, _) = scan(body.as_bytes(), size);
                assert_eq!(
                    (events, skips),
                    (expected.iter().map(|e| (*e).to_owned()).collect(), skipped),
                    "{body}"
                );
            }
        }
    }

    #[test]
    fn next_is_found_on_either_side_of_the_events() {
        let event = "{\"event\":\"job_started\"}";
        for (body, expected) in [
            (format!("{{\"events\":[{event}],\"next\":7}}"), Some(7)),
            (format!("{{\"next\":7,\"events\":[{event}]}}"), Some(7)),
            (format!("{{\"events\":[{event}],\"next\":null}}"), None),
            (format!("{{\"events\":[{event}]}}"), None),
            ("{\"events\":[],\"next\": 0}".to_owned(), Some(0)),
        ] {
            assert_eq!(scan(body.as_bytes(), 3).2, expected, "{body}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_do_not_spoil_the_event() {
        let mut body = b"[{\"event\":\"cmd_output\",\"output\":\"".to_vec();
        body.extend_from_slice(b"\xff\xfe\"}]");
        assert_eq!(scan(&body, 5).0, ["out \u{fffd}\u{fffd}"]);
    }
}
