//! What is written down must be what the code does: the settings in docs/configuration.md.

use vestibule::config::{SETTINGS, Setting};

#[test]
fn every_setting_stands_in_the_documentation_as_the_code_knows_it() {
    // What stands around the tables is prose, and none of the test's business.
    let page = include_str!("../docs/configuration.md");
    let written: String =
        page.lines().filter(|line| line.starts_with(['#', '|'])).flat_map(|line| [line, "\n"]).collect();
    let expected = format!("# Configuration\n{}", tables());
    assert_eq!(written, expected, "docs/configuration.md must have exactly these headings and tables:\n\n{expected}");
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
