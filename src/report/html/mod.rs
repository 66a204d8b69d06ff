//! The report as one page of HTML that needs nothing but itself.
//!
//! Everything is written by the template, so that the page tells all without JavaScript; the script
//! only filters, unfolds and remembers the colours. The policy in the page allows nothing but its own
//! style and script, by their digests, and so no attribute may hold a style: what is drawn is SVG.

mod graph;
mod layout;
mod page;

pub(super) use page::html;
