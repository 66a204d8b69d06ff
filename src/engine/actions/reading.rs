//! What the actions have in common that read once: the call, perhaps after the project was found, and
//! what of its answer becomes outputs.

use super::act::{Act, Input, Next, out_of_turn};
use super::project::ProjectParam;
use crate::engine::call::Call;
use crate::engine::record::{Record, text};
use crate::event::Answer;

/// A read.
pub(super) struct Reading {
    /// The project whose id the call needs, and how it gets it.
    project: Option<ProjectParam>,
    call: Box<dyn Fn(&str) -> Call + Send>,
    take: fn(&mut Record, &Answer),
    asked: bool,
    record: Record,
}

impl Reading {
    /// A read of something that has an id.
    pub(super) fn of(call: Call, take: fn(&mut Record, &Answer)) -> Self {
        Self::in_project(None, Box::new(move |_| call.clone()), take)
    }

    /// A read that needs the id of a project.
    pub(super) fn in_project(
        project: Option<ProjectParam>,
        call: Box<dyn Fn(&str) -> Call + Send>,
        take: fn(&mut Record, &Answer),
    ) -> Self {
        Self {
            project,
            call,
            take,
            asked: false,
            record: Record::default(),
        }
    }

    fn ask(&mut self, project_id: &str) -> Next {
        self.asked = true;
        Next::Call((self.call)(project_id))
    }
}

impl Act for Reading {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => match self.project.as_ref().map(ProjectParam::known) {
                None => self.ask(""),
                Some(Ok(id)) => self.ask(&id),
                Some(Err(call)) => Next::Call(call),
            },
            Input::Answer(answer) if self.asked => {
                (self.take)(&mut self.record, answer);
                self.record.response.clone_from(&answer.response);
                Next::Done
            }
            Input::Answer(answer) => self.ask(text(&answer.value, "id")),
            Input::Failure(failure) => Next::Fail(failure.clone()),
            Input::Slept => out_of_turn("read"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}

/// What a list gives: `found` and `count`.
pub(super) fn listed(record: &mut Record, answer: &Answer) {
    let items = answer.value.get("events").unwrap_or(&answer.value);
    let count = items.as_array().map_or(0, Vec::len);
    record.set("found", items.clone());
    record.set("count", count);
}
