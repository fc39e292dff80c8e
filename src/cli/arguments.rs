//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Parser;
use lexopt::prelude::{Long, Short, Value, ValueExt as _};

pub(super) const USAGE: &str = "\
Usage:
  vestibule check [wrangler.toml] [--env NAME] [--dev-vars FILE] [--secret NAME]… [--json]
      Reports every fault of a configuration. Exit code 0 without faults, 1 with faults.
      Secrets that are required count as put, unless --dev-vars reads them or --secret names them.
  vestibule schema
      Prints the JSON Schema of wrangler.toml's [vars] for editors.

wrangler.json and wrangler.jsonc are read as well. Exit code 2: wrong usage, or a file that cannot be read.
";

/// What is wanted.
pub(super) enum Command {
    Check(Check),
    Help,
    Schema,
}

/// `vestibule check`.
pub(super) struct Check {
    pub(super) file: File,
    pub(super) is_json: bool,
}

/// Which configuration is meant, and which secrets it has.
#[derive(Default)]
pub(super) struct File {
    /// The file of wrangler; the one in the current directory if none is named.
    pub(super) path: Option<PathBuf>,
    pub(super) environment: Option<String>,
    pub(super) dev_vars: Option<PathBuf>,
    /// The names of secrets that have been put.
    pub(super) secrets: Vec<String>,
}

impl Command {
    /// Reads the arguments.
    ///
    /// # Errors
    /// A sentence about the argument that is wrong.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut parser = Parser::from_args(arguments);
        let command = match parser.next().map_err(|error| error.to_string())? {
            Some(Value(name)) => name.string().map_err(|error| error.to_string())?,
            Some(Long("help") | Short('h')) => return Ok(Self::Help),
            Some(other) => return Err(other.unexpected().to_string()),
            None => return Err("a command is missing".to_owned()),
        };
        match command.as_str() {
            "check" => check(&mut parser).map_err(|error| error.to_string()),
            "schema" => nothing(&mut parser).map(|()| Self::Schema).map_err(|error| error.to_string()),
            "help" => Ok(Self::Help),
            other => Err(format!("there is no command {other:?}")),
        }
    }
}

fn check(parser: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut wish = Check { file: File::default(), is_json: false };
    while let Some(argument) = parser.next()? {
        match argument {
            Value(path) if wish.file.path.is_none() => wish.file.path = Some(path.into()),
            Long("env") => wish.file.environment = Some(parser.value()?.string()?),
            Long("dev-vars") => wish.file.dev_vars = Some(parser.value()?.into()),
            Long("secret") => wish.file.secrets.push(parser.value()?.string()?),
            Long("json") => wish.is_json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Check(wish))
}

fn nothing(parser: &mut Parser) -> Result<(), lexopt::Error> {
    parser.next()?.map_or(Ok(()), |argument| Err(argument.unexpected()))
}
