//! JSON objects whose member names are unique (RFC 7519 §4, RFC 8259 §4), and types made from them.
//!
//! Parsers that disagree on which of two equal names counts have been used to show one value to the check and another
//! to the use. RFC 7519 allows refusing such objects, so they are refused. Nested objects are not looked at: the
//! only claim that is checked in one is the event of a logout token, whose value nobody uses.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Parses one object and nothing after it; `None` for anything else, and for a name that occurs twice.
pub(crate) fn object(document: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice::<UniqueNames>(document).ok().map(|object| object.0)
}

/// Parses one object into a type. By way of a value: serde generates a reader for each type and source, and with one
/// source for all the Worker is smaller (docs/decisions.md).
pub(crate) fn parse<T: DeserializeOwned>(document: &[u8]) -> Option<T> {
    T::deserialize(Value::Object(object(document)?)).ok()
}

struct UniqueNames(Map<String, Value>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueNamesVisitor)
    }
}

struct UniqueNamesVisitor;

impl<'de> Visitor<'de> for UniqueNamesVisitor {
    type Value = UniqueNames;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with unique names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<UniqueNames, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = members.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(UniqueNames(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_name_is_refused_even_when_escaped_differently() {
        assert!(object(br#"{"sub":"a","iss":"b"}"#).is_some());
        assert!(object(br#"{"sub":"a","sub":"b"}"#).is_none());
        assert!(object(br#"{"sub":"a","\u0073ub":"b"}"#).is_none());
    }

    #[test]
    fn only_a_single_object_is_an_object() {
        for document in ["", "[]", "null", "\"{}\"", "{} {}", "{\"a\":1,}", "{\"a\":1e400}"] {
            assert!(object(document.as_bytes()).is_none(), "{document}");
        }
    }
}
