//! A typed reader of one section. Each read takes its key out, so that what is left at the end is unknown; each
//! fault goes into one list, so that all of them are reported together.

mod secret_tables;

use serde_json::Value;

use super::environment::{Form, Leaf, Node, Table, flat_name, join};
use super::fault::{ConfigFault, Problem};
use super::settings;

/// What a text may not contain; a secret piped into wrangler often ends in a newline.
const NEEDS_TEXT: Problem =
    Problem::Invalid("be a string that is not empty and has no control characters or spaces around it", None);

const NEEDS_TABLE: Problem = Problem::Invalid("be a table of settings", None);
const NEEDS_TABLES: Problem = Problem::Invalid("be a list of tables", None);
const NO_TABLE: Problem = Problem::Invalid("be a value, not a table", None);

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
        let (table, is_broken) = match self.table.remove(name) {
            None => (Table::default(), self.is_misspelt(name)),
            Some(Node::Table(table)) => (table, false),
            Some(Node::Leaf(_)) => {
                self.fault(name, NEEDS_TABLE);
                (Table::default(), true)
            }
        };
        Section { path, pattern, table, is_broken, faults: self.faults }
    }

    /// Whether the key is present, however it is spelled in upper and lower case.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.table.keys().any(|key| key.eq_ignore_ascii_case(name))
    }

    /// The keys that have not been read yet, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.table.keys().map(str::to_owned).collect()
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
                let flat = flat_name(&self.key(name));
                self.fault(name, Problem::PlainSecret(flat));
                None
            }
        }
    }

    /// The names and values of a table whose names are free; empty if it is absent.
    pub(super) fn entries(&mut self, name: &str) -> Vec<(String, Value)> {
        let mut child = self.child(name, "");
        let mut entries = Vec::new();
        for (name, node) in std::mem::take(&mut child.table) {
            match node {
                Node::Leaf(leaf) => entries.push((name, leaf.value)),
                Node::Table(_) => child.fault(&name, NO_TABLE),
            }
        }
        entries
    }

    /// The tables of a list, such as `[[vars.Gateway.Routes]]`, with their positions; none if it is absent.
    pub(super) fn tables(&mut self, name: &str) -> Vec<(usize, Table)> {
        let Some(leaf) = self.take_or(name, NEEDS_TABLES) else { return Vec::new() };
        let Value::Array(items) = leaf.value else {
            self.fault(name, NEEDS_TABLES);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (position, item) in items.into_iter().enumerate() {
            match Node::from_value(item, Form::Plain) {
                Node::Table(table) => tables.push((position, table)),
                Node::Leaf(_) => self.fault(&format!("{name}[{position}]"), NEEDS_TABLE),
            }
        }
        tables
    }

    /// One of the [`tables`](Self::tables) of the list `name`.
    pub(super) fn element(
        &mut self,
        name: &str,
        (position, table): (usize, Table),
        pattern: &'static str,
    ) -> Section<'_> {
        let path = self.key(&format!("{name}[{position}]"));
        Section { path, pattern, table, is_broken: false, faults: self.faults }
    }

    /// Takes the query off a URL that has no fragment, and returns it.
    pub(super) fn split_query(&mut self, name: &str) -> Option<String> {
        let Some(Node::Leaf(Leaf { value: Value::String(text), .. })) = self.table.get_mut(name) else { return None };
        let (url, query) = text.split_once('?').filter(|(_, query)| !query.contains('#'))?;
        let query = query.to_owned();
        *text = url.to_owned();
        Some(query)
    }

    /// Whether it is a table with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.table.is_empty() && !self.is_broken
    }

    /// Reports a fault of the section as a whole.
    pub(super) fn fault_as_a_whole(&mut self, problem: Problem) {
        self.faults.push(ConfigFault::new(&self.path, problem));
    }

    /// Whether the next read of `name` finds something.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    /// Whether the key is absent, or present without anything in it.
    pub(super) fn lacks(&self, name: &str) -> bool {
        match self.table.get(name) {
            None => true,
            Some(Node::Leaf(leaf)) => {
                matches!(leaf.value.as_array(), Some(list) if list.is_empty()) || leaf.value == ""
            }
            Some(Node::Table(_)) => false,
        }
    }

    /// Whether the key is written with this truth value.
    pub(super) fn says(&self, name: &str, flag: bool) -> bool {
        let value = match self.table.get(name) {
            Some(Node::Leaf(leaf)) => &leaf.value,
            Some(Node::Table(_)) | None => return false,
        };
        *value == flag || *value == if flag { "true" } else { "false" }
    }

    /// Whether the key is a table with nothing in it.
    pub(super) fn holds_empty_table(&self, name: &str) -> bool {
        matches!(self.table.get(name), Some(Node::Table(table)) if table.is_empty())
    }

    /// Takes the value of a key out. A key that [`settings::SETTINGS`] lacks is never found, so none can be accepted
    /// without being documented.
    pub(super) fn take(&mut self, name: &str) -> Option<Leaf> {
        self.take_or(name, NO_TABLE)
    }

    fn take_or(&mut self, name: &str, problem: Problem) -> Option<Leaf> {
        // Most keys are absent from most configurations, and the list is long.
        if !self.holds(name) || !settings::names_under(self.pattern).any(|known| known == name) {
            return None;
        }
        match self.table.remove(name)? {
            Node::Leaf(leaf) => Some(leaf),
            Node::Table(_) => {
                self.fault(name, problem);
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
