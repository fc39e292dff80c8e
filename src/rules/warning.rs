//! What is allowed and yet seldom meant, for the check before a deployment.

use std::fmt;

use crate::request::Method;

use super::pattern::{End, Pattern, Segment};
use super::table::Table;
use super::{Access, Methods, Rule, Rules};

/// Something to look at again; rules are named as in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// Both match some paths, neither all of the other's; there the first one holds.
    Overlap {
        /// The rule that holds.
        first: String,
        /// The rule that does not.
        second: String,
    },
    /// Its methods are guarded better than the others on the same path.
    WeakerMethods {
        /// The rule with `Methods`.
        rule: String,
        /// What holds for another method: a rule, or `default`.
        weaker: String,
    },
    /// Everything below it is open, except for another rule's paths.
    OpenAbove {
        /// The rule with `Access = "Anonymous"`.
        open: String,
        /// The rule below it that is not.
        below: String,
    },
    /// No browser arrives with that host.
    ForeignHost {
        /// The rule with `Host`.
        rule: String,
    },
    /// Whatever has no rule of its own is open to everybody.
    OpenRoot {
        /// The rule for `/**`.
        rule: String,
    },
}

impl Rules {
    /// What is seldom meant; `public_host` is host and port of `Gateway.PublicOrigin`, as in a URL.
    #[must_use]
    pub fn warnings(&self, public_host: &str) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for table in [&self.origin, &self.apis] {
            for (position, rule) in table.rules().iter().enumerate() {
                alone(rule, public_host, &mut warnings);
                weaker_methods(table, rule, &mut warnings);
                for other in table.rules().iter().skip(position + 1).filter(|other| other.host == rule.host) {
                    overlap(rule, other, &mut warnings);
                }
                let beside = table.rules().iter().filter(|other| other.host == rule.host);
                warnings.extend(
                    beside
                        .filter(|other| is_open_above(rule, other))
                        .map(|other| Warning::OpenAbove { open: rule.name.clone(), below: other.name.clone() }),
                );
            }
        }
        warnings
    }
}

fn alone(rule: &Rule, public_host: &str, warnings: &mut Vec<Warning>) {
    if rule.host.as_ref().is_some_and(|host| !host.eq_ignore_ascii_case(public_host)) {
        warnings.push(Warning::ForeignHost { rule: rule.name.clone() });
    }
    if rule.access == Access::Anonymous && rule.pattern == Pattern::everything() {
        warnings.push(Warning::OpenRoot { rule: rule.name.clone() });
    }
}

fn weaker_methods(table: &Table, rule: &Rule, warnings: &mut Vec<Warning>) {
    let Some(methods) = rule.methods else { return };
    let host = rule.host.as_deref().unwrap_or_default();
    let path = example(&rule.pattern);
    let others = Methods::KNOWN.into_iter().map(|(_, method)| method).chain([Method::Other]);
    let weaker = others
        .filter(|method| !methods.contains(*method))
        .filter_map(|method| table.find(host, method, &path, false).ok())
        .find(|found| strength(found) < strength(rule) || (rule.require.is_some() && found.require.is_none()));
    if let Some(weaker) = weaker {
        warnings.push(Warning::WeakerMethods { rule: rule.name.clone(), weaker: weaker.name.clone() });
    }
}

fn overlap(rule: &Rule, other: &Rule, warnings: &mut Vec<Warning>) {
    let shares_methods = match (rule.methods, other.methods) {
        (Some(methods), Some(others)) => methods.overlaps(others),
        (Some(_) | None, None) | (None, Some(_)) => true,
    };
    let (one, two) = (&rule.pattern, &other.pattern);
    if !shares_methods || !meets(one, two) || covers(one, two) || covers(two, one) {
        return;
    }
    let is_first = is_more_specific(one, two);
    let (first, second) = if is_first { (rule, other) } else { (other, rule) };
    warnings.push(Warning::Overlap { first: first.name.clone(), second: second.name.clone() });
}

fn is_open_above(open: &Rule, below: &Rule) -> bool {
    open.access == Access::Anonymous
        && open.pattern.end() == End::Prefix
        && strength(below) > strength(open)
        && open.pattern != below.pattern
        && covers(&open.pattern, &below.pattern)
}

/// How much a rule asks of whoever passes.
const fn strength(rule: &Rule) -> u8 {
    match rule.access {
        Access::Anonymous => 0,
        Access::Optional => 1,
        Access::Api | Access::Bearer | Access::Login => 2,
    }
}

/// Whether some path matches both.
fn meets(one: &Pattern, two: &Pattern) -> bool {
    let (shared, lengths) =
        (one.segments().iter().zip(two.segments()), one.segments().len().cmp(&two.segments().len()));
    let is_long_enough = match lengths {
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Less => one.end() == End::Prefix,
        std::cmp::Ordering::Greater => two.end() == End::Prefix,
    };
    let mut shared = shared;
    is_long_enough && shared.all(|(one, two)| *one == Segment::Any || *two == Segment::Any || one == two)
}

/// Whether every path of `narrow` matches `wide` as well.
fn covers(wide: &Pattern, narrow: &Pattern) -> bool {
    let mut own = narrow.segments().iter();
    let is_within = wide
        .segments()
        .iter()
        .all(|segment| own.next().is_some_and(|narrow| *segment == Segment::Any || segment == narrow));
    is_within && (wide.end() == End::Prefix || (own.next().is_none() && narrow.end() == End::Exact))
}

/// Whether a path that matches both belongs to `one`.
fn is_more_specific(one: &Pattern, two: &Pattern) -> bool {
    let differing = one.segments().iter().zip(two.segments()).find(|(one, two)| one != two);
    match differing {
        Some((segment, _)) => *segment != Segment::Any,
        None => one.segments().len() > two.segments().len(),
    }
}

/// A path that the pattern matches and that no literal is likely to.
fn example(pattern: &Pattern) -> String {
    let mut path = String::new();
    for segment in pattern.segments() {
        path.push('/');
        path.push_str(match segment {
            Segment::Any => "~any~",
            Segment::Literal(literal) => literal,
        });
    }
    if pattern.end() == End::Prefix || path.is_empty() {
        path.push('/');
    }
    if pattern.end() == End::Prefix {
        path.push_str("~any~");
    }
    path
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { first, second } => {
                write!(f, "{first} and {second} match some of the same paths; {first} holds for these")
            }
            Self::WeakerMethods { rule, weaker } => {
                write!(f, "{rule} is for some methods only; for others the weaker {weaker} holds")
            }
            Self::OpenAbove { open, below } => {
                write!(f, "{open} is anonymous for everything around {below}, which is not")
            }
            Self::ForeignHost { rule } => write!(f, "{rule} is for a host that is not Gateway.PublicOrigin's"),
            Self::OpenRoot { rule } => write!(f, "{rule} makes everything anonymous that has no other rule"),
        }
    }
}
