//! The secrets, which no file of wrangler holds. Where their values are not known, stand-ins take their place, so that
//! everything else can be checked.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::arguments::File;
use super::dev_vars::DevVars;
use super::known::is_secret;
use super::report::Report;
use super::stand_in_key;
use super::wrangler::Deployment;
use crate::config::{Config, ConfigFault, Problem, flat_name};

/// The Worker's environment as far as it is known, and what its parser makes of it.
pub(super) struct Reading {
    /// The parser's verdict, without faults of a stand-in's own.
    pub(super) outcome: Result<Config, Vec<ConfigFault>>,
    /// The names of the secrets that stand-ins were taken for because they are required.
    pub(super) assumed: Vec<String>,
    /// The keys whose values cannot be a stand-in, so that nothing is known of them.
    pub(super) unknown: Vec<String>,
}

/// Reads the configuration of a deployment with the secrets that are named, read from a file, or, if `is_assuming`, put
/// because they are required.
///
/// # Errors
/// A sentence, when the file of secrets cannot be read.
pub(super) fn read(
    deployment: &Deployment,
    file: &File,
    is_assuming: bool,
    report: &mut Report,
) -> Result<Reading, String> {
    let mut vars = deployment.vars();
    if let Some(path) = &file.dev_vars {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let read = DevVars::parse(&text);
        for line in read.skipped {
            report.warning(&format!("{}:{line}", path.display()), "is no NAME=VALUE, and is skipped");
        }
        vars.extend(read.vars.into_iter().map(|(name, value)| (name, Value::String(value))));
    }
    let mut stand_ins = StandIns::default();
    for name in &file.secrets {
        stand_ins.put(name, &mut vars);
    }
    Ok(stand_ins.complete(vars, &deployment.bindings(), is_assuming))
}

/// Reads variables as [`read`] does, with stand-ins for the secrets that are named and for those that are required.
pub(super) fn read_with(names: &[String], mut vars: Map<String, Value>, bindings: &[String]) -> Reading {
    let mut stand_ins = StandIns::default();
    for name in names {
        stand_ins.put(name, &mut vars);
    }
    stand_ins.complete(vars, bindings, true)
}

#[derive(Default)]
struct StandIns {
    names: Vec<String>,
}

impl StandIns {
    /// Serves as a key and as a client's secret, and is never the same twice; a client's key has another form.
    fn put(&mut self, name: &str, vars: &mut Map<String, Value>) {
        if vars.contains_key(name) {
            return;
        }
        let key = name.rsplit("__").next().and_then(stand_in_key::named);
        if let Some(key) = key.filter(|_| name.contains("__ClientCredentials__")) {
            vars.insert(name.to_owned(), Value::String(key));
            self.names.push(name.to_owned());
            return;
        }
        let mut bytes = [0; 32];
        let number = u8::try_from(self.names.len()).unwrap_or(u8::MAX);
        for (value, byte) in (number..).zip(&mut bytes) {
            *byte = value;
        }
        vars.insert(name.to_owned(), Value::String(STANDARD.encode(bytes)));
        self.names.push(name.to_owned());
    }

    /// Puts stand-ins until no required secret is missing. What a secret makes possible may require another one.
    fn complete(mut self, mut vars: Map<String, Value>, bindings: &[String], is_assuming: bool) -> Reading {
        let mut assumed = Vec::new();
        loop {
            let environment = json!({ "vars": vars, "bindings": bindings }).to_string();
            let outcome = Config::parse(&environment);
            let missing =
                outcome.as_ref().err().filter(|_| is_assuming).and_then(|faults| missing_secret(faults, &vars));
            let Some(name) = missing else {
                let mut unknown = Vec::new();
                let outcome = outcome.map_err(|faults| self.without_own_faults(faults, &mut unknown));
                return Reading { outcome, assumed, unknown };
            };
            self.put(&name, &mut vars);
            assumed.push(name);
        }
    }

    /// Without what is wrong with a stand-in's value, whose key is `unknown` then. That its name is wrong is a fault of whoever named it.
    fn without_own_faults(&self, faults: Vec<ConfigFault>, unknown: &mut Vec<String>) -> Vec<ConfigFault> {
        let is_own = |fault: &ConfigFault| {
            let is_of_value = matches!(fault.problem(), Problem::Invalid(..) | Problem::OutOfRange(..));
            is_of_value && self.names.iter().any(|name| *name == flat_name(fault.key()))
        };
        let (own, others): (Vec<_>, Vec<_>) = faults.into_iter().partition(is_own);
        unknown.extend(own.iter().map(|fault| fault.key().to_owned()));
        others
    }
}

/// The name of a required secret that is not there, as `wrangler secret put` takes it.
fn missing_secret(faults: &[ConfigFault], vars: &Map<String, Value>) -> Option<String> {
    let missing = |fault: &&ConfigFault| matches!(fault.problem(), Problem::Missing(_)) && is_secret(fault.key());
    let names = faults.iter().filter(missing).map(|fault| flat_name(fault.key()));
    // One that is there and counts as missing all the same would be put for ever.
    names.into_iter().find(|name| !vars.contains_key(name))
}
