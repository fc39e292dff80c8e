//! Headers and query parameters that configuration adds to requests.

use serde_json::Value;
use url::form_urlencoded;

use crate::oidc::authorization::RESERVED_PARAMETERS;
use crate::order;
use crate::reserved_headers::{is_listed, is_reserved};

use super::fault::Problem;
use super::section::{Section, plain_text};

const NEEDS_TOKEN: &str = "have a name of letters, digits and !#$%&'*+-.^_`|~";

/// What a header is named for in the configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    SetOnRequest,
    RemoveFromRequest,
    SetOnAnswer,
    RemoveFromAnswer,
}

/// The headers of a table, sorted by name, in lower case.
pub(super) fn headers(section: &mut Section<'_>, table: &str, purpose: Purpose) -> Vec<(String, String)> {
    let entries = section.entries(table);
    let mut pairs = Vec::new();
    for (position, (name, value)) in entries.iter().enumerate() {
        let key = format!("{table}.{name}");
        if let Some((twin, _)) = entries.iter().take(position).find(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            let twin = section.key(&format!("{table}.{twin}"));
            section.fault(&key, Problem::DiffersByCase(twin));
        }
        let name = section.accept(&key, header_name(name, purpose));
        let value = section.accept(&key, plain_text(value).and_then(header_value));
        pairs.extend(name.zip(value));
    }
    order::sort(&mut pairs);
    pairs
}

/// The header names of a list, in lower case.
pub(super) fn names(section: &mut Section<'_>, list: &str, purpose: Purpose) -> Vec<String> {
    let mut names = Vec::new();
    for name in section.words(list).unwrap_or_default() {
        names.extend(section.accept(list, header_name(&name, purpose)));
    }
    names
}

/// `ExtraQueryParameters`, sorted by name; `reserved` are those that a sign-in sends itself.
pub(super) fn query(section: &mut Section<'_>, reserved: &[&str]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in section.entries("ExtraQueryParameters") {
        let key = format!("ExtraQueryParameters.{name}");
        let value = parameter(&name, &value, reserved);
        pairs.extend(section.accept(&key, value).map(|value| (name, value)));
    }
    pairs
}

/// `ExtraQueryParameters` of a provider, with those that stand in the query of its `Authority`, sorted by name.
pub(super) fn authorization_query(section: &mut Section<'_>, authority: Option<&str>) -> Vec<(String, String)> {
    let mut pairs = query(section, RESERVED_PARAMETERS);
    for (name, value) in form_urlencoded::parse(authority.unwrap_or_default().as_bytes()) {
        if pairs.iter().any(|(known, _)| *known == name) {
            section.fault("Authority", Problem::Invalid("not name a parameter in its query that is set already", None));
        }
        let value = parameter(&name, &Value::from(value.as_ref()), RESERVED_PARAMETERS);
        pairs.extend(section.accept("Authority", value).map(|value| (name.into_owned(), value)));
    }
    order::sort(&mut pairs);
    pairs
}

fn parameter(name: &str, value: &Value, reserved: &[&str]) -> Result<String, Problem> {
    if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(name)) {
        return Err(Problem::Unsupported("the sign-in itself decides this parameter"));
    }
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Problem::Invalid("have a name of printable ASCII without spaces", None));
    }
    plain_text(value)
}

/// A header's name in lower case, unless it means something to the connection, the page or Cloudflare.
pub(super) fn plain_header_name(name: &str, purpose: Purpose) -> Result<String, Problem> {
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        return Err(Problem::Invalid(NEEDS_TOKEN, Some("X-Api-Version")));
    }
    let is_refused =
        |refused: &&Refused| refused.purposes.contains(&purpose) && is_listed(name, refused.names, refused.prefixes);
    let refused = REFUSED.iter().find(is_refused);
    refused.map_or_else(|| Ok(name.to_ascii_lowercase()), |refused| Err(Problem::Unsupported(refused.reason)))
}

fn header_name(name: &str, purpose: Purpose) -> Result<String, Problem> {
    let plain = plain_header_name(name, purpose)?;
    if REQUESTS.contains(&purpose) && is_reserved(name) {
        return Err(Problem::Unsupported("it tells who calls and from where"));
    }
    Ok(plain)
}

/// Nothing that a header could not carry as it is (RFC 9110 §5.5).
fn header_value(value: String) -> Result<String, Problem> {
    if value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(value);
    }
    Err(Problem::Invalid("be printable ASCII", None))
}

/// RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
        )
}

/// Headers that no configuration may name for some purposes, and why.
struct Refused {
    purposes: &'static [Purpose],
    names: &'static [&'static str],
    prefixes: &'static [&'static str],
    reason: &'static str,
}

const REQUESTS: &[Purpose] = &[Purpose::SetOnRequest, Purpose::RemoveFromRequest];
const ANSWERS: &[Purpose] = &[Purpose::SetOnAnswer, Purpose::RemoveFromAnswer];
const ALL: &[Purpose] =
    &[Purpose::SetOnRequest, Purpose::RemoveFromRequest, Purpose::SetOnAnswer, Purpose::RemoveFromAnswer];

const REFUSED: &[Refused] = &[
    Refused {
        purposes: REQUESTS,
        names: &["authorization", "cookie"],
        prefixes: &[],
        reason: "Vestibule itself decides which credentials are passed on",
    },
    Refused {
        purposes: &[Purpose::SetOnRequest],
        names: &["origin", "referer", "x-csrf"],
        prefixes: &["sec-"],
        reason: "it tells which page sent the request",
    },
    Refused {
        purposes: REQUESTS,
        names: &["content-encoding", "content-length", "content-type", "expect"],
        prefixes: &[],
        reason: "it describes the caller's own body",
    },
    Refused {
        purposes: ANSWERS,
        names: &["content-encoding", "content-length", "content-range", "content-type"],
        prefixes: &[],
        reason: "it describes the answer's own body",
    },
    Refused {
        purposes: ANSWERS,
        names: &["set-cookie"],
        prefixes: &[],
        reason: "cookies are set by the origin and by Vestibule itself",
    },
    Refused {
        purposes: ANSWERS,
        names: &[],
        prefixes: &["access-control-"],
        reason: "which other sites may read an answer is decided for each request",
    },
    Refused {
        purposes: ALL,
        names: &["connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"],
        prefixes: &["proxy-", "sec-websocket-"],
        reason: "it belongs to the connection",
    },
    Refused { purposes: ALL, names: &["cdn-loop"], prefixes: &["cf-"], reason: "it is Cloudflare's own" },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ANTI_FORGERY_HEADER;

    #[test]
    fn a_name_that_means_something_on_the_way_is_refused() {
        let set = |name| header_name(name, Purpose::SetOnRequest);
        for name in [ANTI_FORGERY_HEADER, "Host", "TE", "Proxy_Connection", "CF-Ray", "sec_fetch-site", "X_REAL_IP"] {
            assert!(matches!(set(name), Err(Problem::Unsupported(_))), "{name}");
        }
        for name in ["", "a b", "a:b", "a\r\nb", "a(b)", "é", "\"a\""] {
            assert!(matches!(set(name), Err(Problem::Invalid(..))), "{name}");
        }
        for name in ["X-Api-Version", "Accept", "content-md5", "te-st", "hosts", "cfray", "!#$%&'*+-.^_`|~"] {
            assert_eq!(set(name), Ok(name.to_ascii_lowercase()));
        }
    }

    #[test]
    fn what_may_be_removed_and_what_an_answer_may_get_is_another_list() {
        for (name, purposes) in [
            ("Referer", [Purpose::RemoveFromRequest, Purpose::SetOnAnswer]),
            ("Sec-Fetch-Site", [Purpose::RemoveFromRequest, Purpose::RemoveFromAnswer]),
            ("Strict-Transport-Security", ANSWERS.try_into().unwrap()),
            ("Server", ANSWERS.try_into().unwrap()),
            ("X-Forwarded-Server", ANSWERS.try_into().unwrap()),
        ] {
            for purpose in purposes {
                assert!(header_name(name, purpose).is_ok(), "{name}");
            }
        }
        for (name, purposes) in [
            ("Set_Cookie", ANSWERS),
            ("Access-Control-Allow-Origin", ANSWERS),
            ("Content-Length", ALL),
            ("Upgrade", ALL),
            ("sec-websocket-accept", ALL),
            ("x_forwarded-for", REQUESTS),
            ("Cookie", REQUESTS),
        ] {
            for purpose in purposes {
                assert!(matches!(header_name(name, *purpose), Err(Problem::Unsupported(_))), "{name}");
            }
        }
    }
}
