//! Reports: folds of events.
//!
//! `RunView` is the one fold; the report, the progress display, the summary and `runner show` all
//! read it, so that they can never tell different stories. The shapes that leave the process are
//! frozen types of their own (`v1`, `event_v1`), so that the inside may change without them.
//! Nothing here knows a terminal, the store or the network. Each format has a file of its own (`json.rs`,
//! `junit.rs`, `markdown.rs`, `html/`); those for people share one account (`account/`).

mod account;
mod causes;
mod commands;
mod critical_path;
pub mod event_v1;
mod explain;
pub mod explain_v1;
mod fold;
mod formats;
mod gate;
mod html;
mod json;
mod junit;
mod markdown;
mod mask;
mod metrics;
mod schema;
mod span_words;
pub mod spans;
mod timeline;
mod trace_parent;
mod triage;
pub mod v1;
mod view;

pub use account::Told;
pub use commands::FailedCommand;
pub use critical_path::{critical_path, critical_path_until};
pub use explain::{explain, meant, only};
pub use formats::{Format, text_in};
pub use json::{ApiUse, REPORT_BYTES_MAX, report, report_text};
pub use mask::{json_line, json_pretty, masked};
pub use metrics::{Figures, metrics};
pub use schema::{event_schema, explain_schema, report_schema};
pub use trace_parent::TraceParent;
pub use triage::{kind_word, triage};
pub use view::{CallView, Park, RunState, RunView, StepState, StepView, TryView};
