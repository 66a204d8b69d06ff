//! From a file to a scenario, with every mistake located.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};

use super::codes;
use super::model::Scenario;

/// The scenarios in the binary, by name; the first is the one that is taken when none is named.
const BUILT_IN: [(&str, &str); 6] = [
    ("passing", include_str!("../scenarios/passing.yml")),
    ("failing", include_str!("../scenarios/failing.yml")),
    ("flaky", include_str!("../scenarios/flaky.yml")),
    ("stuck", include_str!("../scenarios/stuck.yml")),
    (
        "deploy_fails",
        include_str!("../scenarios/deploy_fails.yml"),
    ),
    ("busy", include_str!("../scenarios/busy.yml")),
];

/// The names of the built-in scenarios; the first is the one that is taken when none is named.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// The text of a built-in scenario.
pub fn built_in_text(name: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

impl Scenario {
    /// A scenario that was put together already. Its mistakes have no places: the text is not known here.
    pub fn from_value(value: serde_json::Value) -> Result<Self, Diagnostics> {
        let scenario: Self = serde_json::from_value(value).map_err(|error| {
            let mut all = Diagnostics::new();
            let message = crate::text::clean_line(&error.to_string(), 400);
            all.push(Diagnostic::error_without_place(codes::FORM, message));
            all
        })?;
        let mistakes = super::check::check(&scenario, &Source::new("", ""));
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        Ok(scenario)
    }

    /// A built-in scenario.
    pub fn built_in(name: &str) -> Result<Self, Diagnostics> {
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::parse(&Source::new(format!("{name} (built in)"), *text)),
            None => {
                let names: Vec<String> = built_in_names().map(|n| format!("`{n}`")).collect();
                let mut all = Diagnostics::new();
                all.push(
                    Diagnostic::error_without_place(
                        codes::NO_SCENARIO,
                        format!(
                            "there is no scenario `{}`",
                            crate::text::clean_line(name, 60)
                        ),
                    )
                    .hint(format!(
                        "the built-in ones are {}; a file needs its `.yml`",
                        names.join(", ")
                    ))
                    .nearest(name, built_in_names()),
                );
                Err(all)
            }
        }
    }

    /// Reads a scenario and checks it: all mistakes of its references at once, but only the first of
    /// its form.
    pub fn parse(source: &Arc<Source>) -> Result<Self, Diagnostics> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            underscored_numbers_as_strings: true,
        };
        let scenario: Self =
            serde_saphyr::from_str_with_options(&source.text, options).map_err(|error| {
                let mut all = Diagnostics::new();
                all.push(located(source, &error));
                all
            })?;
        let mistakes = super::check::check(&scenario, source);
        if mistakes.has_errors() {
            return Err(mistakes);
        }
        Ok(scenario)
    }

    /// A token that may do everything.
    pub fn admin_token(&self) -> Option<&str> {
        self.tokens
            .iter()
            .find(|t| t.role == super::Role::Admin)
            .map(|t| t.token.as_str())
    }
}

/// The error of the YAML reader as a diagnostic of ours.
fn located(source: &Arc<Source>, error: &serde_saphyr::Error) -> Diagnostic {
    let error = error.without_snippet();
    let message = error.to_string();
    let message = message.lines().next().unwrap_or_default();
    let message = crate::text::clean_line(message, 400);
    let Some(location) = error.location() else {
        return Diagnostic::error_without_place(codes::FORM, message);
    };
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let line_start: usize = source
        .text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = source.text.get(line_start..).unwrap_or_default();
    let within: usize = rest.chars().take(column - 1).map(char::len_utf8).sum();
    let start = line_start + within;
    let word = source
        .text
        .get(start..)
        .unwrap_or_default()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .map(char::len_utf8)
        .sum::<usize>();
    Diagnostic::error(
        codes::FORM,
        source.place(start..start + word.max(1)),
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_scenario_is_right() {
        for name in built_in_names() {
            let scenario = Scenario::built_in(name);
            assert!(scenario.is_ok(), "{name}: {:?}", scenario.err());
        }
    }

    #[test]
    fn an_unknown_key_is_refused_at_its_place() {
        let source = Source::new("x.yml", "projects:\n  - name: demo\n    pipelins: {}\n");
        let mistakes = Scenario::parse(&source).expect_err("the key is unknown");
        let first = mistakes.sorted()[0];
        assert_eq!(first.place.as_ref().unwrap().to_string(), "x.yml:3:5");
        assert!(first.message.contains("pipelins"), "{}", first.message);
    }

    #[test]
    fn an_unknown_scenario_names_the_nearest() {
        let mistakes = Scenario::built_in("pasing").expect_err("there is none");
        assert_eq!(
            mistakes.sorted()[0].hint.as_deref(),
            Some("did you mean `passing`?")
        );
    }
}
