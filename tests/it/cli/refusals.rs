//! What is refused before anything is sent, and what Semaphore refuses.

use super::{apply, on, release};
use crate::program::Program;

#[test]
fn a_wrong_playbook_sends_nothing() {
    let (program, server) = on("passing", 1_000);
    program.file(
        "wrong.yml",
        "playbook: 1\nsteps:\n  a: { sleep: 5 }\n  b: { set: { x: \"{{ steps.c.why }}\" } }\n",
    );
    program.run(&["apply", "wrong.yml"]).expect(3).says(&[
        "wrong.yml:3:15",
        "P017",
        "wrong.yml:4:28",
        "P060",
        "hint: ",
    ]);
    program.run(&["check", "wrong.yml"]).expect(3);
    let json = program
        .run(&["check", "wrong.yml", "--format", "json"])
        .expect(3)
        .json();
    assert_eq!(json.as_array().map(Vec::len), Some(2));
    let lines = program
        .run(&["check", "wrong.yml", "--format", "github"])
        .expect(3);
    assert!(
        lines
            .out
            .lines()
            .all(|line| line.starts_with("::error file=wrong.yml,line="))
    );
    assert_eq!(server.requests(), 0);
    assert!(
        !program.state().exists(),
        "state was written for a wrong playbook"
    );
}

#[test]
fn wrong_inputs_are_told_at_once_and_send_nothing() {
    let (program, server) = on("passing", 1_000);
    program.file(
        "inputs.yml",
        "playbook: 1\ninputs:\n  count: { type: integer }\n  name: { type: string }\n  token: { type: string, secret: true }\nsteps:\n  a: { sleep: 1s }\n",
    );
    let done = program
        .run(&[
            "apply",
            "inputs.yml",
            "-i",
            "count=many",
            "-i",
            "nme=x",
            "-i",
            "token=sesame-open",
        ])
        .expect(3)
        .says(&["P080", "P081", "P082", "P085"]);
    assert!(!done.err.contains("sesame-open"), "{}", done.err);
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let program = Program::new();
    let release = release();
    for args in [
        vec!["aply"],
        vec!["apply", &release, "--token", "x"],
        vec!["apply", &release, "--simulate=nothing-like-this"],
        vec!["apply", &release, "--simulate", "--set", "poll.minn=1s"],
        vec!["apply", &release, "--simulate", "--set", "poll.min=1"],
        vec!["apply", "missing.yml", "--simulate"],
        vec![
            "apply",
            &release,
            "--token-file",
            "missing",
            "--url",
            "https://a.test",
        ],
        vec!["simulate", "--listen", "0.0.0.0:4000"],
    ] {
        let done = program.run(&args).expect(2);
        assert!(!done.err.is_empty() && done.out.is_empty(), "{args:?}");
    }
    program
        .run(&["apply", &release, "--simulate=failling"])
        .expect(2)
        .says(&["did you mean `failing`?"]);
    let with_typo = Program::new().with("RUNNER_POLL_MINN", "5s");
    with_typo
        .run(&["apply", &release, "--simulate", "--speed", "max"])
        .expect(2)
        .says(&["RUNNER_POLL_MINN", "RUNNER_POLL_MIN"]);
}

#[test]
fn without_a_connection_the_three_ways_are_named() {
    let program = Program::new();
    let ways = [
        "--token-file",
        "SEMAPHORE_API_TOKEN",
        "SEMAPHORE_ORGANIZATION_URL",
        "~/.sem.yaml",
    ];
    program.run(&["apply", &release()]).expect(4).says(&ways);
    program
        .run(&["apply", &release(), "--url", "https://acme.example.com"])
        .expect(4)
        .says(&ways)
        .says(&["the API token is missing"]);
    // Nothing was begun, so nothing is left.
    let runs = program.run(&["runs", "--json"]).expect(0).json();
    assert_eq!(runs, serde_json::json!([]));
}

#[test]
fn plain_http_to_elsewhere_is_refused() {
    let program = Program::new().with("SEMAPHORE_API_TOKEN", "some-token-1234");
    for (url, why) in [
        ("http://acme.example.com", "plain http"),
        (
            "https://user:word@acme.example.com",
            "user name or password",
        ),
        ("https://acme.example.com/path", "has a path"),
        ("acme.example.com", "no `https://`"),
    ] {
        let done = program
            .run(&["apply", &release(), "--url", url])
            .expect(2)
            .says(&[why]);
        assert!(!done.err.contains("user:word"), "{}", done.err);
    }
}

#[test]
fn the_official_clis_file_is_enough() {
    let (program, server) = on("passing", 1_000);
    let program = program
        .without("SEMAPHORE_API_TOKEN")
        .without("SEMAPHORE_ORGANIZATION_URL");
    let file = format!(
        "active-context: here\ncontexts:\n  here:\n    host: {}\n    auth:\n      token: {}\n",
        server.url, server.token
    );
    std::fs::write(program.folder().join("home/.sem.yaml"), file).expect("it can be written");
    program.run(&apply(&release(), &[])).expect(0);
    program
        .run(&["apply", &release(), "--context", "there"])
        .expect(2)
        .says(&["no context `there`", "here"]);
}

#[test]
fn a_wrong_token_ends_with_four() {
    let (program, server) = on("passing", 1_000);
    let program = program.with("SEMAPHORE_API_TOKEN", "wrong-token-1234");
    let done = program.run(&apply(&release(), &[])).expect(4);
    assert!(done.out.contains("HTTP 401"), "{}", done.out);
    assert_eq!(server.started(), (0, 0));
    let report = program.report("report.json");
    assert_eq!(report["run"]["exit_code"], 4);
    assert_eq!(report["steps"]["build"]["error"]["kind"], "unauthorized");
}

/// Semaphore says of what a token may not see that it is not there.
#[test]
fn a_token_that_may_not_do_it_starts_nothing() {
    for token in ["reader-token", "nobody-token"] {
        let (program, server) = on("passing", 1_000);
        let program = program.with("SEMAPHORE_API_TOKEN", token);
        let done = program.run(&apply(&release(), &[]));
        assert!([1, 4].contains(&done.code), "{token}: {}", done.err);
        assert_eq!(server.started(), (0, 0), "{token}");
        let hint = &program.report("report.json")["steps"]["build"]["error"]["hint"];
        assert!(
            hint.as_str()
                .is_some_and(|h| h.contains("token") || h.contains("permission")),
            "{token}: {hint}"
        );
    }
}

#[test]
fn a_project_that_does_not_exist_is_named_with_its_host() {
    let (program, server) = on("passing", 1_000);
    let done = program
        .run(&apply(&release(), &["-i", "project=nothing"]))
        .expect(1);
    let host = server.url.trim_start_matches("http://");
    let report = program.report("report.json");
    let error = report["steps"]["build"]["error"].to_string();
    for word in ["nothing", host] {
        assert!(error.contains(word), "`{word}` is not in {error}");
        assert!(done.out.contains(word), "`{word}` is not in {}", done.out);
    }
    assert_eq!(server.started(), (0, 0));
}
