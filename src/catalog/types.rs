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
