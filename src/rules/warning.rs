//! What is allowed and yet seldom meant, for the check before a deployment.

use std::cmp::Ordering;
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
    /// What is seldom meant; `public_hosts` are host and port of `Gateway.PublicOrigin` and of each of
    /// `Gateway.AlternateOrigins`, as in a URL.
    #[must_use]
    pub fn warnings(&self, public_hosts: &[&str]) -> Vec<Warning> {
        let mut warnings = Vec::new();
        for table in [&self.origin, &self.apis] {
            for (position, rule) in table.rules().iter().enumerate() {
                alone(rule, public_hosts, &mut warnings);
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

fn alone(rule: &Rule, public_hosts: &[&str], warnings: &mut Vec<Warning>) {
    let is_ours = |host: &String| public_hosts.iter().any(|public| host.eq_ignore_ascii_case(public));
    if rule.host.as_ref().is_some_and(|host| !is_ours(host)) {
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
    let is_long_enough = match one.segments().len().cmp(&two.segments().len()) {
        Ordering::Equal => true,
        Ordering::Less => one.end() == End::Prefix,
        Ordering::Greater => two.end() == End::Prefix,
    };
    let mut shared = one.segments().iter().zip(two.segments());
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
            Self::ForeignHost { rule } => {
                write!(f, "{rule} is for a host that is neither Gateway.PublicOrigin's nor of Gateway.AlternateOrigins")
            }
            Self::OpenRoot { rule } => write!(f, "{rule} makes everything anonymous that has no other rule"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Condition, Requirement};
    use super::*;

    fn rule(text: &str, access: Access) -> Rule {
        let (methods, path) = text.split_once(' ').map_or((None, text), |(methods, path)| (Some(methods), path));
        let methods = methods.map(|name| Methods::parse(&[name.to_owned()]).unwrap());
        Rule { pattern: Pattern::parse(path).unwrap(), methods, ..Rule::without_conditions(text, access) }
    }

    fn with_role(rule: Rule) -> Rule {
        let role = Condition::Claim { name: "roles".to_owned(), values: vec![json!("Admin")] };
        Rule { require: Some(Requirement::new(vec![role])), ..rule }
    }

    fn warnings(rules: Vec<Rule>) -> Vec<String> {
        let rules = Rules::new(rules, Vec::new(), false);
        rules.warnings(&["app.example:8443", "alternate.example"]).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_that_overlap_in_part_are_told() {
        for (one, two, first) in [
            ("/a/*/c", "/a/b/*", "/a/b/*"),
            ("/a/b/*", "/a/*/c", "/a/b/*"),
            ("/*/b", "/a/**", "/a/**"),
            ("GET /a/*/c", "/a/b/*", "/a/b/*"),
            ("/*/b/**", "/a/*", "/a/*"),
        ] {
            let second = if first == one { two } else { one };
            let expected = format!("{first} and {second} match some of the same paths; {first} holds for these");
            assert_eq!(warnings(vec![rule(one, Access::Login), rule(two, Access::Login)]), [expected]);
        }
        for (one, two) in [
            ("/a/*", "/a/b"),
            ("/a/**", "/a/*/c"),
            ("/**", "/a"),
            ("/a/b", "/a/c"),
            ("/a/*/c", "/a/b"),
            ("/a/*/c", "/a/b/d"),
            ("GET /a/*/c", "POST /a/b/*"),
            ("/a", "/a/**"),
        ] {
            assert_eq!(warnings(vec![rule(one, Access::Login), rule(two, Access::Login)]), [""; 0], "{one} {two}");
        }
        let on_host = Rule { host: Some("app.example:8443".to_owned()), ..rule("/a/*/c", Access::Login) };
        assert_eq!(warnings(vec![on_host, rule("/a/b/*", Access::Login)]), [""; 0]);
    }

    #[test]
    fn methods_that_are_guarded_less_are_told() {
        let told = |weaker: &str| format!("GET /a is for some methods only; for others the weaker {weaker} holds");
        let guarded = || with_role(rule("GET /a", Access::Login));
        assert_eq!(warnings(vec![guarded()]), [told("default")]);
        assert_eq!(warnings(vec![guarded(), rule("/a", Access::Api)]), [told("/a")]);
        assert_eq!(warnings(vec![guarded(), with_role(rule("/a", Access::Api))]), [""; 0]);
        assert_eq!(warnings(vec![rule("GET /a", Access::Login), rule("/*", Access::Optional)]), [told("/*")]);
        assert_eq!(warnings(vec![rule("GET /a", Access::Anonymous)]), [""; 0]);
        assert_eq!(warnings(vec![rule("GET /a", Access::Login)]), [""; 0]);
        let prefix = with_role(rule("DELETE /a/*/**", Access::Login));
        assert_eq!(
            warnings(vec![prefix]),
            ["DELETE /a/*/** is for some methods only; for others the weaker default holds"]
        );
    }

    #[test]
    fn an_open_prefix_around_something_guarded_is_told() {
        let told = "/a/** is anonymous for everything around /a/b, which is not".to_owned();
        for below in [Access::Login, Access::Optional, Access::Bearer] {
            let open = rule("/a/**", Access::Anonymous);
            assert_eq!(warnings(vec![rule("/a/b", below), open]), std::slice::from_ref(&told), "{below:?}");
        }
        for (one, two) in [
            (rule("/a/**", Access::Anonymous), rule("/a/b", Access::Anonymous)),
            (rule("/a/**", Access::Login), rule("/a/b", Access::Anonymous)),
            (rule("/a", Access::Anonymous), rule("/a/b", Access::Login)),
            (rule("/a/**", Access::Anonymous), rule("/b", Access::Login)),
            (rule("GET /a/**", Access::Anonymous), rule("/a/**", Access::Login)),
        ] {
            assert_eq!(warnings(vec![one, two]), [""; 0]);
        }
    }

    #[test]
    fn an_open_root_and_a_foreign_host_are_told() {
        assert_eq!(
            warnings(vec![rule("/**", Access::Anonymous)]),
            ["/** makes everything anonymous that has no other rule"]
        );
        assert_eq!(warnings(vec![rule("/**", Access::Optional)]), [""; 0]);
        let on_host = |host: &str| warnings(vec![Rule { host: Some(host.to_owned()), ..rule("/a", Access::Login) }]);
        assert_eq!(on_host("app.example:8443"), [""; 0]);
        assert_eq!(on_host("Alternate.example"), [""; 0]);
        let told = "/a is for a host that is neither Gateway.PublicOrigin's nor of Gateway.AlternateOrigins";
        assert_eq!(on_host("app.example"), [told]);
    }
}
