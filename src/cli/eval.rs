//! `runner eval`: tries an expression or a JSONPath on JSON from a file or stdin.

use std::io::Read as _;

use serde_json::Value;

use super::args::Eval;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use crate::diagnostic::{Diagnostic, Source};
use crate::template::{Data, Expression, JsonPath, Scope, TemplateError};

const DATA_BYTES_MAX: u64 = 64 << 20;

/// Prints what it comes to; what a path finds is a list.
pub(super) fn eval(around: &Surroundings, args: &Eval) -> Result<Exit, Failing> {
    let value = match (&args.expression, &args.jsonpath) {
        (_, Some(path)) => {
            let parsed = JsonPath::parse(path).map_err(|error| wrong(path, error))?;
            parsed.find(&data(args)?).into_iter().cloned().collect()
        }
        (Some(expression), None) => {
            let parsed = Expression::parse(expression).map_err(|error| wrong(expression, error))?;
            let mut scope = Scope::new();
            // An expression that reads nothing needs no data, and waits for none.
            if !parsed.mentions().is_empty() {
                for (name, value) in data(args)?.as_object().into_iter().flatten() {
                    scope.set(name, Data::new(value));
                }
            }
            parsed
                .eval(&scope)
                .map_err(|error| wrong(expression, error))?
        }
        (None, None) => Value::Null,
    };
    around.output.json(&around.redactor.value(&value))?;
    Ok(Exit::Passed)
}

fn wrong(text: &str, error: TemplateError) -> Failing {
    let place = Source::new("expression", text).place(error.range.clone());
    let mut mistake = Diagnostic::error(error.code, place, error.message);
    mistake.hint = error.hint;
    Failing::mistake(Exit::Invalid, mistake)
}

fn data(args: &Eval) -> Result<Value, Failing> {
    let unreadable = |error: std::io::Error| {
        Failing::words(Exit::Usage, format!("the data cannot be read: {error}"))
    };
    let mut text = String::new();
    match &args.data {
        Some(path) => std::fs::File::open(path)
            .map_err(unreadable)?
            .take(DATA_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(unreadable)?,
        None => std::io::stdin()
            .take(DATA_BYTES_MAX)
            .read_to_string(&mut text)
            .map_err(unreadable)?,
    };
    serde_json::from_str(&text)
        .map_err(|error| Failing::words(Exit::Usage, format!("the data is not JSON: {error}")))
}
