//! `runner completions` and `runner man`: for packagers.

use clap::CommandFactory as _;

use super::args::{CommandLine, Completions, Man};
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

/// Prints the manual page, or writes one for each command.
pub(super) fn man(around: &Surroundings, args: &Man) -> Result<Exit, Failing> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(CommandLine::command()).render(&mut page)?;
        around.output.data(&String::from_utf8_lossy(&page))?;
        return Ok(Exit::Passed);
    };
    let failed = |error: std::io::Error| {
        let shown = crate::text::clean_line(&dir.display().to_string(), 200);
        let words = format!("the manual pages could not be written to `{shown}`: {error}");
        Failing::words(Exit::NotWritten, words).hint("give a folder that can be written")
    };
    std::fs::create_dir_all(dir).map_err(failed)?;
    clap_mangen::generate_to(CommandLine::command(), dir).map_err(failed)?;
    Ok(Exit::Passed)
}
