use std::time::Duration;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Environment {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

/// Merges one layer of each kind; the mistakes come as `place: message (hint)`.
fn merge(toml: &str, env: &[(&str, &str)], sets: &[&str]) -> (Settings, Vec<String>) {
    let environment = environment(env);
    let (settings, mistakes) = Settings::resolve(&Layers {
        files: vec![Source::new("/project/runner.toml", toml)],
        environment: Some(&environment),
        sets: sets.iter().map(|text| (*text).to_owned()).collect(),
        state_dir: None,
    });
    let told = mistakes.sorted().into_iter().map(|mistake| {
        let place = mistake
            .place
            .as_ref()
            .map_or(String::new(), |p| format!("{}:{}: ", p.line, p.column));
        let hint = mistake
            .hint
            .as_ref()
            .map_or(String::new(), |h| format!(" ({h})"));
        format!("{place}{}{hint}", mistake.message)
    });
    (settings, told.collect())
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    let (settings, mistakes) = merge("", &[], &[]);
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(settings, {
        let mut defaults = Settings::defaults();
        defaults.origins.clone_from(&settings.origins);
        defaults
    });
    assert_eq!(settings.retry.budget, Duration::from_secs(900));
    assert_eq!(settings.retry.first_contact, Duration::from_secs(30));
    assert_eq!(settings.writes.settle, Duration::from_secs(60));
    assert!(settings.writes.mark);
    assert_eq!(settings.poll.requests_per_second, 10);
    assert_eq!(settings.logs.max_size, 64 << 20);
    assert_eq!(settings.limits.json_bytes, 8 << 20);
    assert_eq!(settings.limits.steps, 1_000);
    assert_eq!(settings.state.dir, None);
    assert_eq!(settings.listing().len(), SETTINGS.len());
    assert!(
        settings
            .listing()
            .iter()
            .all(|l| *l.origin == Origin::Default)
    );
    assert_eq!(settings.snapshot()["poll.min"], "2s");
}

#[test]
fn the_stronger_layer_wins_and_is_remembered() {
    let toml = "state.dir = 'runs'\n[poll]\nmin = '3s'\nmax = '40s'\nrequests_per_second = 1_0\n[writes]\nmark = false\n";
    let env = [
        ("RUNNER_POLL_MIN", "4s"),
        ("RUNNER_POLL_MAX", ""),
        ("RUNNER_OS", "Linux"),
    ];
    let (settings, mistakes) = merge(toml, &env, &["poll.min=5s", "http.ca_file = ca.pem"]);
    assert_eq!(mistakes, Vec::<String>::new());
    assert_eq!(settings.poll.min, Duration::from_secs(5));
    assert_eq!(settings.poll.max, Duration::from_secs(40));
    assert!(!settings.writes.mark);
    assert_eq!(
        settings.state.dir,
        Some("/project/runs".into()),
        "beside the file that says it"
    );
    assert_eq!(settings.http.ca_file, Some("ca.pem".into()));
    let origin = |name: &str| {
        let listing = settings.listing();
        let listed = listing.iter().find(|listed| listed.name == name).unwrap();
        format!("{} from {}", listed.text, listed.origin)
    };
    assert_eq!(origin("poll.min"), "5s from command line");
    assert_eq!(origin("poll.max"), "40s from `/project/runner.toml`");
    assert_eq!(
        origin("poll.requests_per_second"),
        "10 from `/project/runner.toml`"
    );
    let env = [("RUNNER_POLL_MIN", "4s")];
    let (settings, _) = merge("[poll]\nmin = '3s'\n", &env, &[]);
    assert_eq!(settings.poll.min, Duration::from_secs(4));
}

#[test]
fn every_setting_has_its_variable_and_its_flag() {
    for setting in &SETTINGS {
        let value = match (setting.default, setting.slot) {
            ("", Slot::Address(_)) => "https://x.example/y",
            ("", _) => "x",
            (default, _) => default,
        };
        let (_, mistakes) = merge(
            "",
            &[(&env_name(setting.name), value)],
            &[&format!("{}={value}", setting.name)],
        );
        assert_eq!(mistakes, Vec::<String>::new(), "{}", setting.name);
    }
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_place_and_hint() {
    let toml = [
        (
            "[pol]\nmin = '2s'\n",
            "1:2: there is no section `pol` (did you mean `poll`?)",
        ),
        (
            "[poll]\nmni = '2s'\n",
            "2:1: there is no setting `poll.mni` (did you mean `poll.min`?)",
        ),
        (
            "poll = 3\n",
            "1:1: `poll` is a section: write it as `[poll]`",
        ),
        (
            "[poll]\nmin = 2\n",
            "2:7: `poll.min`: a duration needs a unit: write `2s` for seconds or `2m` for minutes",
        ),
        (
            "[poll]\nmin = ['2s']\n",
            "2:7: `poll.min` cannot be of type array",
        ),
        (
            "[poll]\nmin = '0s'\n",
            "2:7: `poll.min`: at least 1s is needed",
        ),
        (
            "[poll]\nrequests_per_second = -1\n",
            "2:23: `poll.requests_per_second`: a number from 1 to 100 is needed",
        ),
        (
            "[writes]\nmark = 'yes'\n",
            "2:8: `writes.mark`: `true` or `false` is needed",
        ),
        (
            "[logs]\nmax_size = '10'\n",
            "2:12: `logs.max_size`: a size needs a unit: write `10B`, `10KiB` or `10MiB`",
        ),
        (
            "[logs]\nmax_size = '1B'\n",
            "2:12: `logs.max_size`: a size from 1KiB to 64GiB is needed",
        ),
        ("[state]\ndir = ''\n", "2:7: `state.dir`: the path is empty"),
    ];
    for (text, expected) in toml {
        let (settings, mistakes) = merge(text, &[], &[]);
        assert_eq!(mistakes, [expected], "{text}");
        assert_eq!(settings.poll, Settings::defaults().poll, "{text}");
    }
    let (_, mistakes) = merge("[poll\n", &[], &[]);
    assert!(mistakes.iter().all(|m| m.contains("this is no TOML")) && mistakes.len() == 1);
}

#[test]
fn wrong_variables_and_flags_are_told_by_their_names() {
    let env = [
        (
            "RUNNER_POLL_MNI",
            "2s",
            "there is no setting for the environment variable `RUNNER_POLL_MNI` (did you mean `RUNNER_POLL_MIN`?)",
        ),
        (
            "RUNNER_POLL_MIN",
            "2",
            "`poll.min` (environment variable `RUNNER_POLL_MIN`): a duration needs a unit: write `2s` for seconds or `2m` for minutes",
        ),
    ];
    for (name, value, expected) in env {
        assert_eq!(merge("", &[(name, value)], &[]).1, [expected]);
    }
    let sets = [
        (
            "poll.min",
            "`--set poll.min` has no value (write `--set section.key=value`)",
        ),
        (
            "pol.min=2s",
            "there is no setting `pol.min` (did you mean `poll.min`?)",
        ),
        (
            "colour=blue",
            "there is no setting `colour` (`docs/settings.md` lists all settings)",
        ),
        (
            "poll.min=1m",
            "`poll.min` (1m) is longer than `poll.max` (30s)",
        ),
    ];
    for (text, expected) in sets {
        assert_eq!(merge("", &[], &[text]).1, [expected]);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let env = [
        ("RUNNER_HTTP_X", "1"),
        ("RUNNER_TEMP", "/tmp"),
        ("RUNNER_LIMITSX", "1"),
    ];
    let (_, mistakes) = merge("a = 1\n[poll]\nmin = 1\nx = 2\n", &env, &["b"]);
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");
}

#[test]
fn the_state_folder_needs_no_home_when_it_is_given() {
    let folder = |pairs: &[(&str, &str)]| environment(pairs).state_folder().ok();
    assert_eq!(
        folder(&[("HOME", "/home/ann")]),
        Some("/home/ann/.local/state/runner".into())
    );
    let both = [("HOME", "/home/ann"), ("XDG_STATE_HOME", "/state")];
    assert_eq!(folder(&both), Some("/state/runner".into()));
    assert_eq!(folder(&[("HOME", "relative")]), None);
    assert_eq!(folder(&[("HOME", "")]), None);
    let none = environment(&[]).state_folder().unwrap_err();
    assert!(none.hint.unwrap().contains("--state-dir"));
    let given = Layers {
        state_dir: Some("/s".into()),
        ..Layers::default()
    };
    assert_eq!(Settings::resolve(&given).0.state.dir, Some("/s".into()));
}

#[test]
fn the_job_around_us_is_known_by_its_id() {
    let id = "6cf4569c-f76c-4dea-b293-3e4282ba1153";
    let url = |url: &str, name: &str, id: &str| {
        environment(&[("SEMAPHORE_ORGANIZATION_URL", url), (name, id)]).job_url()
    };
    assert_eq!(
        url("https://a.test/", "SEMAPHORE_JOB_ID", id),
        format!("https://a.test/jobs/{id}")
    );
    assert_eq!(
        url("https://a.test", "SEMAPHORE_WORKFLOW_ID", id),
        format!("https://a.test/workflows/{id}")
    );
    assert_eq!(url("https://a.test", "SEMAPHORE_JOB_ID", "../x"), "");
    assert_eq!(url("https://me:pw@a.test", "SEMAPHORE_JOB_ID", id), "");
    assert_eq!(url("", "SEMAPHORE_JOB_ID", id), "");
}

#[test]
fn words_of_the_environment() {
    assert!(environment(&[("CI", "true")]).in_ci());
    assert!(!environment(&[("CI", "false")]).in_ci());
    assert!(!environment(&[("CI", "")]).in_ci());
    assert!(environment(&[("NO_COLOR", "1")]).no_color());
    assert!(!environment(&[("NO_COLOR", "")]).no_color());
    let secret = environment(&[("SEMAPHORE_API_TOKEN", "t0ken-t0ken")]);
    assert!(!format!("{secret:?}{:?}", secret.api_token()).contains("t0ken"));
    assert_eq!(secret.get("SEMAPHORE_API_TOKEN"), Some("t0ken-t0ken"));
}

#[test]
fn an_address_that_is_a_secret_is_never_shown() {
    let key = "Zq3xW9PgkT7mR2vN";
    let url = format!("https://hc.example/{key}");
    let toml = format!("[heartbeat]\nurl = '{url}'\n");
    for (toml, env) in [(toml.as_str(), ""), ("", url.as_str())] {
        let (settings, mistakes) = merge(toml, &[("RUNNER_HEARTBEAT_URL", env)], &[]);
        assert_eq!(mistakes, Vec::<String>::new());
        assert!(settings.heartbeat.url.is_some());
        assert_eq!(settings.snapshot()["heartbeat.url"], "***");
    }
    let wrong = format!("[heartbeat]\nurl = 'ftp://hc.example/{key}'\n");
    let (settings, mistakes) = merge(&wrong, &[], &[]);
    assert_eq!(
        mistakes,
        [
            "`heartbeat.url` (`/project/runner.toml:2`): it is not https; write it like `https://example.com/path`"
        ],
        "without an excerpt, which would show it"
    );
    assert_eq!(settings.heartbeat.url, None);
}
