//! The API token and secret inputs leave nothing behind: a canary of each goes through whole runs of the real
//! program, good and bad ones, and is then looked for in every form in everything that was written.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::program::{Finished, Program, Semaphore};

const TOKEN: &str = "cnr-Tq7Zx2Lm9Wv4Kp8Rb3Yd6";
const SECRET: &str = "s3kr1t/\"Xq+ 9vB%mN2=wLz7u";

/// A playbook that carries its secret everywhere that a playbook can.
const PLAYBOOK: &str = r#"
playbook: 1
name: canary
inputs:
  secret: { type: string, secret: true, env: CANARY }
  reference: { type: string, default: refs/heads/main }
vars:
  header: "Bearer {{ inputs.secret }}"
  coded: "{{ inputs.secret | b64encode }}"
steps:
  names:
    set: { copy: "{{ vars.header }}", list: ["{{ inputs.secret }}"], "url": "https://x/?q={{ inputs.secret | urlencode }}" }
  made:
    set:
      begin: "{{ inputs.secret[:8] }}"
      hash: "{{ inputs.secret | sha256 }}"
      shouted: "{{ inputs.secret | replace('/', '-') | upper | list | join('.') }}"
      again: "{{ steps.names.copy | replace('Bearer ', '') | replace('k', '_') }}"
      # What a secret only decides is none.
      branch: "{{ inputs.reference | upper if inputs.secret is defined else 'nothing' }}"
  build:
    run_workflow:
      project: demo
      reference: "{{ inputs.reference }}"
      parameters: { HEADER: "{{ vars.header }}", CODED: "{{ vars.coded }}" }
      expose: [HEADER, CODED]
  deploy:
    promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, parameters: { COMMIT: "{{ inputs.secret }}" }, expose: [COMMIT] }
  logs:
    needs: { build: any }
    fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}", jobs: all, save_to: logs }
  wrong_project:
    needs: { build: any }
    allow_failure: true
    run_workflow: { project: "{{ inputs.secret | replace('/', '') }}", reference: main }
  wrong_reference:
    needs: { build: any }
    allow_failure: true
    run_workflow: { project: demo, reference: "refs/heads/{{ inputs.secret }}" }
    timeout: 5s
  guard:
    needs: { build: any }
    allow_failure: true
    check: { that: ["inputs.secret == 'no'", "vars.coded | length < 1"], message: "not {{ inputs.secret }}" }
  skipped:
    when: inputs.secret == 'no'
    sleep: 1s
  broken:
    allow_failure: true
    set: { x: "{{ inputs.secret.nothing }}" }
  counted:
    allow_failure: true
    check: ["inputs.secret | int > 3"]
finally:
  tell:
    set: { text: "{{ run.outcome }} {{ steps.names.copy | default('') }}" }
outputs:
  header: "{{ vars.header }}"
"#;

/// What the expressions of the step `made` make out of the secret.
const MADE: [&str; 3] = [
    "1b4fe931b15340cb4f16f3067082d157b2980d8632bb331aa14c31128023996c",
    "S.3.K.R.1.T.-.\".X.Q",
    "s3_r1t/\"X",
];

/// A scenario whose jobs print the secret, and whose token is the canary.
fn scenario(name: &str) -> String {
    let text = match name {
        "failing" => include_str!("../../src/simulator/scenarios/failing.yml"),
        _ => include_str!("../../src/simulator/scenarios/passing.yml"),
    };
    let secret = serde_json::to_string(&format!("{SECRET} {}", STANDARD.encode(SECRET)))
        .expect("it is JSON");
    let said = format!("{{ command: env, output: {secret} }}");
    let printed = text.replace(
        "- { command: checkout, output:",
        &format!("- {said}\n                  - {{ command: checkout, output:"),
    );
    // The name of a job becomes the name of a file.
    let printed = printed.replace("- name: compile", &format!("- name: {TOKEN}"));
    assert!(printed.contains(TOKEN) && printed.contains("s3kr1t"));
    format!(
        "{printed}tokens:\n  - {{ token: {TOKEN}, role: admin, user: aaaaaaaa-0000-4000-8000-00000000000a }}\n"
    )
}

/// Every form in which a secret could be read, with a name.
fn forms(secret: &str) -> Vec<(String, Vec<u8>)> {
    let mut forms: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |name: &str, text: String| forms.push((name.to_owned(), text.into_bytes()));
    add("plain", secret.to_owned());
    add("reversed", secret.chars().rev().collect());
    let json = serde_json::to_string(secret).expect("it is JSON");
    add("json", json.trim_matches('"').to_owned());
    let hex: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    add("HEX", hex.to_uppercase());
    add("hex", hex);
    let percent: String = secret
        .bytes()
        .map(|b| match b.is_ascii_alphanumeric() {
            true => char::from(b).to_string(),
            false => format!("%{b:02X}"),
        })
        .collect();
    add("percent in small letters", percent.to_lowercase());
    add("percent", percent);
    for engine in [&STANDARD, &URL_SAFE] {
        for offset in 0..3 {
            // What stands before mixes with the first characters, what stands after with the last.
            let whole = engine.encode([&b"xxx"[..offset], secret.as_bytes()].concat());
            let start = [0, 2, 3][offset];
            let end = whole.trim_end_matches('=').len() - 2;
            add("base64", whole[start..end].to_owned());
        }
    }
    if secret == SECRET {
        add("begin", secret.chars().take(8).collect());
        add("hash", MADE[0].to_owned());
        add("shouted", MADE[1].to_owned());
        add("again", MADE[2].to_owned());
    }
    let characters: Vec<char> = secret.chars().collect();
    for piece in characters.windows(10) {
        add("ten characters", piece.iter().collect());
    }
    forms
}

fn search(place: &str, bytes: &[u8], found: &mut Vec<String>) {
    for (whose, secret) in [("token", TOKEN), ("secret", SECRET)] {
        for (name, form) in forms(secret) {
            if bytes.windows(form.len()).any(|window| window == form) {
                found.push(format!("the {whose} ({name}) in {place}"));
            }
        }
    }
}

/// Looks through the names and the bytes of all files of a folder.
fn search_folder(folder: &Path, found: &mut Vec<String>) -> usize {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("it can be read").flatten() {
        let path = entry.path();
        search(
            &format!("the name of {}", path.display()),
            path.display().to_string().as_bytes(),
            found,
        );
        if path.is_dir() {
            seen += search_folder(&path, found);
        } else if let Ok(bytes) = std::fs::read(&path) {
            seen += 1;
            search(&path.display().to_string(), &bytes, found);
        }
    }
    seen
}

/// Fails when anything that a run left behind holds a canary.
fn nothing_in(program: &Program, streams: &[(&str, &Finished)]) {
    let mut found = Vec::new();
    for (name, done) in streams {
        search(
            &format!("stdout of {name}"),
            done.out.as_bytes(),
            &mut found,
        );
        search(
            &format!("stderr of {name}"),
            done.err.as_bytes(),
            &mut found,
        );
        assert!(!done.err.contains("panicked"), "{}", done.err);
    }
    let seen = search_folder(program.folder(), &mut found);
    assert!(seen >= 2, "only {seen} files");
    assert!(found.is_empty(), "{found:#?}");
}

fn program(url: &str) -> Program {
    let program = Program::new()
        .with("SEMAPHORE_ORGANIZATION_URL", url)
        .with("SEMAPHORE_API_TOKEN", TOKEN)
        .with("CANARY", SECRET);
    program.file("canary.yml", PLAYBOOK);
    program
}

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec![
        "apply",
        "canary.yml",
        "-v",
        "-v",
        "--report",
        "json=report.json",
        "--report",
        "junit=report.xml",
        "--report",
        "markdown=report.md",
        "--report",
        "html=report.html",
        "--set",
        "poll.min=1s",
        "--set",
        "poll.max=1s",
        "--set",
        "retry.first_contact=1s",
        "--set",
        "http.total_timeout=2s",
        "--set",
        "writes.settle=1s",
    ];
    args.extend(more);
    args
}

#[test]
fn the_search_finds_what_it_looks_for() {
    for secret in [TOKEN, SECRET] {
        for text in [
            secret.to_owned(),
            secret[3..14].to_owned(),
            STANDARD.encode(format!("user:{secret}!")),
            STANDARD.encode(format!("ab{secret}")),
            secret.chars().rev().collect(),
        ] {
            let mut found = Vec::new();
            search(
                "here",
                format!("before {text} after").as_bytes(),
                &mut found,
            );
            assert!(!found.is_empty(), "{text}");
        }
    }
    let mut found = Vec::new();
    search("here", b"Bearer *** and cnr-Tq7Zx", &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_run_leaves_no_secret_behind() {
    for (name, code) in [("passing", 0), ("failing", 1)] {
        for output in ["human", "json", "events"] {
            let server = Semaphore::yaml(&scenario(name), 1_000);
            let program = program(&server.url);
            let done = program.run(&args(&["--output", output]));
            assert_eq!(done.code, code, "{}{}", done.out, done.err);
            let show = program.run(&["show", "last"]);
            let json = program.run(&["show", "last", "--json"]);
            let report = program.report("report.json").to_string();
            assert!(report.contains("***"), "{report}");
            assert!(
                report.contains("\"branch\":\"REFS/HEADS/MAIN\""),
                "{report}"
            );
            nothing_in(
                &program,
                &[("apply", &done), ("show", &show), ("show --json", &json)],
            );
        }
    }
}

#[test]
fn a_simulated_run_leaves_no_secret_behind() {
    let program = program("https://acme.example.com");
    // The scenario holds the secret, so it lies elsewhere.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("scenario.yml");
    std::fs::write(&path, scenario("failing")).expect("it can be written");
    let simulate = format!("--simulate={}", path.display());
    let done = program.run(&args(&[&simulate, "--speed", "max"]));
    assert_eq!(done.code, 1, "{}", done.err);
    nothing_in(&program, &[("apply", &done)]);
}

#[test]
fn a_run_without_a_server_leaves_no_secret_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let program = program(&url);
    let done = program.run(&args(&[]));
    assert_eq!(done.code, 7, "{}", done.err);
    let resumed = program.run(&["resume", "last", "-v", "-v"]);
    nothing_in(&program, &[("apply", &done), ("resume", &resumed)]);
}

/// A server that says everything back that it is told, the token first.
#[test]
fn a_server_that_says_the_token_back_is_not_repeated() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "422 Oops",
        "500 Oops",
        "200 OK",
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                let head = format!("{head} {TOKEN} {} {SECRET}", STANDARD.encode(TOKEN));
                let body = serde_json::json!({ "message": head }).to_string();
                let answer = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-echo: {TOKEN}\r\nlocation: /{TOKEN}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        let program = program(&url);
        let done = program.run(&args(&["--timeout", "3s"]));
        assert_ne!(done.code, 0, "{status}");
        nothing_in(&program, &[(status, &done)]);
    }
}

#[test]
fn a_killed_run_leaves_no_secret_behind() {
    let server = Semaphore::yaml(&scenario("passing"), 60);
    let program = program(&server.url);
    let mut child = program.start(&args(&[]));
    child.until("build: workflow_id");
    child.signal("KILL");
    let done = child.finish();
    assert_eq!(done.code, 137);
    nothing_in(&program, &[("apply", &done)]);
    // The secret is read again from where it came; without it nothing goes on.
    let without = program.without("CANARY");
    let refused = without
        .run(&["resume", "last"])
        .expect(3)
        .says(&["CANARY", "secret"]);
    nothing_in(&without, &[("resume", &refused)]);
}

/// The arguments of the process hold no token: there is no flag for it, and a typed secret is refused.
#[test]
fn secrets_are_refused_on_the_command_line() {
    let program = program("https://acme.example.com");
    let done = program.run(&["apply", "canary.yml", "--token", TOKEN]);
    assert_eq!(done.code, 2);
    let typed = format!("secret={SECRET}");
    let refused = program
        .run(&["apply", "canary.yml", "-i", &typed])
        .expect(3)
        .says(&["P085"]);
    let mut found = Vec::new();
    search("stderr", refused.err.as_bytes(), &mut found);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_token_in_a_file_is_kept_as_well() {
    let server = Semaphore::yaml(&scenario("passing"), 1_000);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let path = elsewhere.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).expect("it can be written");
    let program = program(&server.url).without("SEMAPHORE_API_TOKEN");
    let path = path.display().to_string();
    let done = program.run(&args(&["--token-file", &path])).expect(0);
    nothing_in(&program, &[("apply", &done)]);
}

/// What comes to light in a run, and is given to a secret input, is a secret from there on.
#[test]
fn a_secret_that_a_step_finds_is_kept_from_where_it_is_one() {
    let program = program("https://acme.example.com");
    let found = "found-8Kp2Zw5Tq";
    program.file(
        "login.yml",
        "playbook: 1\nname: login\ninputs: { key: { type: string, secret: true } }\n\
         steps: { shown: { set: { text: 'key {{ inputs.key }}', half: '{{ inputs.key[3:] }}' } } }\n",
    );
    let coded = STANDARD.encode(found);
    program.file(
        "canary.yml",
        &format!(
            "playbook: 1\nname: canary\nsteps:\n  find: {{ set: {{ coded: {coded} }} }}\n  \
             login: {{ use: {{ playbook: login.yml, with: {{ key: '{{{{ steps.find.coded | b64decode }}}}' }} }} }}\n"
        ),
    );
    let done = program
        .run(&args(&["--simulate", "--speed", "max"]))
        .expect(0);
    let report = program.report("report.json").to_string();
    assert!(
        report.contains("\"text\":\"key ***\",\"half\":\"***\""),
        "{report}"
    );
    assert!(!done.out.contains(found) && !done.err.contains(found));
}
