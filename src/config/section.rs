//! A typed reader of one section. Each read takes its key out, so that what is left at the end is unknown; each
//! fault goes into one list, so that all of them are reported together.

use serde_json::Value;

use super::environment::{Form, Leaf, Node, Table, join};
use super::fault::{ConfigFault, Problem};
use super::settings;

/// What a text may not contain; a secret piped into wrangler often ends in a newline.
const NEEDS_TEXT: Problem =
    Problem::Invalid("be a string that is not empty and has no control characters or spaces around it", None);

/// One table of the configuration.
///
/// A reader that returns `None` for a faulty value has reported it, and the parse fails as a whole.
pub(super) struct Section<'a> {
    /// As the operator wrote it, e.g. `DownstreamApis.Orders`.
    path: String,
    /// As [`settings::SETTINGS`] has it, e.g. `DownstreamApis.<Name>`.
    pattern: &'static str,
    table: Table,
    /// Not a table at all: that was reported, and missing keys would only repeat it.
    is_broken: bool,
    faults: &'a mut Vec<ConfigFault>,
}

impl<'a> Section<'a> {
    /// The root, whose keys are the sections.
    pub(super) const fn root(table: Table, faults: &'a mut Vec<ConfigFault>) -> Self {
        Self { path: String::new(), pattern: "", table, is_broken: false, faults }
    }

    /// The section `name`, empty if it is absent.
    pub(super) fn child(&mut self, name: &str, pattern: &'static str) -> Section<'_> {
        let path = self.key(name);
        let (table, is_broken) = match self.table.0.remove(name) {
            None => (Table::default(), self.is_misspelt(name)),
            Some(Node::Table(table)) => (table, false),
            Some(Node::Leaf(_)) => {
                self.fault(name, Problem::Invalid("be a table of settings", None));
                (Table::default(), true)
            }
        };
        Section { path, pattern, table, is_broken, faults: self.faults }
    }

    /// Whether the key is present, however it is spelled in upper and lower case.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.table.0.keys().any(|key| key.eq_ignore_ascii_case(name))
    }

    /// The keys that have not been read yet, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.0.keys().cloned().collect()
    }

    /// Its own key.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The full key of `name`.
    pub(super) fn key(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// Reports a fault of `name`.
    pub(super) fn fault(&mut self, name: &str, problem: Problem) {
        let key = self.key(name);
        self.faults.push(ConfigFault::new(&key, problem));
    }

    /// Reports `name` as absent, unless it is there in another spelling.
    pub(super) fn missing(&mut self, name: &str, hint: &'static str) {
        if !self.is_broken && !self.is_misspelt(name) {
            self.fault(name, Problem::Missing(hint));
        }
    }

    /// Passes a value on, or reports why there is none.
    pub(super) fn accept<T>(&mut self, name: &str, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.fault(name, problem)).ok()
    }

    /// An optional string; `None` if it is absent.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let leaf = self.take(name)?;
        self.accept(name, plain_text(&leaf.value))
    }

    /// An optional string that a rule turns into something better.
    pub(super) fn parsed<T>(&mut self, name: &str, rule: impl FnOnce(&str) -> Result<T, Problem>) -> Option<T> {
        let text = self.text(name)?;
        self.accept(name, rule(&text))
    }

    /// A string with a default, put through a rule.
    pub(super) fn parsed_or<T>(
        &mut self,
        name: &str,
        default: &str,
        rule: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if self.holds(name) { self.parsed(name, rule) } else { rule(default).ok() }
    }

    /// A string that must be there, put through a rule.
    pub(super) fn required<T>(
        &mut self,
        name: &str,
        hint: &'static str,
        rule: impl FnOnce(&str) -> Result<T, Problem>,
    ) -> Option<T> {
        if !self.holds(name) {
            self.missing(name, hint);
        }
        self.parsed(name, rule)
    }

    /// The value of a secret, which must not stand in a table; not yet checked.
    pub(super) fn secret(&mut self, name: &str) -> Option<Value> {
        let leaf = self.take(name)?;
        match leaf.form {
            Form::Flat => Some(leaf.value),
            Form::Plain => {
                let flat = self.key(name).replace('.', "__");
                self.fault(name, Problem::PlainSecret(flat));
                None
            }
        }
    }

    /// The names and values of a table whose names are free; empty if it is absent.
    pub(super) fn entries(&mut self, name: &str) -> Vec<(String, Value)> {
        let mut child = self.child(name, "");
        let mut entries = Vec::new();
        for (name, node) in std::mem::take(&mut child.table).0 {
            match node {
                Node::Leaf(leaf) => entries.push((name, leaf.value)),
                Node::Table(_) => child.fault(&name, Problem::Invalid("be a value, not a table", None)),
            }
        }
        entries
    }

    /// Whether the next read of `name` finds something.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.table.0.contains_key(name)
    }

    /// Whether the key is absent, or present without anything in it.
    pub(super) fn lacks(&self, name: &str) -> bool {
        match self.table.0.get(name) {
            None => true,
            Some(Node::Leaf(leaf)) => {
                matches!(leaf.value.as_array(), Some(list) if list.is_empty()) || leaf.value == ""
            }
            Some(Node::Table(_)) => false,
        }
    }

    /// Takes the value of a key out. A key that [`settings::SETTINGS`] lacks is never found, so none can be accepted
    /// without being documented.
    pub(super) fn take(&mut self, name: &str) -> Option<Leaf> {
        if !settings::names_under(self.pattern).any(|known| known == name) {
            return None;
        }
        match self.table.0.remove(name)? {
            Node::Leaf(leaf) => Some(leaf),
            Node::Table(_) => {
                self.fault(name, Problem::Invalid("be a value, not a table", None));
                None
            }
        }
    }

    /// Ends the section: whatever nobody read is reported.
    pub(super) fn finish(mut self) {
        for name in self.names() {
            self.fault(&name, settings::explain(self.pattern, &name));
        }
    }

    fn is_misspelt(&self, name: &str) -> bool {
        !self.holds(name) && self.mentions(name)
    }
}

/// A string that can stand in a header, a URL or a form.
pub(super) fn plain_text(value: &Value) -> Result<String, Problem> {
    match value.as_str() {
        Some(text) if !text.is_empty() && text.trim() == text && !text.contains(char::is_control) => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(NEEDS_TEXT),
    }
}
