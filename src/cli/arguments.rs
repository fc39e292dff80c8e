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
  vestibule explain \"METHOD /path\" [--claims FILE] [--provider NAME] [--scopes \"a b\"]
                    [--header \"Name: value\"]… [--config wrangler.toml] [--env NAME] [--dev-vars FILE] [--secret NAME]… [--json]
      Tells what would become of a request. Exit code 0 if it is served, 3 if not, 1 for a faulty configuration.
  vestibule schema
      Prints the JSON Schema of wrangler.toml's [vars] for editors.
  vestibule convert appsettings.json… [--dev-vars FILE]
      Prints the [vars] of wrangler.toml for the appsettings.json of an ASP.NET Core application; of several files, the
      later ones count more. Secrets are named and never printed; --dev-vars writes them into a new file (- for
      standard output). Exit code 0 if nothing is left to do, 1 if something is.

wrangler.json and wrangler.jsonc are read as well. Exit code 2: wrong usage, or a file that cannot be read.
";

/// What is wanted.
pub(super) enum Command {
    Check(Check),
    Convert(Convert),
    Explain(Explain),
    Help,
    Schema,
}

/// `vestibule check`.
pub(super) struct Check {
    pub(super) file: File,
    pub(super) is_json: bool,
}

/// `vestibule convert`.
#[derive(Default)]
pub(super) struct Convert {
    /// Later ones count more.
    pub(super) files: Vec<PathBuf>,
    /// Where the secrets go; nowhere by default.
    pub(super) dev_vars: Option<PathBuf>,
}

/// `vestibule explain`.
#[derive(Default)]
pub(super) struct Explain {
    pub(super) file: File,
    /// Method, then a path or URL.
    pub(super) request: String,
    /// Each as `Name: value`.
    pub(super) headers: Vec<String>,
    /// A file with the claims of whoever is signed in, or of the access token.
    pub(super) claims: Option<PathBuf>,
    /// The section of the provider that the sign-in was at.
    pub(super) provider: Option<String>,
    /// The scopes of the access token.
    pub(super) scopes: Vec<String>,
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
            "convert" => convert(&mut parser).map_err(|error| error.to_string()),
            "explain" => explain(&mut parser).map_err(|error| error.to_string()),
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
            Long("json") => wish.is_json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Long(name @ ("env" | "dev-vars" | "secret")) => {
                let name = name.to_owned();
                wish.file.set(&name, parser.value()?)?;
            }
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Check(wish))
}

fn convert(parser: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut wish = Convert::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(path) => wish.files.push(path.into()),
            Long("dev-vars") => wish.dev_vars = Some(parser.value()?.into()),
            Long("help") | Short('h') => return Ok(Command::Help),
            Long(_) | Short(_) => return Err(argument.unexpected()),
        }
    }
    if wish.files.is_empty() {
        return Err("name an appsettings.json".into());
    }
    Ok(Command::Convert(wish))
}

fn explain(parser: &mut Parser) -> Result<Command, lexopt::Error> {
    let mut wish = Explain::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Value(request) if wish.request.is_empty() => wish.request = request.string()?,
            Long("claims") => wish.claims = Some(parser.value()?.into()),
            Long("config") => wish.file.path = Some(parser.value()?.into()),
            Long("header") => wish.headers.push(parser.value()?.string()?),
            Long("provider") => wish.provider = Some(parser.value()?.string()?),
            Long("scopes") => wish.scopes.extend(parser.value()?.string()?.split_whitespace().map(str::to_owned)),
            Long("json") => wish.is_json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            Long(name @ ("env" | "dev-vars" | "secret")) => {
                let name = name.to_owned();
                wish.file.set(&name, parser.value()?)?;
            }
            Long(_) | Short(_) | Value(_) => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Explain(wish))
}

impl File {
    /// An option that both commands have.
    fn set(&mut self, name: &str, value: OsString) -> Result<(), lexopt::Error> {
        match name {
            "dev-vars" => self.dev_vars = Some(value.into()),
            "env" => self.environment = Some(value.string()?),
            _ => self.secrets.push(value.string()?),
        }
        Ok(())
    }
}

fn nothing(parser: &mut Parser) -> Result<(), lexopt::Error> {
    parser.next()?.map_or(Ok(()), |argument| Err(argument.unexpected()))
}
