//! The work that `apply` and `resume` share: a session on a run, those who look on, the reports, the
//! summary, the exit code.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use super::args::{self, Report, ReportFormat, Results};
use super::connect::client_limits;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::observers::{Collected, Lines, Shown};
use super::output::{Output, is_conversation, write_report};
use super::progress::{Mode, Progress, Surroundings as Around};
use super::prompt::Prompt;
use super::screen::Screen;
use super::settings::Settings;
use super::signals;
use super::spoken::Spoken;
use super::summary::{Ending, summary};
use super::usage;
use crate::clock::Clock;
use crate::drivers::{Conditions, Finish, Observer, Remembered, Session};
use crate::effects::{EffectSettings, SemaphoreEffects, Web};
use crate::engine::{Budget, Ev, Machine, RunInfo, StartError};
use crate::event::Recorded;
use crate::outcome::RunOutcome;
use crate::plan::{BoundInputs, OnInterrupt, Plan};
use crate::report::{
    ApiUse, Format, REPORT_BYTES_MAX, RunView, Told, report, report_text, text_in,
};
use crate::secret::Secret;
use crate::semaphore::{Origin, Transport};
use crate::store::{Estimates, InboxMessage, LockGuard, OwnerInfo, Store};

/// How often the display is told that time has passed.
const TICK: Duration = Duration::from_millis(200);

/// What a session is made of.
pub(super) struct Execution<'a> {
    pub(super) around: &'a Surroundings,
    pub(super) settings: &'a Settings,
    pub(super) results: &'a Results,
    pub(super) store: Arc<dyn Store>,
    pub(super) plan: Arc<Plan>,
    /// Plans that the run went on with later.
    pub(super) later: Vec<Arc<Plan>>,
    pub(super) inputs: BoundInputs,
    pub(super) info: RunInfo,
    pub(super) past: Vec<Recorded>,
    /// What the run is told first when it is gone on with.
    pub(super) opening: Vec<Ev>,
    pub(super) files_dir: PathBuf,
    pub(super) park_after: Option<Duration>,
}

/// Through what Semaphore is reached.
pub(super) struct Line {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) origin: Origin,
    /// Through what other servers are reached, and the token that must never go there.
    pub(super) web: (Arc<dyn Web>, Secret),
    pub(super) clock: Clock,
}

/// What a session came to.
pub(super) struct Worked {
    finish: Result<Finish, Failing>,
    view: RunView,
    api: ApiUse,
    broken: Option<std::io::Error>,
    report_bytes_max: usize,
}

impl Worked {
    /// A run that never became one.
    fn not_begun(error: StartError) -> Self {
        Self {
            finish: Err(not_begun(error)),
            view: RunView::new(),
            api: ApiUse::default(),
            broken: None,
            report_bytes_max: REPORT_BYTES_MAX,
        }
    }

    /// A run that somebody else worked on, and that was looked at.
    pub(super) fn seen(finish: Finish, view: RunView, broken: Option<std::io::Error>) -> Self {
        let requests = view.requests;
        Self {
            finish: Ok(finish),
            view,
            api: ApiUse {
                requests,
                ..ApiUse::default()
            },
            broken,
            report_bytes_max: REPORT_BYTES_MAX,
        }
    }

    /// Whether the run is still as unknown as it was: nothing was done.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(&self.finish, Ok(Finish::Ended(ended)) if ended.outcome == RunOutcome::Unknown)
    }

    /// Whether the run was canceled.
    pub(super) fn was_canceled(&self) -> bool {
        matches!(&self.finish, Ok(Finish::Ended(ended)) if ended.outcome == RunOutcome::Canceled)
    }
}

impl Execution<'_> {
    /// Works on the run until it ends or is parked. Runs inside a runtime.
    pub(super) async fn work(self, line: Line) -> Worked {
        let around = self.around;
        let collected = Collected::default();
        let broken = Arc::new(Mutex::new(None));
        let machine = match self.machine() {
            Ok(machine) => machine,
            Err(error) => return Worked::not_begun(error),
        };
        let clock = line.clock;
        let effects = self.effects(line);
        let (send, stop) = unbounded_channel();
        if !clock.is_virtual() {
            let stops = self.plan.on_interrupt == OnInterrupt::Stop;
            signals::listen(&send, stops);
        }
        let watch = Watch {
            past: &self.past,
            estimates: estimates(&*self.store, &self.info.id),
            ..Watch::new(&collected, &broken)
        };
        let mut observers = observers(around, self.results, watch);
        if !clock.is_virtual() && is_conversation() {
            observers.push(Box::new(self.prompt()));
        }
        #[cfg(feature = "otel")]
        let traced = self.traced(clock, &mut observers);
        let conditions = Conditions {
            clock,
            store: Arc::clone(&self.store),
            effects: Arc::clone(&effects) as _,
            redactor: around.redactor.clone(),
            observers,
            stop,
            park_after: self.park_after,
            tick_every: (!clock.is_virtual()).then_some(TICK),
            inbox: true,
        };
        let header = self.store.header(&self.info.id);
        let rehearsal = header.is_ok_and(|header| header.is_simulated());
        let session = Session::new(&self.info.id, machine, conditions, &self.past)
            .owned_by(owner(around, &self.info.id))
            .opening_with(self.opening);
        let finish = session.work(self.past).await.map_err(Failing::from);
        drop(send);
        #[cfg(feature = "otel")]
        if let Some(traced) = traced {
            around.last.keep_trace(traced.finished());
        }
        let mut view = collected.view();
        view.rehearsal = rehearsal;
        let mut usage = self.store.usage(&self.info.id).unwrap_or_default();
        usage.add(&usage::of_session(&effects));
        self.store.put_usage(&self.info.id, &usage);
        let api = usage::api_use(&view, &usage);
        let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        Worked {
            finish,
            view,
            api,
            broken,
            report_bytes_max: bytes_max(self.settings),
        }
    }

    /// What the run reaches the outside through.
    fn effects(&self, line: Line) -> Arc<SemaphoreEffects> {
        let around = self.around;
        let (web, token) = line.web;
        let transport = Spoken::wrap(
            line.transport,
            &around.output,
            line.clock,
            around.global.verbose,
        );
        let limits = (
            client_limits(self.settings),
            EffectSettings {
                topology: mode(around, self.results) == Mode::Terminal,
                ..effect_settings(self.settings, self.files_dir.clone())
            },
        );
        let redactor = around.redactor.clone();
        let remembered = Remembered::new(Arc::clone(&self.store), &*self.info.id);
        Arc::new(
            SemaphoreEffects::new(transport, line.origin, limits, line.clock, redactor)
                .with_web(web, token)
                .with_history(Arc::new(remembered)),
        )
    }

    /// The machine of the run's plan, and of what was added to it since.
    fn machine(&self) -> Result<Machine, StartError> {
        let (plan, inputs) = (Arc::clone(&self.plan), self.inputs.clone());
        let mut machine = Machine::new(self.info.clone(), plan, inputs, &self.around.redactor)?;
        for plan in self.later.clone() {
            machine.learn(plan);
        }
        Ok(machine)
    }

    /// Collects a trace; nothing leaves this machine in a rehearsal, whose clock is not the world's.
    #[cfg(feature = "otel")]
    fn traced(
        &self,
        clock: Clock,
        observers: &mut Vec<Box<dyn Observer>>,
    ) -> Option<super::traces::Traced> {
        if clock.is_virtual() || clock.speed() != 1 {
            return None;
        }
        let traced = super::traces::Traced::wanted(self.around, &self.past)?;
        observers.push(Box::new(traced.clone()));
        Some(traced)
    }

    /// Asks whoever sits at the terminal.
    fn prompt(&self) -> Prompt {
        let (store, run) = (Arc::clone(&self.store), self.info.id.clone());
        let by = self.around.environment.user();
        let take_down = move |step: &str, approved: bool| {
            let message = InboxMessage::Answer {
                step: step.to_owned(),
                approved,
                by: by.clone(),
            };
            store
                .post(&run, &message)
                .map_err(|error| error.to_string())
        };
        Prompt::new(Arc::clone(&self.around.output), Box::new(take_down))
    }
}

/// What those who look on are made of.
pub(super) struct Watch<'a> {
    pub(super) collected: &'a Collected,
    pub(super) broken: &'a Arc<Mutex<Option<std::io::Error>>>,
    /// What was told by an earlier session.
    pub(super) past: &'a [Recorded],
    pub(super) estimates: Estimates,
}

impl<'a> Watch<'a> {
    /// Those who look on from the beginning, and know nothing of earlier runs.
    pub(super) fn new(
        collected: &'a Collected,
        broken: &'a Arc<Mutex<Option<std::io::Error>>>,
    ) -> Self {
        Self {
            collected,
            broken,
            past: &[],
            estimates: Estimates::default(),
        }
    }
}

/// How long the steps of a run took before. They are for people: a run does without them.
pub(super) fn estimates(store: &dyn Store, run: &str) -> Estimates {
    let header = store.header(run);
    header
        .and_then(|header| store.estimates(&header.remembered_as()))
        .unwrap_or_default()
}

/// How progress is shown here.
fn mode(around: &Surroundings, results: &Results) -> Mode {
    Mode::choose(Around {
        terminal: console::Term::stderr().is_term(),
        ci: around.environment.in_ci(),
        dumb: around.environment.get("TERM") == Some("dumb"),
        no_progress: around.global.no_progress,
        quiet: around.global.quiet || results.output == args::Output::Json,
    })
}

/// Those who look on.
pub(super) fn observers(
    around: &Surroundings,
    results: &Results,
    watch: Watch<'_>,
) -> Vec<Box<dyn Observer>> {
    let mode = mode(around, results);
    let mut progress = Progress::new(mode, Arc::clone(&around.output)).knowing(watch.estimates);
    progress.recall(watch.past);
    if !console::Term::stdout().is_term() {
        progress.leave();
    }
    let mut all: Vec<Box<dyn Observer>> =
        vec![Box::new(watch.collected.clone()), Box::new(Shown(progress))];
    if results.output == args::Output::Events {
        all.push(Box::new(Lines {
            output: Arc::clone(&around.output),
            after: watch.past.last().map_or(0, |recorded| recorded.seq),
            broken: Arc::clone(watch.broken),
        }));
    }
    all
}

/// Writes the reports and the summary, and says how the process ends.
pub(super) fn conclude(
    around: &Surroundings,
    results: &Results,
    worked: Worked,
) -> Result<Exit, Failing> {
    let Worked {
        finish,
        view,
        api,
        broken,
        report_bytes_max,
    } = worked;
    let exit = match &finish {
        Ok(Finish::Ended(ended)) => Exit::of_run(ended.outcome, ended.failure),
        Ok(Finish::Parked { exit_code, .. }) => Exit::from_code(*exit_code).unwrap_or(Exit::Parked),
        Err(failing) => failing.exit(),
    };
    if view.id().is_empty() {
        return finish.map(|_| exit);
    }
    around.last.keep(&view, &api);
    let told = Told {
        view: &view,
        exit_code: exit.code(),
        api: &api,
        bytes_max: report_bytes_max,
    };
    let (written, exit) = reports(around, &results.reports, told, exit);
    let told = stdout(around, results, (&view, &api), (exit, written));
    let exit = match told.err().or(broken) {
        Some(error) => {
            around
                .output
                .talk(&format!("error: stdout could not be written: {error}"));
            exit.or(Exit::NotWritten)
        }
        None => exit,
    };
    if exit == Exit::NotWritten || finish.is_err() {
        // What was started must not be lost with the report: the ids go to stderr.
        let screen = Screen::new(around.width(), &around.redactor);
        for line in super::causes::ids(&view, &screen) {
            around.output.talk(&line);
        }
    }
    finish.map(|_| exit)
}

fn reports(
    around: &Surroundings,
    wanted: &[Report],
    told: Told<'_>,
    exit: Exit,
) -> (Vec<PathBuf>, Exit) {
    let mut written = Vec::new();
    let mut exit = exit;
    for wanted in wanted {
        let format = match wanted.format {
            ReportFormat::Json => Format::Json,
            ReportFormat::Junit => Format::Junit,
            ReportFormat::Markdown => Format::Markdown,
            ReportFormat::Html => Format::Html,
        };
        let told = Told {
            exit_code: exit.code(),
            ..told
        };
        let text = text_in(format, &told, &around.redactor);
        match write_report(&wanted.path, &text) {
            Ok(()) => written.push(wanted.path.clone()),
            Err(error) => {
                around.output.talk(&format!("error: {error}"));
                exit = exit.or(Exit::NotWritten);
            }
        }
    }
    (written, exit)
}

fn stdout(
    around: &Surroundings,
    results: &Results,
    (view, api): (&RunView, &ApiUse),
    (exit, reports): (Exit, Vec<PathBuf>),
) -> std::io::Result<()> {
    let output: &Output = &around.output;
    match results.output {
        args::Output::Events => Ok(()),
        args::Output::Json => output.json_text(&report_text(
            &report(view, exit.code(), api),
            &around.redactor,
        )),
        args::Output::Human => {
            let screen = Screen::new(around.width(), &around.redactor).colour(output.out_colour());
            output.data(&summary(view, &Ending { reports }, &screen))
        }
    }
}

fn not_begun(error: StartError) -> Failing {
    match error {
        StartError::Template(located) => {
            let mut mistake = crate::diagnostic::Diagnostic::error(
                located.error.code,
                located.place,
                located.error.message,
            );
            mistake.hint = located.error.hint;
            Failing::mistake(Exit::Invalid, mistake)
        }
        StartError::Timeout(_) => Failing::words(Exit::Invalid, error.to_string()),
    }
}

/// How the effects go about their work.
pub(super) fn effect_settings(settings: &Settings, files_dir: PathBuf) -> EffectSettings {
    EffectSettings {
        poll_interval_min: settings.poll.min,
        poll_interval_max: settings.poll.max,
        requests_per_second: settings.poll.requests_per_second as f64,
        settle: settings.writes.settle,
        budget: budget(settings),
        log_bytes_max: settings.logs.max_size,
        triage_window: settings.triage.window,
        topology: false,
        files_dir,
    }
}

/// How long a report may be.
pub(super) fn bytes_max(settings: &Settings) -> usize {
    usize::try_from(settings.limits.report_bytes).unwrap_or(REPORT_BYTES_MAX)
}

/// For how long the network may be away.
pub(super) fn budget(settings: &Settings) -> Budget {
    Budget {
        retry: settings.retry.budget,
        first_contact: settings.retry.first_contact,
    }
}

/// Takes the lock of a run: one living process works on it.
pub(super) fn lock(
    around: &Surroundings,
    store: &dyn Store,
    run: &str,
) -> Result<LockGuard, Failing> {
    Ok(store.acquire(run, &owner(around, run))?)
}

/// This process, as others see it.
fn owner(around: &Surroundings, run: &str) -> OwnerInfo {
    OwnerInfo {
        pid: std::process::id(),
        host: around.environment.host(),
        since: Clock::real().now(),
        run: run.to_owned(),
    }
}
