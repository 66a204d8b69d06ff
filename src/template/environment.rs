//! The one minijinja environment: what expressions may use, and how much of it.
//!
//! Nothing here reads a file, the environment of the process, or the clock, and `debug` is gone, for
//! it would print the whole scope. The environment is made once and never changes.

use std::sync::OnceLock;

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::chain::Use;
use super::filters;

/// What an expression may spend; minijinja charges for instructions, items and bytes.
const FUEL: u64 = 100_000;

/// The environment.
pub(super) fn environment() -> &'static Environment<'static> {
    static MADE: OnceLock<Environment<'static>> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut made = Environment::new();
        made.set_undefined_behavior(UndefinedBehavior::Strict);
        made.set_fuel(Some(FUEL));
        made.set_recursion_limit(50);
        // Errors must not carry the scope about.
        made.set_debug(false);
        made.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        for name in ["debug", "namespace"] {
            made.remove_global(name);
        }
        for name in ["safe", "escape", "e", "pprint"] {
            made.remove_filter(name);
        }
        for name in ["safe", "escaped"] {
            made.remove_test(name);
        }
        made.add_filter("duration", filters::duration);
        made.add_filter("time", filters::time);
        made.add_filter("join", filters::join);
        made.add_filter("string", filters::string);
        made.add_filter("tojson", filters::tojson);
        made.add_filter("fromjson", filters::fromjson);
        made.add_filter("b64encode", filters::b64encode);
        made.add_filter("b64decode", filters::b64decode);
        made.add_filter("urlencode", filters::urlencode);
        made.add_filter("sha256", filters::sha256);
        made
    })
}

/// The names there are, for messages; a test holds that each exists.
pub(super) fn names(what: Use) -> &'static [&'static str] {
    match what {
        Use::Filter => FILTERS,
        Use::Test => TESTS,
        Use::Function => &["range", "dict"],
    }
}

const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "b64decode",
    "b64encode",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "duration",
    "first",
    "float",
    "format",
    "fromjson",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "sha256",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "time",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "zip",
];

const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// An error of a filter, in our words.
pub(super) fn refuse(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_offered_exists() {
        for (list, test) in [(FILTERS, "filter"), (TESTS, "test")] {
            for name in list {
                let source = format!("'{name}' is {test}");
                let value = environment()
                    .compile_expression(&source)
                    .unwrap()
                    .eval(())
                    .unwrap();
                assert!(value.is_true(), "{source}");
            }
        }
        for name in names(Use::Function) {
            assert!(environment().globals().any(|(n, _)| n == *name), "{name}");
        }
        assert_eq!(environment().globals().count(), names(Use::Function).len());
    }
}
