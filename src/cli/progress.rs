//! The progress display on stderr: what is going on, as it happens.
//!
//! On a terminal the steps stand in lines at the bottom that are redrawn; elsewhere a line is written per
//! change, with a time stamp. It has no timer and no clock of a run: whoever owns it gives events, observations and
//! `now`, so it works under a scaled or virtual clock. It only looks on, and no failure of a terminal
//! reaches the run.

mod ahead;
mod board;
mod folding;
mod plain;
mod terminal;

use std::sync::Arc;
use std::time::Duration;

use indicatif::TermLike;
use jiff::Timestamp;

use self::terminal::Terminal;
use super::output::Output;
use super::screen::Screen;
use crate::clock::{Clock, millis_between};
use crate::event::{EffectKey, Event, Observation, Recorded};
use crate::report::RunView;
use crate::store::Estimates;

pub use self::board::{Size, board};
pub use self::plain::{event_line, observation_line, sign_of_life};

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
    terminal: Option<Arc<Terminal>>,
    /// Whether the lines stay where they are at the end.
    leaves: bool,
    /// What will stay above the redrawn lines, with the next redraw.
    above: String,
    /// How long the steps took before.
    estimates: Estimates,
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
            terminal: None,
            leaves: false,
            above: String::new(),
            estimates: Estimates::default(),
            real: Clock::real(),
            drawn: None,
            said_at: None,
        }
    }

    /// A display that draws on a terminal, and writes to an output what stays.
    pub fn on(terminal: Arc<dyn TermLike>, output: Arc<Output>) -> Self {
        let terminal = Arc::new(Terminal::new(terminal));
        output.attach(Arc::<Terminal>::clone(&terminal));
        let mut progress = Self::new(Mode::Plain, output);
        progress.mode = Mode::Terminal;
        progress.terminal = Some(terminal);
        progress
    }

    /// The same, knowing how long the steps took before.
    #[must_use]
    pub fn knowing(mut self, estimates: Estimates) -> Self {
        self.estimates = estimates;
        self
    }

    /// The same with another clock for the rate of redraws.
    #[must_use]
    pub fn timed_by(mut self, clock: Clock) -> Self {
        self.real = clock;
        self
    }

    /// At the end the lines stay where they are: nothing else will tell how the run ended.
    pub fn leave(&mut self) {
        self.leaves = true;
    }

    /// A line was typed below the lines.
    pub fn typed(&self) {
        self.output.typed();
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
                if let Some(line) = self.above_line(&recorded.event) {
                    self.above.push_str(&line);
                    self.above.push('\n');
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
                    let line = sign_of_life(&self.view, now, &self.estimates, &self.screen());
                    self.say(now, line);
                }
            }
        }
    }

    /// Takes the redrawn lines away: what comes next is written below what is there.
    pub fn finish(&mut self) {
        if let Some(terminal) = self.terminal.take() {
            self.output.detach();
            let lines = match (self.leaves, self.view.last) {
                (true, Some(last)) => self.lines(&terminal, last.wall),
                (true, None) | (false, _) => Vec::new(),
            };
            let above = self.output.harmless(&std::mem::take(&mut self.above));
            terminal.show(&above, lines);
            if self.leaves {
                terminal.leave();
            }
        }
        self.mode = Mode::Quiet;
    }

    /// What is known of the run.
    pub fn view(&self) -> &RunView {
        &self.view
    }

    fn screen(&self) -> Screen<'_> {
        let width = self.terminal.as_ref();
        let width = width.map_or(PLAIN_WIDTH, |terminal| terminal.size().columns);
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
        if let Some(terminal) = &self.terminal {
            let above = self.output.harmless(&std::mem::take(&mut self.above));
            terminal.show(&above, self.lines(terminal, now));
        }
    }

    fn lines(&self, terminal: &Terminal, now: Timestamp) -> Vec<String> {
        let size = terminal.size();
        let screen = self.screen();
        board(&self.view, size, now, &self.estimates, &screen)
    }

    /// What an event leaves above the redrawn lines, on a terminal.
    fn above_line(&self, event: &Event) -> Option<String> {
        let screen = self.screen();
        match event {
            Event::CallEnded { key, .. } => self.page_line(key, &screen),
            _ => above_line(&self.view, event, &screen),
        }
    }

    /// The page of what a write made, when there is no room for it below its step.
    fn page_line(&self, key: &EffectKey, screen: &Screen<'_>) -> Option<String> {
        let call = self.view.steps.get(&key.step)?.calls.get(&key.call)?;
        let url = screen.words(call.url.as_ref().filter(|_| call.writes)?);
        let step = screen.line(&key.step, super::words::NAME_CHARACTERS_MAX);
        let size = self.terminal.as_ref()?.size();
        let hidden = !url.is_empty() && board::fitting(&url, size).is_none();
        hidden.then(|| format!("{step}: {url}"))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// What an event leaves above the redrawn lines, on a terminal.
fn above_line(view: &RunView, event: &Event, screen: &Screen<'_>) -> Option<String> {
    match event {
        Event::Warned { .. }
        | Event::LimitHit { .. }
        | Event::CancelRequested { .. }
        | Event::Asked { .. }
        | Event::Resolved { .. }
        | Event::RoundStarted { .. }
        | Event::PlanChanged { .. }
        | Event::Answered { .. } => plain::words_of(view, event, screen),
        Event::RunCreated(_)
        | Event::StepEnded(_)
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
