//! `vestibule check`: every fault of a configuration at once, before the Worker is deployed with it.

use std::path::PathBuf;

use url::Url;

use super::arguments::{Check, File};
use super::report::Report;
use super::secrets::{self, Reading};
use super::wrangler::{self, Deployment};
use super::{Outcome, authorities, known, platform};

/// Checks a file.
///
/// # Errors
/// A sentence, when a file cannot be read.
pub(super) fn run(wish: &Check) -> Result<Outcome, String> {
    let mut report = Report::default();
    let is_assuming = wish.file.dev_vars.is_none() && wish.file.secrets.is_empty();
    let (deployment, reading) = read(&wish.file, is_assuming, &mut report)?;
    platform::look(&deployment, &mut report);
    committed(&deployment, &mut report);
    required(&deployment, &reading.assumed, &mut report);
    left_behind(&deployment, &wish.file, &mut report);
    match &reading.outcome {
        Err(faults) => report.take(faults),
        Ok(config) => {
            authorities::look(config, &deployment.vars(), &mut report);
            let hosts: Vec<_> = config.gateway.public_origins().map(Url::authority).collect();
            for warning in config.rules.warnings(&hosts) {
                report.warning("Gateway.Routes", warning.to_string());
            }
        }
    }
    for key in &reading.unknown {
        report.note(key, "is put as a secret, whose value is not known here: it is not checked");
    }
    report.secrets = reading.assumed;
    report.sort();
    let output = if wish.is_json { format!("{:#}\n", report.document()) } else { report.lines() };
    Ok(Outcome::of(u8::from(report.has_faults()), output))
}

/// Reads the file that is meant, as the Worker would. `is_assuming` tells whether required secrets count as put.
///
/// # Errors
/// A sentence, when a file cannot be read.
pub(super) fn read(file: &File, is_assuming: bool, report: &mut Report) -> Result<(Deployment, Reading), String> {
    let path = file.path.clone().or_else(wrangler::found);
    let path: PathBuf = path.ok_or("there is no wrangler.json, wrangler.jsonc or wrangler.toml here; name a file")?;
    let deployment = Deployment::read(&path, file.environment.as_deref())?;
    let reading = secrets::read(&deployment, file, is_assuming, report)?;
    Ok((deployment, reading))
}

/// A secret among the variables works, and is in version control. Inside a table the Worker's own parser refuses it.
fn committed(deployment: &Deployment, report: &mut Report) {
    for (name, value) in deployment.vars() {
        let key = known::key(&name);
        // A list of credentials in one text holds secrets.
        let is_list = key.ends_with(".ClientCredentials") && value.is_string();
        if is_list || known::is_secret(&key) && !value.is_object() {
            report.fault(&key, format!("is a secret and must not stand in [vars]; use `wrangler secret put {name}`"));
        }
    }
}

/// `wrangler dev` passes on only what is listed, once there is a list.
fn required(deployment: &Deployment, assumed: &[String], report: &mut Report) {
    if deployment.field("secrets.required").is_none() {
        return;
    }
    let listed = deployment.list("secrets.required");
    for name in assumed.iter().filter(|name| listed.iter().all(|listed| listed != name.as_str())) {
        report.warning(
            "secrets.required",
            format!("does not list {name}, which wrangler dev then keeps from the Worker"),
        );
    }
}

fn left_behind(deployment: &Deployment, file: &File, report: &mut Report) {
    let Some(environment) = &file.environment else { return };
    for field in &deployment.left_behind {
        report.note(field, format!("is not inherited from the top level; env.{environment} needs its own"));
    }
}
