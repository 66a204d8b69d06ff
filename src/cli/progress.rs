//! The progress display on stderr: what is going on, as it happens.
//!
//! On a terminal a few lines at the bottom are redrawn; elsewhere a line is written per change, with a
//! time stamp. It has no timer and no clock of a run: whoever owns it gives events, observations and
//! `now`, so it works under a scaled or virtual clock. It only looks on, and no failure of a terminal
//! reaches the run.

mod bars;
mod plain;

use std::sync::Arc;
use std::time::Duration;

use indicatif::TermLike;
use jiff::Timestamp;

use self::bars::Bars;
use super::output::Output;
use super::screen::{Screen, Tone, pad};
use super::words;
use crate::clock::{Clock, millis_between};
use crate::event::{Event, Observation, Recorded};
use crate::report::{RunState, RunView, StepState, StepView};

pub use self::plain::{event_line, observation_line, sign_of_life};

/// So many running steps have a line of their own.
const STEPS_SHOWN_MAX: usize = 20;
/// At most ten redraws a second, in real time.
const REDRAW_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// Without a terminal, something is said at least this often, when somebody calls `tick`.
const SILENCE_MS_MAX: u64 = 60_000;
/// The width of lines that go to a log.
const PLAIN_WIDTH: usize = 200;

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lines at the bottom of a terminal, redrawn.
    Terminal,
    /// A line per change.
    Plain,
    /// Nothing.
    Quiet,
}

/// What decides how progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Whether stderr is a terminal.
    pub terminal: bool,
    /// Whether `CI` is set.
    pub ci: bool,
    /// Whether `TERM` is `dumb`.
    pub dumb: bool,
    /// Whether `--no-progress` was given.
    pub no_progress: bool,
    /// Whether `-q` was given.
    pub quiet: bool,
}

impl Mode {
    /// The way that fits.
    pub fn choose(around: Surroundings) -> Self {
        if around.quiet {
            Self::Quiet
        } else if around.terminal && !around.ci && !around.dumb && !around.no_progress {
            Self::Terminal
        } else {
            Self::Plain
        }
    }
}

/// The display.
#[derive(Debug)]
pub struct Progress {
    view: RunView,
    mode: Mode,
    output: Arc<Output>,
    bars: Option<Bars>,
    /// Real time, for the rate of redraws only.
    real: Clock,
    drawn: Option<Duration>,
    /// When something was said last, in the time of the run.
    said_at: Option<Timestamp>,
}

impl Progress {
    /// A display that writes to an output, or draws on the terminal of stderr.
    pub fn new(mode: Mode, output: Arc<Output>) -> Self {
        if mode == Mode::Terminal {
            return Self::on(Arc::new(console::Term::buffered_stderr()), output);
        }
        Self {
            view: RunView::new(),
            mode,
            output,
            bars: None,
            real: Clock::real(),
            drawn: None,
            said_at: None,
        }
    }

    /// A display that draws on a terminal, and writes to an output what stays.
    pub fn on(terminal: Arc<dyn TermLike>, output: Arc<Output>) -> Self {
        let bars = Bars::new(terminal, &output);
        Self {
            view: RunView::new(),
            mode: Mode::Terminal,
            output,
            bars: Some(bars),
            real: Clock::real(),
            drawn: None,
            said_at: None,
        }
    }

    /// Takes what is known already, without showing it: a run that is resumed.
    pub fn recall<'a>(&mut self, events: impl IntoIterator<Item = &'a Recorded>) {
        for event in events {
            self.view.apply(event);
        }
    }

    /// Says something that is no event of the run.
    pub fn notice(&mut self, words: &str) {
        if self.mode != Mode::Quiet {
            let line = self.screen().words(words);
            self.output.talk(&line);
        }
    }

    /// Takes the next event.
    pub fn event(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.view.seq {
            return;
        }
        self.view.apply(recorded);
        match self.mode {
            Mode::Quiet => {}
            Mode::Plain => {
                let line = event_line(&self.view, recorded, &self.screen());
                self.say(recorded.at.wall, line);
            }
            Mode::Terminal => {
                if let Some(line) = above_line(&self.view, &recorded.event, &self.screen()) {
                    self.output.talk(&line);
                }
                self.draw(recorded.at.wall);
            }
        }
    }

    /// Takes what was seen of a running step.
    pub fn observe(&mut self, observation: &Observation) {
        let before = self.view.steps.get(&observation.step).cloned();
        self.view.observe(observation);
        match self.mode {
            Mode::Quiet => {}
            Mode::Plain => {
                let line = observation_line(before.as_ref(), observation, &self.screen());
                self.say(observation.at, line);
            }
            Mode::Terminal => self.draw(observation.at),
        }
    }

    /// Time has passed: redraws, or gives a sign of life after a minute of silence.
    pub fn tick(&mut self, now: Timestamp) {
        match self.mode {
            Mode::Quiet => {}
            Mode::Terminal => self.draw(now),
            Mode::Plain => {
                let silent = self
                    .said_at
                    .is_some_and(|said| millis_between(said, now) >= SILENCE_MS_MAX);
                if silent {
                    let line = sign_of_life(&self.view, now, &self.screen());
                    self.say(now, line);
                }
            }
        }
    }

    /// Takes the redrawn lines away: what comes next is written below what is there.
    pub fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            self.output.detach();
            bars.clear();
        }
        self.mode = Mode::Quiet;
    }

    /// What is known of the run.
    pub fn view(&self) -> &RunView {
        &self.view
    }

    fn screen(&self) -> Screen<'_> {
        let width = self.bars.as_ref().map_or(PLAIN_WIDTH, Bars::width);
        Screen::new(width, self.output.redactor()).colour(self.output.err_colour())
    }

    fn say(&mut self, at: Timestamp, line: Option<String>) {
        let Some(line) = line else { return };
        self.said_at = Some(at);
        self.output.talk(&plain::stamped(at, &line));
    }

    fn draw(&mut self, now: Timestamp) {
        let real = self.real.elapsed();
        let soon = self
            .drawn
            .is_some_and(|drawn| real.saturating_sub(drawn) < REDRAW_INTERVAL_MIN);
        if soon {
            return;
        }
        self.drawn = Some(real);
        if let Some(bars) = &self.bars {
            bars.show(&lines(&self.view, now, &self.screen()));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// The lines at the bottom of a terminal: the run, then a line per running step.
pub fn lines(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = vec![screen.fit(&header(view, now, screen))];
    let running: Vec<(&String, &StepView)> = view
        .steps
        .iter()
        .filter(|(_, step)| step.state == StepState::Running)
        .collect();
    let shown = running.iter().take(STEPS_SHOWN_MAX);
    let ids: Vec<String> = shown
        .clone()
        .map(|(id, _)| screen.line(id, words::NAME_CHARACTERS_MAX))
        .collect();
    let widest = ids.iter().map(|id| super::screen::columns(id)).max();
    let width = widest.unwrap_or(0).min(screen.width() * 2 / 5);
    for (id, (_, step)) in ids.iter().zip(shown) {
        let doing = words::doing(step, now, screen);
        lines.push(screen.fit(&format!("  {}  {doing}", pad(id, width))));
    }
    let more = running.len().saturating_sub(STEPS_SHOWN_MAX);
    if more > 0 {
        lines.push(screen.fit(&format!("  and {more} more running")));
    }
    lines
}

fn header(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> String {
    let done = view
        .steps
        .values()
        .filter(|s| s.outcome().is_some())
        .count();
    let foreign = |text: &str| screen.line(text, words::NAME_CHARACTERS_MAX);
    let name = screen.paint(Tone::Strong, &foreign(view.name()));
    let mut parts = vec![format!(
        "{name}  {} {}",
        view.word(),
        words::ticking(view.active_ms(now))
    )];
    parts.push(format!("{done} of {} steps ended", view.steps.len()));
    if let Some(by) = &view.cancel_requested {
        parts.push(format!("stopping: asked by {}", foreign(by)));
    }
    if let (Some(created), RunState::Running) = (&view.created, &view.state) {
        parts.push(words::until(now, created.deadline).map_or_else(
            || "the deadline has passed".to_owned(),
            |left| format!("deadline in {left}"),
        ));
    }
    // Last, for it is what a narrow terminal may do without.
    parts.push(format!("run {}", foreign(view.id())));
    parts.join(", ")
}

/// What an event leaves above the redrawn lines, on a terminal.
fn above_line(view: &RunView, event: &Event, screen: &Screen<'_>) -> Option<String> {
    match event {
        Event::StepEnded(_)
        | Event::Warned { .. }
        | Event::LimitHit { .. }
        | Event::CancelRequested { .. }
        | Event::Asked { .. }
        | Event::Resolved { .. }
        | Event::RoundStarted { .. }
        | Event::PlanChanged { .. }
        | Event::Answered { .. } => plain::words_of(view, event, screen).map(|l| screen.fit(&l)),
        Event::RunCreated(_)
        | Event::StepAdded(_)
        | Event::StepStarted { .. }
        | Event::CallStarted { .. }
        | Event::CallEnded { .. }
        | Event::CallRetried { .. }
        | Event::TimerFired { .. }
        | Event::Parked { .. }
        | Event::Resumed { .. }
        | Event::RoundRequested { .. }
        | Event::GroupTaken { .. }
        | Event::GroupBusy { .. }
        | Event::FinallyStarted { .. }
        | Event::RunEnded(_) => None,
    }
}
