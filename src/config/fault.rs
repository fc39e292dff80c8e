//! What can be wrong with the configuration: the key, and one sentence that says what would be right.
//!
//! A fault never quotes a value. A secret pasted under the wrong name would otherwise end up in the log.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct, Serializer};

/// Keys are quoted up to this many characters.
const LONGEST_KEY: usize = 120;

/// One thing to correct. Displays as one line: `Gateway.Origin: is required; e.g. "https://origin.example.com"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    key: String,
    problem: Problem,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Cannot stand beside another key.
    Conflict(String),
    /// Differs from another key, or another API's name, by letter case only.
    DiffersByCase(String),
    /// The value breaks a rule: what it must do or be, and an example where one helps.
    Invalid(&'static str, Option<&'static str>),
    /// Letter case: the right spelling.
    Misspelt(String),
    /// A required key that is absent: an example, or where it comes from.
    Missing(&'static str),
    /// Without effect except with a certain other setting: which.
    NeedsBeside(&'static str),
    /// Greater than another setting.
    NotAbove(&'static str),
    /// A number, or something that is none, outside its bounds.
    OutOfRange(u64, u64),
    /// A secret in a plain table: the name it has as a secret.
    PlainSecret(String),
    /// The same value as another key.
    Same(String),
    /// Both in a table and in the `Section__Key` form.
    SetTwice(String),
    /// A path that another path, a prefix, would take the requests of.
    Shadowed(String),
    /// No such key; the nearest one, where one is near.
    Unknown(Option<&'static str>),
    /// A key known from elsewhere that has no meaning here: why.
    Unsupported(&'static str),
}

impl ConfigFault {
    pub(super) fn new(key: &str, problem: Problem) -> Self {
        let key = key.chars().take(LONGEST_KEY).flat_map(char::escape_debug).collect();
        Self { key, problem }
    }

    /// The key at fault, with dots between section and name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong with it.
    #[must_use]
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict(other) => write!(f, "cannot be combined with {other}; keep one of them"),
            Self::DiffersByCase(other) => write!(f, "differs from {other} by letter case only; keep one of them"),
            Self::Invalid(rule, None) => write!(f, "must {rule}"),
            Self::Invalid(rule, Some(example)) => write!(f, "must {rule}; e.g. \"{example}\""),
            Self::Misspelt(right) => write!(f, "is spelled {right}"),
            Self::Missing(hint) => write!(f, "is required; {hint}"),
            Self::NeedsBeside(other) => write!(f, "has a meaning only with {other}"),
            Self::NotAbove(other) => write!(f, "must not be greater than {other}"),
            Self::OutOfRange(min, max) => write!(f, "must be a whole number from {min} to {max}"),
            Self::PlainSecret(name) => {
                write!(f, "is a secret and must not stand in a table; use `wrangler secret put {name}`")
            }
            Self::Same(other) => write!(f, "must differ from {other}"),
            Self::SetTwice(flat) => write!(f, "is set twice, in its table and as {flat}; keep one of them"),
            Self::Shadowed(prefix) => write!(f, "must not lie under {prefix}"),
            Self::Unknown(None) => f.write_str("is not a known setting"),
            Self::Unknown(Some(nearest)) => write!(f, "is not a known setting; did you mean {nearest}?"),
            Self::Unsupported(reason) => write!(f, "is not supported: {reason}"),
        }
    }
}

impl std::error::Error for ConfigFault {}

impl Serialize for ConfigFault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fault = serializer.serialize_struct("ConfigFault", 2)?;
        fault.serialize_field("key", &self.key)?;
        fault.serialize_field("problem", &self.problem.to_string())?;
        fault.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_one_line_whatever_the_key_contains() {
        let fault = ConfigFault::new("Gate\nway\u{1b}[2J", Problem::Unknown(None));
        assert_eq!(fault.to_string(), "Gate\\nway\\u{1b}[2J: is not a known setting");
    }

    #[test]
    fn a_fault_serialises_as_key_and_sentence() {
        let fault = ConfigFault::new("Gateway.Origin", Problem::Same("Gateway.PublicOrigin".to_owned()));
        assert_eq!(
            serde_json::to_string(&fault).unwrap(),
            r#"{"key":"Gateway.Origin","problem":"must differ from Gateway.PublicOrigin"}"#
        );
    }
}
