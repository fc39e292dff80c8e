//! `wrangler.toml`, and wrangler's other two formats, as wrangler itself reads them.

use std::fs;
use std::path::{Path, PathBuf};

use jsonc_parser::{ParseOptions, parse_to_serde_value};
use serde_json::{Map, Value};

/// What a named environment takes over from the top level. Nothing else is: neither `vars` nor any binding.
const INHERITED: [&str; 11] = [
    "assets",
    "exports",
    "logpush",
    "main",
    "migrations",
    "observability",
    "preview_urls",
    "route",
    "routes",
    "workers_dev",
    "compatibility_date",
];

/// Fields whose entries name their binding `name` rather than `binding`.
const NAMED: [&str; 4] = ["durable_objects", "ratelimits", "send_email", "unsafe"];

/// The names in wrangler's own order.
const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// What one `wrangler deploy` would deploy.
pub(super) struct Deployment {
    fields: Map<String, Value>,
    /// What stands at the top level and is not inherited by the named environment, which lacks it.
    pub(super) left_behind: Vec<String>,
}

/// The file in the current directory that wrangler would take.
pub(super) fn found() -> Option<PathBuf> {
    NAMES.iter().map(PathBuf::from).find(|path| path.is_file())
}

impl Deployment {
    /// Reads a file, for a named environment if there is a name.
    ///
    /// # Errors
    /// A sentence, when it cannot be read or has no such environment.
    pub(super) fn read(path: &Path, environment: Option<&str>) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let is_toml = path.extension().is_none_or(|extension| extension != "json" && extension != "jsonc");
        let file = if is_toml { from_toml(&text) } else { from_jsonc(&text) };
        let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        Self::of(file, environment)
            .ok_or_else(|| format!("{}: has no environment [env.{}]", path.display(), environment.unwrap_or_default()))
    }

    fn of(mut file: Map<String, Value>, environment: Option<&str>) -> Option<Self> {
        let environments = file.remove("env");
        let Some(name) = environment else { return Some(Self { fields: file, left_behind: Vec::new() }) };
        let mut fields = environments?.get(name)?.as_object()?.clone();
        let mut left_behind = Vec::new();
        for (field, value) in file {
            if fields.contains_key(&field) {
                continue;
            }
            if INHERITED.contains(&field.as_str()) {
                fields.insert(field, value);
            } else if is_read(&field) {
                left_behind.push(field);
            }
        }
        Some(Self { fields, left_behind })
    }

    /// A field, or one within it: `field("observability.logs.enabled")`.
    pub(super) fn field(&self, path: &str) -> Option<&Value> {
        let mut names = path.split('.');
        let field = self.fields.get(names.next()?)?;
        names.try_fold(field, |value, name| value.get(name))
    }

    /// A switch; `None` if it is absent or none.
    pub(super) fn flag(&self, path: &str) -> Option<bool> {
        self.field(path)?.as_bool()
    }

    /// A list; empty if it is absent or none.
    pub(super) fn list(&self, path: &str) -> &[Value] {
        self.field(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The variables.
    pub(super) fn vars(&self) -> Map<String, Value> {
        self.field("vars").and_then(Value::as_object).cloned().unwrap_or_default()
    }

    /// Whether a list of bindings has one of that name.
    pub(super) fn binds(&self, list: &str, name: &str) -> bool {
        self.list(list).iter().any(|binding| binding.get("binding").is_some_and(|own| own == name))
    }

    /// The names of all other bindings, as the Worker sees them.
    pub(super) fn bindings(&self) -> Vec<String> {
        let mut names = Vec::new();
        for (field, value) in &self.fields {
            let key = if NAMED.contains(&field.as_str()) { "name" } else { "binding" };
            let inner = ["bindings", "producers"].iter().find_map(|list| value.get(list));
            let entries = inner.unwrap_or(value);
            let entries = entries.as_array().map_or(std::slice::from_ref(entries), Vec::as_slice);
            names.extend(entries.iter().filter_map(|entry| entry.get(key)?.as_str()).map(str::to_owned));
        }
        names
    }
}

/// Whether the Worker or this check would miss the field.
fn is_read(field: &str) -> bool {
    matches!(
        field,
        "vars"
            | "kv_namespaces"
            | "durable_objects"
            | "services"
            | "analytics_engine_datasets"
            | "d1_databases"
            | "secrets"
    )
}

fn from_toml(text: &str) -> Result<Map<String, Value>, String> {
    // Its own text quotes the line at fault, which may hold a secret that someone pasted there.
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
        format!("line {line}: is no TOML: {}", error.message())
    })?;
    serde_json::to_value(table).ok().and_then(object).ok_or_else(|| "is no table of settings".to_owned())
}

pub(super) fn from_jsonc(text: &str) -> Result<Map<String, Value>, String> {
    // What wrangler takes, and no more of what this parser could.
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let value: Value = parse_to_serde_value(text, &options)
        .map_err(|error| format!("line {}: is no JSON with comments: {}", error.line_display(), error.kind()))?;
    object(value).ok_or_else(|| "is no table of settings".to_owned())
}

fn object(value: Value) -> Option<Map<String, Value>> {
    if let Value::Object(object) = value { Some(object) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        main = "entry.js"
        workers_dev = false
        kv_namespaces = [{ binding = "TOKEN_CACHE" }]
        durable_objects.bindings = [{ name = "ACCOUNTS", class_name = "AccountObject" }]
        queues.producers = [{ binding = "QUEUE", queue = "q" }]
        containers = [{ name = "no-binding" }]
        assets = { directory = "public", binding = "ASSETS" }
        ai = { binding = "AI" }
        vars = { Gateway = { Origin = "https://a.example" }, Since = 2026-01-01 }
        env.staging = { workers_dev = true, kv_namespaces = [{ binding = "OTHER" }] }
    "#;

    fn deployment(environment: Option<&str>) -> Option<Deployment> {
        Deployment::of(from_toml(FILE).unwrap(), environment)
    }

    #[test]
    fn bindings_are_what_the_worker_sees() {
        let mut bindings = deployment(None).unwrap().bindings();
        bindings.sort();
        assert_eq!(bindings, ["ACCOUNTS", "AI", "ASSETS", "QUEUE", "TOKEN_CACHE"]);
    }

    #[test]
    fn an_environment_inherits_neither_vars_nor_bindings() {
        let staging = deployment(Some("staging")).unwrap();
        assert_eq!(staging.field("main").unwrap(), "entry.js");
        assert_eq!(staging.flag("workers_dev"), Some(true));
        assert!(staging.vars().is_empty());
        assert_eq!(staging.bindings(), ["ASSETS", "OTHER"]);
        assert_eq!(staging.left_behind, ["durable_objects", "vars"]);
        assert!(deployment(Some("production")).is_none());
    }

    #[test]
    fn both_notations_are_read_and_a_fault_quotes_nothing() {
        let json = from_jsonc("{ // comment\n \"main\": \"a.js\", \"vars\": {\"A\": 1,}, }").unwrap();
        assert_eq!(json["vars"]["A"], 1);
        for fault in [from_toml("a = 1\nkey = SECRET?"), from_jsonc("{\n\"key\": SECRET?}")] {
            let sentence = fault.unwrap_err();
            assert!(sentence.starts_with("line 2: ") && !sentence.contains("SECRET"), "{sentence}");
        }
    }
}
