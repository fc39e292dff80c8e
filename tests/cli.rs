//! The command `vestibule`, as a program.

#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests may panic, and so may what they call")]

#[path = "cli/check.rs"]
mod check;
#[path = "cli/convert.rs"]
mod convert;
#[path = "cli/explain.rs"]
mod explain;
#[path = "cli/program.rs"]
mod program;
#[path = "cli/schema.rs"]
mod schema;
