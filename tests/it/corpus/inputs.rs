//! Binding inputs: where values come from, and what is said when they do not fit.

use runner::diagnostic::Source;
use runner::plan::{
    BoundInputs, GivenInputs, bind_inputs, bind_with, parse_given, read_inputs_file,
};
use serde_json::json;

use super::*;

const PLAYBOOK: &str = r#"
playbook: 1
inputs:
  project: { type: string }
  count: { type: integer, default: 3, enum: [1, 2, 3] }
  ratio: { type: number, optional: true }
  dry: { type: boolean, default: false }
  patience: { type: duration, default: 1h30m }
  files: { type: list, items: duration, default: [30s, 2m] }
  labels: { type: object, optional: true }
  target: { type: string, pattern: "[A-Z][a-z]+", default: Production }
  token: { type: string, secret: true, env: RELEASE_TOKEN, optional: true }
steps:
  pause: { sleep: 1s }
"#;

/// Binds `-i` texts, a file and environment variables.
fn bind(texts: &[&str], file: &str, env: &[(&str, &str)]) -> (Option<BoundInputs>, String) {
    let (plan, diagnostics) = check("x.yml", PLAYBOOK.as_bytes().to_vec());
    assert!(!diagnostics.has_errors(), "{}", lines(&diagnostics));
    let plan = plan.expect("there is a plan when nothing is wrong");
    let texts: Vec<(String, String)> = texts
        .iter()
        .map(|t| parse_given(t).expect("it has a name and a value"))
        .collect();
    let (file, read) = read_inputs_file(&Source::new("inputs.yml", file), &Limits::default());
    assert!(read.is_empty(), "{}", lines(&read));
    let look = |name: &str| {
        env.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let given = GivenInputs {
        texts: &texts,
        file: file.as_ref(),
        env: &look,
    };
    let (bound, diagnostics) = bind_inputs(&plan.inputs, &given);
    (bound, lines(&diagnostics))
}

#[test]
fn the_command_line_comes_before_the_file_the_environment_and_the_defaults() {
    let (bound, said) = bind(
        &[
            "project=old",
            "project=web=1",
            "dry=true",
            "labels={\"a\": 1}",
        ],
        "project: api\ncount: 2\nratio: 0.5\ntoken: ~\n",
        &[
            ("RELEASE_TOKEN", "from-environment"),
            ("PROJECT", "never read"),
        ],
    );
    assert_eq!(said, "");
    let bound = bound.expect("everything fits");
    assert_eq!(
        serde_json::to_value(&bound.values).unwrap(),
        json!({
            "project": "web=1", "count": 2, "ratio": 0.5, "dry": true, "patience": 5400, "files": [30, 120],
            "labels": { "a": 1 }, "target": "Production", "token": "from-environment",
        })
    );
    assert_eq!(bound.secrets, ["token"]);
}

#[test]
fn optional_ones_that_are_missing_are_not_there() {
    let (bound, said) = bind(&["project=x"], "{}", &[("RELEASE_TOKEN", "")]);
    assert_eq!(said, "");
    let bound = bound.expect("everything fits");
    assert!(!bound.values.contains_key("token") && !bound.values.contains_key("ratio"));
    assert!(bound.secrets.is_empty());
}

#[test]
fn all_missing_and_wrong_ones_are_told_at_once() {
    let (bound, said) = bind(
        &[
            "projekt=x",
            "count=7",
            "ratio=many",
            "dry=yes",
            "zebra=1",
            "patience=30",
            "labels=[1]",
        ],
        "target: production\nfiles: [1h, soon]\ncuont: 1\n",
        &[("RELEASE_TOKEN", "abc")],
    );
    assert!(bound.is_none());
    let expected = [
        "P082 1:9 input `target` must match `[A-Z][a-z]+`, and this is `production` | the value is given in the file of inputs",
        "P082 2:8 input `files` item 2 must be a duration: `soon` is not a duration: write it like `30s`, `15m`, `1h30m` or `2d` | the value is given in the file of inputs",
        "P081 3:8 the playbook has no input `cuont` | did you mean `count`?",
        "P081 - the playbook has no input `projekt` | did you mean `project`?",
        "P081 - the playbook has no input `zebra` | its inputs are `project`, `count`, `ratio`, `dry`, `patience`, `files`, `labels`, `target`, `token`",
        "P080 - input `project` has no value | give it with `-i project=…`, or in a file with `--inputs FILE`",
        "P082 - input `count` must be `1` or `2` or `3`, and this is `7` | the value is given with `-i`",
        "P082 - input `ratio` must be a number, and this is `many` | the value is given with `-i`",
        "P082 - input `dry` must be `true` or `false`, and this is `yes` | the value is given with `-i`",
        "P082 - input `patience` must be a duration: a duration needs a unit: write `30s` for seconds or `30m` for minutes | the value is given with `-i`",
        "P082 - input `labels` must be a map in JSON, like `{\"a\": 1}`, and this is `[1]` | the value is given with `-i`",
        "P083 - input `token` is a secret and must have at least 6 characters | the value is given by the environment variable `RELEASE_TOKEN`; a shorter one would mask ordinary words",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_secret_is_neither_taken_from_the_command_line_nor_shown() {
    let (bound, said) = bind(&["project=x", "token=hunter2-hunter2"], "{}", &[]);
    assert!(bound.is_none());
    assert_eq!(
        said,
        "P085 - input `token` is a secret, and everybody on this machine can read the command line | give it in the environment variable `RELEASE_TOKEN`, or in a file with `--inputs FILE`\n"
    );
    let (_, said) = bind(&["project=x"], "token: [hunter2-hunter2]", &[]);
    assert_eq!(
        said,
        "P082 1:8 input `token` must be text | the value is given in the file of inputs\n"
    );
}

#[test]
fn a_text_without_a_name_is_refused_and_not_shown() {
    for text in ["hunter2-hunter2", "=hunter2-hunter2", ""] {
        let refused = parse_given(text).expect_err("it has no name");
        assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
}

#[test]
fn a_file_of_inputs_is_a_map() {
    for (text, expected) in [
        (
            "[1]",
            "P084 1:1 a file of inputs must be a map, and this is a list | write one `name: value` per line\n",
        ),
        (
            "",
            "P084 1:1 a file of inputs must be a map, and this is nothing | write one `name: value` per line\n",
        ),
        (
            "a: 1\na: 2\n",
            "P007 2:1 `a` stands twice in this map | keep one of them: the other would be silently lost\n",
        ),
        (
            "a: {{ x }}\n",
            "P009 1:4 a template must be quoted, for YAML reads `{` as the start of a map | write `a: \"{{ x }}\"`\n",
        ),
    ] {
        let (file, said) = read_inputs_file(&Source::new("inputs.yml", text), &Limits::default());
        assert!(file.is_none(), "{text}");
        assert_eq!(lines(&said), expected);
    }
    let json = "{\n\t\"project\": \"x\",\n\t\"files\": [\"1h\"]\n}\n";
    let (file, said) = read_inputs_file(&Source::new("inputs.json", json), &Limits::default());
    assert!(said.is_empty() && file.is_some(), "{}", lines(&said));
}

/// Binds what a step gives to the playbook that it uses.
fn bind_used(with: serde_json::Value, env: &[(&str, &str)]) -> Result<BoundInputs, String> {
    let (plan, diagnostics) = check("x.yml", PLAYBOOK.as_bytes().to_vec());
    assert!(!diagnostics.has_errors(), "{}", lines(&diagnostics));
    let plan = plan.expect("there is a plan when nothing is wrong");
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let with = with.as_object().expect("a map");
    bind_with(&plan.inputs, with, &env.collect()).map_err(|wrong| lines(&wrong))
}

#[test]
fn a_used_playbook_is_given_values_the_environment_of_the_run_and_defaults() {
    let with =
        json!({ "project": "web", "patience": 90, "files": [1, 2.5], "labels": null, "count": 2 });
    let env = [("RELEASE_TOKEN", "a-long-token"), ("OTHER", "x")];
    let bound = bind_used(with, &env).expect("it fits");
    assert_eq!(
        serde_json::to_value(&bound.values).expect("JSON"),
        json!({
            "project": "web", "count": 2, "dry": false, "patience": 90, "files": [1, 2.5],
            "target": "Production", "token": "a-long-token",
        })
    );
    assert_eq!(bound.secrets, ["token"]);
    assert_eq!(bound.env["OTHER"], "x");
}

#[test]
fn what_does_not_fit_a_used_playbook_is_told_at_once() {
    let with = json!({
        "projct": "web", "count": 4, "ratio": "0.5", "patience": -1, "files": ["x"], "target": "here",
    });
    let wrong = bind_used(with, &[("RELEASE_TOKEN", "short")]).expect_err("nothing fits");
    assert_eq!(
        wrong,
        "P081 - the playbook has no input `projct` | did you mean `project`?
P080 - input `project` has no value | give it with `with: { project: … }`
P082 - input `count` must be `1` or `2` or `3`, and this is `4` | the value is given by `with`
P082 - input `ratio` must be a number, and `0.5` is text | the value is given by `with`
P082 - input `patience` must be a duration like `15m`, and this is `-1` | the value is given by `with`
P082 - input `files` item 1 must be a duration: `x` is not a duration: write it like `30s`, `15m`, `1h30m` or `2d` | the value is given by `with`
P082 - input `target` must match `[A-Z][a-z]+`, and this is `here` | the value is given by `with`
P083 - input `token` is a secret and must have at least 6 characters | the value is given by the environment variable `RELEASE_TOKEN`; a shorter one would mask ordinary words
"
    );
}
