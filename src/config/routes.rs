//! The route rules, `[[vars.Gateway.Routes]]`: each by itself, then with those that could take its requests from it.

mod compared;

use url::Url;

use crate::rules::{Access, Methods, Pattern, Rule, Rules, StepUp};
use crate::time::Lifetime;

use super::address;
use super::api::Api;
use super::fault::Problem;
use super::paths::{Paths, Redirects};
use super::requirement;
use super::section::Section;
use super::values::Range;
use compared::{refuse_equal_names, refuse_equal_paths, refuse_foreign_apis, refuse_shadowed};

const LIST: &str = "Routes";
const MAX_AGE: Range = Range { min: 60, max: 86_400, default: 0 };
const PATTERN: &str = "Gateway.Routes[]";
const TIMEOUT: Range = Range { min: 1, max: 300, default: 0 };

const LONGEST_ACR: usize = 1024;

const NEEDS_ACCESS: Problem = Problem::Invalid("be Anonymous, Optional, Login, Api or Bearer", None);
const NEEDS_HOST: Problem =
    Problem::Invalid("be a host name in ASCII, with its port unless that is 443", Some("app.example.com"));
const NEEDS_METHODS: Problem = Problem::Invalid("be of GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS", None);
const NEEDS_NAME: Problem = Problem::Invalid("be up to 64 letters, digits, - and _", Some("admin-pages"));
const NEEDS_ORIGINS: Problem =
    Problem::Invalid("be https origins as browsers send them, without a path", Some("https://spa.example.com"));
const NEEDS_SHORT_ACR: Problem = Problem::Invalid("be up to 1024 characters in all", None);
const NEEDS_PATH: Problem = Problem::Invalid(
    "start with / and have up to 32 segments, each * or of letters, digits and -._~@+, without a dot at the end, \
     with /** at the end for everything below",
    Some("/docs/**"),
);

/// The rules of `Gateway`, read but not yet compared.
pub(super) struct Reading {
    rules: Vec<(usize, Rule)>,
    ignores_case: Option<bool>,
}

/// Reads each rule; `api` is the prefix of the downstream APIs, and `missing` what it would take for accounts to have objects.
pub(super) fn read(gateway: &mut Section<'_>, api: Option<&str>, missing: Option<&'static str>) -> Reading {
    let ignores_case = gateway.flag("IgnorePathCase");
    let mut rules = Vec::new();
    for table in gateway.tables(LIST) {
        let position = table.0;
        let mut section = gateway.element(LIST, table, PATTERN);
        if let Some(missing) = missing.filter(|_| section.says("Sensitive", true)) {
            // No store alone holds such a promise.
            section.fault("Sensitive", Problem::NeedsBeside(missing));
        }
        let rule = rule(&mut section, position, api);
        section.finish();
        rules.extend(rule.map(|rule| (position, rule)));
    }
    Reading { rules, ignores_case }
}

impl Reading {
    /// Whether a rule is for access tokens.
    pub(super) fn has_bearer(&self) -> bool {
        self.rules.iter().any(|(_, rule)| rule.access == Access::Bearer)
    }
}

/// The paths that the gateway keeps for itself.
pub(super) struct Kept<'a> {
    pub(super) paths: Option<&'a Paths>,
    pub(super) redirects: &'a [Redirects],
    /// Whether the protected resource metadata are served.
    pub(super) has_bearer: bool,
}

/// Compares the rules with each other and with the gateway's own paths, and the names of providers with those there
/// are; none if they could not be read. `issuer` names the provider of access tokens, and `apis` are all there are.
pub(super) fn join(
    root: &mut Section<'_>,
    mut reading: Reading,
    kept: &Kept<'_>,
    (providers, issuer, apis): (&[&str], Option<&str>, &[Api]),
) -> Option<Rules> {
    for numbered @ (position, rule) in &reading.rules {
        refuse_shadowed(root, numbered, kept);
        let is_unknown = |name: &String| !providers.is_empty() && !providers.contains(&name.as_str());
        if rule.provider.as_ref().is_some_and(is_unknown) {
            root.fault(&key(*position, "Provider"), Problem::Invalid("be the name of a provider's section", None));
        }
    }
    refuse_equal_names(root, &reading.rules);
    refuse_equal_paths(root, &reading.rules);
    for (_, rule) in reading.rules.iter_mut().filter(|(_, rule)| rule.access == Access::Bearer) {
        rule.provider = issuer.map(str::to_owned);
    }
    let api = &kept.paths?.api;
    for numbered in &reading.rules {
        refuse_foreign_apis(root, numbered, (api, apis));
    }
    let rules = reading.rules.into_iter().map(|(_, rule)| rule);
    let (apis, origin) = rules.partition(|rule| rule.pattern.lies_under(api));
    Some(Rules::new(origin, apis, reading.ignores_case?))
}

fn rule(section: &mut Section<'_>, position: usize, api: Option<&str>) -> Option<Rule> {
    let name = if section.holds("Name") { section.parsed("Name", name) } else { Some(format!("{LIST}[{position}]")) };
    let pattern = section.required("Path", "e.g. \"/docs/**\"", |text| Pattern::parse(text).ok_or(NEEDS_PATH));
    let serves_api = pattern.as_ref().zip(api).is_some_and(|(pattern, api)| pattern.lies_under(api));
    let access = access(section, serves_api);
    if let Some(access) = access {
        refuse_without_meaning(section, access, serves_api);
    }
    let methods = methods(section);
    let host = section.parsed("Host", host);
    let provider = section.text("Provider");
    let require = requirement::read(section);
    let scopes = section.scopes("Scopes").unwrap_or_default();
    let step_up = step_up(section);
    let is_sensitive = section.flag("Sensitive");
    let has_anti_forgery = section.flag_or("AntiForgery", true);
    let cors_origins = cors_origins(section);
    let timeout = section.optional_seconds("TimeoutSeconds", &TIMEOUT);
    let hides = section.flag("Hide");
    Some(Rule {
        name: name?,
        pattern: pattern?,
        methods,
        host,
        access: access?,
        provider,
        require,
        scopes,
        step_up: step_up?,
        is_sensitive: is_sensitive?,
        has_anti_forgery: has_anti_forgery?,
        cors_origins,
        timeout: timeout?,
        hides: hides?,
    })
}

fn name(text: &str) -> Result<String, Problem> {
    let is_name = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if is_name { Ok(text.to_owned()) } else { Err(NEEDS_NAME) }
}

fn access(section: &mut Section<'_>, serves_api: bool) -> Option<Access> {
    let default = if serves_api { "Api" } else { "Login" };
    section.parsed_or("Access", default, |text| match text {
        "Api" => Ok(Access::Api),
        "Bearer" => Ok(Access::Bearer),
        _ if serves_api => Err(Problem::Invalid("be Api or Bearer for a path under Gateway.ApiPath", None)),
        "Anonymous" => Ok(Access::Anonymous),
        "Login" => Ok(Access::Login),
        "Optional" => Ok(Access::Optional),
        _ => Err(NEEDS_ACCESS),
    })
}

/// What would promise something that does not happen.
fn refuse_without_meaning(section: &mut Section<'_>, access: Access, serves_api: bool) {
    const SIGNED_IN: &str = "Access Optional, Login or Api";
    const GUARDED: &str = "Access Login, Api or Bearer";

    let has_session = matches!(access, Access::Optional | Access::Login | Access::Api);
    let is_guarded = matches!(access, Access::Login | Access::Api | Access::Bearer);
    for (name, has_meaning, needed) in [
        ("Provider", has_session, SIGNED_IN),
        ("Sensitive", has_session || !section.says("Sensitive", true), SIGNED_IN),
        ("AntiForgery", has_session || !section.says("AntiForgery", false), SIGNED_IN),
        ("Require", is_guarded, GUARDED),
        ("AcrValues", is_guarded, GUARDED),
        ("MaxAgeSeconds", is_guarded, GUARDED),
        ("Scopes", access == Access::Bearer, "Access Bearer"),
        ("Hide", section.holds("Require") || !section.says("Hide", true), "Require"),
    ] {
        if section.holds(name) && !has_meaning {
            section.fault(name, Problem::NeedsBeside(needed));
        }
    }
    if serves_api && section.holds("TimeoutSeconds") {
        section.fault("TimeoutSeconds", Problem::Unsupported("set TimeoutSeconds of the downstream API"));
    }
}

fn methods(section: &mut Section<'_>) -> Option<Methods> {
    let names = section.words("Methods")?;
    section.accept("Methods", Methods::parse(&names).ok_or(NEEDS_METHODS))
}

/// Host and port as a URL has them, so that they can be compared as a whole.
fn host(text: &str) -> Result<String, Problem> {
    let host = text.to_ascii_lowercase();
    let url = Url::parse(&format!("https://{host}/")).map_err(|_| NEEDS_HOST)?;
    // What the parser changes would never be equal to the host of a request.
    let is_unchanged = url.as_str().strip_prefix("https://").and_then(|url| url.strip_suffix('/')) == Some(&host);
    let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
        && url.host_str().is_some_and(|name| name.split('.').all(|label| !label.is_empty()));
    if is_unchanged && is_host { Ok(host) } else { Err(NEEDS_HOST) }
}

fn step_up(section: &mut Section<'_>) -> Option<Option<StepUp>> {
    let acr_values = acr_values(section);
    let max_age: Option<Lifetime> = section.optional_seconds("MaxAgeSeconds", &MAX_AGE)?;
    Some((!acr_values.is_empty() || max_age.is_some()).then_some(StepUp { acr_values, max_age }))
}

/// Not more of them than fits into the cookie of a login attempt beside everything else.
fn acr_values(section: &mut Section<'_>) -> Vec<String> {
    let Some(values) = section.words("AcrValues") else { return Vec::new() };
    let length: usize = values.iter().map(|value| value.len() + 1).sum();
    section
        .accept("AcrValues", if length <= LONGEST_ACR { Ok(values) } else { Err(NEEDS_SHORT_ACR) })
        .unwrap_or_default()
}

fn cors_origins(section: &mut Section<'_>) -> Vec<String> {
    let Some(origins) = section.words("CorsOrigins") else { return Vec::new() };
    let is_serialised = |origin: &String| {
        let url = address::origin(origin, "");
        url.is_ok_and(|url| url.origin().ascii_serialization() == *origin) && !origin.contains('*')
    };
    let is_valid = origins.iter().all(is_serialised);
    section.accept("CorsOrigins", if is_valid { Ok(origins) } else { Err(NEEDS_ORIGINS) }).unwrap_or_default()
}

fn key(position: usize, name: &str) -> String {
    format!("Gateway.{LIST}[{position}].{name}")
}
