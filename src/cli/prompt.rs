//! The prompt of a step that waits for a person, when the runner has a terminal.
//!
//! It looks on like the progress display. The answer goes into the inbox of the run, as one that is given
//! from elsewhere does, and so there is one way only that an answer takes. It asks one question at a time,
//! and none that was answered meanwhile.

use std::collections::VecDeque;
use std::io::BufRead as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, channel};

use super::output::Output;
use super::screen::Screen;
use super::words::NAME_CHARACTERS_MAX;
use crate::clock::Moment;
use crate::drivers::Observer;
use crate::event::{Event, Recorded};

/// A question is cut to this.
const MESSAGE_CHARACTERS_MAX: usize = 2_000;
const QUESTION: &str = "yes or no?";

/// Takes an answer down: the step, and whether it was yes.
pub(super) type TakeDown = Box<dyn FnMut(&str, bool) -> Result<(), String>>;

/// Asks on a terminal.
pub(super) struct Prompt {
    output: Arc<Output>,
    take_down: TakeDown,
    /// The lines that are typed; none before the first question.
    lines: Option<Receiver<String>>,
    /// The steps that wait, in the order in which they asked, with what they ask.
    waiting: VecDeque<(String, String)>,
    /// The step whose question is on the screen.
    asked: Option<String>,
}

impl Prompt {
    /// Nothing is read before a step asks.
    pub(super) fn new(output: Arc<Output>, take_down: TakeDown) -> Self {
        Self {
            output,
            take_down,
            lines: None,
            waiting: VecDeque::new(),
            asked: None,
        }
    }

    fn ask(&mut self) {
        let Some((step, message)) = self.waiting.front() else {
            return;
        };
        if self.asked.as_ref() == Some(step) {
            return;
        }
        let screen = Screen::new(80, self.output.redactor());
        let question = format!(
            "{} asks: {}\n{QUESTION}",
            screen.line(step, NAME_CHARACTERS_MAX),
            screen.line(message, MESSAGE_CHARACTERS_MAX)
        );
        self.asked = Some(step.clone());
        self.output.talk(&question);
        // What was typed before the question was seen is no answer to it.
        let lines = self.lines.get_or_insert_with(terminal);
        while lines.try_recv().is_ok() {}
    }

    fn read(&mut self) {
        let (Some(step), Some(lines)) = (self.asked.clone(), &self.lines) else {
            return;
        };
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return,
        };
        self.output.typed();
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => self.answer(&step, true),
            "n" | "no" => self.answer(&step, false),
            "" => {}
            _ => self.output.talk(QUESTION),
        }
    }

    fn answer(&mut self, step: &str, approved: bool) {
        match (self.take_down)(step, approved) {
            Ok(()) => self.forget(step),
            Err(why) => self
                .output
                .talk(&format!("the answer could not be kept: {why}\n{QUESTION}")),
        }
    }

    fn forget(&mut self, step: &str) {
        self.waiting.retain(|(waiting, _)| waiting != step);
        if self.asked.as_deref() == Some(step) {
            self.asked = None;
        }
    }
}

impl Observer for Prompt {
    fn event(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Asked { step, message } => {
                self.forget(step);
                self.waiting.push_back((step.clone(), message.clone()));
            }
            Event::Answered { step, .. } => self.forget(step),
            Event::StepEnded(ended) => self.forget(&ended.step),
            _ => {}
        }
    }

    fn tick(&mut self, _now: Moment) {
        self.ask();
        self.read();
    }
}

/// The lines that are typed on the terminal. The thread ends with the process: nothing else can end a read.
fn terminal() -> Receiver<String> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if send.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::cli::output::ColorWhen;
    use crate::secret::Redactor;

    fn recorded(event: Event) -> Recorded {
        Recorded {
            seq: 1,
            at: now(),
            event,
        }
    }

    fn now() -> Moment {
        Moment::start(jiff::Timestamp::UNIX_EPOCH)
    }

    fn asked(step: &str) -> Recorded {
        recorded(Event::Asked {
            step: step.into(),
            message: "go?".into(),
        })
    }

    #[test]
    fn one_question_after_the_other_and_none_that_was_answered() {
        let (send, lines) = channel();
        let given: Arc<Mutex<Vec<(String, bool)>>> = Arc::default();
        let kept = Arc::clone(&given);
        let take_down: TakeDown = Box::new(move |step, approved| {
            kept.lock().unwrap().push((step.to_owned(), approved));
            Ok(())
        });
        let output = Arc::new(Output::new(ColorWhen::Never, Redactor::new()));
        let mut prompt = Prompt::new(output, take_down);
        prompt.lines = Some(lines);
        for step in ["a", "b", "c"] {
            prompt.event(&asked(step));
        }
        send.send("yes".into()).unwrap();
        prompt.tick(now());
        assert!(
            given.lock().unwrap().is_empty(),
            "typed before the question"
        );
        for line in ["what?", "", "y"] {
            send.send(line.into()).unwrap();
            prompt.tick(now());
        }
        prompt.event(&recorded(Event::Answered {
            step: "b".into(),
            approved: true,
            by: "ada".into(),
        }));
        prompt.tick(now());
        send.send("No".into()).unwrap();
        prompt.tick(now());
        let given = given.lock().unwrap().clone();
        assert_eq!(given, [("a".to_owned(), true), ("c".to_owned(), false)]);
        assert!(prompt.waiting.is_empty());
    }
}
