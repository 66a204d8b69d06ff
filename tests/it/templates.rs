//! The template layer at its boundary: source and scope in, value or located error out.

use std::time::{Duration, Instant};

use runner::diagnostic::Source;
use runner::template::{
    CODES, Data, Expression, JsonPath, Key, Node, Scope, Take, Template, TemplateError, Tree,
};
use serde_json::{Value, json};

/// What a source must come to.
enum Want {
    /// This JSON.
    Is(&'static str),
    /// The code, the bytes that are meant, and a part of the message or hint.
    Fails(&'static str, &'static str, &'static str),
}
use Want::{Fails, Is};

fn scope() -> Scope {
    let known = ["pipeline_id".to_owned(), "commit".to_owned()];
    let response = json!({"list": [{"n": 1}, {"n": 2}], "my-x": 1});
    let step = Data::record(
        vec![
            ("outcome".to_owned(), Data::new(&json!("skipped"))),
            ("response".to_owned(), Data::new(&response)),
        ],
        &known,
    );
    let inputs = json!({
        "n": 3, "s": "text", "nothing": null, "l": [1, "two", null], "u": u64::MAX, "f": 1.0,
        "t": "{{ inputs.s }}", "yes": true, "i": 1, "big": "x".repeat(500_000),
    });
    Scope::new()
        .with(
            "steps",
            Data::record(
                vec![("build".to_owned(), step.clone())],
                &["later".to_owned()],
            ),
        )
        .with("this", step)
        .with("inputs", Data::new(&inputs))
}

fn judge(source: &str, got: Result<Value, TemplateError>, want: &Want) -> Result<(), String> {
    let shown: String = source.chars().take(80).collect();
    match (got, want) {
        (Ok(value), Is(json)) if serde_json::from_str(json).ok() == Some(value.clone()) => Ok(()),
        (Err(error), Fails(code, meant, words)) => {
            let range = source.get(error.range.clone());
            let said = format!(
                "{} | {}",
                error.message,
                error.hint.clone().unwrap_or_default()
            );
            if error.code == *code && range == Some(*meant) && said.contains(words) {
                return Ok(());
            }
            Err(format!(
                "`{shown}` failed with {} at {range:?}: {said}",
                error.code
            ))
        }
        (got, _) => Err(format!("`{shown}` came to {got:.200?}")),
    }
}

fn judge_all(cases: &[(&str, Want)], run: impl Fn(&str) -> Result<Value, TemplateError>) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(source, want)| judge(source, run(source), want).err())
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn eval(source: &str) -> Result<Value, TemplateError> {
    Expression::parse(source)?.eval(&scope())
}

fn render(source: &str) -> Result<Value, TemplateError> {
    match Template::parse(source)? {
        Some(template) => template.render(&scope()),
        None => Ok(Value::from("(nothing to fill in)")),
    }
}

const VALUES: &[(&str, Want)] = &[
    ("inputs.n + 1", Is("4")),
    ("inputs.u", Is("18446744073709551615")),
    ("inputs.f", Is("1.0")),
    ("7 / 2", Is("3.5")),
    ("7 // 2", Is("3")),
    ("inputs.l", Is("[1, \"two\", null]")),
    (
        "{'a': inputs.n, 'b': [true]}",
        Is("{\"a\": 3, \"b\": [true]}"),
    ),
    ("inputs.t", Is("\"{{ inputs.s }}\"")),
    ("inputs.nothing is none", Is("true")),
    ("'a' if inputs.yes else nope", Is("\"a\"")),
    ("this.response.list[0].n", Is("1")),
    ("this.response.list[-1].n", Is("2")),
    ("this.response.list[1:2]", Is("[{\"n\": 2}]")),
    (
        "this.response.list | map(attribute='n') | list",
        Is("[1, 2]"),
    ),
    ("steps.build.response['my-x']", Is("1")),
    ("inputs.s.upper()", Is("\"TEXT\"")),
    (
        "inputs.n is divisibleby 3 and inputs.s not in ['a']",
        Is("true"),
    ),
    ("range(3)", Is("[0, 1, 2]")),
    ("this.keys() | list", Is("[\"outcome\", \"response\"]")),
    // What could be there but is not, at any depth.
    ("this.commit | default('x')", Is("\"x\"")),
    ("this.commit.a.b | default('x')", Is("\"x\"")),
    ("this['commit']['a'] | d('x')", Is("\"x\"")),
    ("this.commit[inputs.n].b | default('x')", Is("\"x\"")),
    ("this.commit[1:2] | default('x')", Is("\"x\"")),
    ("this.commit.a.b is defined", Is("false")),
    ("this.commit.a is undefined", Is("true")),
    (
        "this.commit.a is not defined and this.outcome == 'skipped'",
        Is("true"),
    ),
    ("steps.later.response.x | default(none)", Is("null")),
    ("inputs.other | default('')", Is("\"\"")),
    ("(this.commit) | default('x')", Is("\"x\"")),
    ("this.commit is defined and this.commit == 'x'", Is("false")),
    ("[1, 'a', true] | join('-')", Is("\"1-a-true\"")),
    (
        "inputs.yes | string ~ inputs.nothing | string",
        Is("\"truenull\""),
    ),
    (
        "[{'n': 1}, {'n': 2}] | join(', ', attribute='n')",
        Is("\"1, 2\""),
    ),
    ("'abc' | join('-')", Is("\"a-b-c\"")),
    ("[this.commit | default(1)] | join", Is("\"1\"")),
    // Filters of our own.
    ("5400 | duration", Is("\"1h30m\"")),
    (
        "'2019-10-14 18:31:20.232006Z' | time",
        Is("1571077880.232006"),
    ),
    (
        "'2026-11-24T01:00:00+01:00' | time == '2026-11-24T00:00:00Z' | time",
        Is("true"),
    ),
    ("'1571077880' | time < 1571077880.5 | time", Is("true")),
    ("inputs.l | tojson", Is("\"[1,\\\"two\\\",null]\"")),
    ("'{\"a\": [1]}' | fromjson", Is("{\"a\": [1]}")),
    ("'a b' | b64encode", Is("\"YSBi\"")),
    ("'YSBi' | b64decode", Is("\"a b\"")),
    ("'a b/ü' | urlencode", Is("\"a%20b%2F%C3%BC\"")),
    ("{'a': 'b c', 'd': 1} | urlencode", Is("\"a=b%20c&d=1\"")),
    (
        "'a' | sha256",
        Is("\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\""),
    ),
];

const FAULTS: &[(&str, Want)] = &[
    (
        "nope",
        Fails("T003", "nope", "there are `inputs`, `steps`, `this`"),
    ),
    ("input.n", Fails("T003", "input", "did you mean `inputs`")),
    (
        "1 + this.resposne",
        Fails("T003", "this.resposne", "did you mean `response`?"),
    ),
    (
        "this.commit",
        Fails("T003", "this.commit", "`this` did not give `commit`"),
    ),
    (
        "this.commit.a == 'x'",
        Fails("T003", "this.commit.a", "is defined"),
    ),
    (
        "this.commit == 'x'",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "not this.commit",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit ~ 'x'",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit in ['x']",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | upper",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | sha256",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.response.list | map(attribute='q') | join",
        Fails("T003", "join", "undefined"),
    ),
    (
        "this.commit + 1",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "inputs.n < this.commit",
        Fails("T003", "this.commit", "did not give"),
    ),
    ("-this.commit", Fails("T003", "this.commit", "did not give")),
    (
        "this.commit | int",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | length",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | list",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | tojson",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | duration",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | string",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit | bool",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit is none",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit is string",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit and true",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "['a', this.commit] | join('-')",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "inputs.s | replace('a', this.commit)",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "[this.commit, 1] | sort",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit or 1",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "1 in [this.commit]",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "[this.commit] == [1]",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit.upper()",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "this.commit.a.upper()",
        Fails("T003", "this.commit.a", "did not give"),
    ),
    (
        "[this.commit | default(1), [this.pipeline_id]]",
        Fails("T003", "this.pipeline_id", "did not give"),
    ),
    (
        "{'x': {'y': this.commit}}",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "[this.commit] | tojson",
        Fails("T003", "this.commit", "did not give"),
    ),
    (
        "inputs.other.x | default('')",
        Fails("T003", "inputs.other", "`inputs` has no `other`"),
    ),
    (
        "inputs.nothing.x",
        Fails("T003", "inputs.nothing.x", "`inputs.nothing` is a none"),
    ),
    (
        "this.response.list[7].n",
        Fails("T003", "this.response.list[7]", "has no `7`"),
    ),
    (
        "this.response.list[inputs.n].n",
        Fails("T003", "this.response.list[inputs.n].n", "undefined"),
    ),
    ("[] | first", Fails("T003", "[] | first", "default")),
    (
        "this.response.list | map(attribute='q') | list",
        Fails("T003", "this.response.list | map(attribute='q') | list", ""),
    ),
    (
        "2 ** 70",
        Fails("T012", "2 ** 70", "1180591620717411303424"),
    ),
    ("1e308 * 10", Fails("T012", "1e308 * 10", "inf")),
    (
        "(1e308 * 10) - (1e308 * 10)",
        Fails("T012", "(1e308 * 10) - (1e308 * 10)", ""),
    ),
    ("range", Fails("T003", "range", "undefined")),
    ("1 / 0", Fails("T010", "1 / 0", "")),
    ("'x' | time", Fails("T010", "time", "2026-11-24T18:31:20Z")),
    ("'x' | fromjson", Fails("T010", "fromjson", "not JSON")),
    (
        "inputs.s.nope()",
        Fails("T010", ".nope()", "no method named nope"),
    ),
    (
        "inputs.l | select('nope') | list",
        Fails("T004", "select('nope')", "does not exist"),
    ),
    (
        "inputs.s | uper",
        Fails("T004", "uper", "did you mean `upper`?"),
    ),
    (
        "inputs.s is defind",
        Fails("T004", "defind", "did you mean `defined`?"),
    ),
    ("rang(3)", Fails("T004", "rang", "did you mean `range`?")),
    ("debug()", Fails("T004", "debug", "there is no function")),
    ("super()", Fails("T004", "super", "there is no function")),
    (
        "inputs.s | safe",
        Fails("T004", "safe", "there is no filter"),
    ),
    ("inputs.n && 1", Fails("T001", "&&", "write `and`")),
    ("inputs.n || 1", Fails("T001", "||", "write `or`")),
    ("!inputs.n", Fails("T001", "!", "write `not `")),
    (
        "inputs.name == 'x' && inputs.n",
        Fails("T001", "&&", "write `and`"),
    ),
    ("'x' 0xzz", Fails("T001", "'x' 0xzz", "read to its end")),
    ("inputs.n = 3", Fails("T001", "=", "write `==`")),
    (
        "inputs.n ? 1 : 2",
        Fails("T001", "?", "a if condition else b"),
    ),
    ("inputs.s == 'x", Fails("T001", "'x", "no closing quote")),
    ("1 +", Fails("T001", "+", "unexpected end")),
    ("é", Fails("T001", "é", "the character U+00E9")),
    ("  ", Fails("T001", "  ", "empty")),
    ("'a' if inputs.yes", Fails("T013", "if", "else none")),
    ("steps", Fails("T009", "steps", "`steps.build`")),
    (
        "steps['build'].outcome == 'passed'",
        Fails("T009", "steps['build']", "write `steps.build.outcome`"),
    ),
    (
        "steps[inputs.s].x",
        Fails("T009", "steps[inputs.s]", "after a dot"),
    ),
    ("steps | length", Fails("T009", "steps", "after a dot")),
    ("steps.items()", Fails("T009", "steps", "after a dot")),
    (
        "{{ inputs.n }} == 3",
        Fails("T005", "{{", "without braces: `inputs.n == 3`"),
    ),
    (
        "${{ inputs.n }}",
        Fails("T005", "{{", "without braces: `inputs.n`"),
    ),
];

const TEXTS: &[(&str, Want)] = &[
    ("plain { text }", Is("\"(nothing to fill in)\"")),
    (
        "a {{ inputs.n }} {{ inputs.l }} {{ inputs.nothing }} {{ true }}",
        Is("\"a 3 [1,\\\"two\\\",null] null true\""),
    ),
    (" {{ inputs.l }}\n", Is("[1, \"two\", null]")),
    ("${{ inputs.n }}", Is("3")),
    ("{{ inputs.nothing }}", Is("null")),
    ("{{ 'a' }}{{ 'b' }}", Is("\"ab\"")),
    ("{{ {'a': {'b': '}}'}} }}", Is("{\"a\": {\"b\": \"}}\"}}")),
    ("a {{- 1 -}} b", Is("\"a1b\"")),
    ("two\n{{ inputs.s }}\n", Is("\"two\\ntext\\n\"")),
    ("{{ inputs.t }}!", Is("\"{{ inputs.s }}!\"")),
    (
        "{% raw %}${{parameters.X}}{% endraw %}",
        Is("\"${{parameters.X}}\""),
    ),
    (
        "{% raw %}{% if %}{{{% endraw %}{{ 1 }}",
        Is("\"{% if %}{{1\""),
    ),
    ("é {{ nope }}", Fails("T003", "nope", "undefined")),
    (
        "a {{ 1 }} b {{ this.resposne }}",
        Fails("T003", "this.resposne", "did you mean `response`?"),
    ),
    ("{{ inputs.s | uper }}", Fails("T004", "uper", "upper")),
    ("{{ inputs.n", Fails("T008", "{{", "close it")),
    ("{{ 'a }}", Fails("T008", "{{", "close it")),
    ("{% raw %} x", Fails("T008", "{% raw %}", "endraw")),
    ("{{ }}", Fails("T001", " ", "empty")),
    (
        "a {% if x %}b{% endif %}",
        Fails("T006", "{% if x %}", "{% raw %}{%{% endraw %}"),
    ),
    (
        "a {# b #} c",
        Fails("T006", "{# b #}", "{% raw %}{# b #}{% endraw %}"),
    ),
    (
        "${{parameters.X}}",
        Fails(
            "T007",
            "${{parameters.X}}",
            "write `{% raw %}${{parameters.X}}{% endraw %}`",
        ),
    ),
    (
        "a-${{ parameters.X }}",
        Fails(
            "T007",
            "${{ parameters.X }}",
            "{% raw %}${{ parameters.X }}{% endraw %}",
        ),
    ),
    (
        "a-${{ inputs.s }}",
        Fails("T007", "${{ inputs.s }}", "write `{{ inputs.s }}`"),
    ),
    (
        "{{ inputs.big }}{{ inputs.big }}{{ inputs.big }}",
        Fails(
            "T011",
            "{{ inputs.big }}{{ inputs.big }}{{ inputs.big }}",
            "1 MiB",
        ),
    ),
];

#[test]
fn expressions_come_to_their_values() {
    judge_all(VALUES, eval);
}

#[test]
fn faults_are_located_and_say_what_to_do() {
    judge_all(FAULTS, eval);
}

#[test]
fn texts_are_filled_in() {
    judge_all(TEXTS, render);
}

#[test]
fn every_code_that_is_given_has_a_title() {
    let all = FAULTS.iter().chain(TEXTS);
    for (source, want) in all {
        if let Fails(code, ..) = want {
            assert!(
                CODES.iter().any(|(known, _)| known == code),
                "{source}: {code}"
            );
        }
    }
    assert!(
        CODES.windows(2).all(|w| w[0].0 < w[1].0),
        "the codes are in order, each once"
    );
}

#[test]
fn mentions_are_found_in_every_branch() {
    let cases: &[(&str, &[&str])] = &[
        (
            "steps.a.x if steps.b.y else steps.c.z",
            &["steps.a.x", "steps.b.y", "steps.c.z"],
        ),
        ("steps.a.list[1:steps.b.n]", &["steps.a.list", "steps.b.n"]),
        ("steps.a.list[steps.b.n].x", &["steps.a.list", "steps.b.n"]),
        ("steps.a.each[0]['k'].x", &["steps.a.each.0.k.x"]),
        ("'steps.a.x' ~ \"steps.b\" ~ inputs.s", &["inputs.s"]),
        (
            "steps.a.x | default(steps.b.y) | upper",
            &["steps.a.x", "steps.b.y"],
        ),
        (
            "{'k': [inputs.a], inputs.b: (not vars.c)}",
            &["inputs.a", "inputs.b", "vars.c"],
        ),
        ("dict(inputs=steps.a.x)", &["steps.a.x"]),
        (
            "steps.a.name.upper() == this . x",
            &["steps.a.name", "this.x"],
        ),
        (
            "item is defined and key is not none and index in [1]",
            &["item", "key", "index"],
        ),
        (
            "inputs.a is divisibleby inputs.b",
            &["inputs.a", "inputs.b"],
        ),
        ("inputs.a.if.is.in", &["inputs.a.if.is.in"]),
        ("1if inputs.a else 2", &["inputs.a"]),
    ];
    for (source, want) in cases {
        let parsed = Expression::parse(source).unwrap();
        let got: Vec<_> = parsed.mentions().iter().map(|m| m.path.join(".")).collect();
        assert_eq!(got, *want, "{source}");
        for mention in parsed.mentions() {
            let text = &source[mention.range.clone()];
            assert!(text.starts_with(&mention.path[0]), "{source}: {text}");
        }
    }
    let text = "é {{ 'x' }} {{ steps.a.x }}";
    let template = Template::parse(text).unwrap().unwrap();
    let ranges: Vec<_> = template
        .mentions()
        .iter()
        .map(|m| &text[m.range.clone()])
        .collect();
    assert_eq!(ranges, ["steps.a.x"]);
}

#[test]
fn an_expression_explains_itself() {
    let source =
        "inputs.n > 2 and this.response.list[inputs.i].n == 2 and this.commit.a is defined";
    let parsed = Expression::parse(source).unwrap();
    assert_eq!(parsed.holds(&scope()), Ok(false));
    let want = json!({
        "inputs.n": 3, "this.response.list[inputs.i].n": 2, "inputs.i": 1, "this.commit.a": null,
    });
    let got: serde_json::Map<_, _> = parsed.explain(&scope()).into_iter().collect();
    assert_eq!(Value::Object(got), want);
}

#[test]
fn hostile_texts_fail_soon_and_never_abort() {
    let n = |text: &str, times: usize| text.repeat(times);
    let expressions = [
        format!("{}1{}", n("(", 5_000), n(")", 5_000)),
        format!("{}1{}", n("(", 999), n(")", 999)),
        format!("{}1{}", n("[", 999), n("]", 999)),
        format!("{}1", n("-", 5_000)),
        format!("inputs{}", n("()", 990)),
        format!("inputs{}", n("[0]", 660)),
        format!("inputs{}", n(".a", 990)),
        format!("'a'{}", n("|f", 990)),
        format!("2{}", n("**2", 660)),
        "{".repeat(1_999),
        "'".repeat(1_999),
        "'x' * 1000000000".to_owned(),
        "range(100000000)".to_owned(),
        "range(100000) | list | length".to_owned(),
        "range(9999) | map('string') | join(range(9999) | join)".to_owned(),
        "('a' * 50000).replace('a', 'b' * 50000)".to_owned(),
        "('a' * 50000).join(('a' * 5000) | list)".to_owned(),
        "('a' * 500000) | replace('a', 'b' * 500)".to_owned(),
        n("{{ 1 }} ", 1_000),
        format!("'{}'", n("a", 60_000)),
        "'%9999999d' | format(1)".to_owned(),
        "inputs.big * 20".to_owned(),
    ];
    for source in &expressions {
        let started = Instant::now();
        assert!(eval(source).is_err(), "{source:.60}");
        assert!(
            render(&format!("x {{{{ {source} }}}}")).is_err(),
            "{source:.60}"
        );
        assert!(started.elapsed() < Duration::from_secs(1), "{source:.60}");
    }
    // Long but lawful: these must not end the process while they are compiled.
    for source in [
        format!("{}1", n("-", 1_999)),
        format!("1{}", n("+1", 990)),
        format!("{}1", n("not ", 499)),
    ] {
        assert!(eval(&source).is_ok(), "{source:.60}");
    }
    let texts = [
        n("{{", 40_000),
        n("{{ 1 }}", 20_000),
        n("{%", 30_000),
        n("{% raw %}", 7_000),
        n("{{ '", 9_000),
    ];
    for source in &texts {
        let started = Instant::now();
        assert!(render(source).is_err(), "{source:.60}");
        assert!(started.elapsed() < Duration::from_secs(1), "{source:.60}");
    }
}

#[test]
fn trees_leave_out_what_comes_to_none() {
    let source = Source::new("a.yml", "keep: '{{ 1 }}'\ngone: '{{ none }}'\n");
    let place = |from: usize, to: usize| source.place(from..to);
    let template = |text: &str| Node::Template(Template::parse(text).unwrap().unwrap());
    let entry = |name: &str, node: Node| {
        let place = place(0, 1);
        (
            Key {
                name: name.to_owned(),
                place: place.clone(),
            },
            Tree { place, node },
        )
    };
    let check = Expression::parse("inputs.n == 3").unwrap();
    let tree = |last: &str| Tree {
        place: place(0, 5),
        node: Node::Map(vec![
            entry("keep", template("{{ 1 }}")),
            entry("gone", template("{{ inputs.nothing }}")),
            entry("null", Node::Literal(Value::Null)),
            entry("text", template("{{ none }}!")),
            entry(
                "that",
                Node::Expressions(vec![(check.clone(), place(0, 1))]),
            ),
            entry(
                "list",
                Node::List(vec![
                    Tree {
                        place: place(0, 1),
                        node: template("{{ none }}"),
                    },
                    Tree {
                        place: place(26, 36),
                        node: template(last),
                    },
                ]),
            ),
        ]),
    };
    let want = json!({
        "keep": 1, "null": null, "text": "null!",
        "that": [{"expression": "inputs.n == 3", "holds": true, "values": {"inputs.n": 3}}],
        "list": [2],
    });
    assert_eq!(tree("{{ 2 }}").render(&scope()), Ok(Some(want)));
    assert_eq!(tree("{{ 2 }}").mentions().len(), 2);
    assert_eq!(tree("{{ 2 }}").constant(), None);
    let raw = Tree {
        place: place(0, 1),
        node: template("{% raw %}{{{% endraw %}"),
    };
    assert_eq!(raw.constant(), Some(json!("{{")));
    let error = tree("{{ nope }}").render(&scope()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.yml:2:14: `nope` is undefined: there is no such name here"
    );
}

#[test]
fn paths_find_what_the_rfc_says_or_are_refused() {
    let file = include_str!("../fixtures/jsonpath/cases.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let path = case["path"].as_str().unwrap();
        let named = case["document"]
            .as_str()
            .and_then(|name| file["documents"].get(name));
        let document = named.unwrap_or(&case["document"]);
        let (key, got) = match JsonPath::parse(path) {
            Ok(parsed) => ("found", json!(parsed.find(document))),
            Err(error) => {
                assert!(path.get(error.range.clone()).is_some(), "{path}: {error:?}");
                ("refused", json!(error.code))
            }
        };
        if case.get(key) != Some(&got) {
            wrong.push(format!("{}: `{path}` came to {key} {got}", case["name"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_that_are_habits_get_the_right_form() {
    for (path, hint) in [
        ("pipeline.id", "write `$.pipeline.id`"),
        ("['a']", "write `$['a']`"),
        ("$.a.my-step.x", "write `$.a['my-step'].x`"),
        ("$..my-step", "write `$..['my-step']`"),
        ("$.a.length()", "| length"),
        ("$[?@.a =~ /x/]", "match("),
        ("$.a[(@.length-1)]", "[-1]"),
        ("$[?@.a and @.b]", "&&"),
        ("$.a[b]", "['b']"),
        ("$[?@.a = 1]", "write `==`"),
        ("$.a ", "write `$.a`"),
    ] {
        let error = JsonPath::parse(path).unwrap_err();
        let said = error.hint.clone().unwrap_or_default();
        assert!(said.contains(hint), "{path}: {error:?}");
    }
}

#[test]
fn as_many_matches_are_taken_as_are_wanted() {
    let value = json!({"a": [1, 2, 3, 4], "b": {"c": null}});
    let take = |path: &str, take: Take| JsonPath::parse(path).unwrap().take(&value, take);
    assert_eq!(take("$.b.c", Take::One), Ok(Some(Value::Null)));
    assert_eq!(take("$.a[*]", Take::First), Ok(Some(json!(1))));
    assert_eq!(take("$.a[*]", Take::All), Ok(Some(json!([1, 2, 3, 4]))));
    assert_eq!(take("$.x", Take::All), Ok(Some(json!([]))));
    assert_eq!(take("$.x", Take::Optional), Ok(None));
    let said = |path: &str, wanted: Take| take(path, wanted).unwrap_err();
    assert_eq!(
        said("$.a[*]", Take::One),
        "`$.a[*]`: wanted exactly one match, found 4 matches: $['a'][0], $['a'][1], $['a'][2], ..."
    );
    assert_eq!(
        said("$.x", Take::One),
        "`$.x`: wanted exactly one match, found none in an object with `a`, `b`"
    );
    assert!(said("$.x", Take::First).contains("at least one match"));
    assert!(said("$.a[*]", Take::Optional).contains("at most one match"));
}

#[test]
fn hostile_paths_fail_soon() {
    let n = |text: &str, times: usize| text.repeat(times);
    for path in [
        format!("$[?{}1==1{}]", n("(", 5_000), n(")", 5_000)),
        format!("$[?{}1==1{}]", n("(", 400), n(")", 400)),
        format!("$[?{}", n("!(", 480)),
        format!("$[?{}", n("length(", 120)),
        format!("$[?{}", n("count(@[?", 100)),
        format!("$[?{}", n("length((", 100)),
        format!("$[?{}@.a{}>1]", n("length(", 100), n(")", 100)),
        format!("$[?{}", n("@.a[?", 190)),
        format!("$[?{}@.a{}", n("@.a[?", 120), n("]", 60)),
        n("[", 900),
        format!("${}", n("[", 900)),
        format!("$[?@.a{}", n("||@.a", 190)),
        "'".repeat(900),
    ] {
        let started = Instant::now();
        assert!(JsonPath::parse(&path).is_err(), "{path:.60}");
        assert!(started.elapsed() < Duration::from_secs(1), "{path:.60}");
    }
}

const WORDS: &[&str] = &[
    "inputs",
    "steps.build",
    "this",
    ".commit",
    ".x",
    "[0]",
    "['a']",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "{{",
    "}}",
    "{%",
    " raw %}",
    "{% endraw %}",
    "{#",
    "$",
    "${{",
    "|",
    "default",
    "('')",
    "upper",
    "join",
    "is",
    "not",
    "defined",
    "in",
    "if",
    "else",
    "and",
    "or",
    "==",
    "<",
    "+",
    "-",
    "*",
    "**",
    "~",
    "'",
    "\"",
    "'a'",
    "1",
    "1.5",
    "2e3",
    "é",
    " ",
    "\n",
    "\\",
    "@",
    "?",
    "..",
    "*",
    "&&",
    "||",
    "!",
    "count(",
    "length(",
    "match(",
    ",",
    ":",
    "range(9)",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Whatever is written, there is a value or an error whose bytes lie in the text.
    #[test]
    fn any_text_comes_to_a_value_or_a_located_error(
        words in proptest::collection::vec(proptest::sample::select(WORDS), 0..12),
    ) {
        let source = words.concat();
        let text = format!("é {{{{ {source} }}}}");
        let path = format!("$[?{source}]");
        let faults = [
            (&source, eval(&source).err()),
            (&source, render(&source).err()),
            (&text, render(&text).err()),
            (&source, JsonPath::parse(&source).err()),
            (&path, JsonPath::parse(&path).err()),
        ];
        for (text, fault) in faults {
            let Some(fault) = fault else { continue };
            proptest::prop_assert!(text.get(fault.range.clone()).is_some(), "{text}: {fault:?}");
        }
    }
}
