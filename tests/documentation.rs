//! What is written down must be what the code does: settings in docs/configuration.md, error codes in the README.

use std::fmt::Write;

use vestibule::config::{SETTINGS, Setting};

#[test]
fn every_setting_stands_in_the_documentation_as_the_code_knows_it() {
    let page = include_str!("../docs/configuration.md");
    let expected = tables();
    assert!(page.contains(&expected), "docs/configuration.md must contain exactly:\n\n{expected}");
}

fn tables() -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in SETTINGS {
        let (own, _) = setting.key.split_once('.').unwrap();
        if own != section {
            section = own;
            writeln!(text, "\n## {section}\n\n| Setting | Kind | Default | Meaning |\n|---|---|---|---|").unwrap();
        }
        text.push_str(&row(setting));
    }
    text.trim_start().to_owned()
}

fn row(setting: &Setting) -> String {
    let default = setting.default.map(|default| format!("`{default}`")).unwrap_or_default();
    format!("| `{}` | {} | {default} | {} |\n", setting.key, setting.kind, setting.meaning)
}
