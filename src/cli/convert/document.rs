//! The printed part of `wrangler.toml`. Comments hold all that is no setting, so that the whole of it can be pasted. Of
//! what the files say, only the variables are printed as they are: a value that was left out could be a secret.

use serde_json::{Map, Value};

use super::conversion::Conversion;
use crate::cli::known;
use crate::config::SETTINGS;

/// The text, which is TOML.
pub(super) fn text(conversion: &Conversion) -> String {
    let mut text = String::from(
        "# Made by `vestibule convert`. Put it into wrangler.toml in place of the [vars…] tables there, look at the lines\n\
         # marked with ←, and run `vestibule check`.\n",
    );
    let mut sections: Vec<_> = conversion.vars.iter().collect();
    sections.sort_by_key(|(name, _)| first_of(name));
    for (name, value) in sections {
        let Value::Object(section) = value else { continue };
        if matches!(name.as_str(), "DownstreamApis" | "Providers") {
            for (own, value) in section {
                let key = format!("{name}.{own}");
                let header = format!("vars.{name}.{}", bare_or_quoted(own));
                if name == "DownstreamApis" {
                    text += &format!("\n# Served at /api/{own}/… .");
                }
                table(&mut text, (&header, &key), value.as_object(), conversion);
            }
        } else {
            table(&mut text, (&format!("vars.{name}"), name), Some(section), conversion);
        }
    }
    secrets(&mut text, conversion);
    list(&mut text, "Still to do:", &conversion.to_do);
    list(&mut text, "Left out, because it has no meaning here or belongs to the application:", &conversion.left_out);
    text
}

fn table(text: &mut String, (header, key): (&str, &str), table: Option<&Map<String, Value>>, conversion: &Conversion) {
    let mut entries: Vec<_> = table.into_iter().flatten().collect();
    entries.sort_by_key(|(name, _)| known::position(&format!("{key}.{name}")).unwrap_or(usize::MAX));
    let (lists, values): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(_, value)| is_list_of_tables(value));
    *text += &format!("\n[{header}]\n");
    for (name, value) in values {
        *text += &format!("{} = {}", bare_or_quoted(name), written(value));
        if let Some(remark) = conversion.remarks.get(&format!("{key}.{name}")) {
            *text += &format!("   # ← {remark}");
        }
        text.push('\n');
    }
    for (name, value) in lists {
        for item in value.as_array().into_iter().flatten() {
            *text += &format!("[[{header}.{}]]\n", bare_or_quoted(name));
            for (name, value) in item.as_object().into_iter().flatten() {
                *text += &format!("{} = {}\n", bare_or_quoted(name), written(value));
            }
        }
    }
}

fn secrets(text: &mut String, conversion: &Conversion) {
    *text += "\n# Secrets. Each command asks for the value, so that it gets into no file and no history of a shell:\n";
    for secret in &conversion.secrets {
        *text += &format!("#   npx wrangler secret put {}   # {}\n", comment(&secret.name), comment(&secret.source));
    }
    *text += "#   openssl rand -base64 32 | npx wrangler secret put Session__Key   # new\n";
}

fn list(text: &mut String, title: &str, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    *text += &format!("\n# {title}\n");
    for (key, sentence) in lines {
        *text += &format!("#   {}: {}\n", comment(key), comment(sentence));
    }
}

/// Nothing that would end the comment or steer a terminal.
fn comment(text: &str) -> String {
    let mut comment = String::new();
    for letter in text.chars() {
        match letter {
            '"' | '\'' | '\\' => comment.push(letter),
            _ => comment.extend(letter.escape_debug()),
        }
    }
    comment
}

fn first_of(section: &str) -> usize {
    let is_of = |key: &str| key.split('.').next() == Some(section);
    SETTINGS.iter().position(|setting| is_of(setting.key)).unwrap_or(usize::MAX)
}

fn is_list_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

fn written(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", joined(items.iter().map(written))),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Null => quoted(""),
        Value::Object(table) => {
            let entries = table.iter().map(|(name, value)| format!("{} = {}", bare_or_quoted(name), written(value)));
            format!("{{ {} }}", joined(entries))
        }
        Value::String(text) => quoted(text),
    }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn bare_or_quoted(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A basic string. Its escapes are those of JSON, but for the control characters that JSON leaves as they are.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in Value::from(text).to_string().chars() {
        if letter.is_control() {
            quoted += &format!("\\u{:04x}", u32::from(letter));
        } else {
            quoted.push(letter);
        }
    }
    quoted
}
