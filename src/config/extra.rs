//! Headers and query parameters that configuration adds to requests.

use crate::reserved_headers::{is_listed, is_reserved};

use super::fault::Problem;
use super::section::{Section, plain_text};

const NEEDS_TOKEN: &str = "have a name of letters, digits and !#$%&'*+-.^_`|~";

/// `ExtraHeaderParameters`, sorted by name, in lower case.
pub(super) fn headers(section: &mut Section<'_>) -> Vec<(String, String)> {
    const TABLE: &str = "ExtraHeaderParameters";

    let entries = section.entries(TABLE);
    let mut pairs = Vec::new();
    for (position, (name, value)) in entries.iter().enumerate() {
        let key = format!("{TABLE}.{name}");
        if let Some((twin, _)) = entries.iter().take(position).find(|(earlier, _)| earlier.eq_ignore_ascii_case(name)) {
            let twin = section.key(&format!("{TABLE}.{twin}"));
            section.fault(&key, Problem::DiffersByCase(twin));
        }
        let name = section.accept(&key, header_name(name));
        let value = section.accept(&key, plain_text(value).and_then(header_value));
        pairs.extend(name.zip(value));
    }
    pairs.sort();
    pairs
}

/// `ExtraQueryParameters`, sorted by name; `reserved` are those that a sign-in sends itself.
pub(super) fn query(section: &mut Section<'_>, reserved: &[&str]) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in section.entries("ExtraQueryParameters") {
        let key = format!("ExtraQueryParameters.{name}");
        if reserved.iter().any(|reserved| reserved.eq_ignore_ascii_case(&name)) {
            section.fault(&key, Problem::Unsupported("the sign-in itself decides this parameter"));
        } else if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            section.fault(&key, Problem::Invalid("have a name of printable ASCII without spaces", None));
        } else if let Some(value) = section.accept(&key, plain_text(&value)) {
            pairs.push((name, value));
        }
    }
    pairs
}

fn header_name(name: &str) -> Result<String, Problem> {
    if name.is_empty() || !name.bytes().all(is_token_byte) {
        return Err(Problem::Invalid(NEEDS_TOKEN, Some("X-Api-Version")));
    }
    let refused = REFUSED.iter().find(|(names, prefixes, _)| is_listed(name, names, prefixes));
    match refused {
        Some((.., reason)) => Err(Problem::Unsupported(reason)),
        None if is_reserved(name) => Err(Problem::Unsupported("it tells who calls and from where")),
        None => Ok(name.to_ascii_lowercase()),
    }
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

/// Names, prefixes and why no configuration may set them.
type Refused = (&'static [&'static str], &'static [&'static str], &'static str);

const REFUSED: &[Refused] = &[
    (&["authorization", "cookie"], &[], "Vestibule itself decides which credentials reach an API"),
    (&["origin", "referer", "x-csrf"], &["sec-"], "it tells which page sent the request"),
    (&["content-encoding", "content-length", "content-type", "expect"], &[], "it describes the caller's own body"),
    (
        &["connection", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"],
        &["proxy-"],
        "it belongs to the connection",
    ),
    (&["cdn-loop"], &["cf-"], "it is Cloudflare's own"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::ANTI_FORGERY_HEADER;

    #[test]
    fn a_name_that_means_something_on_the_way_is_refused() {
        for name in [ANTI_FORGERY_HEADER, "Host", "TE", "Proxy_Connection", "CF-Ray", "sec_fetch-site", "X_REAL_IP"] {
            assert!(matches!(header_name(name), Err(Problem::Unsupported(_))), "{name}");
        }
        for name in ["", "a b", "a:b", "a\r\nb", "a(b)", "é", "\"a\""] {
            assert!(matches!(header_name(name), Err(Problem::Invalid(..))), "{name}");
        }
        for name in ["X-Api-Version", "Accept", "content-md5", "te-st", "hosts", "cfray", "!#$%&'*+-.^_`|~"] {
            assert_eq!(header_name(name), Ok(name.to_ascii_lowercase()));
        }
    }
}
