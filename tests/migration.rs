//! The pages for people who come from other systems: their blocks are configurations, and every setting that they name
//! is one.

#![expect(clippy::unwrap_used, reason = "tests may panic, and so may what they call")]

use std::fs;
use std::path::{Path, PathBuf};

use vestibule::cli;
use vestibule::config::SETTINGS;

/// What `wrangler.toml` has besides the variables.
const HEAD: &str = r#"
main = "build/worker/entry.js"
kv_namespaces = [{ binding = "TOKEN_CACHE" }]
migrations = [{ tag = "v1", new_sqlite_classes = ["AccountObject"] }]
durable_objects.bindings = [{ name = "ACCOUNTS", class_name = "AccountObject" }]
"#;

/// The pages, which are also held to name each file that they link to.
fn pages() -> Vec<(PathBuf, String)> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut paths: Vec<_> = fs::read_dir(docs.join("migrate")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.push(docs.join("convert.md"));
    paths.push(docs.join("microsoft.md"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
}

/// The blocks of a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("\n```{language}\n");
    page.split(&start).skip(1).map(|rest| rest.split_once("\n```").unwrap().0).collect()
}

fn run(name: &str, file: &str, text: &str, command: &str) -> cli::Outcome {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("migration").join(name);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(file), text).unwrap();
    cli::run([command.into(), folder.join(file).into_os_string()])
}

#[test]
fn every_block_is_a_configuration_without_faults() {
    let mut count = 0;
    for (path, page) in pages() {
        for block in blocks(&page, "toml") {
            let outcome = run(&format!("block-{count}"), "wrangler.toml", &format!("{HEAD}{block}"), "check");
            assert_eq!(outcome.exit_code, 0, "{}: {}{}\n{block}", path.display(), outcome.output, outcome.complaint);
            count += 1;
        }
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn the_examples_of_microsofts_library_are_what_the_command_makes_of_them() {
    let pages = pages();
    let page = |name: &str| &pages.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    let printed = |name: &str| run(name, "appsettings.json", blocks(page(name), "json")[0], "convert").output;
    assert_eq!(printed("convert.md").trim_end(), blocks(page("convert.md"), "toml")[0]);

    let name = "microsoft-identity-web.md";
    let vars = |text: &str| text.parse::<toml::Table>().unwrap()["vars"].as_table().unwrap().clone();
    let (converted, written) = (vars(&printed(name)), vars(blocks(page(name), "toml")[0]));
    for section in ["AzureAd", "DownstreamApis"] {
        assert_eq!(converted[section], written[section], "{section}");
    }
}

#[test]
fn every_setting_that_a_page_names_is_one() {
    let mut count = 0;
    for (path, page) in pages() {
        // Every other part stands between backticks.
        for (line, name) in
            page.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(move |name| (line, name)))
        {
            let is_key = name.split_once('.').is_some_and(|(section, _)| {
                SETTINGS.iter().any(|setting| setting.key.split('.').next() == Some(section))
            });
            if is_key && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".<>[]".contains(&byte)) {
                let is_known = SETTINGS.iter().any(|setting| {
                    setting.key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                });
                assert!(is_known, "{}: {name} in {line}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 100, "{count}");
}

#[test]
fn every_link_leads_to_a_heading_or_a_file() {
    for (path, page) in pages() {
        for rest in page.split("](").skip(1) {
            let target = rest.split_once(')').unwrap().0;
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            let text =
                fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {target}: {error}", path.display()));
            let mut headings = text.lines().filter(|line| line.starts_with('#')).map(anchor);
            assert!(heading.is_empty() || headings.any(|known| known == heading), "{}: {target}", path.display());
        }
    }
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn every_test_that_a_page_names_exists() {
    let mut count = 0;
    for (path, page) in pages() {
        for (before, rest) in page.match_indices("](../tests/").map(|(at, _)| page.split_at(at)) {
            let name = before.rsplit_once('[').unwrap().1;
            let file = rest.strip_prefix("](../").unwrap().split_once(')').unwrap().0;
            let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
            let is_there = if file.ends_with(".rs") {
                text.contains(&format!("fn {name}("))
            } else {
                text.contains(&format!("test(\"{name}\"")) || text.contains(&format!("test(`{name}`"))
            };
            assert!(is_there, "{}: {name} in {file}", path.display());
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}
