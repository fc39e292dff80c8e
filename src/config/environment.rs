//! The Worker's variables as one tree. Tables of `wrangler.toml` arrive as objects, secrets as top-level strings
//! in ASP.NET's `Section__Key` form; here both become nested tables, and neither overrides the other.

use serde_json::Value;

use super::fault::{ConfigFault, Problem};

/// The variables, merged, and the names of the other bindings.
#[derive(Default)]
pub(super) struct Environment {
    pub(super) vars: Table,
    pub(super) bindings: Vec<String>,
}

/// Keys and what stands under them, in the order of the keys. A list, because tables are short and read once for each
/// isolate: a `BTreeMap` of nodes would be 12 KB of the Worker (docs/decisions.md).
#[derive(Default)]
pub(super) struct Table(Vec<(String, Node)>);

/// A value, or a table of further keys.
pub(super) enum Node {
    Leaf(Leaf),
    Table(Table),
}

/// A value and the form it was written in.
pub(super) struct Leaf {
    pub(super) value: Value,
    pub(super) form: Form,
}

/// How a value was written, which decides whether it can be a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// As a top-level variable, `Section__Key`.
    Flat,
    /// Inside a table, which is committed to version control with `wrangler.toml`.
    Plain,
}

impl Environment {
    /// Reads `{"vars": {…}, "bindings": […]}`; what cannot be read is reported and left out.
    pub(super) fn parse(text: &str, faults: &mut Vec<ConfigFault>) -> Self {
        const SHAPE: Problem = Problem::Invalid("be {\"vars\": {…}, \"bindings\": […]}", None);

        let (vars, bindings) = match serde_json::from_slice(text.as_bytes()) {
            Ok(Value::Object(mut object)) => (object.remove("vars"), object.remove("bindings")),
            Ok(_) | Err(_) => (None, None),
        };
        let bindings = bindings.as_ref().and_then(Value::as_array).and_then(|names| strings(names));
        let (Some(Value::Object(vars)), Some(bindings)) = (vars, bindings) else {
            faults.push(ConfigFault::new("environment", SHAPE));
            return Self::default();
        };
        let mut merged = Table::default();
        for (name, value) in vars {
            merged.merge(Table::from_variable(&name, value), "", faults);
        }
        Self { vars: merged, bindings }
    }
}

impl Table {
    /// `A__B` = value becomes A → B → value. A name with an empty part is no nesting but an odd name.
    fn from_variable(name: &str, value: Value) -> Self {
        let (first, rest) = match name.split_once("__") {
            Some((first, rest)) if !name.split("__").any(str::is_empty) => (first, Some(rest)),
            Some(_) | None => (name, None),
        };
        let node = match rest {
            Some(rest) => Node::Table(Self::from_variable(rest, value)),
            None => Node::from_value(value, Form::Flat),
        };
        Self(vec![(first.to_owned(), node)])
    }

    fn merge(&mut self, other: Self, path: &str, faults: &mut Vec<ConfigFault>) {
        for (name, node) in other {
            let key = join(path, &name);
            let Some(known) = self.remove(&name) else {
                self.insert(name, node);
                continue;
            };
            let kept = match aligned(&name, known, node) {
                (Node::Table(mut table), Node::Table(more)) => {
                    table.merge(more, &key, faults);
                    Node::Table(table)
                }
                // A value where a section belongs: the section's reader says so.
                (known @ Node::Leaf(_), Node::Table(_)) if path.is_empty() => known,
                (known, Node::Leaf(_) | Node::Table(_)) => {
                    faults.push(ConfigFault::new(&key, Problem::SetTwice(flat_name(&key))));
                    known
                }
            };
            self.insert(name, kept);
        }
    }

    /// What stands under a key.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        self.0.get(self.place(name).ok()?).map(|(_, node)| node)
    }

    /// What stands under a key, to be changed.
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, node)| node)
    }

    /// Takes a key out, with what stands under it.
    pub(super) fn remove(&mut self, name: &str) -> Option<Node> {
        self.place(name).ok().map(|place| self.0.remove(place).1)
    }

    /// Puts something under a key, in place of what stood there.
    pub(super) fn insert(&mut self, name: String, node: Node) {
        match self.place(&name) {
            Ok(place) => drop(self.0.splice(place..=place, [(name, node)])),
            Err(place) => self.0.insert(place, (name, node)),
        }
    }

    /// The keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// Whether nothing is in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a key is, or would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(key, _)| key.as_str().cmp(name))
    }

    /// Whether its keys are positions in a list, as in `ClientCredentials__0__ClientSecret`.
    fn is_by_position(&self) -> bool {
        self.keys().all(|key| key.parse::<u16>().is_ok())
    }
}

impl IntoIterator for Table {
    type Item = (String, Node);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A list of tables and a table of positions both as the latter, so that a secret joins its entry. No other list has
/// secrets in it.
fn aligned(name: &str, one: Node, other: Node) -> (Node, Node) {
    match (one, other) {
        both if name != LIST_WITH_SECRETS => both,
        (Node::Leaf(list), table @ Node::Table(_)) if table.is_by_position() => (list.by_position(), table),
        (table @ Node::Table(_), Node::Leaf(list)) if table.is_by_position() => (table, list.by_position()),
        both => both,
    }
}

const LIST_WITH_SECRETS: &str = "ClientCredentials";

impl Leaf {
    fn by_position(self) -> Node {
        let Self { value, form } = self;
        let Some(items) = value.as_array().filter(|items| items.iter().all(Value::is_object)) else {
            return Node::Leaf(Self { value, form });
        };
        let mut table = Table::default();
        for (position, item) in items.iter().enumerate() {
            table.insert(position.to_string(), Node::from_value(item.clone(), Form::Plain));
        }
        Node::Table(table)
    }
}

impl Node {
    fn is_by_position(&self) -> bool {
        matches!(self, Self::Table(table) if table.is_by_position())
    }

    /// Objects are tables; a list stays one value, whose reader knows whether tables stand in it.
    pub(super) fn from_value(value: Value, form: Form) -> Self {
        match value {
            Value::Object(object) => {
                let mut table = Table::default();
                for (name, value) in object {
                    table.insert(name, Self::from_value(value, Form::Plain));
                }
                Self::Table(table)
            }
            value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                Self::Leaf(Leaf { value, form })
            }
        }
    }
}

fn strings(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The dotted key of `name` in the section `path`; the root's path is empty.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The name of a dotted key as a variable or secret: `A.B[0].C` is `A__B__0__C`.
pub(crate) fn flat_name(key: &str) -> String {
    key.replace(['.', '['], "__").replace(']', "")
}
