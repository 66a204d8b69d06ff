//! `docs/actions.md`, made from the descriptions.

use std::fmt::Write as _;

use super::{Action, Field, Reach, STEP_FIELDS, Shape, Type, all};

/// The whole page; the same catalog always gives the same bytes.
pub fn actions_markdown() -> String {
    let mut page = String::from(
        "# Actions\n\nThis page is made from the catalog (`src/catalog/`), the same description that the decoder, the \
         checks and the JSON Schema use.\n\n| action | what it does |\n|---|---|\n",
    );
    for action in all() {
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} |", action.name, action.summary);
    }
    page.push_str(
        "\nA value whose whole text is one `{{ expression }}` keeps the type of that expression; wherever a type is \
         named below, such a value may stand.\n\n## What every step has\n\n",
    );
    fields(&mut page, STEP_FIELDS, "output of every step");
    for action in all() {
        one(&mut page, action);
    }
    page
}

fn one(page: &mut String, action: &Action) {
    let _ = write!(page, "\n## {}\n\n{}", action.name, action.summary);
    let _ = writeln!(page, " {}\n", reach(action.reach));
    let _ = writeln!(page, "{}\n", action.doc);
    match action.shape {
        Shape::Map => {}
        Shape::Scalar => page.push_str("Its value is the first parameter alone.\n\n"),
        Shape::Names => {
            page.push_str("Its value is a map of free names; they are its outputs.\n\n");
        }
        Shape::ListOrMap => {
            page.push_str("Its value is the first parameter alone, or a map of all of them.\n\n");
        }
    }
    params(page, action);
    if !action.outputs.is_empty() {
        fields(page, action.outputs, "output");
    }
    if !action.response.is_empty() {
        let _ = writeln!(page, "\n`response` holds {}.", action.response);
    }
    if !action.errors.is_empty() {
        page.push_str("\n| error kind | when |\n|---|---|\n");
        for (kind, when) in action.errors {
            let _ = writeln!(page, "| `{kind}` | {when} |");
        }
    }
    let _ = write!(page, "\n```yaml\n{}```\n", action.example);
}

fn params(page: &mut String, action: &Action) {
    if action.params.is_empty() {
        return;
    }
    page.push_str("| parameter | type | default | |\n|---|---|---|---|\n");
    for param in action.params {
        let default = if param.required {
            "required"
        } else {
            param.default
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {default} | {} |",
            param.name,
            words(param.ty),
            param.doc
        );
    }
    if !action.exactly_one.is_empty() {
        let names: Vec<String> = action
            .exactly_one
            .iter()
            .map(|n| format!("`{n}`"))
            .collect();
        let _ = writeln!(page, "\nExactly one of {} is given.", names.join(", "));
    }
    for (name, other) in action.only_with {
        let _ = writeln!(page, "\n`{name}` stands only beside `{other}`.");
    }
    page.push('\n');
}

fn fields(page: &mut String, fields: &[Field], head: &str) {
    let _ = write!(page, "| {head} | type | |\n|---|---|---|\n");
    for field in fields {
        let waited = if field.when_waited {
            " Not with `wait: false`."
        } else {
            ""
        };
        let _ = writeln!(
            page,
            "| `{}` | {} | {}{waited} |",
            field.name,
            words(field.ty),
            field.doc
        );
    }
}

fn words(ty: Type) -> String {
    ty.words().replace('|', "\\|")
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Nothing => "It reaches nobody.",
        Reach::Reads => "It reads from Semaphore.",
        Reach::Writes => "It changes something on Semaphore.",
        Reach::Web => "It speaks to another address.",
        Reach::Person => "It asks a person.",
    }
}
