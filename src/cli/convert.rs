//! `vestibule convert`: the `appsettings.json` of an ASP.NET Core application as `[vars]` of `wrangler.toml`. What it
//! prints was read by the Worker's own parser, and what that finds is in the list of what is still to do.

mod appsettings;
mod conversion;
mod credentials;
mod document;
mod downstream;
mod provider;
mod sections;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use super::arguments::Convert;
use super::secrets::{self, Reading};
use super::{Outcome, dev_vars};

use conversion::{Conversion, Secret};

/// The bindings of the repository's `wrangler.toml`.
const BINDINGS: [&str; 2] = ["ACCOUNTS", "TOKEN_CACHE"];

/// Where the session key comes from stands beside its command.
const SESSION_KEY: &str = "Session__Key";

/// Converts files.
///
/// # Errors
/// A sentence, when one cannot be read, or the secrets not be written.
pub(super) fn run(wish: &Convert) -> Result<Outcome, String> {
    let mut conversion = sections::convert(&appsettings::read(&wish.files)?);
    judge(&mut conversion);
    let exit_code = u8::from(!conversion.to_do.is_empty());
    let mut outcome = Outcome::of(exit_code, document::text(&conversion));
    if let Some(path) = &wish.dev_vars {
        let text = dev_vars_text(&conversion.secrets)?;
        if path.as_os_str() == "-" {
            outcome.output = text;
        } else {
            write_new(path, &text).map_err(|error| format!("{}: {error}", path.display()))?;
            outcome.complaint = format!("wrote {}\n", path.display());
        }
    }
    Ok(outcome)
}

/// Adds what the Worker's parser says: faults, and secrets that are required and did not stand in the files.
fn judge(conversion: &mut Conversion) {
    let names: Vec<_> = conversion.secrets.iter().map(|secret| secret.name.clone()).collect();
    let Reading { outcome, assumed, unknown: _ } =
        secrets::read_with(&names, conversion.vars.clone(), &BINDINGS.map(str::to_owned));
    for name in assumed.into_iter().filter(|name| name != SESSION_KEY) {
        conversion.secrets.push(Secret { name, source: "not in these files".to_owned(), value: None });
    }
    for fault in outcome.err().unwrap_or_default() {
        conversion.leave_to_do(fault.key(), fault.problem().to_string());
    }
}

/// The secrets in the format of `.dev.vars`.
fn dev_vars_text(secrets: &[Secret]) -> Result<String, String> {
    let mut text = String::new();
    for Secret { name, value, .. } in secrets {
        text += &match value {
            Some(value) => {
                dev_vars::line(name, value).ok_or_else(|| format!("{name} cannot be written in .dev.vars"))?
            }
            None => format!("# {name}=\n"),
        };
    }
    Ok(text + "# Session__Key: the output of `openssl rand -base64 32`\n# Session__Key=\n")
}

/// Writes a file that only its owner can read, unless there is one already.
fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
