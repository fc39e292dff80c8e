//! A JSON Schema (draft 2020-12) of `wrangler.toml`'s `[vars]`, made from the table of settings, for editors. It knows
//! names, kinds, bounds and defaults; how settings depend on each other only the parser knows.

use serde_json::{Map, Value, json};

use crate::config::{Config, Kind, Problem, SECTION_ALIASES, SETTINGS, Setting, flat_name};

/// A name that the operator chooses.
const CHOSEN: &str = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}";

/// Such a name in the `Section__Key` form, where two underscores end it.
const CHOSEN_FLAT: &str = "[A-Za-z0-9](?:_?[A-Za-z0-9-]){0,63}";

/// What may stand at one place of the tree of settings.
enum Node {
    Setting(&'static Setting),
    Section(Vec<(&'static str, Self)>),
}

/// What a table may hold.
#[derive(Default)]
struct Members {
    named: Map<String, Value>,
    by_pattern: Map<String, Value>,
}

impl Members {
    /// Allows a section under another name, too, in both notations.
    fn repeat(&mut self, section: &str, alias: &str) {
        let flat = (format!("{section}__"), format!("{alias}__"));
        let named = |name: &str| {
            let flat = name.strip_prefix(&flat.0).map(|rest| format!("{}{rest}", flat.1));
            flat.or_else(|| (name == section).then(|| alias.to_owned()))
        };
        let more: Vec<_> =
            self.named.iter().filter_map(|(name, schema)| Some((named(name)?, schema.clone()))).collect();
        self.named.extend(more);
        let pattern = |pattern: &str| {
            let rest = pattern.strip_prefix('^')?.strip_prefix(&flat.0)?;
            Some(format!("^{}{rest}", flat.1))
        };
        let more: Vec<_> =
            self.by_pattern.iter().filter_map(|(key, schema)| Some((pattern(key)?, schema.clone()))).collect();
        self.by_pattern.extend(more);
    }

    fn schema(self) -> Value {
        json!({
            "type": "object",
            "properties": self.named,
            "patternProperties": self.by_pattern,
            "additionalProperties": false,
        })
    }
}

/// The schema of a whole `wrangler.toml`; what is not ours in it is free.
pub(super) fn schema() -> Value {
    let mut root = Node::Section(Vec::new());
    for setting in SETTINGS {
        root.insert(setting.key, setting);
    }
    let mut definitions = Map::new();
    root.define("", &mut definitions);
    let mut vars = root.members("");
    root.flat_forms("", &mut vars);
    SECTION_ALIASES.iter().for_each(|(alias, section)| vars.repeat(section, alias));
    definitions.insert("vars".to_owned(), vars.schema());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:vestibule:wrangler",
        "title": "Vestibule's wrangler.toml",
        "type": "object",
        "properties": {
            "vars": reference("vars"),
            "env": {
                "type": "object",
                "additionalProperties": { "type": "object", "properties": { "vars": reference("vars") } },
            },
        },
        "$defs": definitions,
    })
}

impl Node {
    fn insert(&mut self, path: &'static str, setting: &'static Setting) {
        let Self::Section(children) = self else { return };
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let Some(rest) = rest else {
            children.push((name, Self::Setting(setting)));
            return;
        };
        if !children.iter().any(|(known, _)| *known == name) {
            children.push((name, Self::Section(Vec::new())));
        }
        if let Some((_, child)) = children.iter_mut().find(|(known, _)| *known == name) {
            child.insert(rest, setting);
        }
    }

    /// Adds a definition for every node below this one, so that both notations can refer to it.
    fn define(&self, path: &str, definitions: &mut Map<String, Value>) {
        let Self::Section(children) = self else { return };
        for (name, child) in children {
            let path = join(path, name);
            child.define(&path, definitions);
            let schema = child.schema(&path);
            let schema = if name.ends_with("[]") { json!({ "type": "array", "items": schema }) } else { schema };
            definitions.insert(definition(&path), schema);
        }
    }

    fn schema(&self, path: &str) -> Value {
        match self {
            Self::Setting(setting) => described(setting),
            Self::Section(_) => self.members(path).schema(),
        }
    }

    fn members(&self, path: &str) -> Members {
        let mut members = Members::default();
        let Self::Section(children) = self else { return members };
        for (name, _) in children {
            let child = reference(&join(path, name));
            if name.starts_with('<') {
                members.by_pattern.insert(format!("^{CHOSEN}$"), child);
            } else {
                members.named.insert(name.trim_end_matches("[]").to_owned(), child);
            }
        }
        members
    }

    /// The `Section__Key` form, in which everything may stand at the top, as far down as there are no lists.
    fn flat_forms(&self, path: &str, vars: &mut Members) {
        let Self::Section(children) = self else { return };
        for (name, child) in children {
            let own = join(path, name);
            let flat = own.replace('.', "__").replace("[]", "");
            if let Self::Setting(Setting { kind: Kind::Table, .. }) = child {
                vars.by_pattern.insert(format!("^{}__.+$", chosen_pattern(&flat)), text());
            }
            if !name.ends_with("[]") {
                child.flat_forms(&own, vars);
            }
            if path.is_empty() {
                continue;
            }
            if own.contains('<') {
                vars.by_pattern.insert(format!("^{}$", chosen_pattern(&flat)), reference(&own));
            } else {
                vars.named.insert(flat, reference(&own));
            }
        }
    }
}

fn chosen_pattern(flat: &str) -> String {
    let pattern: Vec<_> = flat.split("__").map(|part| if part.starts_with('<') { CHOSEN_FLAT } else { part }).collect();
    pattern.join("__")
}

/// The name of a definition: the key, without what a pointer would have to escape.
fn definition(path: &str) -> String {
    path.replace(['<', '>'], "").replace("[]", "")
}

fn reference(path: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", definition(path)) })
}

fn described(setting: &Setting) -> Value {
    let mut schema = of_kind(setting);
    let mut description = setting.meaning.to_owned();
    if setting.kind == Kind::Secret {
        let flat = flat_name(&setting.key.replace("[]", "[0]"));
        description +=
            &format!("\n\nA secret: it does not stand in this file. Store it with: wrangler secret put {flat}");
    }
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), description.into());
        schema.extend(setting.default.map(|written| ("default".to_owned(), default_of(setting, written))));
    }
    schema
}

fn of_kind(setting: &Setting) -> Value {
    // What stands in a requirement as well: further requirements, and claims of any type. A credential's source may be the
    // number that Microsoft.Identity.Web gives it.
    let (section, name) = setting.key.rsplit_once('.').unwrap_or_default();
    if name == "Not" {
        return json!({ "allOf": [reference(section)] });
    }
    if name == "Claims" {
        return json!({ "type": "object", "additionalProperties": claim_values(), "minProperties": 1 });
    }
    if name == "SourceType" {
        return json!({ "anyOf": [text(), { "type": "integer", "minimum": 0 }] });
    }
    match setting.kind {
        Kind::Boolean => json!({ "enum": [true, false, "true", "false"] }),
        Kind::List => json!({ "anyOf": [
            text(),
            { "type": "array", "items": text(), "minItems": 1, "uniqueItems": true },
        ] }),
        Kind::Number | Kind::Seconds => {
            let number = bounds(setting.key).map_or_else(
                || json!({ "type": "integer", "minimum": 0 }),
                |(least, greatest)| json!({ "type": "integer", "minimum": least, "maximum": greatest }),
            );
            json!({ "anyOf": [number, { "type": "string", "pattern": "^[0-9]+$" }] })
        }
        Kind::Path => json!({ "type": "string", "pattern": "^/" }),
        Kind::Secret => json!({ "not": {} }),
        Kind::Table => json!({ "type": "object", "additionalProperties": text() }),
        Kind::Tables => json!({ "type": "array", "items": reference(section), "minItems": 1 }),
        Kind::Text | Kind::Url => text(),
    }
}

fn claim_values() -> Value {
    let value = json!({ "type": ["string", "number", "boolean"] });
    json!({ "anyOf": [value, { "type": "array", "items": value, "minItems": 1 }] })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn default_of(setting: &Setting, written: &str) -> Value {
    match setting.kind {
        Kind::Boolean | Kind::Number | Kind::Seconds => written.parse().unwrap_or_else(|_| written.into()),
        Kind::List | Kind::Path | Kind::Secret | Kind::Table | Kind::Tables | Kind::Text | Kind::Url => written.into(),
    }
}

/// The bounds of a number, asked of the parser itself: it says what would be right for a value that is no number.
fn bounds(pattern: &str) -> Option<(u64, u64)> {
    let key = pattern.replace("<Name>", "Name").replace("[]", "[0]");
    let vars = nested(pattern, json!("no number"));
    let faults = Config::parse(&json!({ "vars": vars, "bindings": [] }).to_string()).err()?;
    faults.iter().filter(|fault| fault.key() == key).find_map(|fault| {
        if let Problem::OutOfRange(least, greatest) = fault.problem() { Some((*least, *greatest)) } else { None }
    })
}

fn nested(pattern: &str, value: Value) -> Value {
    pattern.rsplit('.').fold(value, |value, part| match part.strip_suffix("[]") {
        Some(list) => json!({ list: [value] }),
        None => json!({ part.trim_matches(['<', '>']): value }),
    })
}
