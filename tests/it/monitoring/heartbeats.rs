//! What a cron monitor hears.

use super::receiver::Receiver;
use super::{QUICK, program, with_quick, world};
use crate::program::{Finished, Program};

/// A key that only a monitor knows.
const KEY: &str = "/Zq3xW9PgkT7mR2vN5b8c/nightly";

/// Nothing that the program left behind holds the key.
fn hidden(program: &Program, done: &Finished) {
    let key = "Zq3xW9PgkT7mR2vN5b8c";
    assert!(
        !done.out.contains(key) && !done.err.contains(key),
        "{}\n{}",
        done.out,
        done.err
    );
    let mut folders = vec![program.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("runner.toml") {
                let bytes = std::fs::read(&path).expect("a file");
                let found = bytes.windows(key.len()).any(|part| part == key.as_bytes());
                assert!(!found, "{}", path.display());
            }
        }
    }
}

#[test]
fn a_monitor_hears_the_beginning_and_how_it_ended() {
    let monitor = Receiver::new(200);
    let url = monitor.url(KEY);
    let server = world("passed");
    let program = program(&server).with("RUNNER_HEARTBEAT_URL", &url);
    let apply = with_quick(&[
        "apply",
        "release.yml",
        "-vv",
        "--report",
        "json=report.json",
    ]);
    let done = program.run(&apply).expect(0);
    hidden(&program, &done);
    assert_eq!(
        monitor.paths(),
        [format!("POST {KEY}"), format!("POST {KEY}/start")]
    );

    let red = world("failed");
    let monitor = Receiver::new(204);
    let url = monitor.url(&format!("{KEY}?source=cron"));
    let program = program.on(&red).with("RUNNER_HEARTBEAT_URL", &url);
    let done = program.run(&apply).expect(1);
    hidden(&program, &done);
    let fail = format!("POST {KEY}/fail?source=cron");
    assert_eq!(
        monitor.paths(),
        [fail.clone(), format!("POST {KEY}/start?source=cron")]
    );
    let heard = monitor.heard();
    let told = heard
        .iter()
        .find(|heard| heard.what == fail)
        .expect("it is told");
    let body = String::from_utf8_lossy(&told.body).into_owned();
    assert!(body.contains("exit code 1: "), "{body}");
}

#[test]
fn what_never_began_is_told_too() {
    let monitor = Receiver::new(200);
    let server = world("passed");
    let program = program(&server);
    let text = format!(
        "[heartbeat]\nurl = \"{}\"\nstart = false\n",
        monitor.url(KEY)
    );
    program.file("runner.toml", &text);
    program.file("release.yml", "playbook: 1\nsteps: { a: { sett: {} } }\n");
    let done = program.run(&["apply", "release.yml"]).expect(3);
    hidden(&program, &done);
    assert_eq!(monitor.paths(), [format!("POST {KEY}/fail")]);
    // A mistake in another setting does not silence it.
    let program = program.with("RUNNER_POLL_MIN", "soon");
    program.run(&["apply", "release.yml"]).expect(2);
    assert_eq!(monitor.paths().len(), 2);
}

#[test]
fn a_run_that_was_parked_has_not_ended() {
    let monitor = Receiver::new(200);
    let url = monitor.url(KEY);
    let server = world("passed");
    let program = program(&server);
    let args = [
        "apply",
        "release.yml",
        "--park",
        "0s",
        "--run-id",
        "r1",
        "--heartbeat",
        &url,
    ];
    let parked = program.run(&with_quick(&args)).expect(75);
    hidden(&program, &parked);
    assert_eq!(monitor.paths(), [format!("POST {KEY}/start")]);
    let resume = ["resume", "r1", "--heartbeat", &url];
    program.run(&with_quick(&resume)).expect(0);
    assert!(monitor.paths().contains(&format!("POST {KEY}")));
}

#[test]
fn a_monitor_that_fails_is_a_warning_and_no_redirect_is_followed() {
    let server = world("passed");
    for (status, words) in [(500, "answered 500"), (302, "answered 302")] {
        let monitor = Receiver::new(status);
        let program = program(&server).with("RUNNER_HEARTBEAT_URL", &monitor.url(KEY));
        let done = program
            .run(&with_quick(&["apply", "release.yml"]))
            .expect(0);
        hidden(&program, &done);
        done.says(&["warning: the monitor at `http://127.0.0.1:", words]);
        assert!(monitor.paths().iter().all(|path| path.contains(KEY)));
        assert_eq!(
            monitor.paths().len(),
            4,
            "each ping is sent twice at the most"
        );
    }
    // Nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}{KEY}", closed.local_addr().expect("an address"));
    drop(closed);
    let program = program(&server).with("RUNNER_HEARTBEAT_URL", &url);
    let done = program
        .run(&with_quick(&["apply", "release.yml"]))
        .expect(0);
    hidden(&program, &done);
    done.says(&["warning: the monitor at"]);
}

#[test]
fn only_https_and_this_machine_are_told() {
    let server = world("passed");
    let program = program(&server);
    let url = format!("http://monitor.example.com{KEY}");
    let done = program
        .run(&["apply", "release.yml", "--heartbeat", &url])
        .expect(2);
    hidden(&program, &done);
    done.says(&["`--heartbeat`", "plain http"]);
    let text = format!("[heartbeat]\nurl = \"{url}\"\n");
    program.file("runner.toml", &text);
    let done = program.run(&["apply", "release.yml"]).expect(2);
    hidden(&program, &done);
    done.says(&["heartbeat.url", "runner.toml:2", "plain http"]);
    let named = program.with("RUNNER_HEARTBEAT_URL", &url);
    hidden(&named, &named.run(&["doctor"]));
    assert_eq!(server.requests(), 0);
}

#[test]
fn a_rehearsal_tells_nobody() {
    let monitor = Receiver::new(200);
    let program = Program::new().with("RUNNER_HEARTBEAT_URL", &monitor.url(KEY));
    program.file("release.yml", super::PLAYBOOK);
    let rehearsal = ["apply", "release.yml", "--simulate", "--speed", "max"];
    let done = program.run(&[&rehearsal[..], &QUICK].concat());
    hidden(&program, &done);
    assert!(monitor.paths().is_empty(), "{:?}", monitor.paths());
}
