//! Patterns by their segments, so that a lookup costs what the path is long and the logarithm of how many rules there
//! are beside each other.

use std::cmp::Ordering;

use crate::request::Method;

use super::Rule;
use super::methods::Methods;
use super::pattern::{End, Segment};

/// What stands at and below one place of a path. A rule is its position in the table.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    /// Sorted.
    literals: Vec<(String, Self)>,
    any: Option<Box<Self>>,
    exact: Vec<Entry>,
    prefix: Vec<Entry>,
}

/// A rule that ends here.
#[derive(Clone, Copy, Debug)]
struct Entry {
    methods: Option<Methods>,
    rule: usize,
}

impl Node {
    /// Adds a rule; the literals of its path in lower case if the trie is for lookups without letter case.
    pub(super) fn insert(&mut self, position: usize, rule: &Rule, is_folded: bool) {
        self.grow(rule.pattern.segments(), (position, rule), is_folded);
    }

    fn grow(&mut self, segments: &[Segment], leaf: (usize, &Rule), is_folded: bool) {
        match segments.split_first() {
            None => self.end(leaf),
            Some((Segment::Any, rest)) => self.any.get_or_insert_default().grow(rest, leaf, is_folded),
            Some((Segment::Literal(literal), rest)) => {
                let literal = if is_folded { literal.to_ascii_lowercase() } else { literal.clone() };
                match self.literals.binary_search_by(|(own, _)| own.cmp(&literal)) {
                    Ok(position) => {
                        if let Some((_, node)) = self.literals.get_mut(position) {
                            node.grow(rest, leaf, is_folded);
                        }
                    }
                    Err(position) => {
                        let mut node = Self::default();
                        node.grow(rest, leaf, is_folded);
                        self.literals.insert(position, (literal, node));
                    }
                }
            }
        }
    }

    fn end(&mut self, (position, rule): (usize, &Rule)) {
        let entry = Entry { methods: rule.methods, rule: position };
        match rule.pattern.end() {
            End::Exact => self.exact.push(entry),
            End::Prefix => self.prefix.push(entry),
        }
    }

    /// The most specific rule for a path, which begins with a slash.
    pub(super) fn find(&self, path: &[u8], method: Method, is_folded: bool) -> Option<usize> {
        let segments = path.strip_prefix(b"/").unwrap_or(path);
        let rest = (!segments.is_empty()).then(|| segments.strip_suffix(b"/").unwrap_or(segments));
        self.descend(rest, method, is_folded)
    }

    /// Segment by segment: literal before `*` before `/**`, exact before prefix. A node is visited once at most.
    fn descend(&self, rest: Option<&[u8]>, method: Method, is_folded: bool) -> Option<usize> {
        let Some(rest) = rest else {
            return of_method(&self.exact, method).or_else(|| of_method(&self.prefix, method));
        };
        let mut parts = rest.splitn(2, |byte| *byte == b'/');
        let (segment, rest) = (parts.next().unwrap_or_default(), parts.next());
        let literal = self.literals.binary_search_by(|(own, _)| compare(own, segment, is_folded)).ok();
        let literal = literal.and_then(|position| self.literals.get(position)).map(|(_, node)| node);
        let any = self.any.as_deref().filter(|_| !segment.is_empty());
        let below = [literal, any].into_iter().flatten();
        below
            .filter_map(|node| node.descend(rest, method, is_folded))
            .next()
            .or_else(|| of_method(&self.prefix, method))
    }
}

/// A rule that names the method comes before one that is for all.
fn of_method(entries: &[Entry], method: Method) -> Option<usize> {
    let named = |entry: &&Entry| entry.methods.is_some_and(|methods| methods.contains(method));
    let entry = entries.iter().find(named).or_else(|| entries.iter().find(|entry| entry.methods.is_none()));
    entry.map(|entry| entry.rule)
}

fn compare(own: &str, segment: &[u8], is_folded: bool) -> Ordering {
    if is_folded {
        return own.bytes().cmp(segment.iter().map(u8::to_ascii_lowercase));
    }
    own.as_bytes().cmp(segment)
}
