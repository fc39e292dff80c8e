//! `appsettings.json` as .NET reads it: with comments and trailing commas, `:` in a key for each level, letter case of no
//! account, and later files over earlier ones, lists item by item.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli::wrangler::from_jsonc;

/// What stands under a key.
pub(super) enum Node {
    /// A value that is no object or list.
    Value(Value),
    /// An object, or a list, whose keys are positions.
    Section(Section),
}

/// Keys in the order of the files, and what stands under them.
#[derive(Default)]
pub(super) struct Section(Vec<(String, Node)>);

/// Reads files, of which later ones count more.
///
/// # Errors
/// A sentence, when one cannot be read. It quotes no value.
pub(super) fn read(paths: &[PathBuf]) -> Result<Section, String> {
    let mut settings = Section::default();
    for path in paths {
        settings.merge(file(path).map_err(|problem| format!("{}: {problem}", path.display()))?);
    }
    Ok(settings)
}

fn file(path: &Path) -> Result<Section, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    // Visual Studio begins its files with a byte order mark.
    let object = from_jsonc(text.strip_prefix('\u{feff}').unwrap_or(&text))?;
    let mut file = Section::default();
    for (name, value) in object {
        let twice = |key: String| format!("has {} twice; letter case does not count", key.escape_debug());
        file.add(&name, value).map_err(twice)?;
    }
    Ok(file)
}

impl Section {
    /// What stands under a key, however that is spelled.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, node)| node)
    }

    /// The text under a key; `None` also if it is empty or a section.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(Node::text)
    }

    /// The section under a key.
    pub(super) fn section(&self, name: &str) -> Option<&Self> {
        self.get(name).and_then(Node::section)
    }

    /// Everything in it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// The items of a list, by position; `None` if it is none.
    pub(super) fn items(&self) -> Option<Vec<&Node>> {
        let mut items: Vec<(usize, &Node)> = Vec::new();
        for (name, node) in &self.0 {
            items.push((name.parse().ok()?, node));
        }
        items.sort_by_key(|(position, _)| *position);
        Some(items.into_iter().map(|(_, node)| node).collect())
    }

    /// Adds what one file says; the key is refused if the file said it before.
    fn add(&mut self, name: &str, value: Value) -> Result<(), String> {
        let within = |name: &str, key: String| format!("{name}:{key}");
        if let Some((first, rest)) = name.split_once(':') {
            return self.own(first)?.add(rest, value).map_err(|key| within(first, key));
        }
        match value {
            Value::Object(object) => {
                let section = self.own(name)?;
                object
                    .into_iter()
                    .try_for_each(|(child, value)| section.add(&child, value))
                    .map_err(|key| within(name, key))
            }
            Value::Array(items) => {
                let section = self.own(name)?;
                items
                    .into_iter()
                    .enumerate()
                    .try_for_each(|(position, value)| section.add(&position.to_string(), value))
                    .map_err(|key| within(name, key))
            }
            value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                if self.get(name).is_some() {
                    return Err(name.to_owned());
                }
                self.0.push((name.to_owned(), Node::Value(value)));
                Ok(())
            }
        }
    }

    /// The section under a key, made if there is nothing.
    fn own(&mut self, name: &str) -> Result<&mut Self, String> {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), Node::Section(Self::default())));
        }
        match self.slot(name) {
            Some(Node::Section(section)) => Ok(section),
            Some(Node::Value(_)) | None => Err(name.to_owned()),
        }
    }

    fn merge(&mut self, later: Self) {
        for (name, node) in later.0 {
            match (self.slot(&name), node) {
                (Some(Node::Section(section)), Node::Section(later)) => section.merge(later),
                (Some(slot), node) => *slot = node,
                (None, node) => self.0.push((name, node)),
            }
        }
    }

    fn slot(&mut self, name: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, node)| node)
    }
}

impl Node {
    /// As text; `None` if there is nothing in it, or a section.
    pub(super) fn text(&self) -> Option<String> {
        let text = match self {
            Self::Value(Value::String(text)) => text.trim().to_owned(),
            Self::Value(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
            Self::Value(_) | Self::Section(_) => return None,
        };
        if text.is_empty() { None } else { Some(text) }
    }

    /// As a section.
    pub(super) fn section(&self) -> Option<&Section> {
        if let Self::Section(section) = self { Some(section) } else { None }
    }

    /// The words of a list, or of one string with spaces between them, none of them twice.
    pub(super) fn words(&self) -> Vec<String> {
        let texts = match self {
            Self::Value(_) => self.text().into_iter().collect(),
            Self::Section(section) => section.items().unwrap_or_default().into_iter().filter_map(Self::text).collect(),
        };
        let texts: Vec<String> = texts;
        let mut words = Vec::<String>::new();
        for word in texts.iter().flat_map(|text| text.split_whitespace()) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn of(files: &[Value]) -> Section {
        let mut settings = Section::default();
        for file in files {
            let mut section = Section::default();
            for (name, value) in file.as_object().unwrap() {
                section.add(name, value.clone()).unwrap();
            }
            settings.merge(section);
        }
        settings
    }

    #[test]
    fn later_files_count_more_and_lists_are_merged_by_position() {
        let settings = of(&[
            json!({"A": {"B": "1", "List": ["a", "b"]}, "C": "x", "D": {"E": 1}}),
            json!({"a:b": 2, "A": {"LIST": ["c"]}, "c": null, "D": "flat"}),
        ]);
        let a = settings.section("a").unwrap();
        assert_eq!(a.text("B").unwrap(), "2");
        assert_eq!(a.get("list").unwrap().words(), ["c", "b"]);
        assert_eq!(settings.text("C"), None);
        assert_eq!(settings.text("D").unwrap(), "flat");
    }

    #[test]
    fn a_key_that_stands_twice_in_one_file_is_refused() {
        for file in [json!({"A:B": 1, "a": {"b": 2}}), json!({"A": {"B": {"C": 1}}, "a:b": 2}), json!({"A": 1, "a": 2})]
        {
            let mut section = Section::default();
            let mut outcome = file.as_object().unwrap().iter().map(|(name, value)| section.add(name, value.clone()));
            assert!(outcome.any(|added| added.is_err()), "{file}");
        }
    }

    #[test]
    fn a_list_in_flat_keys_has_its_order_by_number() {
        let file: Map<String, Value> = (0..12).map(|position| (format!("A:{position}"), json!(position))).collect();
        let words: Vec<_> = (0..12).map(|position| position.to_string()).collect();
        assert_eq!(of(&[Value::Object(file)]).get("A").unwrap().words(), words);
    }

    #[test]
    fn words_are_those_of_a_string_or_a_list() {
        let settings = of(&[json!({"A": " a  b a ", "B": ["a b", "c", "", null], "C": {"x": "y"}, "D": true})]);
        for (name, words) in [("A", &["a", "b"][..]), ("B", &["a", "b", "c"]), ("C", &[]), ("D", &["true"])] {
            assert_eq!(settings.get(name).unwrap().words(), words, "{name}");
        }
    }
}
