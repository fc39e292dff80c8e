//! What the Microsoft identity platform says of an error beyond the words that decide what is done: a number, and the ids
//! by which it finds the request in its own log. Numbers may change, so they are for our log and for the advice that a
//! person gets, and for nothing else. Of the text around them nothing is kept.

use std::fmt;

use serde_json::{Map, Value};

use crate::oidc::issuer::is_guid;

/// What is known of one error; nothing at all of most OpenID Providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpErrorDetails {
    /// The number.
    pub number: Option<ErrorNumber>,
    /// `trace_id`, a GUID.
    pub trace_id: Option<String>,
    /// `correlation_id`, a GUID: the `client-request-id` of the request, where that had one.
    pub correlation_id: Option<String>,
}

/// The number of an error, as its text begins with it: `AADSTS50105: …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorNumber {
    /// Of Azure AD B2C.
    AadB2c(u32),
    /// Of the Microsoft identity platform.
    AadSts(u32),
}

/// What stands in the way of a sign-in that a person can do something about, or somebody for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// An administrator must allow the application first.
    AdminConsent,
    /// The organization forbids it: the account, the device, the place.
    Blocked,
    /// The end-user or an administrator said no.
    Declined,
    /// The end-user must do something else at the OP first.
    Incomplete,
    /// Too many sign-ins within a short time.
    Loop,
    /// The end-user is not assigned to the application.
    NotAssigned,
    /// The account is of another tenant, or of a kind that the application does not take.
    WrongAccount,
}

impl OpErrorDetails {
    /// Of an error response of the token endpoint.
    #[must_use]
    pub fn of_token_response(members: &Map<String, Value>) -> Self {
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let listed = members.get("error_codes").and_then(|codes| codes.get(0)).and_then(Value::as_u64);
        let listed = listed.and_then(|number| u32::try_from(number).ok()).map(ErrorNumber::AadSts);
        let guid = |name: &str| text(name).filter(|id| is_guid(id)).map(str::to_owned);
        Self {
            number: text("error_description").and_then(ErrorNumber::at_start_of).or(listed),
            trace_id: guid("trace_id"),
            correlation_id: guid("correlation_id"),
        }
    }

    /// Of the `error_description` of an authorization response, which names the ids in its text.
    #[must_use]
    pub fn of_description(text: &str) -> Self {
        let guid = |label: &str| {
            let (_, rest) = text.split_once(label)?;
            rest.get(..GUID).filter(|id| is_guid(id)).map(str::to_owned)
        };
        Self {
            number: ErrorNumber::at_start_of(text),
            trace_id: guid("Trace ID: "),
            correlation_id: guid("Correlation ID: "),
        }
    }

    /// What stands in the way, if the number is one of those that people can do something about.
    #[must_use]
    pub fn obstacle(&self) -> Option<Obstacle> {
        self.number.and_then(ErrorNumber::obstacle)
    }
}

impl ErrorNumber {
    fn at_start_of(text: &str) -> Option<Self> {
        let (number, rest): (fn(u32) -> Self, _) = match text.strip_prefix("AADSTS") {
            Some(rest) => (Self::AadSts, rest),
            None => (Self::AadB2c, text.strip_prefix("AADB2C")?),
        };
        let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        rest.get(..end)?.parse().ok().map(number)
    }

    /// Our own reading of the numbers, after the names that Microsoft documents for them.
    const fn obstacle(self) -> Option<Obstacle> {
        Some(match self {
            Self::AadB2c(90_091) | Self::AadSts(65_004) => Obstacle::Declined,
            Self::AadB2c(_) => return None,
            // No consent, no service principal, or permissions that an administrator alone can grant.
            Self::AadSts(65_001 | 90_008 | 90_094 | 90_095 | 650_052 | 650_056 | 700_011 | 700_016 | 900_941) => {
                Obstacle::AdminConsent
            }
            // A disabled or locked account, Conditional Access, security defaults, tenant restrictions, risk.
            Self::AadSts(
                50_002
                | 50_005
                | 50_053
                | 50_057
                | 50_097
                | 50_131
                | 50_155
                | 53_000..=53_004
                | 53_010
                | 53_011
                | 500_021
                | 500_022
                | 530_034
                | 530_035,
            ) => Obstacle::Blocked,
            Self::AadSts(50_196) => Obstacle::Loop,
            Self::AadSts(50_105) => Obstacle::NotAssigned,
            // Unknown in this tenant, of another one, a guest or a personal account where there can be none.
            Self::AadSts(
                50_014 | 50_020 | 50_034 | 50_177 | 50_178 | 51_004 | 81_012 | 90_072 | 90_084 | 500_202 | 500_208
                | 500_212 | 500_213 | 9_002_332,
            ) => Obstacle::WrongAccount,
            Self::AadSts(_) => return None,
        })
    }
}

impl fmt::Display for ErrorNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AadB2c(number) => write!(f, "AADB2C{number}"),
            Self::AadSts(number) => write!(f, "AADSTS{number}"),
        }
    }
}

impl Obstacle {
    /// Every one of them.
    pub const ALL: [Self; 7] = [
        Self::AdminConsent,
        Self::Blocked,
        Self::Declined,
        Self::Incomplete,
        Self::Loop,
        Self::NotAssigned,
        Self::WrongAccount,
    ];

    /// Whether another account may fare better.
    #[must_use]
    pub const fn is_of_the_account(self) -> bool {
        match self {
            Self::AdminConsent | Self::Blocked | Self::NotAssigned | Self::WrongAccount => true,
            Self::Declined | Self::Incomplete | Self::Loop => false,
        }
    }
}

const GUID: usize = 36;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ONE: &str = "8a6d6b1c-0f1e-4c6e-9a54-6d1f3a1b2c3d";
    const TWO: &str = "0F0E0D0C-0b0a-0908-0706-050403020100";

    #[test]
    fn a_number_is_read_where_the_text_begins_with_it() {
        for (text, number) in [
            ("AADSTS50105: Your administrator has configured …", Some("AADSTS50105")),
            ("AADSTS9002332: x", Some("AADSTS9002332")),
            ("AADB2C90118: The user has forgotten their password.", Some("AADB2C90118")),
            ("AADSTS50105", Some("AADSTS50105")),
            ("AADSTS: x", None),
            ("AADSTS-1: x", None),
            ("AADSTS99999999999: x", None),
            ("aadsts50105: x", None),
            (" AADSTS50105: x", None),
            ("The user said AADSTS50105: x", None),
            ("AADSTS٣: x", None),
            ("", None),
        ] {
            let read = OpErrorDetails::of_description(text).number.map(|number| number.to_string());
            assert_eq!(read.as_deref(), number, "{text}");
        }
    }

    #[test]
    fn ids_are_guids_or_nothing() {
        let text =
            format!("AADSTS65004: no\r\nTrace ID: {ONE}\r\nCorrelation ID: {TWO}\r\nTimestamp: 2026-01-01 00:00:00Z");
        let details = OpErrorDetails::of_description(&text);
        assert_eq!((details.trace_id.as_deref(), details.correlation_id.as_deref()), (Some(ONE), Some(TWO)));
        for hostile in
            ["Trace ID: ", "Trace ID: <script>alert(1)</script><script>alert(", "Trace ID: ééééééééééééééééééé"]
        {
            assert_eq!(OpErrorDetails::of_description(hostile), OpErrorDetails::default(), "{hostile}");
        }
    }

    #[test]
    fn a_token_response_lists_what_a_text_tells() {
        let of = |response: Value| OpErrorDetails::of_token_response(response.as_object().unwrap());
        let details = of(json!({
            "error": "invalid_grant", "error_codes": [50_076], "error_description": "AADSTS50079: x", "trace_id": ONE,
            "correlation_id": TWO,
        }));
        let number = Some(ErrorNumber::AadSts(50_079));
        assert_eq!(
            details,
            OpErrorDetails { number, trace_id: Some(ONE.to_owned()), correlation_id: Some(TWO.to_owned()) }
        );
        let listed = |codes: Value| of(json!({ "error_codes": codes })).number;
        assert_eq!(listed(json!([50_076, 1])), Some(ErrorNumber::AadSts(50_076)));
        for codes in [
            json!([]),
            json!(["50076"]),
            json!([-1]),
            json!([1.5]),
            json!(50_076),
            json!([5_000_000_000_u64]),
            json!(null),
        ] {
            assert_eq!(listed(codes.clone()), None, "{codes}");
        }
        let odd = of(json!({ "error_description": 1, "trace_id": [ONE], "correlation_id": "x" }));
        assert_eq!(odd, OpErrorDetails::default());
    }

    #[test]
    fn a_number_tells_what_a_person_can_do() {
        for (number, obstacle) in [
            (65_004, Some(Obstacle::Declined)),
            (65_001, Some(Obstacle::AdminConsent)),
            (90_094, Some(Obstacle::AdminConsent)),
            (700_016, Some(Obstacle::AdminConsent)),
            (50_105, Some(Obstacle::NotAssigned)),
            (50_020, Some(Obstacle::WrongAccount)),
            (500_202, Some(Obstacle::WrongAccount)),
            (90_072, Some(Obstacle::WrongAccount)),
            (50_196, Some(Obstacle::Loop)),
            (53_003, Some(Obstacle::Blocked)),
            (50_057, Some(Obstacle::Blocked)),
            (50_076, None),
            (54_005, None),
            (90_091, None),
            (0, None),
        ] {
            assert_eq!(ErrorNumber::AadSts(number).obstacle(), obstacle, "{number}");
        }
        assert_eq!(ErrorNumber::AadB2c(90_091).obstacle(), Some(Obstacle::Declined));
        assert_eq!(ErrorNumber::AadB2c(65_004).obstacle(), None);
    }
}
