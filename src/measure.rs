//! What is counted: a point for everything that is logged, and for every request that is passed on. Nothing in a point is
//! about a person: the names are the operator's and our own.
//!
//! Where each thing stands in a point is a promise (docs/operations.md): queries know it by its position.

use serde_json::{Map, Value};

/// One data point of Workers Analytics Engine, whose index is the first of [`Measure::blobs`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Text, one for each of [`BLOBS`]; empty where there is nothing to say.
    pub blobs: [String; BLOBS.len()],
    /// How long it took, where that is known; the second of the numbers, after a 1 to count by.
    pub milliseconds: u64,
}

/// What stands where, by the names of the log. Of a status only its class, as `2xx`.
pub const BLOBS: [&str; 11] =
    ["event", "rule", "access", "provider", "route", "code", "status", "fault", "api", "for", "decided"];

/// Where the class of the status stands: the answer to a request that is passed on at once is known to the runtime alone.
pub const STATUS: usize = 6;

impl Measure {
    /// The point of a line of the log.
    #[must_use]
    pub fn of(line: &Map<String, Value>) -> Self {
        let blob = |name: &str| {
            let value = line.get(name);
            let class = value.filter(|_| name == "status").and_then(Value::as_u64).map(status_class);
            class.or_else(|| value.and_then(Value::as_str).map(str::to_owned)).unwrap_or_default()
        };
        let milliseconds = line.get("seconds").and_then(Value::as_u64).unwrap_or(0).saturating_mul(1000);
        Self { blobs: BLOBS.map(blob), milliseconds }
    }

    /// The same of an answer with that status, `milliseconds` after the request.
    #[must_use]
    pub fn answered(mut self, status: u16, milliseconds: u64) -> Self {
        if let Some(blob) = self.blobs.get_mut(STATUS) {
            *blob = status_class(status.into());
        }
        Self { milliseconds, ..self }
    }

    /// The blobs, one on each line.
    #[must_use]
    pub fn lines(&self) -> String {
        self.blobs.join("\n")
    }
}

fn status_class(status: u64) -> String {
    format!("{}xx", status / 100)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_point_holds_what_it_promises_and_nothing_else_of_a_line() {
        let line = json!({
            "event": "request.refused", "trace": "t", "trace_id": "i", "session": "s", "reason": "why", "status": 403,
            "code": "forbidden", "fault": "Caller", "rule": "/admin/**", "access": "login", "provider": "op",
            "route": "origin", "api": "Orders", "for": "page", "decided": "at_once", "attempt": "a", "seconds": 3,
        });
        let point = Measure::of(line.as_object().unwrap());
        let expected =
            ["request.refused", "/admin/**", "login", "op", "origin", "forbidden", "4xx", "Caller", "Orders"];
        assert_eq!(point.blobs[..9], expected);
        assert_eq!(point.blobs[9..], ["page", "at_once"]);
        assert_eq!(point.milliseconds, 3000);
    }

    #[test]
    fn what_is_not_known_is_empty_and_a_status_is_known_by_its_answer() {
        let line = json!({ "event": "request.served", "rule": null });
        let point = Measure::of(line.as_object().unwrap()).answered(204, 12);
        assert_eq!(point.lines(), "request.served\n\n\n\n\n\n2xx\n\n\n\n");
        assert_eq!(BLOBS[STATUS], "status");
        assert_eq!(point.milliseconds, 12);
    }
}
