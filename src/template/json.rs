//! Between minijinja's values and JSON.
//!
//! Undefined never becomes null, and a number that JSON cannot hold never becomes another one.

use minijinja::Value;
use minijinja::value::ValueKind;

/// The most bytes a result may have, counted about as JSON would write it.
pub(super) const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// The most bytes of a value that is passed on whole: as much as an answer of the API may have.
const VALUE_BYTES_MAX: usize = 16 << 20;
const DEPTH_MAX: usize = 128;

/// Why a value is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Undefined,
    Number(String),
    Kind(String),
    Key(String),
    Big,
    Deep,
    Failed(String),
}

impl Fault {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Undefined => "it holds something undefined".to_owned(),
            Self::Number(shown) => format!("JSON cannot hold the number `{shown}`"),
            Self::Kind(kind) => format!("a {kind} is not a value that JSON can hold"),
            Self::Key(kind) => format!("the keys of a map must be text, and one is a {kind}"),
            Self::Big => format!("the result has more than {} MiB", VALUE_BYTES_MAX >> 20),
            Self::Deep => format!("the result is nested more than {DEPTH_MAX} deep"),
            Self::Failed(why) => why.clone(),
        }
    }
}

/// JSON made ready for expressions.
pub(super) fn to_value(value: &serde_json::Value) -> Value {
    Value::from(minijinja::value::Serde(value))
}

/// The JSON of a value.
pub(super) fn from_value(value: &Value) -> Result<serde_json::Value, Fault> {
    let mut left = VALUE_BYTES_MAX;
    convert(value, &mut left, DEPTH_MAX)
}

/// How a value stands in a text: text as it is, everything else as JSON.
pub(super) fn text(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), Fault> {
    *left = left.checked_sub(bytes).ok_or(Fault::Big)?;
    Ok(())
}

fn convert(value: &Value, left: &mut usize, depth: usize) -> Result<serde_json::Value, Fault> {
    use serde_json::Value as Json;
    let deeper = depth.checked_sub(1).ok_or(Fault::Deep)?;
    spend(left, value.as_str().map_or(4, |t| t.len() + 3))?;
    let failed = |error: minijinja::Error| Fault::Failed(error.to_string());
    match value.kind() {
        ValueKind::Undefined => Err(Fault::Undefined),
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::Number => number(value).ok_or_else(|| Fault::Number(value.to_string())),
        ValueKind::String => Ok(Json::from(value.as_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(failed)?.checked();
            let items = items.map(|item| convert(&item.map_err(failed)?, left, deeper));
            items.collect::<Result<Vec<_>, _>>().map(Json::Array)
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter().map_err(failed)?.checked() {
                let key = key.map_err(failed)?;
                let item = value.get_item(&key).map_err(failed)?;
                let name = key_text(&key)?;
                spend(left, name.len() + 4)?;
                map.insert(name, convert(&item, left, deeper)?);
            }
            Ok(Json::Object(map))
        }
        ValueKind::Invalid => Err(match value.try_iter() {
            Err(error) => failed(error),
            Ok(_) => Fault::Kind("broken value".to_owned()),
        }),
        ValueKind::Plain => Err(Fault::Kind("function".to_owned())),
        other => Err(Fault::Kind(other.to_string())),
    }
}

fn key_text(key: &Value) -> Result<String, Fault> {
    match key.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if key.is_integer() => Ok(key.to_string()),
        None => Err(Fault::Key(key.kind().to_string())),
    }
}

fn number(value: &Value) -> Option<serde_json::Value> {
    if value.is_integer() {
        let signed = i64::try_from(value.clone()).map(serde_json::Value::from);
        let unsigned = || u64::try_from(value.clone()).map(serde_json::Value::from);
        return signed.or_else(|_| unsigned()).ok();
    }
    let float = f64::try_from(value.clone()).ok()?;
    serde_json::Number::from_f64(float).map(serde_json::Value::Number)
}
