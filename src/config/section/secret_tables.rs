//! Lists of tables in which secrets stand: a secret is put by the position of its entry, or the whole list is one.

use serde_json::Value;

use super::{NEEDS_TABLE, Section};
use crate::config::environment::{Form, Leaf, Node, Table};
use crate::config::fault::{ConfigFault, Problem};
use crate::order::sort_by;

const NEEDS_JSON: Problem = Problem::Invalid("be a list of objects in JSON", None);
const NEEDS_POSITION: Problem = Problem::Invalid("be named by the position of its entry, counted from 0", None);
const NEEDS_PREDECESSOR: Problem = Problem::Invalid("have an entry before it: positions are counted from 0", None);

impl Section<'_> {
    /// The tables of a list in which secrets stand: as [`tables`](Self::tables), each secret by its position
    /// (`A__B__0__C`), or the whole list as one secret in JSON. `None` for what is no list.
    pub(in crate::config) fn secret_tables(&mut self, name: &str) -> Option<Vec<(usize, Table)>> {
        match self.table.get(name) {
            Some(Node::Table(_)) => Some(self.tables_by_position(name)),
            Some(Node::Leaf(Leaf { value: Value::String(text), form: Form::Flat })) => {
                let tables = tables_in_json(text);
                self.table.remove(name);
                self.accept(name, tables)
            }
            Some(Node::Leaf(leaf)) => {
                let is_list = leaf.value.is_array();
                Some(self.tables(name)).filter(|_| is_list)
            }
            None => None,
        }
    }

    fn tables_by_position(&mut self, name: &str) -> Vec<(usize, Table)> {
        let mut section = self.child(name, "");
        let mut tables = Vec::new();
        for (key, node) in std::mem::take(&mut section.table) {
            match (key.parse::<usize>(), node) {
                (Ok(position), Node::Table(table)) => tables.push((position, table)),
                (Ok(position), Node::Leaf(_)) => {
                    section.faults.push(ConfigFault::new(&format!("{}[{position}]", section.path), NEEDS_TABLE))
                }
                (Err(_), _) => section.fault(&key, NEEDS_POSITION),
            }
        }
        // As texts, 10 comes before 2.
        sort_by(&mut tables, |(one, _), (other, _)| one.cmp(other));
        let gap = tables.iter().enumerate().find(|(expected, (position, _))| expected != position);
        if let Some((_, (position, _))) = gap {
            section.faults.push(ConfigFault::new(&format!("{}[{position}]", section.path), NEEDS_PREDECESSOR));
        }
        tables
    }
}

/// A list of tables that is a secret as a whole, and so is everything in it.
fn tables_in_json(text: &str) -> Result<Vec<(usize, Table)>, Problem> {
    let Ok(Value::Array(items)) = serde_json::from_slice(text.as_bytes()) else { return Err(NEEDS_JSON) };
    let table = |item| match item {
        Value::Object(members) => {
            let mut table = Table::default();
            for (name, value) in members {
                table.insert(name, Node::Leaf(Leaf { value, form: Form::Flat }));
            }
            Ok(table)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(NEEDS_JSON),
    };
    let tables: Result<Vec<_>, _> = items.into_iter().map(table).collect();
    Ok(tables?.into_iter().enumerate().collect())
}
