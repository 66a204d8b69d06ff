//! Those outside who are told how `apply` and `resume` ended, however they ended: the file of metrics, the
//! cron monitor, and the collector of traces.
//!
//! Duty: to be there before the work begins and after everything else is done, so that a playbook that was
//! refused and a bug are told too. Nothing here changes what the run did; a file that cannot be written
//! changes the exit code like a report would.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;

use super::args::{Command, Monitors};
use super::connect::http_options;
use super::exit::Exit;
use super::failing::Failing;
use super::heartbeat::{Monitor, Ping};
use super::main::Surroundings;
use super::output::write_figures;
use super::settings::{Settings, read, read_text};
use crate::address::Address;
use crate::clock::Clock;
use crate::report::{ApiUse, Figures, RunView, metrics};

/// What a command came to, for those who are told last.
#[derive(Default)]
pub(super) struct Last {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    run: Option<(RunView, ApiUse)>,
    #[cfg(feature = "otel")]
    trace: Option<super::traces::Finished>,
}

impl Last {
    /// Keeps what is known of the run.
    pub(super) fn keep(&self, view: &RunView, api: &ApiUse) {
        self.kept().run = Some((view.clone(), api.clone()));
    }

    /// Keeps the trace of the session.
    #[cfg(feature = "otel")]
    pub(super) fn keep_trace(&self, trace: super::traces::Finished) {
        self.kept().trace = Some(trace);
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Those who are to be told.
pub(super) struct Watching {
    metrics: Option<PathBuf>,
    playbook: Option<PathBuf>,
    monitor: Option<Monitor>,
    starting: Option<JoinHandle<Result<(), String>>>,
    began: Timestamp,
    #[cfg(feature = "otel")]
    settings: Settings,
}

impl Watching {
    /// Those that a command line and the settings name; the beginning is told.
    pub(super) fn begin(around: &Surroundings, command: &Command) -> Result<Option<Self>, Failing> {
        let (args, playbook, rehearsal) = match command {
            // It does nothing, so there is nothing to tell.
            Command::Apply(apply) if apply.dry_run => return Ok(None),
            Command::Apply(apply) => {
                let playbook = Some(apply.playbook.clone());
                (&apply.monitors, playbook, apply.simulate.is_some())
            }
            Command::Resume(resume) => (&resume.monitors, None, false),
            _ => return Ok(None),
        };
        let settings = lenient(around, playbook.as_deref());
        let address = address(around, args, &settings)?;
        // Nothing leaves this machine in a rehearsal.
        let address = address.filter(|_| !rehearsal);
        let monitor = address.map(|base| Monitor::new(base, http_options(&settings)));
        let start = monitor.clone().filter(|_| settings.heartbeat.start);
        // Beside the work: a monitor that hangs holds nothing up.
        let starting = start.map(|monitor| std::thread::spawn(move || monitor.tell(Ping::Start)));
        Ok(Some(Self {
            metrics: args.metrics.clone(),
            playbook,
            monitor,
            starting,
            began: Clock::real().now(),
            #[cfg(feature = "otel")]
            settings,
        }))
    }

    /// Tells all of them; the exit code is the one that counts after it.
    pub(super) fn end(self, around: &Surroundings, exit: Exit) -> Exit {
        let kept = std::mem::take(&mut *around.last.kept());
        let exit = match &self.metrics {
            Some(path) => self.write(around, path, kept.run.as_ref(), exit),
            None => exit,
        };
        if let Some(starting) = self.starting
            && let Ok(Err(warning)) = starting.join()
        {
            around.say(&warning);
        }
        if let (Some(monitor), Some(ping)) = (&self.monitor, Ping::of(exit))
            && let Err(warning) = monitor.tell(ping)
        {
            around.say(&warning);
        }
        #[cfg(feature = "otel")]
        if let Some(trace) = kept.trace {
            super::traces::export(around, &self.settings, trace);
        }
        exit
    }

    fn write(
        &self,
        around: &Surroundings,
        path: &Path,
        run: Option<&(RunView, ApiUse)>,
        exit: Exit,
    ) -> Exit {
        let before = match path.is_file() {
            true => read_text(path).ok().flatten().unwrap_or_default(),
            false => String::new(),
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let given = self
            .playbook
            .as_ref()
            .map(|path| path.display().to_string());
        let known = run.and_then(|(view, _)| view.created.as_ref());
        let playbook = given.or_else(|| known.map(|created| created.path.clone()));
        let text = metrics(&Figures {
            name: &name,
            playbook: &playbook.unwrap_or_default(),
            run: run.map(|(view, api)| (view, api)),
            exit_code: exit.code(),
            process: (self.began, Clock::real().now()),
            before: &before,
        });
        match write_figures(path, &around.redactor.text(&text)) {
            Ok(()) => exit,
            Err(error) => {
                around.output.talk(&format!("error: {error}"));
                exit.or(Exit::NotWritten)
            }
        }
    }
}

/// The settings as far as they can be read: who made a mistake in them wants to be told of it too.
fn lenient(around: &Surroundings, playbook: Option<&Path>) -> Settings {
    let state_dir = around.global.state_dir.as_deref();
    let (settings, _) = read(&around.environment, playbook, &around.global.set, state_dir);
    settings
}

fn address(
    around: &Surroundings,
    args: &Monitors,
    settings: &Settings,
) -> Result<Option<Address>, Failing> {
    let address = match &args.heartbeat {
        Some(text) => Some(Address::parse(text).map_err(|why| {
            let words = format!("the address of `--heartbeat` {}", why.reason);
            Failing::words(Exit::Usage, words).hint(why.hint)
        })?),
        None => settings.heartbeat.url.clone(),
    };
    for key in address.iter().flat_map(Address::keys) {
        around.redactor.learn(key);
    }
    Ok(address)
}
