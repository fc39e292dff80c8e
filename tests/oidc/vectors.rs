//! Reads a vector file and holds every vector's outcome against its `expect`, reporting all that differ at once.

use std::collections::HashSet;
use std::fmt::Debug;

use serde_json::Value;

/// `accepted`, or the name of the fault.
pub(crate) fn outcome<T, F: Debug>(result: Result<T, F>) -> String {
    match result {
        Ok(_) => "accepted".to_owned(),
        Err(fault) => format!("{fault:?}"),
    }
}

pub(crate) fn run(document: &str, outcome: impl Fn(&Value) -> String) {
    let vectors: Vec<Value> = serde_json::from_str(document).unwrap();
    let mut names = HashSet::new();
    let mut differing = Vec::new();
    for vector in &vectors {
        let name = vector["name"].as_str().expect("a vector has a name");
        assert!(names.insert(name), "two vectors are called {name:?}");
        assert!(vector["spec"].is_string(), "{name:?} cites no section");
        let (expected, found) = (vector["expect"].as_str().expect("a vector has an outcome"), outcome(vector));
        if found != expected {
            differing.push(format!("{name}: expected {expected}, found {found}"));
        }
    }
    assert!(!vectors.is_empty());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// An input that is given as JSON, or as `raw` text, or as so many bytes of filler.
pub(crate) fn document(vector: &Value) -> Vec<u8> {
    match (vector.get("raw"), vector.get("filler")) {
        (Some(raw), _) => raw.as_str().unwrap().as_bytes().to_vec(),
        (None, Some(length)) => vec![b' '; usize::try_from(length.as_u64().unwrap()).unwrap()],
        (None, None) => serde_json::to_vec(&vector["document"]).unwrap(),
    }
}
