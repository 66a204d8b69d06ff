//! The merging of the layers. Pure: text in, settings and mistakes out.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::codes::{SHAPE, UNKNOWN, VALUE};
use super::table::{SETTINGS, Setting, Slot, env_name};
use super::{Environment, Given, Origin, Settings};
use crate::address::Address;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source, nearest};
use crate::secret::MASK;
use crate::{duration, size};

/// What is set where, from the weakest to the strongest.
#[derive(Debug, Clone, Default)]
pub struct Layers<'a> {
    /// The texts of `runner.toml`, the user's before the project's. Each is named by its path: paths in
    /// it are relative to its folder.
    pub files: Vec<Arc<Source>>,
    /// The environment.
    pub environment: Option<&'a Environment>,
    /// What `--set` was given: `section.key=value`.
    pub sets: Vec<String>,
    /// What `--state-dir` was given.
    pub state_dir: Option<PathBuf>,
}

/// The names of all settings, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    SETTINGS.iter().map(|setting| setting.name)
}

impl Settings {
    /// Merges the layers. What is wrong is left at the value of the layer below, and is told.
    pub fn resolve(layers: &Layers<'_>) -> (Self, Diagnostics) {
        let mut resolver = Resolver {
            settings: Self::default(),
            mistakes: Diagnostics::new(),
        };
        for setting in &SETTINGS {
            resolver.set(setting, setting.default, Origin::Default, None);
        }
        for file in &layers.files {
            resolver.file(file);
        }
        if let Some(environment) = layers.environment {
            resolver.environment(environment);
        }
        for text in &layers.sets {
            resolver.command_line(text);
        }
        if let Some(dir) = &layers.state_dir {
            resolver.settings.state.dir = Some(dir.clone());
            let given = Given {
                text: dir.display().to_string(),
                origin: Origin::CommandLine,
            };
            resolver.settings.origins.insert("state.dir", given);
        }
        resolver.together();
        (resolver.settings, resolver.mistakes)
    }
}

struct Resolver {
    settings: Settings,
    mistakes: Diagnostics,
}

impl Resolver {
    fn file(&mut self, file: &Arc<Source>) {
        let table = match DeTable::parse(&file.text) {
            Ok(table) => table,
            Err(error) => {
                let place = file.place(error.span().unwrap_or(0..0));
                let message = format!("this is no TOML: {}", error.message());
                self.mistakes
                    .push(Diagnostic::error(SHAPE, place, message.replace('\n', ", ")));
                return;
            }
        };
        for (section, value) in table.get_ref() {
            let name = section.get_ref().as_ref();
            let place = file.place(section.span());
            if !sections().any(|known| known == name) {
                let shown = crate::text::clean_line(name, 60);
                let mistake =
                    Diagnostic::error(UNKNOWN, place, format!("there is no section `{shown}`"));
                self.mistakes.push(mistake.nearest(name, sections()));
                continue;
            }
            let DeValue::Table(keys) = value.get_ref() else {
                let message = format!("`{name}` is a section: write it as `[{name}]`");
                self.mistakes.push(Diagnostic::error(SHAPE, place, message));
                continue;
            };
            for (key, value) in keys {
                let name = format!("{name}.{}", key.get_ref());
                self.entry(file, &name, key.span(), (value.get_ref(), value.span()));
            }
        }
    }

    fn entry(
        &mut self,
        file: &Arc<Source>,
        name: &str,
        key: Range<usize>,
        (value, span): (&DeValue<'_>, Range<usize>),
    ) {
        let Some(setting) = self.known(name, Some(file.place(key))) else {
            return;
        };
        let text = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().replace('_', ""),
            DeValue::Boolean(flag) => flag.to_string(),
            other => {
                let message = format!("`{name}` cannot be of type {}", other.type_str());
                self.mistakes
                    .push(Diagnostic::error(VALUE, file.place(span), message));
                return;
            }
        };
        let origin = Origin::File(file.name.clone());
        self.set(setting, &text, origin, Some(file.place(span)));
    }

    fn environment(&mut self, environment: &Environment) {
        for (variable, text) in environment.all() {
            let Some(rest) = variable.strip_prefix("RUNNER_") else {
                continue;
            };
            // Other programs have names of their own that begin alike: only known sections are ours.
            let ours = sections().any(|section| {
                let upper = section.to_uppercase();
                rest.strip_prefix(&upper)
                    .is_some_and(|r| r.starts_with('_'))
            });
            if !ours || text.is_empty() {
                continue;
            }
            let origin = Origin::Env(variable.to_owned());
            match SETTINGS.iter().find(|s| env_name(s.name) == variable) {
                Some(setting) => self.set(setting, text, origin, None),
                None => {
                    let all: Vec<String> = names().map(env_name).collect();
                    let message = format!("there is no setting for the {origin}");
                    let mistake = Diagnostic::error_without_place(UNKNOWN, message);
                    let known = all.iter().map(String::as_str);
                    self.mistakes.push(mistake.nearest(variable, known));
                }
            }
        }
    }

    fn command_line(&mut self, text: &str) {
        let Some((name, value)) = text.split_once('=') else {
            let shown = crate::text::clean_line(text, 60);
            let message = format!("`--set {shown}` has no value");
            let mistake = Diagnostic::error_without_place(SHAPE, message);
            self.mistakes
                .push(mistake.hint("write `--set section.key=value`"));
            return;
        };
        if let Some(setting) = self.known(name.trim(), None) {
            self.set(setting, value.trim(), Origin::CommandLine, None);
        }
    }

    fn known(&mut self, name: &str, place: Option<Place>) -> Option<&'static Setting> {
        let found = SETTINGS.iter().find(|setting| setting.name == name);
        if found.is_none() {
            let shown = crate::text::clean_line(name, 60);
            let message = format!("there is no setting `{shown}`");
            let mistake = located(UNKNOWN, place, message);
            let mistake = match nearest(name, names()) {
                Some(near) => mistake.hint(format!("did you mean `{near}`?")),
                None => mistake.hint("`docs/settings.md` lists all settings"),
            };
            self.mistakes.push(mistake);
        }
        found
    }

    fn set(&mut self, setting: &'static Setting, text: &str, origin: Origin, place: Option<Place>) {
        match assign(&mut self.settings, setting, text, &origin) {
            Ok(()) => {
                let text = match setting.slot {
                    Slot::Address(_) if !text.is_empty() => MASK,
                    _ => text,
                };
                let given = Given {
                    text: text.to_owned(),
                    origin,
                };
                self.settings.origins.insert(setting.name, given);
            }
            Err(reason) => {
                // An excerpt would show the line of a secret: its place is told in words.
                let (place, origin) = match (setting.slot, place) {
                    (Slot::Address(_), Some(place)) => {
                        let line = Origin::File(format!("{}:{}", place.source.name, place.line));
                        (None, line)
                    }
                    (_, place) => (place, origin),
                };
                let from = match (&origin, &place) {
                    (Origin::Env(_), _) | (Origin::File(_), None) => format!(" ({origin})"),
                    _ => String::new(),
                };
                let message = format!("`{}`{from}: {reason}", setting.name);
                self.mistakes.push(located(VALUE, place, message));
            }
        }
    }

    /// What settings must keep among each other.
    fn together(&mut self) {
        let poll = &self.settings.poll;
        if poll.min > poll.max {
            let message = format!(
                "`poll.min` ({}) is longer than `poll.max` ({})",
                duration::show(poll.min),
                duration::show(poll.max)
            );
            self.mistakes
                .push(Diagnostic::error_without_place(VALUE, message));
        }
    }
}

fn located(code: &'static str, place: Option<Place>, message: String) -> Diagnostic {
    match place {
        Some(place) => Diagnostic::error(code, place, message),
        None => Diagnostic::error_without_place(code, message),
    }
}

/// The sections, each once.
fn sections() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    names().filter_map(move |name| {
        let section = name.split('.').next().unwrap_or_default();
        let new = section != last;
        last = section;
        new.then_some(section)
    })
}

/// Reads a value and puts it where it belongs; an error is the reason in words.
fn assign(
    settings: &mut Settings,
    setting: &Setting,
    text: &str,
    origin: &Origin,
) -> Result<(), String> {
    match setting.slot {
        Slot::Duration(least_ms, field) => {
            let value = duration::parse(text).map_err(|error| error.to_string())?;
            let least = std::time::Duration::from_millis(least_ms);
            if value < least {
                return Err(format!("at least {} is needed", duration::show(least)));
            }
            *field(settings) = value;
        }
        Slot::Size(least, most, field) => {
            let value = size::parse(text).map_err(|error| error.to_string())?;
            if !(least..=most).contains(&value) {
                let (least, most) = (size::show(least), size::show(most));
                return Err(format!("a size from {least} to {most} is needed"));
            }
            *field(settings) = value;
        }
        Slot::Count(least, most, field) => {
            let value = text.parse().ok().filter(|n| (least..=most).contains(n));
            *field(settings) =
                value.ok_or_else(|| format!("a number from {least} to {most} is needed"))?;
        }
        Slot::Boolean(field) => {
            *field(settings) = match text {
                "true" => true,
                "false" => false,
                _ => return Err("`true` or `false` is needed".to_owned()),
            };
        }
        Slot::Path(field) => *field(settings) = path(text, origin)?,
        Slot::Address(field) => {
            *field(settings) = match (text, origin) {
                ("", Origin::Default) => None,
                (text, _) => {
                    let read = Address::parse(text);
                    Some(read.map_err(|why| format!("it {}; {}", why.reason, why.hint))?)
                }
            };
        }
    }
    Ok(())
}

fn path(text: &str, origin: &Origin) -> Result<Option<PathBuf>, String> {
    if text.contains('\0') {
        return Err("a path holds no NUL".to_owned());
    }
    if text.is_empty() {
        return match origin {
            Origin::Default => Ok(None),
            _ => Err("the path is empty".to_owned()),
        };
    }
    // A file speaks of what lies beside it, wherever the runner was started.
    let base = match origin {
        Origin::File(file) => Path::new(file).parent(),
        Origin::Default | Origin::Env(_) | Origin::CommandLine => None,
    };
    Ok(Some(base.unwrap_or(Path::new("")).join(text)))
}

#[cfg(test)]
mod tests;
