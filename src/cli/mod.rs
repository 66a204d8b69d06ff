//! cli

pub mod causes;
pub mod output;
pub mod progress;
pub mod render;
pub mod screen;
pub mod show;
pub mod summary;
pub mod words;
