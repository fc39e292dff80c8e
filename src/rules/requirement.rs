//! What a rule requires of the claims of whoever is signed in.
//!
//! Judged in three values: what cannot be told, because the OP left a claim out for its size or does not vouch for an
//! address, is neither met nor the opposite of met. So `Not` never turns a missing answer into a yes.

use serde_json::{Map, Value};

use super::email::verified_domain;

/// Conditions, all of which must be met.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement(Vec<Condition>);

/// One key of `Require`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `All`: each of these.
    All(Vec<Requirement>),
    /// `Any`: one of these at least.
    Any(Vec<Requirement>),
    /// `Roles`, `Groups` and `Claims`: the claim is one of the values, or a list that contains one. JSON types count:
    /// 1 is not "1".
    Claim {
        /// The claim's name.
        name: String,
        /// Strings, numbers and booleans.
        values: Vec<Value>,
    },
    /// `EmailDomains`: the domain of the verified address is one of these, as a whole; in lower case.
    EmailDomain(Vec<String>),
    /// `Not`: the opposite.
    Not(Requirement),
    /// `Present`: each of these claims is there and not blank.
    Present(Vec<String>),
}

/// A condition that is not met.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Where it stands below `Require`, e.g. `Any[1].Roles`.
    pub key: String,
    /// Whether the claims leave open if it is met.
    pub is_unknown: bool,
}

impl Requirement {
    /// All of these conditions; there must be one at least.
    pub(crate) const fn new(conditions: Vec<Condition>) -> Self {
        Self(conditions)
    }

    /// The conditions, as they were written.
    #[must_use]
    pub fn conditions(&self) -> &[Condition] {
        &self.0
    }

    /// Whether the claims meet it, beyond doubt.
    #[must_use]
    pub fn holds(&self, claims: &Map<String, Value>) -> bool {
        self.verdict(claims) == Some(true)
    }

    /// The conditions that the claims do not meet, each as deep as it has a place of its own; none if it holds.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn explain(&self, claims: &Map<String, Value>) -> Vec<Unmet> {
        let mut unmet = Vec::new();
        self.collect_unmet("", claims, &mut unmet);
        unmet
    }

    fn verdict(&self, claims: &Map<String, Value>) -> Option<bool> {
        all(self.0.iter().map(|condition| condition.verdict(claims)))
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn collect_unmet(&self, place: &str, claims: &Map<String, Value>, unmet: &mut Vec<Unmet>) {
        for condition in &self.0 {
            let verdict = condition.verdict(claims);
            if verdict == Some(true) {
                continue;
            }
            let key = format!("{place}{}", condition.key());
            match condition {
                Condition::All(branches) | Condition::Any(branches) => {
                    for (position, branch) in branches.iter().enumerate() {
                        branch.collect_unmet(&format!("{key}[{position}]."), claims, unmet);
                    }
                }
                // Whatever is met inside is what fails here.
                Condition::Not(_) | Condition::Claim { .. } | Condition::EmailDomain(_) | Condition::Present(_) => {
                    unmet.push(Unmet { key, is_unknown: verdict.is_none() });
                }
            }
        }
    }
}

impl Condition {
    fn verdict(&self, claims: &Map<String, Value>) -> Option<bool> {
        match self {
            Self::All(branches) => all(branches.iter().map(|branch| branch.verdict(claims))),
            Self::Any(branches) => {
                let opposite = |verdict: Option<bool>| verdict.map(|is_met| !is_met);
                opposite(all(branches.iter().map(|branch| opposite(branch.verdict(claims)))))
            }
            Self::Claim { name, values } => is_one_of(claims, name, values),
            Self::EmailDomain(domains) => Some(domains.contains(&verified_domain(claims)?)),
            Self::Not(requirement) => requirement.verdict(claims).map(|is_met| !is_met),
            Self::Present(names) => all(names.iter().map(|name| match claims.get(name) {
                None if is_left_out(claims, name) => None,
                None => Some(false),
                Some(value) => Some(!is_blank(value)),
            })),
        }
    }

    #[cfg(not(target_arch = "wasm32"))]
    fn key(&self) -> String {
        match self {
            Self::All(_) => "All".to_owned(),
            Self::Any(_) => "Any".to_owned(),
            Self::Claim { name, .. } if name == ROLES => "Roles".to_owned(),
            Self::Claim { name, .. } if name == GROUPS => "Groups".to_owned(),
            Self::Claim { name, .. } => format!("Claims.{name}"),
            Self::EmailDomain(_) => "EmailDomains".to_owned(),
            Self::Not(_) => "Not".to_owned(),
            Self::Present(_) => "Present".to_owned(),
        }
    }
}

/// One no is a no, whatever cannot be told beside it.
fn all(verdicts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut together = Some(true);
    for verdict in verdicts {
        match verdict {
            Some(true) => {}
            Some(false) => return Some(false),
            None => together = None,
        }
    }
    together
}

fn is_one_of(claims: &Map<String, Value>, name: &str, values: &[Value]) -> Option<bool> {
    match claims.get(name) {
        None if is_left_out(claims, name) => None,
        None | Some(Value::Null) => Some(false),
        Some(Value::Object(_)) => None,
        Some(Value::Array(items)) => Some(items.iter().any(|item| values.contains(item))),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => Some(values.contains(value)),
    }
}

/// Whether the OP keeps the claim elsewhere (OIDC Core 5.6.2), as the Microsoft identity platform does with the groups
/// of whoever is in too many.
fn is_left_out(claims: &Map<String, Value>, name: &str) -> bool {
    let is_named = claims.get("_claim_names").is_some_and(|names| names.get(name).is_some());
    is_named || (name == GROUPS && claims.get("hasgroups").is_some_and(|value| *value != false))
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(is_blank),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The claim that `Roles` is about.
pub(crate) const ROLES: &str = "roles";

/// The claim that `Groups` is about.
pub(crate) const GROUPS: &str = "groups";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claim(name: &str, values: &[Value]) -> Requirement {
        Requirement(vec![Condition::Claim { name: name.to_owned(), values: values.to_vec() }])
    }

    fn roles(values: &[&str]) -> Requirement {
        claim(ROLES, &values.iter().map(|value| json!(value)).collect::<Vec<_>>())
    }

    fn one(condition: Condition) -> Requirement {
        Requirement(vec![condition])
    }

    fn holds(requirement: &Requirement, claims: Value) -> bool {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        let holds = requirement.holds(&claims);
        assert_eq!(requirement.explain(&claims).is_empty(), holds, "{claims:?}");
        holds
    }

    #[test]
    fn a_claim_is_one_of_the_values_or_contains_one() {
        let requirement = roles(&["Admin", "Editor"]);
        for claims in [json!({"roles": ["x", "Editor"]}), json!({"roles": "Admin"}), json!({"roles": [1, "Admin"]})] {
            assert!(holds(&requirement, claims.clone()), "{claims}");
        }
        for value in [
            json!([]),
            json!("admin"),
            json!("Admin Editor"),
            json!(["Admin "]),
            json!([["Admin"]]),
            json!({"Admin": true}),
            json!(null),
            json!(true),
            json!(""),
            json!(["", " "]),
        ] {
            assert!(!holds(&requirement, json!({"roles": value})), "{value}");
        }
        assert!(!holds(&requirement, json!({})));
        assert!(!holds(&requirement, json!({"Roles": ["Admin"], "groups": ["Admin"]})));
    }

    #[test]
    fn json_types_are_exact() {
        for (value, right, wrong) in [
            (json!(1), json!(1), json!("1")),
            (json!("1"), json!("1"), json!(1)),
            (json!(true), json!(true), json!("true")),
            (json!(false), json!(false), json!(0)),
            (json!(1), json!([1]), json!([true, "1"])),
        ] {
            let requirement = claim("c", std::slice::from_ref(&value));
            assert!(holds(&requirement, json!({"c": right})), "{value}");
            assert!(!holds(&requirement, json!({"c": wrong})), "{value}");
        }
    }

    #[test]
    fn an_address_counts_by_its_whole_domain() {
        let requirement = one(Condition::EmailDomain(vec!["example.com".to_owned(), "example.org".to_owned()]));
        for (email, expected) in [
            ("a@example.com", true),
            ("a@EXAMPLE.ORG", true),
            ("a@badexample.com", false),
            ("a@sub.example.com", false),
            ("a@example.com.evil.com", false),
            ("a@evil.com@example.com", false),
        ] {
            assert_eq!(holds(&requirement, json!({"email": email, "email_verified": true})), expected, "{email}");
            assert!(!holds(&requirement, json!({"email": email})), "{email}");
        }
    }

    #[test]
    fn a_present_claim_is_not_blank() {
        let requirement = one(Condition::Present(vec!["a".to_owned(), "b".to_owned()]));
        for value in [json!("x"), json!(0), json!(false), json!(["", "x"]), json!({"x": null})] {
            assert!(holds(&requirement, json!({"a": 1, "b": value})), "{value}");
        }
        for value in [json!(""), json!(" \t"), json!(null), json!([]), json!(["", " "]), json!({})] {
            assert!(!holds(&requirement, json!({"a": 1, "b": value})), "{value}");
        }
        assert!(!holds(&requirement, json!({"a": 1})));
    }

    #[test]
    fn conditions_are_joined_by_all_any_and_not() {
        let both = Requirement(vec![
            Condition::Claim { name: "a".to_owned(), values: vec![json!(1)] },
            Condition::Claim { name: "b".to_owned(), values: vec![json!(1)] },
        ]);
        let all = one(Condition::All(vec![claim("a", &[json!(1)]), claim("b", &[json!(1)])]));
        let any = one(Condition::Any(vec![claim("a", &[json!(1)]), claim("b", &[json!(1)])]));
        let not = one(Condition::Not(both.clone()));
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let claims = json!({"a": a, "b": b});
            assert_eq!(holds(&both, claims.clone()), a == 1 && b == 1);
            assert_eq!(holds(&all, claims.clone()), a == 1 && b == 1);
            assert_eq!(holds(&any, claims.clone()), a == 1 || b == 1);
            assert_eq!(holds(&not, claims), !(a == 1 && b == 1));
        }
    }

    #[test]
    fn what_cannot_be_told_is_never_a_yes() {
        let groups = claim(GROUPS, &[json!("g")]);
        let email = one(Condition::EmailDomain(vec!["example.com".to_owned()]));
        let present = one(Condition::Present(vec![GROUPS.to_owned()]));
        let overage = json!({"_claim_names": {"groups": "src1"}});
        for (requirement, claims) in [
            (&groups, overage.clone()),
            (&groups, json!({"hasgroups": true})),
            (&groups, json!({"groups": {"g": 1}})),
            (&present, overage),
            (&email, json!({})),
            (&email, json!({"email": "a@evil.com"})),
            (&email, json!({"email": "a@b@evil.com", "email_verified": true})),
        ] {
            let not = one(Condition::Not(requirement.clone()));
            assert!(!holds(requirement, claims.clone()), "{claims}");
            assert!(!holds(&not, claims.clone()), "{claims}");
            assert!(!holds(&one(Condition::Not(not.clone())), claims.clone()), "{claims}");
            // Beside something certain, what cannot be told does not matter.
            assert!(holds(&one(Condition::Any(vec![not.clone(), one(Condition::Not(roles(&["x"])))])), claims.clone()));
            assert!(!holds(&one(Condition::All(vec![not, roles(&["x"])])), claims));
        }
        assert!(holds(&one(Condition::Not(groups)), json!({"groups": ["h"], "hasgroups": false})));
        assert!(holds(&one(Condition::Not(email)), json!({"email": "a@evil.com", "email_verified": true})));
    }

    #[test]
    fn an_explanation_names_what_is_unmet() {
        let requirement = Requirement(vec![
            Condition::Claim { name: "tid".to_owned(), values: vec![json!("t")] },
            Condition::Any(vec![roles(&["Admin"]), claim(GROUPS, &[json!("g")])]),
            Condition::Not(claim("acct", &[json!(1)])),
            Condition::Present(vec!["oid".to_owned()]),
        ]);
        let claims = json!({"tid": "t", "acct": 1, "hasgroups": true, "roles": []});
        let unmet = requirement.explain(claims.as_object().unwrap());
        let keys: Vec<_> = unmet.iter().map(|unmet| (unmet.key.as_str(), unmet.is_unknown)).collect();
        assert_eq!(keys, [("Any[0].Roles", false), ("Any[1].Groups", true), ("Not", false), ("Present", false)]);
    }
}
