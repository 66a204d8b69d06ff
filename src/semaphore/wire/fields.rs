//! Reading one JSON object: tolerant of what is absent, exact about what is wrong.
//!
//! Duty: typed access to the fields of an object, with an error that names field and object.
//! Invariant: absent and null are the same; nothing is guessed out of a wrong type. It must not know
//! any particular object of the API.

use serde_json::{Map, Value};

use super::{time, words};
use crate::ids::Id;
use crate::text::clean_line;

/// Something in an answer that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Odd(pub String);

/// What a value is, in words.
pub fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The elements of a list.
pub fn list_of<'a>(what: &str, value: &'a Value) -> Result<&'a [Value], Odd> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(Odd(format!("{what} is {}, not a list", kind_of(other)))),
    }
}

/// One object of an answer.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    what: &'static str,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The fields of a value that must be an object; `what` is its name in messages.
    pub fn of(what: &'static str, value: &'a Value) -> Result<Self, Odd> {
        match value {
            Value::Object(map) => Ok(Self { what, map }),
            other => Err(Odd(format!(
                "the {what} is {}, not an object",
                kind_of(other)
            ))),
        }
    }

    /// A field that is there and not null.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// The first of several spellings of a field that is there.
    fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, &'a Value)> {
        names
            .iter()
            .find_map(|name| self.get(name).map(|value| (*name, value)))
    }

    fn wrong(&self, name: &str, value: &Value, wanted: &str) -> Odd {
        let kind = kind_of(value);
        Odd(format!(
            "field `{name}` of the {} is {kind}, not {wanted}",
            self.what
        ))
    }

    fn missing(&self, name: &str) -> Odd {
        Odd(format!("the {} has no `{name}`", self.what))
    }

    /// A text; empty when it is absent.
    pub fn text(&self, name: &str) -> Result<String, Odd> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(self.wrong(name, other, "a text")),
        }
    }

    /// A text that may also be a number, as the number is written.
    pub fn text_or_number(&self, name: &str) -> Result<String, Odd> {
        match self.get(name) {
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => self.text(name),
        }
    }

    /// An id in any of its spellings; none when it is absent or empty.
    pub fn id(&self, names: &[&str]) -> Result<Option<Id>, Odd> {
        let mut found = None;
        for name in names {
            match self.get(name) {
                None => {}
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => {
                    let id = Id::parse(text).map_err(|_| {
                        Odd(format!(
                            "field `{name}` of the {} is `{}`, which is not an id",
                            self.what,
                            clean_line(text, 60)
                        ))
                    })?;
                    found = found.or(Some(id));
                }
                Some(other) => return Err(self.wrong(name, other, "a text")),
            }
        }
        Ok(found)
    }

    /// An id that must be there.
    pub fn required_id(&self, names: &[&str]) -> Result<Id, Odd> {
        let name = names.first().copied().unwrap_or_default();
        self.id(names)?.ok_or_else(|| self.missing(name))
    }

    /// A word of a closed set; none when it is absent or empty.
    pub fn word<T: words::Word>(&self, names: &[&str]) -> Result<Option<T>, Odd> {
        match self.first(names) {
            None => Ok(None),
            Some((_, Value::String(text))) if text.is_empty() => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(T::from_text(text))),
            Some((name, other)) => Err(self.wrong(name, other, "a text")),
        }
    }

    /// A word that must be there.
    pub fn required_word<T: words::Word>(&self, names: &[&str]) -> Result<T, Odd> {
        let name = names.first().copied().unwrap_or_default();
        self.word(names)?.ok_or_else(|| self.missing(name))
    }

    /// A word that one endpoint writes as text and another as a number.
    pub fn word_or_number<T: words::Word>(&self, name: &str) -> Result<Option<T>, Odd> {
        match self.get(name) {
            Some(Value::Number(number)) => Ok(Some(T::from_number(number))),
            Some(Value::String(text)) => match text.parse::<u32>() {
                Ok(number) => Ok(Some(T::from_number(&number.into()))),
                Err(_) => self.word(&[name]),
            },
            _ => self.word(&[name]),
        }
    }

    /// A time in any of the three forms; none when it is absent or unset.
    pub fn time(&self, name: &str) -> Result<Option<jiff::Timestamp>, Odd> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        time::parse(value).map_err(|reason| {
            Odd(format!(
                "field `{name}` of the {} is not a time: {reason}",
                self.what
            ))
        })
    }

    /// A whole number, also written as text; none when it is absent or empty.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, Odd> {
        let wrong = |value| Err(self.wrong(name, value, "a whole number"));
        match self.get(name) {
            None => Ok(None),
            Some(value @ Value::Number(number)) => {
                number.as_i64().map_or(wrong(value), |n| Ok(Some(n)))
            }
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(value @ Value::String(text)) => text.parse().map_or(wrong(value), |n| Ok(Some(n))),
            Some(other) => wrong(other),
        }
    }

    /// A boolean, also written as text; false when it is absent.
    pub fn flag(&self, name: &str) -> Result<bool, Odd> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text.is_empty() || text == "false" => Ok(false),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(other) => Err(self.wrong(name, other, "a boolean")),
        }
    }

    /// A list; empty when it is absent.
    pub fn list(&self, name: &str) -> Result<&'a [Value], Odd> {
        match self.get(name) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.wrong(name, other, "a list")),
        }
    }

    /// A list of texts; empty when it is absent.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, Odd> {
        self.list(name)?
            .iter()
            .map(|item| match item {
                Value::String(text) => Ok(text.clone()),
                other => Err(Odd(format!(
                    "field `{name}` of the {} holds {}, not a text",
                    self.what,
                    kind_of(other)
                ))),
            })
            .collect()
    }

    /// An object in a field; none when it is absent.
    pub fn object(&self, name: &str, what: &'static str) -> Result<Option<Self>, Odd> {
        match self.get(name) {
            None => Ok(None),
            Some(value) => Self::of(what, value).map(Some),
        }
    }

    /// An object in a field that must be there.
    pub fn required_object(&self, name: &str, what: &'static str) -> Result<Self, Odd> {
        self.object(name, what)?.ok_or_else(|| self.missing(name))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_type_is_named_with_its_place() {
        let value =
            json!({"state": 5, "at": [], "id": "../x", "n": "12x", "flag": "yes", "jobs": {}});
        let fields = Fields::of("pipeline", &value).unwrap();
        let odd = |result: Result<String, Odd>| result.unwrap_err().0;
        assert_eq!(
            odd(fields.text("state")),
            "field `state` of the pipeline is a number, not a text"
        );
        assert_eq!(
            odd(fields.id(&["id"]).map(|_| String::new())),
            "field `id` of the pipeline is `../x`, which is not an id"
        );
        assert_eq!(
            odd(fields.time("at").map(|_| String::new())),
            "field `at` of the pipeline is not a time: it is a list"
        );
        assert!(fields.integer("n").is_err());
        assert!(fields.flag("flag").is_err());
        assert!(fields.list("jobs").is_err());
        assert_eq!(
            odd(Fields::of("pipeline", &json!([])).map(|_| String::new())),
            "the pipeline is a list, not an object"
        );
    }

    #[test]
    fn absent_null_and_empty_are_the_same() {
        let value = json!({"a": null, "b": ""});
        let fields = Fields::of("thing", &value).unwrap();
        for name in ["a", "b", "c"] {
            assert_eq!(fields.text(name).unwrap(), "");
            assert_eq!(fields.id(&[name]).unwrap(), None);
            assert_eq!(fields.integer(name).unwrap(), None);
            assert_eq!(fields.time(name).unwrap(), None);
            assert!(!fields.flag(name).unwrap());
        }
        assert!(fields.list("a").unwrap().is_empty());
    }
}
