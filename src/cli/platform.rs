//! What the Worker cannot see of its own deployment: which requests reach it, what stands beside it, what the platform
//! logs. A fault here is a way around the sign-in or a deployment that fails.

use serde_json::{Map, Value};
use url::{Host, Url};

use super::report::Report;
use super::wrangler::Deployment;
use super::{known, routes};
use crate::config::Kind;

const ACCOUNTS: &str = "ACCOUNTS";
const TOKEN_CACHE: &str = "Session.TokenCache";
const CLASS: &str = "AccountObject";
const ENTRY: [&str; 3] = ["build", "worker", "entry.js"];

/// Looks at everything.
pub(super) fn look(deployment: &Deployment, report: &mut Report) {
    let vars = deployment.vars();
    entry(deployment, report);
    accounts(deployment, &vars, report);
    store(deployment, &vars, report);
    assets(deployment, report);
    logs(deployment, report);
    service(deployment, &vars, report);
    // What browsers reach on a loopback host only is never deployed.
    let Some(public_origin) = origins(&vars, PUBLIC_ORIGIN).pop().filter(|origin| !is_loopback(origin)) else { return };
    let mut origins = vec![(PUBLIC_ORIGIN, public_origin)];
    origins.extend(origins_beside(&vars));
    reach(deployment, &origins, report);
    loopback(&vars, report);
    told_apart(&vars, report);
}

const PUBLIC_ORIGIN: &str = "Gateway.PublicOrigin";

/// Those of the further public origins that a deployed Worker has.
fn origins_beside(vars: &Map<String, Value>) -> impl Iterator<Item = (&'static str, Url)> {
    const KEY: &str = "Gateway.AlternateOrigins";

    origins(vars, KEY).into_iter().filter(|origin| !is_loopback(origin)).map(|origin| (KEY, origin))
}

/// The URLs under a key.
fn origins(vars: &Map<String, Value>, key: &str) -> Vec<Url> {
    known::words(vars, key).iter().filter_map(|text| Url::parse(text).ok()).collect()
}

fn entry(deployment: &Deployment, report: &mut Report) {
    const KEY: &str = "main";

    match deployment.field(KEY).and_then(Value::as_str) {
        None => report.fault(KEY, "is required; without it no Worker is deployed, and what stands beside it is open"),
        Some(path) if !path.replace('\\', "/").rsplit('/').take(ENTRY.len()).eq(ENTRY.into_iter().rev()) => {
            report.warning(KEY, "is not build/worker/entry.js, the entry that `npm run build` makes");
        }
        Some(_) => {}
    }
}

fn accounts(deployment: &Deployment, vars: &Map<String, Value>, report: &mut Report) {
    const MIGRATIONS: &str = "migrations";

    let named = |binding: &&Value| binding.get("name").is_some_and(|name| name == ACCOUNTS);
    let Some(binding) = deployment.list("durable_objects.bindings").iter().find(named) else {
        return alone(vars, report);
    };
    // The class of another Worker is that one's to migrate.
    if binding.get("script_name").is_some() {
        return;
    }
    if binding.get("class_name").is_none_or(|class| class != CLASS) {
        report.fault("durable_objects.bindings", "must give ACCOUNTS the class_name AccountObject");
    }
    let lists = |field: &str| {
        let classes = deployment.list(MIGRATIONS).iter().filter_map(|migration| migration.get(field)?.as_array());
        classes.flatten().any(|class| class == CLASS || class.get("to").is_some_and(|to| to == CLASS))
    };
    let is_exported = deployment.field("exports.AccountObject.storage").is_some_and(|storage| storage == "sqlite");
    if lists("new_classes") {
        report.fault(MIGRATIONS, "must list AccountObject in new_sqlite_classes, not in new_classes: it needs SQLite");
    } else if !is_exported && !["new_sqlite_classes", "renamed_classes", "transferred_classes"].into_iter().any(lists) {
        report.fault(MIGRATIONS, "must list AccountObject in new_sqlite_classes of one migration");
    }
}

/// Without account objects.
fn alone(vars: &Map<String, Value>, report: &mut Report) {
    const BOUND: &str = "a sign-out is over elsewhere after about 60 to 90 s, which Workers KV does not guarantee";

    match known::text(vars, TOKEN_CACHE) {
        None | Some("KV") => {}
        Some("D1") => {
            let less = "is not bound in [[durable_objects.bindings]]: open pages do not hear of a sign-out, and isolates may renew a token at once";
            return report.note(ACCOUNTS, less);
        }
        // It needs none, or the parser says so.
        Some(_) => return,
    }
    report.warning(ACCOUNTS, format!("is not bound in [[durable_objects.bindings]]: {BOUND}"));
    if known::values(vars).iter().any(|(key, _)| key == "Session.RevocationDelay") {
        report.warning("Session.RevocationDelay", format!("is no bound without the binding ACCOUNTS: {BOUND}"));
    }
}

/// A binding under the right name that is of another kind, and a choice that nobody should deploy.
fn store(deployment: &Deployment, vars: &Map<String, Value>, report: &mut Report) {
    let (name, list, what) = match known::text(vars, TOKEN_CACHE) {
        None | Some("KV") => ("TOKEN_CACHE", "kv_namespaces", "a KV namespace of [[kv_namespaces]]"),
        Some("D1") => ("TOKEN_CACHE_DB", "d1_databases", "a D1 database of [[d1_databases]]"),
        Some("Memory") => {
            return report.warning(
                TOKEN_CACHE,
                "is Memory, which is for tests: sessions end with the isolate at any moment, and no other isolate knows them",
            );
        }
        Some(_) => return,
    };
    // What is bound to nothing is the parser's to tell.
    if deployment.bindings().iter().any(|binding| binding == name) && !deployment.binds(list, name) {
        report.fault(name, format!("must be {what}"));
    }
}

fn assets(deployment: &Deployment, report: &mut Report) {
    if deployment.field("assets").is_none() {
        return;
    }
    if deployment.flag("assets.run_worker_first") != Some(true) {
        report.fault("assets.run_worker_first", "must be true: files are served without a sign-in otherwise");
    }
    let not_found = deployment.field("assets.not_found_handling");
    if not_found.is_some_and(|handling| handling != "none") {
        report.note(
            "assets.not_found_handling",
            "answers for paths without a file; it takes effect behind Vestibule, so such a path needs a sign-in too",
        );
    }
}

fn logs(deployment: &Deployment, report: &mut Report) {
    const LEAK: &str = "a callback's URL holds an authorization code";

    if deployment.flag("logpush") == Some(true) {
        report.warning("logpush", format!("writes the URL of every request down, and {LEAK}"));
    }
    if deployment.flag("observability.redact_query_string") == Some(true) {
        return;
    }
    let is_enabled = deployment.flag("observability.enabled") == Some(true);
    if deployment.flag("observability.logs.enabled").unwrap_or(is_enabled)
        && deployment.flag("observability.logs.invocation_logs") != Some(false)
    {
        report.warning(
            "observability.logs.invocation_logs",
            format!("should be false, or observability.redact_query_string true: each URL is logged, and {LEAK}"),
        );
    }
    if deployment.flag("observability.traces.enabled") == Some(true) {
        report.warning(
            "observability.traces",
            format!("should go with observability.redact_query_string = true: each URL is recorded, and {LEAK}"),
        );
    }
}

/// A binding that cannot be asked, or that answers without the Worker.
fn service(deployment: &Deployment, vars: &Map<String, Value>, report: &mut Report) {
    const KEY: &str = "Gateway.OriginService";

    let Some(name) = known::text(vars, KEY) else { return };
    let is_named = |binding: &Value| binding.get("binding").is_some_and(|own| own == name);
    let is_assets = deployment.field("assets").is_some_and(is_named);
    // What is bound to nothing is the parser's to tell.
    let is_bound = deployment.bindings().iter().any(|binding| binding == name);
    if is_bound && !is_assets && !deployment.list("services").iter().any(is_named) {
        report.fault(KEY, "must name a binding of [[services]] or [assets]; that one cannot serve a request");
    }
}

/// Whether the origin can know that a request came through the gateway.
fn told_apart(vars: &Map<String, Value>, report: &mut Report) {
    const KEY: &str = "Gateway.OriginAssertion";

    let values = known::values(vars);
    let is_on = |value: &Value| *value == true || value.as_str() == Some("true");
    let is_asserted = values.iter().any(|(key, value)| key == KEY && is_on(value));
    if !is_asserted && known::text(vars, "Gateway.Origin").is_some() {
        report.warning(
            KEY,
            "should be true: without it the origin cannot tell a request that went past Vestibule from one that did not",
        );
    }
}

/// How requests come to the Worker, and how they might pass it by.
fn reach(deployment: &Deployment, origins: &[(&str, Url)], report: &mut Report) {
    let patterns = routes::patterns(deployment);
    for (key, origin) in origins {
        let covering: Vec<_> = patterns.iter().filter(|pattern| pattern.covers(origin)).collect();
        if !patterns.is_empty() && covering.is_empty() && !is_workers_dev(origin) {
            report.warning("routes", format!("has no pattern for the host of {key}"));
        }
        if !covering.is_empty() && !covering.iter().any(|pattern| pattern.takes_every_path()) {
            report.warning(
                "routes",
                "should take every path of the host (/*): requests for other paths go past Vestibule, without a sign-in",
            );
        }
    }
    if origins.iter().any(|(_, origin)| is_workers_dev(origin)) {
        return;
    }
    // As wrangler has it: on by default where there is no route.
    if deployment.flag("workers_dev").unwrap_or(patterns.is_empty()) {
        report.warning("workers_dev", format!("should be false: it is {SECOND_DOOR}"));
    }
    if deployment.flag("preview_urls") == Some(true) {
        report.warning("preview_urls", format!("should be false: they are {SECOND_DOOR}"));
    }
}

const SECOND_DOOR: &str =
    "a second door to the same Worker, where nothing holds that goes by the host (routes, WAF, Access)";

fn is_workers_dev(origin: &Url) -> bool {
    origin.host_str().is_some_and(|host| host.ends_with(".workers.dev"))
}

/// A deployed Worker cannot reach the machine that it was written on.
fn loopback(vars: &Map<String, Value>, report: &mut Report) {
    for (key, value) in known::values(vars) {
        let is_url = known::setting(&key).is_some_and(|setting| setting.kind == Kind::Url);
        let url = value.as_str().filter(|_| is_url).and_then(|text| Url::parse(text).ok());
        if url.is_some_and(|url| is_loopback(&url)) {
            report.warning(&key, "is a loopback address, which a deployed Worker does not reach");
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| match host {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}
