//! JSON objects whose member names are unique (RFC 7519 §4, RFC 8259 §4), and what is read from them and written as them.
//!
//! Parsers that disagree on which of two equal names counts have been used to show one value to the check and another
//! to the use. RFC 7519 allows refusing such objects, so they are refused. Nested objects are not looked at: the
//! only claim that is checked in one is the event of a logout token, whose value nobody uses.
//!
//! Types are read and written by hand, by way of a value: what serde derives for each type and source was a tenth of the
//! whole Worker (docs/decisions.md).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// What has a form as a JSON value.
pub(crate) trait Json: Sized {
    /// Writes it.
    fn to_json(&self) -> Value;

    /// Reads it back; `None` for anything else.
    fn from_json(value: Value) -> Option<Self>;
}

/// The members of an object, to be taken by name. What is not taken is not looked at.
pub(crate) struct Members(Map<String, Value>);

impl Members {
    /// Parses one object and nothing after it; `None` for anything else, and for a name that occurs twice.
    pub(crate) fn parse(document: &[u8]) -> Option<Self> {
        object(document).map(Self)
    }

    /// The members of a value that is an object.
    pub(crate) fn of(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self(members)) } else { None }
    }

    /// Whether there is a member of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes a member. One that is not there counts as `null`, which is `None` for an `Option`; one of another type is
    /// refused.
    pub(crate) fn take<T: Json>(&mut self, name: &str) -> Option<T> {
        T::from_json(self.0.remove(name).unwrap_or_default())
    }

    /// Takes a member that is bytes in base64url.
    pub(crate) fn take_bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.take::<String>(name)?).ok()
    }

    /// All members.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

/// Parses one object and nothing after it; `None` for anything else, and for a name that occurs twice.
pub(crate) fn object(document: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice::<UniqueNames>(document).ok()?.0
}

/// An object of these members, without those that are `null`.
pub(crate) fn members<const N: usize>(mut members: [(&'static str, Value); N]) -> Value {
    taken(&mut members, |value| !value.is_null())
}

/// An object of these members, with those that are `null`.
pub(crate) fn members_and_nulls<const N: usize>(mut members: [(&'static str, Value); N]) -> Value {
    taken(&mut members, |_| true)
}

/// Apart from the functions that there are once for every number of members.
fn taken(members: &mut [(&'static str, Value)], is_meant: fn(&Value) -> bool) -> Value {
    let mut object = Map::new();
    for (name, value) in members {
        if is_meant(value) {
            object.insert((*name).to_owned(), std::mem::take(value));
        }
    }
    Value::Object(object)
}

/// An object of these members, in place of `collect`, which would sort them first.
pub(crate) fn collected(members: &mut dyn Iterator<Item = (&str, Value)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in members {
        object.insert(name.to_owned(), value);
    }
    object
}

/// One of several things that are told apart by a name, as the only member of an object.
pub(crate) fn named(name: &'static str, value: Value) -> Value {
    members([(name, value)])
}

/// Reads [`named`] back, and a name that stands alone with `null` beside it.
pub(crate) fn name_and_value(value: Value) -> Option<(String, Value)> {
    match value {
        Value::String(name) => Some((name, Value::Null)),
        Value::Object(object) => {
            let mut members = object.into_iter();
            let only = members.next()?;
            members.next().is_none().then_some(only)
        }
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Number(_) => None,
    }
}

/// Bytes in base64url.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    URL_SAFE_NO_PAD.encode(bytes).into()
}

impl Json for String {
    fn to_json(&self) -> Value {
        self.as_str().into()
    }

    fn from_json(value: Value) -> Option<Self> {
        if let Value::String(text) = value { Some(text) } else { None }
    }
}

impl Json for bool {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Json for u64 {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: Value) -> Option<Self> {
        value.as_u64()
    }
}

impl Json for u8 {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl Json for Members {
    fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    fn from_json(value: Value) -> Option<Self> {
        Self::of(value)
    }
}

impl Json for Value {
    fn to_json(&self) -> Value {
        self.clone()
    }

    fn from_json(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl<T: Json> Json for Option<T> {
    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_json)
    }

    fn from_json(value: Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::from_json(value).map(Some) }
    }
}

impl<T: Json> Json for Vec<T> {
    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(T::to_json).collect())
    }

    fn from_json(value: Value) -> Option<Self> {
        let Value::Array(elements) = value else { return None };
        let mut read = Self::with_capacity(elements.len());
        for element in elements {
            read.push(T::from_json(element)?);
        }
        Some(read)
    }
}

/// An object if every name in it is unique, and `None` for any other value.
struct UniqueNames(Option<Map<String, Value>>);

impl<'de> Deserialize<'de> for UniqueNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_map`: its errors describe the value that is none, and printing numbers takes 14 KB of code. For
        // the same reason the visitor leaves none of the other types to serde.
        deserializer.deserialize_any(UniqueNamesVisitor)
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
                return Ok(UniqueNames(None));
            }
        }
        Ok(UniqueNames(Some(object)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<UniqueNames, A::Error> {
        Ok(UniqueNames(None))
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
    }

    fn visit_unit<E: Error>(self) -> Result<UniqueNames, E> {
        Ok(UniqueNames(None))
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
    fn a_member_that_is_not_there_is_null_and_one_of_another_type_is_refused() {
        let mut members = Members::parse(br#"{"a":"x","n":7,"list":["x",1],"null":null,"far":256}"#).unwrap();
        assert_eq!(members.take::<Option<String>>("n"), None);
        assert_eq!(members.take::<Option<String>>("n"), Some(None));
        assert_eq!(members.take::<Option<String>>("null"), Some(None));
        assert_eq!(members.take::<String>("missing"), None);
        assert_eq!(members.take::<Vec<String>>("list"), None);
        assert_eq!(members.take::<u8>("far"), None);
        assert_eq!(members.take::<String>("a"), Some("x".to_owned()));
        assert!(members.into_map().is_empty());
    }

    #[test]
    fn what_is_told_apart_by_a_name_has_one() {
        let read = |text: &str| name_and_value(serde_json::from_str(text).unwrap());
        assert_eq!(read(r#"{"A":1}"#), Some(("A".to_owned(), 1.into())));
        assert_eq!(read(r#""A""#), Some(("A".to_owned(), Value::Null)));
        for other in [r#"{"A":1,"B":2}"#, "{}", "[]", "1", "null"] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_single_object_is_an_object() {
        for document in
            ["", "[]", "[{}]", "null", "true", "1", "-1", "0.5", "\"{}\"", "{} {}", "{\"a\":1,}", "{\"a\":1e400}"]
        {
            assert!(object(document.as_bytes()).is_none(), "{document}");
        }
    }
}
