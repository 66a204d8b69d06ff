//! From the words of the command line to a command, and from what came of it to an exit code.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{Color, Command, CommandLine, Global, exit_of};
use super::exit::Exit;
use super::failing::Failing;
use super::monitors::{Last, Watching};
use super::output::{ColorWhen, Output};
use super::settings::{Environment, Settings, read};
use super::{
    apply, approve, cancel, check, completions, doctor, eval, explain, library, plan, report,
    resolve, resume, runs, schema, simulate, test,
};
use crate::secret::Redactor;

/// What every command works with.
pub(super) struct Surroundings {
    pub(super) global: Global,
    pub(super) environment: Environment,
    pub(super) output: Arc<Output>,
    pub(super) redactor: Redactor,
    /// What the command came to, for those who are told last.
    pub(super) last: Last,
}

impl Surroundings {
    /// The settings, with `runner.toml` beside a playbook counted.
    pub(super) fn settings(&self, playbook: Option<&std::path::Path>) -> Result<Settings, Failing> {
        let state_dir = self.global.state_dir.as_deref();
        let (settings, mistakes) = read(&self.environment, playbook, &self.global.set, state_dir);
        if mistakes.has_errors() {
            return Err(Failing::mistakes(Exit::Usage, mistakes));
        }
        let monitor = settings.heartbeat.url.iter();
        monitor
            .flat_map(|url| url.keys())
            .for_each(|key| self.redactor.learn(key));
        Ok(settings)
    }

    /// How wide lines may be.
    pub(super) fn width(&self) -> usize {
        console::Term::stderr()
            .size_checked()
            .map_or(100, |(_, columns)| usize::from(columns))
    }

    /// Talk that `-q` silences.
    pub(super) fn say(&self, text: &str) {
        if !self.global.quiet {
            self.output.talk(text);
        }
    }
}

/// Reads the command line of this process and does what it says.
pub fn main() -> ExitCode {
    let line = match CommandLine::read(std::env::args_os()) {
        Ok(line) => line,
        Err(error) => {
            // Help goes to stdout, mistakes to stderr; a closed pipe is nobody's mistake.
            let _ = error.print();
            return exit_of(&error).into();
        }
    };
    let redactor = Redactor::new();
    let colour = match line.global.color {
        Color::Auto => ColorWhen::Auto,
        Color::Always => ColorWhen::Always,
        Color::Never => ColorWhen::Never,
    };
    let environment = Environment::read();
    if let Some(token) = environment.api_token() {
        redactor.learn(token.expose());
    }
    let output = Arc::new(Output::new(colour, redactor.clone()));
    let around = Surroundings {
        global: line.global,
        environment,
        output: Arc::clone(&output),
        redactor,
        last: Last::default(),
    };
    std::panic::set_hook(Box::new({
        let output = Arc::clone(&output);
        move |panic| {
            output.talk(&format!(
                "runner: {panic}\nthis is a bug in runner, please report it"
            ));
        }
    }));
    let watching = match Watching::begin(&around, &line.command) {
        Ok(watching) => watching,
        Err(failing) => {
            failing.tell(&around);
            return failing.exit().into();
        }
    };
    let ended = catch_unwind(AssertUnwindSafe(|| run(&around, line.command)));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failing)) => {
            failing.tell(&around);
            failing.exit()
        }
        Err(_) => Exit::Bug,
    };
    match watching {
        Some(watching) => watching.end(&around, exit).into(),
        None => exit.into(),
    }
}

fn run(around: &Surroundings, command: Command) -> Result<Exit, Failing> {
    match command {
        Command::Apply(args) => apply::apply(around, &args),
        Command::Check(args) => check::check(around, &args),
        Command::Plan(args) => plan::plan(around, &args),
        Command::Test(args) => test::test(around, &args),
        Command::Resume(args) => resume::resume(around, &args),
        Command::Resolve(args) => resolve::resolve(around, &args),
        Command::Approve(args) => approve::approve(around, &args),
        Command::Cancel(args) => cancel::cancel(around, &args),
        Command::Doctor(args) => doctor::doctor(around, &args),
        Command::Runs(args) => runs::runs(around, &args),
        Command::Show(args) => runs::show(around, &args),
        Command::Explain(args) => explain::explain_it(around, &args),
        Command::Report(args) => report::report(around, &args),
        Command::Library(args) => library::library(around, &args),
        Command::New(args) => library::new(around, &args),
        Command::Simulate(args) => simulate::simulate(around, &args),
        Command::Schema(args) => schema::schema(around, &args),
        Command::Eval(args) => eval::eval(around, &args),
        Command::Completions(args) => completions::completions(around, &args),
        Command::Man(args) => completions::man(around, &args),
    }
}
