//! `Require` of a route rule: conditions on claims, which may be nested.

use serde_json::Value;

use crate::rules::{Condition, GROUPS, ROLES, Requirement, is_domain};

use super::fault::Problem;
use super::section::{Section, plain_text};

const DOMAIN: Problem = Problem::Invalid("be domain names in ASCII, without @ and *", Some("example.com"));
const EMPTY: Problem = Problem::Invalid("have at least one condition", None);
const PATTERN: &str = "Gateway.Routes[].Require";
const TOO_DEEP: Problem = Problem::Invalid("not be nested more than 8 deep", None);
const VALUE: Problem = Problem::Invalid("be a string, a number, a boolean or a list of these", None);

/// Tables may stand in one another up to this many times.
const DEEPEST: usize = 8;

/// Reads the table `Require`; `None` if it is absent, or if nothing in it could be read and that was reported.
pub(super) fn read(rule: &mut Section<'_>) -> Option<Requirement> {
    rule.holds("Require").then(|| requirement(rule.child("Require", PATTERN), 1))?
}

fn requirement(mut section: Section<'_>, depth: usize) -> Option<Requirement> {
    if section.is_empty() {
        section.fault_as_a_whole(EMPTY);
        return None;
    }
    if depth > DEEPEST {
        section.fault_as_a_whole(TOO_DEEP);
        return None;
    }
    let conditions = conditions(&mut section, depth);
    section.finish();
    (!conditions.is_empty()).then(|| Requirement::new(conditions))
}

fn conditions(section: &mut Section<'_>, depth: usize) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for (key, claim) in [("Roles", ROLES), ("Groups", GROUPS)] {
        let values = section.texts(key).map(|values| values.into_iter().map(Value::String).collect());
        conditions.extend(values.map(|values| Condition::Claim { name: claim.to_owned(), values }));
    }
    conditions.extend(email_domains(section).map(Condition::EmailDomain));
    conditions.extend(claims(section));
    conditions.extend(section.texts("Present").map(Condition::Present));
    for (key, condition) in [("All", Condition::All as fn(_) -> _), ("Any", Condition::Any)] {
        conditions.extend(branches(section, key, depth).map(condition));
    }
    if section.holds("Not") {
        conditions.extend(requirement(section.child("Not", PATTERN), depth + 1).map(Condition::Not));
    }
    conditions
}

fn email_domains(section: &mut Section<'_>) -> Option<Vec<String>> {
    let domains = section.words("EmailDomains")?;
    let domains: Vec<_> = domains.iter().map(|domain| domain.to_ascii_lowercase()).collect();
    let is_valid = domains.iter().all(|domain| is_domain(domain));
    section.accept("EmailDomains", if is_valid { Ok(domains) } else { Err(DOMAIN) })
}

fn claims(section: &mut Section<'_>) -> Vec<Condition> {
    if section.holds_empty_table("Claims") {
        section.fault("Claims", EMPTY);
    }
    let mut conditions = Vec::new();
    for (name, value) in section.entries("Claims") {
        let values = if let Value::Array(items) = value { items } else { vec![value] };
        let is_listed = |value: &Value| match value {
            Value::String(_) => plain_text(value).is_ok(),
            Value::Bool(_) | Value::Number(_) => true,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        let is_valid = !values.is_empty() && values.iter().all(is_listed);
        let values = section.accept(&format!("Claims.{name}"), if is_valid { Ok(values) } else { Err(VALUE) });
        conditions.extend(values.map(|values| Condition::Claim { name, values }));
    }
    conditions
}

/// The tables of a list, each a requirement of its own.
fn branches(section: &mut Section<'_>, key: &'static str, depth: usize) -> Option<Vec<Requirement>> {
    if !section.holds(key) {
        return None;
    }
    if section.lacks(key) {
        section.fault(key, EMPTY);
    }
    let mut branches = Vec::new();
    for table in section.tables(key) {
        branches.extend(requirement(section.element(key, table, PATTERN), depth + 1));
    }
    (!branches.is_empty()).then_some(branches)
}
