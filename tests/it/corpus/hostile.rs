//! Texts that were made to hurt: large, deep, wide, or changed at random. None panics, all are quick.

use super::*;

/// A playbook of `count` steps in a chain, each with three mentions.
fn chain(count: usize) -> String {
    let mut text = String::from(
        "playbook: 1\ninputs:\n  project: { type: string, default: demo }\nsteps:\n  s0:\n    run_workflow: { project: demo, reference: main }\n",
    );
    for n in 1..count {
        let before = n - 1;
        let _ = write!(
            text,
            "  s{n}:\n    description: Step number {n}.\n    run_workflow:\n      project: \"{{{{ inputs.project }}}}\"\n      reference: refs/heads/main\n      commit_sha: \"{{{{ steps.s{before}.pipeline_id }}}}\"\n    timeout: 45m\n    assert: [\"this.result == 'passed'\"]\n"
        );
    }
    text
}

#[test]
fn a_thousand_steps_are_planned_and_one_more_is_refused() {
    let started = Instant::now();
    let (plan, diagnostics) = check("chain.yml", chain(1_000).into_bytes());
    println!("1,000 steps in {:?}", started.elapsed());
    assert!(diagnostics.is_empty(), "{}", lines(&diagnostics));
    let plan = plan.unwrap();
    assert_eq!(plan.steps.len(), 1_000);
    assert!(plan.steps.iter().skip(1).all(|step| step.needs.len() == 1));
    let (plan, diagnostics) = check("chain.yml", chain(1_001).into_bytes());
    assert!(plan.is_none());
    assert_eq!(
        lines(&diagnostics),
        "P072 1:1 the playbook has 1001 steps, and at most 1000 are allowed | split the playbook, or raise the limits\n"
    );
}

#[test]
fn a_graph_with_too_many_edges_is_refused() {
    let mut text = String::from("playbook: 1\nsteps:\n");
    for n in 0..160 {
        let needs: Vec<String> = (0..n).map(|i| format!("s{i}")).collect();
        let _ = writeln!(
            text,
            "  s{n}: {{ sleep: 1s, needs: [{}] }}",
            needs.join(", ")
        );
    }
    let (plan, diagnostics) = check("dense.yml", text.into_bytes());
    assert!(plan.is_none());
    assert!(lines(&diagnostics).starts_with("P072 1:1 the steps have 12720 edges"));
}

#[test]
fn thousands_of_mistakes_are_cut() {
    let mut text = String::from("playbook: 1\nsteps:\n");
    for n in 0..900 {
        let _ = writeln!(text, "  s{n}: {{ sleep: 5, needs: [x{n}], oops: 1 }}");
    }
    let (plan, diagnostics) = check("mistakes.yml", text.into_bytes());
    assert!(plan.is_none());
    let said = lines(&diagnostics);
    assert!(said.lines().count() < 500, "{}", said.lines().count());
    assert!(
        said.contains("P025 - 1600 more mistakes are not shown"),
        "{said}"
    );
}

#[test]
fn hundreds_of_warnings_are_cut_and_refuse_nothing() {
    let mut text = String::from("playbook: 1\nvars:\n");
    for n in 0..300 {
        let _ = writeln!(text, "  v{n}: x");
    }
    text.push_str("steps:\n  a: { sleep: 1s }\n");
    let (plan, diagnostics) = check("warnings.yml", text.into_bytes());
    assert!(plan.is_some() && !diagnostics.has_errors());
    let said = lines(&diagnostics);
    assert_eq!(said.lines().count(), 201);
    assert!(
        said.contains("P025 - 100 more mistakes are not shown"),
        "{said}"
    );
}

fn merge_bomb(head: &str) -> Vec<u8> {
    let mut text = format!("{head}  m0: &m0 {{ a: 1 }}\n");
    for n in 1..60 {
        let _ = writeln!(
            text,
            "  m{n}: &m{n} {{ <<: [*m{}, *m{}], k{n}: 1 }}",
            n - 1,
            n - 1
        );
    }
    text.into_bytes()
}

/// Texts that were made to hurt: name, and bytes.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let head = "playbook: 1\nsteps:\n  a: { sleep: 1s }\nvars:\n";
    let laughs = |levels: usize| {
        let mut text = format!("{head}  v0: &v0 [{}]\n", ["x"; 10].join(", "));
        for n in 1..levels {
            let uses = vec![format!("*v{}", n - 1); 10].join(", ");
            let _ = writeln!(text, "  v{n}: &v{n} [{uses}]");
        }
        text.into_bytes()
    };
    let wide: Vec<String> = (0..60_000).map(|n| n.to_string()).collect();
    let mut garbage: Vec<u8> = Vec::with_capacity(1 << 20);
    let mut state: u32 = 7;
    while garbage.len() < 1 << 20 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        garbage.push(b" :-[]{}#&*!|>'\"%@`\n\tabc01,?"[(state >> 24) as usize % 27]);
    }
    vec![
        ("alias bomb of 5 levels", laughs(5)),
        ("alias bomb of 9 levels", laughs(9)),
        ("merge bomb", merge_bomb(head)),
        ("100,000 brackets", format!("{head}  v: {}", "[".repeat(100_000)).into_bytes()),
        ("100,000 braces", format!("{head}  v: {}", "{".repeat(100_000)).into_bytes()),
        ("100,000 dashes", format!("{head}  v:\n    {}", "- ".repeat(100_000)).into_bytes()),
        ("100,000 keys in one line", "a: ".repeat(100_000).into_bytes()),
        ("deep question marks", format!("{head}  v: {}", "? ".repeat(50_000)).into_bytes()),
        ("10^400", format!("{head}  v: 1{}", "0".repeat(400)).into_bytes()),
        ("a million digits", format!("{head}  v: {}", "9".repeat(1_000_000)).into_bytes()),
        ("60,000 values", format!("{head}  v: [{}]", wide.join(",")).into_bytes()),
        ("a megabyte of garbage", garbage),
        ("a megabyte of spaces", vec![b' '; 1 << 20]),
        ("a megabyte of tabs", vec![b'\t'; 1 << 20]),
        ("a megabyte of quotes", vec![b'"'; 1 << 20]),
        ("a megabyte of bangs", vec![b'!'; 1 << 20]),
        ("a megabyte of newlines", vec![b'\n'; 1 << 20]),
        ("a megabyte in one name", format!("playbook: 1\nsteps:\n  {}: {{ sleep: 1s }}", "a".repeat(1_000_000)).into_bytes()),
        ("a megabyte in one template", format!("{head}  v: \"{{{{ {} }}}}\"", "1+".repeat(500_000)).into_bytes()),
        ("many templates in one text", format!("{head}  v: \"{}\"", "{{ x }}".repeat(9_000)).into_bytes()),
        ("a long expression", format!("playbook: 1\nsteps:\n  a: {{ sleep: 1s, when: \"{}\" }}", "not ".repeat(100_000)).into_bytes()),
        ("a regular expression bomb", b"playbook: 1\ninputs:\n  a: { type: string, pattern: \"((a{1,1000}){1,1000}){1,1000}\" }\nsteps:\n  a: { sleep: 1s }\n".to_vec()),
        ("one byte over a megabyte", vec![b'#'; (1 << 20) + 1]),
        ("zero bytes", vec![0; 1000]),
        ("no UTF-8", vec![0xff; 1000]),
        ("20,000 keys that stand twice", {
            let mut text = String::from("playbook: 1\nsteps:\n");
            for n in 0..10_000 {
                let _ = writeln!(text, "  s{}: {{ sleep: 1s }}", n / 2);
            }
            text.into_bytes()
        }),
        ("a megabyte of templates without quotes", format!("{head}{}", "  v: {{ x }}-y\n".repeat(70_000)).into_bytes()),
        ("a megabyte of templates without quotes in one line", format!("{head}  v: {{ {} }}", "a: {{ x }}-y, ".repeat(70_000)).into_bytes()),
        ("a megabyte of brackets in expressions", format!("{head}  v: {{ {} }}", "a: x in [y], ".repeat(80_000)).into_bytes()),
        ("hundreds of templates without quotes", format!("{head}{}", (0..900).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "  v{n}: {{{{ x }}}}-y");
            text
        })).into_bytes()),
        ("names as long as the file", format!("playbook: 1\nsteps:\n  a: {{ {}: 1 }}\n  b: {{ set: {{ x: \"{{{{ steps.{} }}}}\" }} }}", "k".repeat(400_000), "s".repeat(1_900)).into_bytes()),
        ("keys that cannot be seen", format!("playbook: 1\nsteps:\n  a: {{ sleep: 1s, {}: 1 }}", "\u{200b}\u{202e}".repeat(50_000)).into_bytes()),
        ("50,000 steps", {
            let mut text = String::from("playbook: 1\nsteps:\n");
            for n in 0..16_000 {
                let _ = writeln!(text, "  s{n}: {{ sleep: 1s }}");
            }
            text.into_bytes()
        }),
    ]
}

#[test]
fn hostile_texts_are_refused_quickly() {
    for (name, bytes) in hostile() {
        let started = Instant::now();
        let (plan, diagnostics) = check(name, bytes);
        let took = started.elapsed();
        println!(
            "{took:>12?} {name}: {}",
            lines(&diagnostics)
                .lines()
                .next()
                .unwrap_or_default()
                .chars()
                .take(150)
                .collect::<String>()
        );
        assert!(plan.is_none(), "{name}");
        assert!(diagnostics.has_errors(), "{name}");
        assert!(lines(&diagnostics).len() < 100_000, "{name}");
    }
}

/// Every step names the pipeline of one, after hundreds that may have replaced it: what is looked at grows
/// with the edges, and never with their square.
#[test]
fn a_wide_and_dense_graph_is_checked_whole() {
    let mut text = String::from(
        "playbook: 1\nsteps:\n  build: { run_workflow: { project: web, reference: main, wait: false } }\n",
    );
    let pipeline = "pipeline: \"{{ steps.build.pipeline_id }}\"";
    for n in 0..400 {
        let _ = writeln!(
            text,
            "  w{n}: {{ wait_pipeline: {{ {pipeline}, follow: true }} }}"
        );
    }
    for n in 0..20 {
        let needs: Vec<String> = (0..400).map(|w| format!("w{w}")).collect();
        let _ = writeln!(
            text,
            "  p{n}: {{ needs: [{}], promote: {{ {pipeline}, name: Production }} }}",
            needs.join(", ")
        );
    }
    let (plan, diagnostics) = check("dense.yml", text.into_bytes());
    assert_eq!(plan.expect("it is taken").steps.len(), 421);
    let said = lines(&diagnostics);
    assert_eq!(said.lines().count(), 20, "{said}");
    assert!(said.lines().all(|line| line.starts_with("P102 ")), "{said}");
}

/// A text without its quotes is read again at the most twenty times, a large one less often.
#[test]
fn what_lacks_its_quotes_is_told_up_to_a_limit() {
    let told = |steps: usize, filler: usize| {
        let mut text = String::from("playbook: 1\nsteps:\n");
        for n in 0..steps {
            let _ = writeln!(text, "  s{n}: {{ set: {{ x: {{{{ run.id }}}}-y }} }}");
        }
        text.push_str(&"# filler\n".repeat(filler));
        let (plan, diagnostics) = check("unquoted.yml", text.into_bytes());
        assert!(plan.is_none());
        lines(&diagnostics).lines().count()
    };
    assert_eq!(told(7, 0), 7);
    assert_eq!(told(30, 0), 20);
    assert_eq!(told(30, 10_000), 5);
    assert_eq!(told(30, 60_000), 1);
}

#[test]
fn a_file_over_the_limit_is_refused_before_it_is_read() {
    let (_, diagnostics) = check("big.yml", vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        lines(&diagnostics),
        "P001 1:1 the file is larger than 1MiB | split it, or raise `limits.file_bytes_max`\n"
    );
}

mod never_panics {
    use super::*;
    use proptest::prelude::*;

    fn good() -> Vec<Vec<u8>> {
        playbooks("tests/fixtures/corpus/good")
            .into_iter()
            .map(|(_, path)| std::fs::read(path).expect("the file is there"))
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn on_arbitrary_text(text in "\\PC*") {
            let _ = check("x.yml", text.into_bytes());
        }

        #[test]
        fn on_text_made_of_the_words_of_the_language(
            words in proptest::collection::vec(
                prop_oneof![
                    Just("playbook: 1\n"), Just("steps:\n"), Just("  a:\n"), Just("    needs: "), Just("{{ "),
                    Just(" }}"), Just("steps.a.x"), Just("\""), Just("'"), Just("\n"), Just("["), Just("]"),
                    Just("{"), Just("}"), Just(": "), Just("- "), Just("  "), Just("&x "), Just("*x"), Just("<<: "),
                    Just("|\n"), Just("sleep: 1s"), Just("when: "), Just("this"), Just("é"), Just("\u{202e}"),
                ],
                0..60,
            )
        ) {
            let _ = check("x.yml", words.concat().into_bytes());
        }

        #[test]
        fn on_good_playbooks_that_were_changed(
            which in 0..10_usize, at in 0.0..1.0_f64, cut in 0..20_usize, put in "[ -~\\n\\t{}\\[\\]:é]{0,6}"
        ) {
            let all = good();
            let mut bytes = all[which % all.len()].clone();
            let start = (bytes.len() as f64 * at) as usize;
            let end = (start + cut).min(bytes.len());
            bytes.splice(start..end, put.into_bytes());
            let (plan, diagnostics) = check("x.yml", bytes);
            prop_assert_eq!(plan.is_none(), diagnostics.has_errors());
        }
    }
}
