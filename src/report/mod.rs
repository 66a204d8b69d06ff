//! Reports: folds of events.
//!
//! `RunView` is the one fold; the report, the progress display, the summary and `runner show` all
//! read it, so that they can never tell different stories. The shapes that leave the process are
//! frozen types of their own (`v1`, `event_v1`), so that the inside may change without them.
//! Nothing here knows a terminal, the store or the network; other formats (JUnit, Markdown) get a file
//! of their own beside `json.rs`.

mod critical_path;
pub mod event_v1;
mod fold;
mod json;
mod mask;
mod metrics;
mod schema;
mod span_words;
pub mod spans;
mod trace_parent;
pub mod v1;
mod view;

pub use critical_path::critical_path;
pub use json::{ApiUse, REPORT_BYTES_MAX, report, report_text};
pub use mask::{json_line, json_pretty, masked};
pub use metrics::{Figures, metrics};
pub use schema::{event_schema, report_schema};
pub use trace_parent::TraceParent;
pub use view::{CallView, RunState, RunView, StepState, StepView, TryView};
