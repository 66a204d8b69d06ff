use std::time::Duration;

use clap::CommandFactory as _;

use super::*;

fn read(line: &str) -> Result<CommandLine, clap::Error> {
    CommandLine::read(std::iter::once("runner").chain(line.split_whitespace()))
}

fn apply(line: &str) -> Apply {
    match read(&format!("apply {line}")).unwrap().command {
        Command::Apply(apply) => *apply,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_description_is_sound() {
    CommandLine::command().debug_assert();
}

/// The words of a line of a shell, as far as our examples need it.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ' ') => words.push(String::new()),
            (_, c) => words.last_mut().unwrap().push(c),
        }
    }
    words
}

#[test]
fn every_help_ends_with_an_example_that_works() {
    let mut root = CommandLine::command();
    root.build();
    let mut commands: Vec<clap::Command> = root.get_subcommands().cloned().collect();
    commands.push(root);
    for mut command in commands.into_iter().filter(|c| c.get_name() != "help") {
        let help = command.render_long_help().to_string();
        let (_, examples) = help.rsplit_once("Example").expect("an example");
        let lines: Vec<&str> = examples.lines().filter(|l| l.starts_with("  ")).collect();
        assert!(
            !lines.is_empty() && help.trim_end().ends_with(lines[lines.len() - 1]),
            "{help}"
        );
        for line in lines {
            let line = line.trim().split(" > ").next().unwrap();
            CommandLine::read(words(line)).expect(line);
        }
    }
}

#[test]
fn wrong_lines_end_with_two_and_help_with_zero() {
    for line in [
        "",
        "aply x.yml",
        "apply",
        "apply a.yml b.yml",
        "apply a.yml -i name",
        "apply a.yml -i =x",
        "apply a.yml --speed 3",
        "apply a.yml --simulate --speed 0",
        "apply a.yml --timeout 10",
        "apply a.yml --timeout 0s",
        "apply a.yml --report pdf=x",
        "apply a.yml --report json",
        "apply a.yml --report json=",
        "apply a.yml -q -v",
        "apply a.yml --token t",
        "check",
        "check a.yml --format xml",
        "simulate --listen 0.0.0.0:80",
        "simulate --listen localhost",
        "simulate --speed 0",
        "schema pipeline",
        "eval",
        "eval 1 --jsonpath $",
        "resume",
    ] {
        let error = read(line).expect_err(line);
        assert_eq!(exit_of(&error), Exit::Usage, "{line}");
    }
    for line in ["--help", "apply --help", "--version", "help apply"] {
        assert_eq!(
            exit_of(&read(line).expect_err(line)),
            Exit::Passed,
            "{line}"
        );
    }
}

#[test]
fn apply_takes_its_flags() {
    let plain = apply("a.yml");
    assert_eq!(plain.results.output, Output::Human);
    assert_eq!((plain.simulate, plain.speed), (None, None));
    let full = apply(
        "a.yml -i a=1 --input b=x=y -i c= --inputs in.yml --run-id r1 --report json=r.json --output events \
         --timeout 1h30m --park 0s --files out \
         --url https://a.test --token-file t --context c",
    );
    let inputs: Vec<_> = full
        .inputs
        .input
        .iter()
        .map(|i| (i.name.as_str(), i.value.as_str()))
        .collect();
    assert_eq!(inputs, [("a", "1"), ("b", "x=y"), ("c", "")]);
    assert_eq!(full.inputs.file, Some("in.yml".into()));
    assert_eq!(full.run_id.as_deref(), Some("r1"));
    let wanted = Report {
        format: ReportFormat::Json,
        path: "r.json".into(),
    };
    assert_eq!(full.results.reports, [wanted]);
    assert_eq!(full.results.output, Output::Events);
    assert_eq!(full.timeout, Some(Duration::from_secs(5_400)));
    assert_eq!(full.park, Some(Duration::ZERO));
    assert_eq!(full.connection.url.as_deref(), Some("https://a.test"));
}

#[test]
fn simulate_needs_an_equals_sign() {
    assert_eq!(
        apply("--simulate a.yml").simulate.as_deref(),
        Some(SCENARIO)
    );
    assert_eq!(
        apply("a.yml --simulate=flaky").simulate.as_deref(),
        Some("flaky")
    );
    assert_eq!(
        apply("a.yml --simulate --speed max").speed,
        Some(Speed::Max)
    );
    assert_eq!(
        apply("a.yml --simulate --speed 9 --seed 4").speed,
        Some(Speed::Times(9))
    );
    assert_eq!(Speed::default(), Speed::Times(60));
}

#[test]
fn the_flags_of_every_command_stand_before_or_after_it() {
    for line in [
        "-vv --no-progress --color never --state-dir s --set a.b=c --set d.e=f runs",
        "runs -vv --no-progress --color never --state-dir s --set a.b=c --set d.e=f",
    ] {
        let global = read(line).unwrap().global;
        assert_eq!(
            (global.verbose, global.quiet, global.no_progress),
            (2, false, true)
        );
        assert_eq!(global.color, Color::Never);
        assert_eq!(global.state_dir, Some("s".into()));
        assert_eq!(global.set, ["a.b=c", "d.e=f"]);
    }
}

#[test]
fn typed_values_are_not_shown() {
    let shown = format!("{:?}", apply("a.yml -i token=hunter2"));
    assert!(
        shown.contains("token=…") && !shown.contains("hunter2"),
        "{shown}"
    );
}
