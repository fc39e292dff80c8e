//! W3C Trace Context, level 1: reads `traceparent` (§3.2). It is passed on as it came; this gateway is no span of its own.

use super::RequestHead;

/// A valid `traceparent`, which can be a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent<'a>(&'a str);

impl<'a> TraceParent<'a> {
    /// Reads the header's value. One of a later version than 00 may go on after the fields that are known (§3.2.4).
    #[must_use]
    pub fn parse(value: &'a str) -> Option<Self> {
        let mut fields = value.splitn(5, '-');
        let mut hex = |length: usize| {
            let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            fields.next().filter(|field| field.len() == length && field.bytes().all(digit))
        };
        let (version, trace_id, parent_id, _flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let is_nothing = |field: &str| field.bytes().all(|byte| byte == b'0');
        let more = fields.next();
        let is_well_ended = more.is_none_or(|more| version != "00" && more.bytes().all(|byte| byte.is_ascii_graphic()));
        let is_valid = version != "ff" && !is_nothing(trace_id) && !is_nothing(parent_id);
        (is_valid && is_well_ended && value.len() <= MAX_LENGTH).then_some(Self(value))
    }

    /// The whole value.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// The trace that the request is a part of: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(self) -> &'a str {
        self.0.split('-').nth(1).unwrap_or("")
    }
}

impl<'a> RequestHead<'a> {
    /// The trace that the client says the request is a part of, if it says so as the standard has it.
    #[must_use]
    pub fn traceparent(&self) -> Option<TraceParent<'a>> {
        TraceParent::parse(self.header("traceparent")?)
    }
}

/// The headers of a trace. Without a valid `traceparent`, the other says nothing (§3.3).
pub const TRACE_HEADERS: [&str; 2] = ["traceparent", "tracestate"];

/// Longer than any version is likely to be.
const MAX_LENGTH: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_valid_traceparent_names_its_trace() {
        for value in [VALID, &VALID.replacen("00", "cc", 1), &format!("{}-more", VALID.replacen("00", "01", 1))] {
            let parent = TraceParent::parse(value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!((parent.as_str(), parent.trace_id()), (value, "4bf92f3577b34da6a3ce929d0e0e4736"));
        }
    }

    #[test]
    fn anything_else_is_none() {
        let invalid = [
            String::new(),
            VALID.to_uppercase(),
            VALID.replacen("00", "ff", 1),
            VALID.replacen("00", "0", 1),
            VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            VALID.replace('4', "g"),
            VALID.replace("-01", ""),
            VALID.replace("-01", "-1"),
            format!("{VALID}-more"),
            format!("{VALID}-"),
            format!("{VALID} "),
            format!("{VALID}, {VALID}"),
            format!("{}-{}", VALID.replacen("00", "01", 1), "a".repeat(MAX_LENGTH)),
            format!("{}-a\u{e9}", VALID.replacen("00", "01", 1)),
        ];
        for value in invalid {
            assert_eq!(TraceParent::parse(&value), None, "{value}");
        }
    }
}
