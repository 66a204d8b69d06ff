//! Odd surroundings: closed and full streams, no home, no terminal, folders that cannot be written.

use std::process::Stdio;

use super::{apply, on, release};
use crate::program::{Program, Running};

#[test]
fn a_report_that_cannot_be_written_ends_with_nine_and_the_ids() {
    let (program, server) = on("passing", 1_000);
    let playbook = release();
    let mut args = apply(&playbook, &[]);
    args[3] = "json=missing/report.json";
    let done = program.run(&args).expect(9).says(&["missing/report.json"]);
    let acts = server.acts();
    let Some(runner::simulator::Done::RunWorkflow { workflow_id, .. }) =
        acts.first().map(|act| &act.deed)
    else {
        panic!("{acts:?}");
    };
    assert!(done.err.contains(workflow_id), "{}", done.err);
}

#[test]
fn a_state_folder_that_cannot_be_written_sends_nothing() {
    let (program, server) = on("passing", 1_000);
    program.file("file", "");
    let mut folders = vec!["file/state"];
    if cfg!(target_os = "linux") {
        folders.push("/proc/state");
    }
    for folder in folders {
        program
            .run(&["apply", &release(), "--state-dir", folder])
            .expect(9)
            .says(&[folder]);
    }
    assert_eq!(server.requests(), 0);
}

#[test]
fn without_a_home_a_state_folder_must_be_named() {
    let program = Program::new().without("HOME").without("TMPDIR");
    let release = release();
    let args = ["apply", &release, "--simulate", "--speed", "max"];
    program
        .run(&args)
        .expect(2)
        .says(&["XDG_STATE_HOME", "--state-dir"]);
    let mut named = args.to_vec();
    named.extend(["--state-dir", "state"]);
    program.run(&named).expect(0);
    assert!(program.work().join("state").is_dir());
    program.run(&["check", &release]).expect(0);
    program.run(&["--version"]).expect(0);
}

#[test]
fn colours_are_for_terminals() {
    let release = release();
    let args = ["apply", &release, "--simulate=failing", "--speed", "max"];
    for (name, value) in [
        ("TERM", "xterm-256color"),
        ("NO_COLOR", "1"),
        ("TERM", "dumb"),
        ("CI", "true"),
        ("LANG", "C"),
    ] {
        let done = Program::new().with(name, value).run(&args).expect(1);
        assert!(
            !done.out.contains('\u{1b}') && !done.err.contains('\u{1b}'),
            "{name}"
        );
    }
    let mut always = args.to_vec();
    always.extend(["--color", "always"]);
    let done = Program::new().run(&always).expect(1);
    assert!(done.out.contains("\u{1b}["), "{}", done.out);
}

#[test]
fn quiet_says_nothing_and_verbose_says_more() {
    let release = release();
    let args = [
        "apply",
        &release,
        "--simulate",
        "--speed",
        "max",
        "--seed",
        "1",
    ];
    let plain = Program::new().run(&args).expect(0);
    let mut quiet = args.to_vec();
    quiet.push("-q");
    let quiet = Program::new().run(&quiet).expect(0);
    assert_eq!(quiet.err, "");
    assert!(quiet.out.contains("release passed"));
    assert!(plain.err.contains("tests: started"), "{}", plain.err);
    let asked = |times: usize| {
        let mut verbose = args.to_vec();
        verbose.extend(vec!["-v"; times]);
        Program::new().run(&verbose).expect(0).err
    };
    let (once, twice) = (asked(1), asked(2));
    let sent = "> POST /api/v1alpha/plumber-workflows";
    assert!(!plain.err.contains(sent), "{}", plain.err);
    assert!(
        once.contains(sent) && !once.contains("\n< 200 after"),
        "{once}"
    );
    assert!(
        twice.contains(sent) && twice.contains("\n< 200 after"),
        "{twice}"
    );
}

/// The reader of stdout is gone before anything is written.
#[test]
fn a_closed_stdout_is_no_panic() {
    let program = Program::new();
    let release = release();
    let events = [
        "apply",
        &release,
        "--simulate",
        "--speed",
        "max",
        "--output",
        "events",
    ];
    let commands: [&[&str]; 5] = [
        &["schema", "playbook"],
        &["--help"],
        &["check", &release, "--format", "json"],
        &events,
        &["apply", &release, "--simulate", "--speed", "max"],
    ];
    for args in commands {
        let mut child = program
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop(child.stdout.take());
        let done = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&done.stderr);
        assert!(
            !err.contains("panicked") && !err.contains("bug in runner"),
            "{args:?}: {err}"
        );
        let code = done.status.code();
        assert!([Some(0), Some(9)].contains(&code), "{args:?}: {code:?}");
        if args.contains(&"apply") {
            assert_eq!(code, Some(9), "{args:?}: {err}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_ends_with_nine() {
    let program = Program::new();
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("it is there")
    };
    let release = release();
    for args in [
        vec!["apply", &release, "--simulate", "--speed", "max"],
        vec![
            "apply",
            &release,
            "--simulate",
            "--speed",
            "max",
            "--output",
            "json",
        ],
        vec!["schema", "report"],
    ] {
        let mut command = program.command(&args);
        let child = command
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let done = child.wait_with_output().expect("it ends");
        let err = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(9), "{args:?}: {err}");
        assert!(!err.contains("panicked"), "{err}");
    }
    // With stderr full as well, the exit code still tells.
    let status = program
        .command(["check", "missing.yml"])
        .stdout(full())
        .stderr(full())
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(2));
}

/// Everything that was left in the folders is for their owner alone.
#[cfg(unix)]
#[test]
fn what_is_written_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let program = Program::new();
    let release = release();
    let args = apply(&release, &["--simulate=failing", "--speed", "max"]);
    program.run(&args).expect(1);
    let mut folders = vec![program.state()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .expect("it can be read")
            .flatten()
        {
            let mode = entry.metadata().expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}: {mode:o}", entry.path().display());
            seen += 1;
            if entry.path().is_dir() {
                folders.push(entry.path());
            }
        }
    }
    assert!(seen > 3, "only {seen} files");
    let report = program
        .work()
        .join("report.json")
        .metadata()
        .expect("it is there");
    assert_eq!(report.permissions().mode() & 0o077, 0);
}

#[test]
fn expressions_and_paths_can_be_tried() {
    let program = Program::new();
    program.file(
        "answer.json",
        "{\"pipeline\": {\"result\": \"passed\", \"jobs\": [1, 2]}}",
    );
    let eval = |args: &[&str]| {
        let mut all = vec!["eval"];
        all.extend(args);
        all.extend(["--data", "answer.json"]);
        program.run(&all)
    };
    assert_eq!(
        eval(&["pipeline.result == 'passed'"]).expect(0).out,
        "true\n"
    );
    assert_eq!(eval(&["pipeline.jobs | length"]).expect(0).out, "2\n");
    let found = eval(&["--jsonpath", "$.pipeline.jobs[*]"]).expect(0);
    assert_eq!(found.json(), serde_json::json!([1, 2]));
    let wrong = eval(&["pipeline.reslt"]);
    assert_ne!(wrong.code, 0);
    assert!(wrong.err.contains("result"), "{}", wrong.err);
}

#[test]
fn completions_and_the_manual_are_printed() {
    let program = Program::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let done = program.run(&["completions", shell]).expect(0);
        assert!(
            done.out.contains("runner") && done.out.contains("apply"),
            "{shell}"
        );
    }
    let manual = Running::of(&mut program.command(["man"]))
        .finish()
        .expect(0);
    assert!(manual.out.contains(".TH runner"), "{}", &manual.out[..200]);
    // One for each command, those of commands too.
    program.run(&["man", "--dir", "pages"]).expect(0);
    let page = |name: &str| {
        let path = program.work().join("pages").join(name);
        std::fs::read_to_string(path).expect(name)
    };
    for (name, holds) in [
        ("runner.1", "runner\\-apply(1)"),
        ("runner-apply.1", "\\-\\-heartbeat"),
        ("runner-runs-prune.1", "\\-\\-older\\-than"),
        ("runner-man.1", "\\-\\-dir"),
    ] {
        assert!(page(name).contains(holds), "{name}: {}", page(name));
    }
    let nowhere = program.file("plain", "").join("pages");
    let args = ["man".as_ref(), "--dir".as_ref(), nowhere.as_os_str()];
    program.run(&args).expect(9).says(&["could not be written"]);
}

/// The script is given to the shell itself, which is asked what it would offer.
#[cfg(unix)]
#[test]
fn the_completions_of_bash_complete() {
    let program = Program::new();
    let script = program.run(&["completions", "bash"]).expect(0).out;
    program.file("runner.bash", &script);
    let offered = |words: &[&str]| {
        let last = words.len() - 1;
        let ask = format!(
            "source ./runner.bash; COMP_WORDS=({}); COMP_CWORD={last}; _runner runner '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words[last],
            words[last - 1],
        );
        let done = std::process::Command::new("bash")
            .args(["--noprofile", "--norc", "-c", &ask])
            .current_dir(program.work())
            .output()
            .expect("there is a bash");
        assert!(
            done.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert_eq!(offered(&["runner", "appl"]), "apply\n");
    assert_eq!(offered(&["runner", "runs", "pr"]), "prune\n");
    assert_eq!(offered(&["runner", "apply", "--heart"]), "--heartbeat\n");
    assert_eq!(
        offered(&["runner", "apply", "x.yml", "--output", "ev"]),
        "events\n"
    );
    assert_eq!(offered(&["runner", "check", "--format", "g"]), "github\n");
    let metrics = ["runner", "apply", "--metrics", "runner.b"];
    assert_eq!(offered(&metrics), "runner.bash\n");
    // Where nothing is offered, the shell offers files: the playbooks.
    assert!(script.contains("complete -F _runner -o nosort -o bashdefault -o default runner"));
}
