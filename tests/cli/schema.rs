//! `vestibule schema`: what it accepts and refuses, by a validator of its own, and that it has every setting and no more.

use std::collections::BTreeSet;
use std::fs;

use boon::{Compiler, Draft, SchemaIndex, Schemas};
use serde_json::{Map, Value, json};
use vestibule::config::{Config, Kind, SECTION_ALIASES, SETTINGS};

use super::program::repository;

const ID: &str = "urn:vestibule:wrangler";

struct Schema {
    document: Value,
    schemas: Schemas,
    index: SchemaIndex,
}

impl Schema {
    fn read() -> Self {
        let run = repository().run(&["schema"]);
        assert_eq!((run.code, run.complaint.as_str()), (0, ""));
        let document: Value = serde_json::from_str(&run.output).unwrap();
        assert_eq!(document["$id"], ID);
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.set_default_draft(Draft::V2020_12);
        compiler.add_resource(ID, document.clone()).unwrap();
        let index = compiler.compile(ID, &mut schemas).unwrap();
        Self { document, schemas, index }
    }

    fn accepts(&self, file: &Value) -> bool {
        self.schemas.validate(file, self.index).is_ok()
    }

    /// The definition behind a key, found the way that a validator goes.
    fn leads_to(&self, key: &str) -> Option<Value> {
        let mut at = self.document["$defs"]["vars"].clone();
        for part in key.split('.') {
            let next = match part.strip_suffix("[]") {
                None if part.starts_with('<') => at["patternProperties"].as_object()?.values().next()?.clone(),
                None => at["properties"].get(part)?.clone(),
                Some(list) => at["properties"].get(list)?.clone(),
            };
            at = self.resolved(&next)?;
            if part.ends_with("[]") {
                at = at["items"].clone();
            }
        }
        Some(at)
    }

    fn resolved(&self, reference: &Value) -> Option<Value> {
        let name = reference["$ref"].as_str()?.strip_prefix("#/$defs/")?;
        self.document["$defs"].get(name).cloned()
    }

    /// Every key that a table may hold, in the notation of the table of settings.
    fn keys(&self, schema: &Value, path: &str, keys: &mut BTreeSet<String>) {
        let named = schema["properties"].as_object().into_iter().flatten();
        let chosen = schema["patternProperties"].as_object().into_iter().flatten();
        let chosen = chosen.map(|(_, schema)| ("<Name>".to_owned(), schema));
        for (name, reference) in named.map(|(name, schema)| (name.clone(), schema)).chain(chosen) {
            // The other notation refers to the same definitions.
            if path.is_empty() && name.contains("__") || reference.get("$ref").is_none() {
                continue;
            }
            if path.is_empty() && name == "<Name>" {
                continue;
            }
            let mut schema = self.resolved(reference).unwrap();
            let mut key = if path.is_empty() { name } else { format!("{path}.{name}") };
            if schema["type"] == "array" && schema.get("description").is_none() {
                key += "[]";
                schema = schema["items"].clone();
            }
            // A list of tables like another is a setting; its tables are known already.
            let is_setting = schema.get("description").is_some();
            if schema["additionalProperties"] == json!(false) && !is_setting {
                self.keys(&schema, &key, keys);
            } else {
                keys.insert(key);
            }
        }
    }
}

/// The variables of a vector without its secrets, which do not stand in wrangler's file.
fn without_secrets(vars: &Value) -> Value {
    let unaliased = |name: &str| {
        let alias = SECTION_ALIASES
            .iter()
            .find_map(|(alias, own)| Some(format!("{own}__{}", name.strip_prefix(&format!("{alias}__"))?)));
        alias.unwrap_or_else(|| name.to_owned())
    };
    let is_secret = |name: &str| {
        // With secrets in it, the list is put as they are: each by its position, or all in one.
        name.contains("__ClientCredentials")
            || SETTINGS.iter().any(|setting| setting.kind == Kind::Secret && names(setting.key, &unaliased(name)))
    };
    let vars = vars.as_object().unwrap().iter().filter(|(name, _)| !is_secret(name));
    Value::Object(vars.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Whether a secret of that name is the setting, `<Name>` standing for any name.
fn names(key: &str, secret: &str) -> bool {
    let (parts, names) = (key.split('.'), secret.split("__"));
    parts.clone().count() == names.clone().count()
        && parts.zip(names).all(|(part, name)| part == name || part.starts_with('<'))
}

/// RFC 7396.
fn patch(target: &mut Value, change: &Value) {
    let Value::Object(changes) = change else {
        *target = change.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    for (name, change) in changes {
        if change.is_null() {
            target.as_object_mut().unwrap().remove(name);
        } else {
            patch(&mut target[name], change);
        }
    }
}

#[test]
fn the_repositorys_own_file_is_valid() {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/wrangler.toml")).unwrap();
    let mut file = serde_json::to_value(text.parse::<toml::Table>().unwrap()).unwrap();
    let schema = Schema::read();
    assert!(schema.accepts(&file));
    file["vars"]["Gateway"]["Orign"] = json!("https://origin.example.com");
    assert!(!schema.accepts(&file));
}

#[test]
fn what_the_worker_accepts_is_valid() {
    let schema = Schema::read();
    let mut count = 0;
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/config")).unwrap() {
        let file: Value = serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        for case in file["cases"].as_array().unwrap().iter().filter(|case| case["expect"] == "accepted") {
            let mut environment = file["base"].clone();
            patch(&mut environment, &case["environment"]);
            let vars = without_secrets(&environment["vars"]);
            let file = json!({ "name": "app", "vars": vars, "env": { "staging": { "vars": vars } } });
            let verdict = schema.schemas.validate(&file, schema.index);
            assert!(verdict.is_ok(), "{}: {}", case["name"], verdict.unwrap_err());
            count += 1;
        }
    }
    assert!(count > 50, "only {count} vectors");
}

#[test]
fn every_setting_is_in_the_schema_and_nothing_else() {
    let schema = Schema::read();
    let mut keys = BTreeSet::new();
    schema.keys(&schema.document["$defs"]["vars"], "", &mut keys);
    let mut known: BTreeSet<_> = SETTINGS.iter().map(|setting| setting.key.to_owned()).collect();
    for (alias, section) in SECTION_ALIASES {
        let names = SETTINGS.iter().filter_map(|setting| setting.key.strip_prefix(&format!("{section}.")));
        known.extend(names.map(|name| format!("{alias}.{name}")));
    }
    assert_eq!(keys, known);
}

#[test]
fn a_setting_is_described_and_bounded_as_the_parser_has_it() {
    let schema = Schema::read();
    for setting in SETTINGS {
        let described = schema.leads_to(setting.key).unwrap();
        assert!(described["description"].as_str().unwrap().starts_with(setting.meaning), "{}", setting.key);
        assert_eq!(described.get("default").is_some(), setting.default.is_some(), "{}", setting.key);
        if matches!(setting.kind, Kind::Number | Kind::Seconds) {
            let number = &described["anyOf"][0];
            assert!(number["maximum"].is_u64(), "the bounds of {} are unknown", setting.key);
            assert!(number["minimum"].as_u64() <= number["maximum"].as_u64(), "{}", setting.key);
        }
    }
    assert_eq!(
        schema.leads_to("Session.RevocationDelay").unwrap()["anyOf"][0],
        json!({"type": "integer", "minimum": 0, "maximum": 300})
    );
}

#[test]
fn unknown_keys_secrets_and_wrong_kinds_are_refused() {
    let schema = Schema::read();
    for vars in [
        json!({"Gatway": {}}),
        json!({"Gateway": {"origin": "https://a.example"}}),
        json!({"Gateway": "https://a.example"}),
        json!({"Gateway__Orign": "https://a.example"}),
        json!({"DownstreamApis": {"a/b": {}}}),
        json!({"DownstreamApis": {"Orders": {"BaseUrI": "https://a.example"}}}),
        json!({"DownstreamApis__Orders__BaseUrI": "https://a.example"}),
        json!({"DownstreamApis": {"Orders": {"ExtraHeaderParameters": {"Accept": {}}}}}),
        json!({"Session": {"Key": "x"}}),
        json!({"Session__Key": "x"}),
        json!({"AzureAd": {"ClientSecret": "x"}}),
        json!({"AzureAdB2C": {"ClientSecret": "x"}}),
        json!({"AzureAdB2C": {"ClientIdX": "x"}}),
        json!({"AzureAdB2C__ClientSecret": "x"}),
        json!({"Session": {"RevocationDelay": 301}}),
        json!({"Session": {"RevocationDelay": -1}}),
        json!({"Session": {"RevocationDelay": "soon"}}),
        json!({"OpenIdConnect": {"UserInfo": "yes"}}),
        json!({"OpenIdConnect": {"Scope": []}}),
        json!({"Gateway": {"ApiPath": "api"}}),
        json!({"Gateway": {"Routes": {"Path": "/a"}}}),
        json!({"Gateway": {"Routes": [{"Paht": "/a"}]}}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "MaxAgeSeconds": 59}]}}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "Require": {"Role": "x"}}]}}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "Require": {"Any": [{"Not": {"Role": "x"}}]}}]}}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "Require": {"Any": []}}]}}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "Require": {"Claims": {"a": null}}}]}}),
    ] {
        assert!(!schema.accepts(&json!({ "vars": vars })), "{vars}");
        assert!(!schema.accepts(&json!({ "env": { "staging": { "vars": vars } } })), "{vars}");
        assert!(Config::parse(&json!({ "vars": vars, "bindings": [] }).to_string()).is_err());
    }
}

#[test]
fn both_notations_are_valid() {
    let schema = Schema::read();
    for vars in [
        json!({"Gateway__Origin": "https://a.example", "Session__RevocationDelay": "5"}),
        json!({"DownstreamApis__Orders__BaseUrl": "https://a.example", "DownstreamApis__Orders": {}}),
        json!({"DownstreamApis__Orders__ExtraHeaderParameters__Accept": "text/csv"}),
        json!({"DownstreamApis": {"Orders": {"ExtraHeaderParameters": {"Accept": "text/csv"}}}}),
        json!({"Gateway__Routes": [{"Path": "/a"}]}),
        json!({"AzureAdB2C__Domain": "contoso.com", "AzureAdB2C": {"SignUpSignInPolicyId": "B2C_1_susi"}}),
        json!({"AzureAdB2C__ExtraQueryParameters__ui_locales": "de"}),
        json!({"Gateway": {"Routes": [{"Path": "/a", "Methods": ["GET"], "Require": {
            "All": [{"Roles": "x"}, {"Not": {"Any": [{"Present": "y"}]}}], "Claims": {"a": 1, "b": [true, "c"]},
        }}]}}),
    ] {
        assert!(schema.accepts(&json!({ "vars": vars })), "{vars}");
    }
}
