//! `runner completions` and `runner man`: for packagers.

use clap::CommandFactory as _;

use super::args::{CommandLine, Completions};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;

/// Prints the completions of a shell.
pub(super) fn completions(around: &Surroundings, args: &Completions) -> Result<Exit, Failing> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut CommandLine::command(),
        "runner",
        &mut script,
    );
    around.output.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}

/// Prints the manual page.
pub(super) fn man(around: &Surroundings) -> Result<Exit, Failing> {
    let mut page = Vec::new();
    clap_mangen::Man::new(CommandLine::command()).render(&mut page)?;
    around.output.data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Passed)
}
