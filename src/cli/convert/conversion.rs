//! What becomes of the settings: variables, secrets, what is still to do, and what is left out. What a key is called
//! here, whether it has a meaning and why not comes from the Worker's own tables.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::appsettings::Node;
use crate::cli::known;
use crate::config::{Kind, Problem, explain, names_under};

/// What became of the files.
#[derive(Default)]
pub(super) struct Conversion {
    /// `[vars]`.
    pub(super) vars: Map<String, Value>,
    /// Remarks beside variables, by their keys in dots.
    pub(super) remarks: BTreeMap<String, &'static str>,
    /// What `wrangler secret put` has to be called for.
    pub(super) secrets: Vec<Secret>,
    /// What nobody but the operator can do, by key.
    pub(super) to_do: Vec<(String, String)>,
    /// Keys of the files that are not in `vars`, and why.
    pub(super) left_out: Vec<(String, String)>,
}

/// A secret of the Worker.
pub(super) struct Secret {
    /// As wrangler takes it.
    pub(super) name: String,
    /// Where it stood in the files, or where it comes from.
    pub(super) source: String,
    /// Its value, if it stood in the files.
    pub(super) value: Option<String>,
}

/// Where a section stands.
pub(super) struct Place {
    /// Here, e.g. `DownstreamApis.Orders`.
    pub(super) key: String,
    /// In the table of settings, e.g. `DownstreamApis.<Name>`.
    pub(super) pattern: String,
    /// In the files, e.g. `DownstreamApis:Orders`.
    pub(super) source: String,
}

impl Place {
    pub(super) fn new(key: impl Into<String>, pattern: &str, source: impl Into<String>) -> Self {
        Self { key: key.into(), pattern: pattern.to_owned(), source: source.into() }
    }

    /// The key of a setting in it.
    pub(super) fn key_of(&self, name: &str) -> String {
        format!("{}.{name}", self.key)
    }

    /// The key of a setting of the files in it.
    pub(super) fn source_of(&self, name: &str) -> String {
        format!("{}:{name}", self.source)
    }

    fn child(&self, name: &str, source: &str) -> Self {
        Self::new(self.key_of(name), &format!("{}.{name}", self.pattern), self.source_of(source))
    }
}

impl Conversion {
    /// Takes over one setting, or says why not.
    pub(super) fn setting(&mut self, place: &Place, name: &str, node: &Node) {
        let Some(known) = names_under(&place.pattern).find(|known| known.eq_ignore_ascii_case(name)) else {
            let reason = why_not(&place.pattern, name);
            return self.leave_out(place.source_of(name), reason);
        };
        let key = place.key_of(known);
        match (known::setting(&key).map(|setting| setting.kind), node) {
            (Some(Kind::Secret), _) => {
                if let Some(value) = node.text() {
                    self.secret(&key, place.source_of(name), Some(value));
                }
            }
            (None, Node::Section(section)) => {
                let child = place.child(known, name);
                section.iter().for_each(|(name, node)| self.setting(&child, name, node));
            }
            (kind, _) => {
                if let Some(value) = value(kind.unwrap_or(Kind::Text), node) {
                    self.set(&key, value);
                }
            }
        }
    }

    /// Puts a variable under its key in dots.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        let (path, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut self.vars;
        for part in path.split('.').filter(|part| !part.is_empty()) {
            let next = table.entry(part).or_insert_with(|| json!({}));
            let Value::Object(next) = next else { return };
            table = next;
        }
        table.insert(name.to_owned(), value);
    }

    /// Adds a route rule that opens a path to everybody, unless there is one.
    pub(super) fn open(&mut self, path: &str) {
        let rule = json!({ "Path": path, "Access": "Anonymous" });
        let gateway = self.vars.entry("Gateway").or_insert_with(|| json!({}));
        match gateway.get_mut("Routes") {
            Some(Value::Array(rules)) if rules.contains(&rule) => {}
            Some(Value::Array(rules)) => rules.push(rule),
            Some(_) | None => self.set("Gateway.Routes", json!([rule])),
        }
    }

    pub(super) fn secret(&mut self, key: &str, source: String, value: Option<String>) {
        let name = key.replace('.', "__");
        self.secrets.push(Secret { name, source, value });
    }

    pub(super) fn leave_to_do(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.to_do.push((key.into(), what.into()));
    }

    pub(super) fn leave_out(&mut self, source: impl Into<String>, reason: impl Into<String>) {
        self.left_out.push((source.into(), reason.into()));
    }
}

/// Why the Worker has no setting of this name there, as its own parser would say.
fn why_not(pattern: &str, name: &str) -> String {
    meaningless(pattern, name).map_or_else(|| explain(pattern, name).to_string(), str::to_owned)
}

/// Why a setting that people know has no meaning here.
pub(super) fn meaningless(pattern: &str, name: &str) -> Option<&'static str> {
    if let Problem::Unsupported(reason) = explain(pattern, name) { Some(reason) } else { None }
}

/// The value in the form that `wrangler.toml` has for it; `None` if there is nothing in it. What is of another kind is
/// kept as it is, for the Worker's parser to say what would be right.
fn value(kind: Kind, node: &Node) -> Option<Value> {
    match (kind, node) {
        (Kind::List, _) => {
            let words = node.words();
            let is_list = node.section().is_some();
            (!words.is_empty()).then(|| if is_list { json!(words) } else { json!(words.join(" ")) })
        }
        (Kind::Boolean, Node::Value(_)) => {
            let text = node.text()?;
            // .NET writes `True`.
            Some(text.to_ascii_lowercase().parse::<bool>().map_or_else(|_| json!(text), |flag| json!(flag)))
        }
        (Kind::Number | Kind::Seconds, Node::Value(_)) => {
            let text = node.text()?;
            Some(text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)))
        }
        (_, Node::Value(_)) => node.text().map(Value::String),
        (_, Node::Section(section)) => {
            let entries: Map<String, Value> =
                section.iter().filter_map(|(name, node)| Some((name.to_owned(), value(Kind::Table, node)?))).collect();
            (!entries.is_empty()).then_some(Value::Object(entries))
        }
    }
}
