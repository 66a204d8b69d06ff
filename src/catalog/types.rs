//! The vocabulary of the descriptions.

/// One action.
#[derive(Debug, PartialEq)]
pub struct Action {
    /// The YAML key.
    pub name: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Paragraphs for `docs/actions.md`.
    pub doc: &'static str,
    /// How its value is written.
    pub shape: Shape,
    /// Its parameters.
    pub params: &'static [Param],
    /// Names of parameters of which exactly one must be given; empty when there is no such choice.
    pub exactly_one: &'static [&'static str],
    /// Parameters that mean something only beside another: the parameter, and that other.
    pub only_with: &'static [(&'static str, &'static str)],
    /// Its outputs.
    pub outputs: &'static [Field],
    /// What `steps.x.response` holds; empty when the action has none.
    pub response: &'static str,
    /// The kinds of error that it can give beyond those of every call: kind and when.
    pub errors: &'static [(&'static str, &'static str)],
    /// Whom it reaches.
    pub reach: Reach,
    /// Whether it waits for a pipeline, so that `rerun` may stand beside it.
    pub waits: bool,
    /// A playbook of its own that shows it; tested.
    pub example: &'static str,
}

/// How the value of an action is written in YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A map of its parameters.
    Map,
    /// One value alone, which is the first parameter (`sleep: 5m`).
    Scalar,
    /// A map of free names (`set`); the names become the outputs.
    Names,
    /// A list of expressions alone is the first parameter; a map gives all (`check`).
    ListOrMap,
}

/// Whom an action reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nobody: it is computed.
    Nothing,
    /// Reads from Semaphore.
    Reads,
    /// Changes something on Semaphore.
    Writes,
    /// Speaks to another address.
    Web,
    /// Asks a person.
    Person,
}

/// One parameter.
#[derive(Debug, PartialEq)]
pub struct Param {
    /// The YAML key.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// What holds when it is not given, for the documentation; empty when nothing does.
    pub default: &'static str,
    /// Names that may not be keys of its map.
    pub reserved: &'static [&'static str],
    /// Whether Semaphore shows its values to people, so that a secret in it needs `expose`.
    pub shown: bool,
    /// Whether it is a path that must stay inside the folder of the run's files.
    pub inside: bool,
    /// Whether it is written out: no template stands for the whole of it.
    pub written: bool,
    /// One or two sentences.
    pub doc: &'static str,
}

/// One output.
#[derive(Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// One sentence.
    pub doc: &'static str,
    /// Whether it is there only when the step waited (not with `wait: false`).
    pub when_waited: bool,
    /// Which words it can be.
    pub words: Words,
}

/// Which words a text can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Any text.
    Any,
    /// These are known; a newer Semaphore may say more.
    Known(&'static [&'static str]),
    /// These alone: they are the runner's own.
    Only(&'static [&'static str]),
}

/// The type of a parameter or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// The id of something on Semaphore (a UUID).
    Id,
    /// An id, or a name.
    IdOrName,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A duration with its unit.
    Duration,
    /// A moment in the past: a time, or a duration that counts back from now.
    Since,
    /// A size with its unit.
    Size,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list.
    List(&'static Self),
    /// A map from names to values of one type.
    Map(&'static Self),
    /// Bare expressions: a list of them.
    Expressions,
    /// Any value.
    Any,
}

impl Action {
    /// The parameter of this name.
    pub fn param(&self, name: &str) -> Option<&'static Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Whether it reads something once, so that `until` may stand beside it.
    pub fn is_polled(&self) -> bool {
        self.reach == Reach::Reads
            && (self.name.starts_with("describe_") || self.name.starts_with("list_"))
    }

    /// Whether it may change something, on Semaphore or elsewhere.
    pub fn changes(&self) -> bool {
        match self.reach {
            Reach::Writes | Reach::Web => true,
            Reach::Nothing | Reach::Reads | Reach::Person => false,
        }
    }

    /// The output of this name.
    pub fn output(&self, name: &str) -> Option<&'static Field> {
        self.outputs.iter().find(|field| field.name == name)
    }
}

impl Param {
    /// A parameter that must be given.
    pub const fn required(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            required: true,
            ..Self::optional(name, ty, doc)
        }
    }

    /// A parameter that may be left out.
    pub const fn optional(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            required: false,
            default: "",
            reserved: &[],
            shown: false,
            inside: false,
            written: false,
            doc,
        }
    }

    /// The same with what holds when it is left out.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default, ..self }
    }

    /// The same, its values shown to people by Semaphore.
    #[must_use]
    pub const fn shown(self) -> Self {
        Self {
            shown: true,
            ..self
        }
    }

    /// The same, a path that must stay inside the folder of the run's files.
    #[must_use]
    pub const fn inside(self) -> Self {
        Self {
            inside: true,
            ..self
        }
    }

    /// The same, written out: no template stands for the whole of it.
    #[must_use]
    pub const fn written(self) -> Self {
        Self {
            written: true,
            ..self
        }
    }

    /// The same, with names that may not be keys of its map.
    #[must_use]
    pub const fn reserved(self, reserved: &'static [&'static str]) -> Self {
        Self { reserved, ..self }
    }
}

impl Field {
    /// An output that is always there when the step passed.
    pub const fn always(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            name,
            ty,
            doc,
            when_waited: false,
            words: Words::Any,
        }
    }

    /// The same, of Semaphore's words.
    #[must_use]
    pub const fn known(self, words: &'static [&'static str]) -> Self {
        Self {
            words: Words::Known(words),
            ..self
        }
    }

    /// The same, of the runner's own words.
    #[must_use]
    pub const fn only(self, words: &'static [&'static str]) -> Self {
        Self {
            words: Words::Only(words),
            ..self
        }
    }

    /// An output that is there only when the step waited.
    pub const fn waited(name: &'static str, ty: Type, doc: &'static str) -> Self {
        Self {
            when_waited: true,
            ..Self::always(name, ty, doc)
        }
    }
}

impl Type {
    /// What it is, in a few words: `text`, `one of `text` or `events``.
    pub fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Id => "an id".to_owned(),
            Self::IdOrName => "an id or a name".to_owned(),
            Self::Integer => "a whole number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Duration => "a duration".to_owned(),
            Self::Since => "a duration or a time".to_owned(),
            Self::Size => "a size".to_owned(),
            Self::OneOf(words) => words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(" or "),
            Self::List(&Self::Any) => "a list".to_owned(),
            Self::List(item) => format!("a list, each item {}", item.words()),
            Self::Map(&Self::Any) => "a map".to_owned(),
            Self::Map(item) => format!("a map from names, each value {}", item.words()),
            Self::Expressions => "a list of expressions".to_owned(),
            Self::Any => "any value".to_owned(),
        }
    }
}
