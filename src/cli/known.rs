//! Which setting a written key is, and every setting that a table of variables holds.

use serde_json::{Map, Value};

use crate::config::{Kind, SECTION_ALIASES, SETTINGS, Setting};

/// The setting that `key` is one of, e.g. `DownstreamApis.<Name>.BaseUrl` for `DownstreamApis.Orders.BaseUrl`.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    SETTINGS.get(position(key)?)
}

/// Where in the order of all settings the one that `key` is stands.
pub(super) fn position(key: &str) -> Option<usize> {
    let own = SECTION_ALIASES.iter().find_map(|(alias, section)| Some((key.strip_prefix(alias)?, section)));
    let own = own.filter(|(rest, _)| rest.starts_with('.')).map(|(rest, section)| format!("{section}{rest}"));
    let key = own.as_deref().unwrap_or(key);
    let is_meant = |setting: &&Setting| {
        let mut parts = key.split('.');
        setting.key.split('.').all(|pattern| parts.next().is_some_and(|part| is_part(pattern, part)))
            && parts.next().is_none()
    };
    SETTINGS.iter().position(|setting| is_meant(&setting))
}

/// The key of a name in the `Section__Key` form: `A__B__0__C` is `A.B[0].C`.
pub(super) fn key(name: &str) -> String {
    let mut key = String::new();
    for part in name.split("__") {
        if !key.is_empty() && !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            key += &format!("[{part}]");
        } else {
            let dot = if key.is_empty() { "" } else { "." };
            key += &[dot, part].concat();
        }
    }
    key
}

/// Whether a key is that of a secret.
pub(super) fn is_secret(key: &str) -> bool {
    setting(key).is_some_and(|setting| setting.kind == Kind::Secret)
}

/// Every value with its key in dots, from tables and from the `Section__Key` form alike.
pub(super) fn values(vars: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut values = Vec::new();
    for (name, value) in vars {
        collect(&key(name), value, &mut values);
    }
    values
}

/// The text of a setting, if it is there.
pub(super) fn text<'a>(vars: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    values(vars).into_iter().find(|(known, _)| known == key).and_then(|(_, value)| value.as_str())
}

/// The words of a setting, which is a string or a list of strings.
pub(super) fn words<'a>(vars: &'a Map<String, Value>, key: &str) -> Vec<&'a str> {
    let found = values(vars).into_iter().filter(|(known, _)| known == key).map(|(_, value)| value);
    let items = found.flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    items.filter_map(Value::as_str).flat_map(str::split_whitespace).collect()
}

fn collect<'a>(key: &str, value: &'a Value, values: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(table) => table.iter().for_each(|(name, value)| collect(&format!("{key}.{name}"), value, values)),
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().enumerate().for_each(|(at, item)| collect(&format!("{key}[{at}]"), item, values));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            values.push((key.to_owned(), value));
        }
    }
}

fn is_part(pattern: &str, part: &str) -> bool {
    match pattern.strip_suffix("[]") {
        _ if pattern.starts_with('<') => true,
        None => pattern == part,
        Some(list) => part.strip_prefix(list).is_some_and(|index| index.starts_with('[') && index.ends_with(']')),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_is_found_by_its_pattern() {
        assert_eq!(setting("DownstreamApis.Orders.BaseUrl").unwrap().key, "DownstreamApis.<Name>.BaseUrl");
        assert_eq!(setting("Gateway.Origin").unwrap().key, "Gateway.Origin");
        for key in ["Gateway", "Gateway.Origin.x", "Gateway.origin", "DownstreamApis.Orders", ""] {
            assert!(setting(key).is_none(), "{key}");
        }
        assert_eq!(setting("AzureAdB2C.ClientSecret").unwrap().key, "AzureAd.ClientSecret");
        assert!(setting("AzureAdB2CX.ClientSecret").is_none());
        assert!(is_secret("Session.Key") && !is_secret("Session.IdleSeconds"));
        assert!(is_part("Routes[]", "Routes[3]") && !is_part("Routes[]", "Routes") && !is_part("Routes[]", "Routesx]"));
    }

    #[test]
    fn a_name_with_positions_is_a_key() {
        for (name, expected) in [
            ("A__B", "A.B"),
            ("A__B__0__C", "A.B[0].C"),
            ("AzureAd__ClientCredentials__12__Pem", "AzureAd.ClientCredentials[12].Pem"),
            ("0__A", "0.A"),
            ("A", "A"),
        ] {
            assert_eq!(key(name), expected);
        }
        assert!(is_secret(&key("Providers__Staff__ClientCredentials__1__Jwk")));
        assert!(!is_secret(&key("AzureAd__ClientCredentials__0__SourceType")));
    }

    #[test]
    fn values_are_found_in_either_form() {
        let vars = json!({"A": {"B": "1", "C": [{"D": 2}]}, "E__F": ["x"]});
        let values = values(vars.as_object().unwrap());
        let keys: Vec<_> = values.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, ["A.B", "A.C[0].D", "E.F"]);
        assert_eq!(text(vars.as_object().unwrap(), "A.B"), Some("1"));
        let vars = json!({"A": {"B": "1  2"}, "A__C": ["3", 4, "5"]});
        assert_eq!(words(vars.as_object().unwrap(), "A.B"), ["1", "2"]);
        assert_eq!(words(vars.as_object().unwrap(), "A.C"), ["3", "5"]);
    }
}
