//! What is written down must be what the code does: the settings in docs/configuration.md, and in docs/operations.md the
//! events of the log and where each thing stands in a data point.

use serde_json::{Value, json};
use vestibule::config::{Config, SETTINGS, Setting, refused_options};
use vestibule::flow::{COMMON_MEMBERS, EVENTS};
use vestibule::measure::BLOBS;

#[test]
fn every_setting_stands_in_the_documentation_as_the_code_knows_it() {
    // What stands around the tables is prose, and none of the test's business.
    let page = include_str!("../docs/configuration.md");
    let written: String =
        page.lines().filter(|line| line.starts_with(['#', '|'])).flat_map(|line| [line, "\n"]).collect();
    let expected = format!("# Configuration\n{}", tables());
    assert_eq!(written, expected, "docs/configuration.md must have exactly these headings and tables:\n\n{expected}");
}

#[test]
fn every_example_of_a_tenant_is_a_configuration_without_faults() {
    let page = include_str!("../docs/microsoft-tenants.md");
    let examples: Vec<_> = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let written: toml::Table = example.parse().unwrap_or_else(|fault| panic!("{fault}: {example}"));
        let mut vars = json!(written)["vars"].take();
        vars["Gateway"] = json!({ "PublicOrigin": "https://app.example.com", "Origin": "https://origin.example.com" });
        vars["Session__Key"] = Value::from("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        vars["AzureAd__ClientSecret"] = "secret".into();
        let config = Config::parse(&json!({ "vars": vars, "bindings": ["TOKEN_CACHE"] }).to_string());
        assert!(config.is_ok(), "{:?}: {example}", config.err());
    }
}

fn tables() -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in SETTINGS {
        let own = setting.key.split('.').next().unwrap_or_default();
        if own != section {
            section = own;
            text += &format!("## {section}\n| Setting | Kind | Default | Meaning |\n|---|---|---|---|\n");
        }
        text.push_str(&row(setting));
    }
    text
}

fn row(setting: &Setting) -> String {
    let default = setting.default.map(|default| format!("`{default}`")).unwrap_or_default();
    format!("| `{}` | {} | {default} | {} |\n", setting.key, setting.kind, setting.meaning)
}

#[test]
fn every_refused_option_stands_in_the_documentation_with_the_reason() {
    let expected = refused_options().map(|(section, name, reason)| {
        let section = section.split(", ").map(|section| format!("`{section}`")).collect::<Vec<_>>().join(", ");
        let section = if section == "``" { "the root".to_owned() } else { section };
        format!("| {section} | `{name}` | {reason} |")
    });
    let mut expected: Vec<_> = expected.collect();
    expected.sort_by_key(|row| row.to_ascii_lowercase());
    let page = include_str!("../docs/appsettings.md");
    let written = rows(page, "## Options that have no meaning here");
    assert!(written == expected, "write these:\n\n{}\n", expected.join("\n"));
}

#[test]
fn every_event_stands_in_the_documentation_with_what_its_line_says() {
    let expected = EVENTS.iter().map(|event| {
        let members: Vec<_> = event.members.iter().map(|member| format!("`{member}`")).collect();
        format!("| `{}` | {} | {} |", event.name, members.join(", "), event.meaning)
    });
    let expected: Vec<_> = expected.collect();
    assert_eq!(rows(OPERATIONS, "## The events"), expected, "write these:\n\n{}\n", expected.join("\n"));
}

#[test]
fn every_member_is_explained_once_and_nothing_else() {
    let members = EVENTS.iter().flat_map(|event| event.members).chain(COMMON_MEMBERS);
    let mut expected: Vec<_> = members.map(|member| format!("`{member}`")).collect();
    expected.sort_unstable();
    expected.dedup();
    let explained: Vec<_> =
        rows(OPERATIONS, "## The members").into_iter().map(|row| cell(&row, 1).to_owned()).collect();
    assert_eq!(explained, expected);
}

#[test]
fn where_each_thing_stands_in_a_data_point_is_a_promise() {
    let expected = BLOBS.iter().enumerate().map(|(index, name)| format!("`blob{}` `{name}`", index + 1));
    let positions =
        rows(OPERATIONS, "## Metrics").into_iter().map(|row| format!("{} {}", cell(&row, 1), cell(&row, 2)));
    let positions: Vec<_> = positions.filter(|row| row.starts_with("`blob")).collect();
    assert_eq!(positions, expected.collect::<Vec<_>>());
    // Not only the same as the code, which may be changed: what queries were written for.
    let promised = ["event", "rule", "access", "provider", "route", "code", "status", "fault", "api", "for", "decided"];
    assert_eq!(BLOBS[..promised.len()], promised);
}

const OPERATIONS: &str = include_str!("../docs/operations.md");

/// The rows of the table under a heading of a page, without its head.
fn rows(page: &str, heading: &str) -> Vec<String> {
    let section = page.split_once(&format!("{heading}\n")).map_or("", |(_, rest)| rest);
    let section = section.split_once("\n## ").map_or(section, |(section, _)| section);
    section.lines().filter(|line| line.starts_with('|')).skip(2).map(str::to_owned).collect()
}

fn cell(row: &str, number: usize) -> &str {
    row.split('|').nth(number).unwrap_or_default().trim()
}
