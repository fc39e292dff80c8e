//! The native command `vestibule`: what a configuration does, before it is deployed. It runs the Worker's own parser,
//! router and forwarding, and is no part of the Worker.

mod arguments;
mod authorities;
mod check;
mod convert;
mod dev_vars;
mod explain;
mod known;
mod platform;
mod report;
mod routes;
mod schema;
mod secrets;
mod stand_in_key;
mod wrangler;

use std::ffi::OsString;

pub use explain::{Decision, Passed, Sender, SignIn, decide};

use arguments::{Command, USAGE};

/// What a run of the command prints, and its exit code.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// 0 for yes, 1 for a configuration with faults, 2 for wrong usage or an unreadable file, 3 for a request that would
    /// not be served.
    pub exit_code: u8,
    /// For standard output.
    pub output: String,
    /// For standard error.
    pub complaint: String,
}

/// Runs the command with its arguments, without the program's own name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Outcome {
    let outcome = match Command::parse(arguments) {
        Ok(Command::Check(wish)) => check::run(&wish),
        Ok(Command::Convert(wish)) => convert::run(&wish),
        Ok(Command::Explain(wish)) => explain::run(&wish),
        Ok(Command::Help) => Ok(Outcome::of(0, USAGE.to_owned())),
        Ok(Command::Schema) => Ok(Outcome::of(0, format!("{:#}\n", schema::schema()))),
        Err(complaint) => Err(format!("{complaint}\n\n{USAGE}")),
    };
    outcome.unwrap_or_else(|complaint| Outcome {
        exit_code: 2,
        output: String::new(),
        complaint: format!("vestibule: {}\n", complaint.trim_end()),
    })
}

impl Outcome {
    const fn of(exit_code: u8, output: String) -> Self {
        Self { exit_code, output, complaint: String::new() }
    }
}
