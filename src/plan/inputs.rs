//! The values of the inputs of one run: from the command line, a file, the environment, the defaults.
//!
//! All missing and wrong ones are told at once. The value of a secret never stands in a message, and a
//! secret is not taken from the command line, where every process of the machine could read it.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::BoundInputs;
use super::check::mentions::near;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};
use crate::playbook::input_value::{self, Misfit};
use crate::playbook::{Input, Limits, Located, Mistakes, YamlNode, codes, literal, parse};
use crate::text;

/// A file of inputs: names and values, each with its place.
pub type InputsFile = IndexMap<String, Located<Value>>;

/// What a run was given.
pub struct GivenInputs<'a> {
    /// `-i name=value`, in the order of the command line; the last one of a name counts.
    pub texts: &'a [(String, String)],
    /// `--inputs FILE`.
    pub file: Option<&'a InputsFile>,
    /// The environment: the value of a variable. Only variables that an input names are asked for.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Cuts `name=value` of the command line.
pub fn parse_given(text: &str) -> Result<(String, String), Box<Diagnostic>> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        Some(_) | None => {
            // What stands there may be a secret that lost its name, so it is not shown.
            Err(Box::new(
                Diagnostic::error_without_place(
                    codes::NO_SUCH_INPUT,
                    "an input of the command line is not of the form `name=value`",
                )
                .hint("write `-i name=value`"),
            ))
        }
    }
}

/// Reads a file of inputs, YAML or JSON: a map from names to values.
pub fn read_inputs_file(
    source: &Arc<Source>,
    limits: &Limits,
) -> (Option<InputsFile>, Diagnostics) {
    let mut mistakes = Mistakes::new(limits);
    let Some(yaml) = parse(source, limits, &mut mistakes) else {
        return (None, mistakes.finish());
    };
    let YamlNode::Map(entries) = &yaml.node else {
        mistakes.push(
            Diagnostic::error(
                codes::INPUTS_FILE,
                yaml.place.clone(),
                format!(
                    "a file of inputs must be a map, and this is {}",
                    yaml.kind()
                ),
            )
            .hint("write one `name: value` per line"),
        );
        return (None, mistakes.finish());
    };
    let mut file = InputsFile::new();
    for entry in entries {
        if let Some(value) = literal(&entry.value, &mut mistakes) {
            let place = entry.value.place.clone();
            file.insert(entry.key.name.clone(), Located { place, value });
        }
    }
    let good = mistakes.errors() == 0;
    (good.then_some(file), mistakes.finish())
}

/// Binds what was given to what is declared; nothing is bound when anything is missing or wrong.
pub fn bind_inputs(
    declared: &IndexMap<String, Input>,
    given: &GivenInputs<'_>,
) -> (Option<BoundInputs>, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    unknown(declared, given, &mut diagnostics);
    let mut bound = BoundInputs::default();
    for (name, input) in declared {
        let found = value(name, input, given);
        bound.take(name, input, found, &mut diagnostics);
    }
    let good = !diagnostics.has_errors();
    (good.then_some(bound), diagnostics)
}

/// Binds what a step gives with `with` to the inputs of the playbook that it uses. `values` were
/// computed: a duration is a number of seconds. `env` are the variables of the environment as they were when the
/// run began. The order is that of [`bind_inputs`]: what is given, the environment, the default.
pub fn bind_with(
    declared: &IndexMap<String, Input>,
    values: &Map<String, Value>,
    env: &IndexMap<String, String>,
) -> Result<BoundInputs, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    for name in values.keys().filter(|name| !declared.contains_key(*name)) {
        diagnostics.push(no_such(name, declared, None));
    }
    let mut bound = BoundInputs {
        env: env.clone(),
        ..BoundInputs::default()
    };
    for (name, input) in declared {
        let given = values.get(name).filter(|value| !value.is_null());
        let found = match given {
            Some(value) if value.as_str().is_some_and(|text| is_masked(input, text)) => {
                Ok(Some(value.clone()))
            }
            Some(value) => input_value::check_computed(input, value)
                .map(Some)
                .map_err(|misfit| Box::new(wrong(name, input, &misfit, "given by `with`", None))),
            None => {
                let found = input.env.as_ref().and_then(|name| env.get(name));
                match found.filter(|text| is_masked(input, text)) {
                    Some(text) => Ok(Some(text.as_str().into())),
                    None => of_environment(name, input, found.map(String::as_str)),
                }
            }
        };
        bound.take(name, input, found, &mut diagnostics);
    }
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(bound)
    }
}

/// A record that is looked at without its secrets has the mask in their place.
fn is_masked(input: &Input, text: &str) -> bool {
    input.secret && text == crate::secret::MASK
}

impl BoundInputs {
    /// Takes the value of one input, or tells what is wrong with it.
    fn take(
        &mut self,
        name: &str,
        input: &Input,
        found: Result<Option<Value>, Box<Diagnostic>>,
        diagnostics: &mut Diagnostics,
    ) {
        match found {
            Ok(Some(value)) => {
                self.values.insert(name.to_owned(), value);
                if input.secret {
                    self.secrets.push(name.to_owned());
                }
            }
            Ok(None) => {}
            Err(diagnostic) => diagnostics.push(*diagnostic),
        }
    }
}

/// Values for names that nobody declared.
fn unknown(
    declared: &IndexMap<String, Input>,
    given: &GivenInputs<'_>,
    diagnostics: &mut Diagnostics,
) {
    for (name, _) in given.texts {
        if !declared.contains_key(name) {
            diagnostics.push(no_such(name, declared, None));
        }
    }
    for (name, value) in given.file.into_iter().flatten() {
        if !declared.contains_key(name) {
            diagnostics.push(no_such(name, declared, Some(&value.place)));
        }
    }
}

fn no_such(name: &str, declared: &IndexMap<String, Input>, place: Option<&Place>) -> Diagnostic {
    let message = format!("the playbook has no input `{}`", text::clean_line(name, 60));
    let found = match place {
        Some(place) => Diagnostic::error(codes::NO_SUCH_INPUT, place.clone(), message),
        None => Diagnostic::error_without_place(codes::NO_SUCH_INPUT, message),
    };
    let all: Vec<String> = declared.keys().map(|name| format!("`{name}`")).collect();
    let all = if all.is_empty() {
        "it has none at all".to_owned()
    } else {
        format!("its inputs are {}", all.join(", "))
    };
    near(found, name, declared.keys().map(String::as_str), &all)
}

/// The value of one input: the first source that gives one counts.
fn value(
    name: &str,
    input: &Input,
    given: &GivenInputs<'_>,
) -> Result<Option<Value>, Box<Diagnostic>> {
    if let Some((_, text)) = given.texts.iter().rev().find(|(given, _)| given == name) {
        if input.secret {
            return Err(Box::new(on_command_line(name, input)));
        }
        return input_value::parse(input, text)
            .map(Some)
            .map_err(|misfit| Box::new(wrong(name, input, &misfit, "given with `-i`", None)));
    }
    let in_file = given.file.and_then(|file| file.get(name));
    if let Some(found) = in_file.filter(|found| !found.value.is_null()) {
        return input_value::check(input, &found.value)
            .map(Some)
            .map_err(|misfit| {
                let place = Some(&found.place);
                Box::new(wrong(
                    name,
                    input,
                    &misfit,
                    "given in the file of inputs",
                    place,
                ))
            });
    }
    if let Some(variable) = &input.env
        && let Some(text) = (given.env)(variable)
        // CI systems set variables that have no value to the empty text.
        && !text.is_empty()
    {
        let whence = format!("given by the environment variable `{variable}`");
        return input_value::parse(input, &text)
            .map(Some)
            .map_err(|misfit| Box::new(wrong(name, input, &misfit, &whence, None)));
    }
    if let Some(default) = &input.default {
        return input_value::check(input, default)
            .map(Some)
            .map_err(|misfit| Box::new(wrong(name, input, &misfit, "its default", None)));
    }
    if input.optional {
        return Ok(None);
    }
    Err(Box::new(missing(name, input)))
}

fn wrong(
    name: &str,
    input: &Input,
    misfit: &Misfit,
    whence: &str,
    place: Option<&Place>,
) -> Diagnostic {
    let code = match misfit {
        Misfit::Wrong(_) => codes::WRONG_INPUT,
        Misfit::ShortSecret => codes::SHORT_SECRET_INPUT,
    };
    let message = misfit.message(name);
    let hint = match misfit {
        Misfit::Wrong(_) => format!("the value is {whence}"),
        Misfit::ShortSecret => {
            format!("the value is {whence}; a shorter one would mask ordinary words")
        }
    };
    match place {
        Some(place) => Diagnostic::error(code, place.clone(), message)
            .label(input.place.clone(), "the input is declared here"),
        None => Diagnostic::error_without_place(code, message)
            .label(input.place.clone(), "the input is declared here"),
    }
    .hint(hint)
}

fn missing(name: &str, input: &Input) -> Diagnostic {
    Diagnostic::error_without_place(codes::MISSING_INPUT, format!("input `{name}` has no value"))
        .label(input.place.clone(), "the input is declared here")
        .hint(ways(name, input))
}

/// What an input of a used playbook is when `with` does not give it, or why it is nothing.
pub(super) fn of_environment(
    name: &str,
    input: &Input,
    found: Option<&str>,
) -> Result<Option<Value>, Box<Diagnostic>> {
    let environment = |_: &str| found.map(str::to_owned);
    let nothing = GivenInputs {
        texts: &[],
        file: None,
        env: &environment,
    };
    value(name, input, &nothing).map_err(|diagnostic| match diagnostic.code {
        codes::MISSING_INPUT => Box::new(missing_with(name, input)),
        _ => diagnostic,
    })
}

fn missing_with(name: &str, input: &Input) -> Diagnostic {
    let hint = match &input.env {
        Some(variable) => format!(
            "give it with `with: {{ {name}: … }}`, or in the environment variable `{variable}`"
        ),
        None => format!("give it with `with: {{ {name}: … }}`"),
    };
    Diagnostic::error_without_place(codes::MISSING_INPUT, format!("input `{name}` has no value"))
        .label(input.place.clone(), "the input is declared here")
        .hint(hint)
}

fn on_command_line(name: &str, input: &Input) -> Diagnostic {
    Diagnostic::error_without_place(
        codes::SECRET_ON_COMMAND_LINE,
        format!(
            "input `{name}` is a secret, and everybody on this machine can read the command line"
        ),
    )
    .label(input.place.clone(), "the input is declared here")
    .hint(ways(name, input))
}

/// The ways in which an input may be given.
fn ways(name: &str, input: &Input) -> String {
    let mut ways = Vec::new();
    if !input.secret {
        ways.push(format!("with `-i {name}=…`"));
    }
    if let Some(variable) = &input.env {
        ways.push(format!("in the environment variable `{variable}`"));
    }
    ways.push("in a file with `--inputs FILE`".to_owned());
    format!("give it {}", ways.join(", or "))
}
