//! `runner simulate`: the simulator as a server on loopback. And which scenario a name means.

use std::path::Path;

use super::args::Simulate;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::settings::read_text;
use crate::clock::Clock;
use crate::diagnostic::Source;
use crate::drivers::run_local;
use crate::simulator::{Scenario, Server, ServerError};

/// Serves until it is told to stop.
pub(super) fn simulate(around: &Surroundings, args: &Simulate) -> Result<Exit, Failing> {
    let scenario = scenario(&args.scenario)?;
    run_local(async {
        let token = scenario.admin_token().unwrap_or_default().to_owned();
        let running = Server::start(scenario, Clock::scaled(args.speed), args.listen).await?;
        if let Some(path) = &args.port_file {
            std::fs::write(path, running.addr().port().to_string())?;
        }
        around.say(&format!(
            "a simulated Semaphore listens on {}, its clock {} times faster\nits token is `{token}`; end it with Ctrl-C",
            running.url(),
            args.speed
        ));
        let (send, mut stop) = tokio::sync::mpsc::unbounded_channel();
        super::signals::listen(&send, false);
        stop.recv().await;
        running.shutdown().await;
        Ok(Exit::Passed)
    })?
}

impl From<ServerError> for Failing {
    fn from(error: ServerError) -> Self {
        Self::words(Exit::Usage, error.to_string())
    }
}

/// A built-in scenario by its name, or one in a file.
pub(super) fn scenario(name: &str) -> Result<Scenario, Failing> {
    if crate::simulator::built_in_names().any(|known| known == name) {
        return Scenario::built_in(name).map_err(|mistakes| Failing::mistakes(Exit::Bug, mistakes));
    }
    match read_text(Path::new(name)) {
        Ok(Some(text)) => {
            let source = Source::new(name, text);
            Scenario::parse(&source).map_err(|mistakes| Failing::mistakes(Exit::Invalid, mistakes))
        }
        // It is neither: the simulator knows what may have been meant.
        Ok(None) => {
            Scenario::built_in(name).map_err(|mistakes| Failing::mistakes(Exit::Usage, mistakes))
        }
        Err(mistake) => Err(Failing::mistake(Exit::Usage, *mistake)),
    }
}
