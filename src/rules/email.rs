//! The domain of a verified e-mail address, for `EmailDomains`.
//!
//! An OP may let people choose what stands in `email`, so an address counts only if the OP vouches for it and if no
//! two programs could disagree on its domain. Quoted local parts and other rare forms of RFC 5322 are not worth that.

use serde_json::{Map, Value};

/// The domain, in lower case; `None` unless `email` is one plain ASCII address that the OP has verified.
pub(super) fn verified_domain(claims: &Map<String, Value>) -> Option<String> {
    if !is_verified(claims) {
        return None;
    }
    let address = claims.get("email").and_then(Value::as_str)?;
    let (local, domain) = address.split_once('@')?;
    let is_plain = !local.is_empty() && local.bytes().all(|byte| byte.is_ascii_graphic() && !SPECIALS.contains(&byte));
    let domain = domain.to_ascii_lowercase();
    (is_plain && is_domain(&domain)).then_some(domain)
}

/// Whether the text is a domain name in lower case, of letters, digits and hyphens, with a dot inside and none at the
/// end.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        label.bytes().all(|byte| is_letter(byte) || byte == b'-')
            && label.bytes().next().is_some_and(is_letter)
            && label.bytes().last().is_some_and(is_letter)
    };
    text.contains('.') && text.split('.').all(is_label)
}

/// `email_verified` (OIDC Core 5.1). The Microsoft identity platform does not send it, but the optional claim
/// `xms_edov`, in any of three spellings: the domain's owner has been verified.
fn is_verified(claims: &Map<String, Value>) -> bool {
    match (claims.get("email_verified"), claims.get("xms_edov")) {
        (Some(verified), _) => *verified == true,
        (None, Some(owner)) => *owner == true || *owner == 1 || *owner == "1",
        (None, None) => false,
    }
}

/// What RFC 5322 §3.2.3 keeps out of an unquoted local part, and the backtick.
const SPECIALS: &[u8] = b"\"()<>[]:;@\\,`";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn domain(email: &Value) -> Option<String> {
        verified_domain(json!({"email": email, "email_verified": true}).as_object().unwrap())
    }

    #[test]
    fn the_domain_is_compared_in_lower_case() {
        for (email, expected) in [
            ("a@example.com", "example.com"),
            ("First.Last+tag@EXAMPLE.com", "example.com"),
            ("o'brien@sub.example.com", "sub.example.com"),
            ("a@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(domain(&json!(email)).as_deref(), Some(expected));
        }
    }

    #[test]
    fn an_odd_address_has_no_domain() {
        for email in [
            "a@evil.com@example.com",
            "\"a@evil.com\"@example.com",
            "\"a\"@example.com",
            "a\\@evil.com@example.com",
            "@example.com",
            "example.com",
            "a@",
            "",
            "a@example.com.",
            "a@.example.com",
            "a@example..com",
            "a@localhost",
            "a@[127.0.0.1]",
            "a@-example.com",
            "a@example-.com",
            "a@example.com ",
            " a@example.com",
            "a b@example.com",
            "a@exam ple.com",
            "a@example.com\u{0}",
            "a\u{0}@example.com",
            "a@example.com\n",
            "a@ex\u{e4}mple.com",
            "a@example\u{3002}com",
            "a@\u{ff45}xample.com",
            "\u{202e}a@example.com",
            "<a@example.com>",
            "a@example.com,b@evil.com",
            "a@example.com;b",
            "a@example.com#b",
            "a@example.com%00",
        ] {
            assert_eq!(domain(&json!(email)), None, "{email:?}");
        }
        for email in [json!(null), json!(["a@example.com"]), json!({"a": 1}), json!(1), json!(true)] {
            assert_eq!(domain(&email), None, "{email}");
        }
        assert_eq!(verified_domain(&Map::from_iter([("email_verified".to_owned(), json!(true))])), None);
    }

    #[test]
    fn only_an_address_that_the_op_vouches_for_counts() {
        let is_verified = |claims: Value| is_verified(claims.as_object().unwrap());
        for claims in [
            json!({"email_verified": true}),
            json!({"email_verified": true, "xms_edov": false}),
            json!({"xms_edov": true}),
            json!({"xms_edov": 1}),
            json!({"xms_edov": "1"}),
        ] {
            assert!(is_verified(claims.clone()), "{claims}");
        }
        for claims in [
            json!({}),
            json!({"email_verified": false}),
            json!({"email_verified": "true"}),
            json!({"email_verified": 1}),
            json!({"email_verified": null}),
            json!({"email_verified": null, "xms_edov": true}),
            json!({"email_verified": false, "xms_edov": true}),
            json!({"xms_edov": false}),
            json!({"xms_edov": 0}),
            json!({"xms_edov": "0"}),
            json!({"xms_edov": "true"}),
            json!({"xms_edov": [true]}),
        ] {
            assert!(!is_verified(claims.clone()), "{claims}");
        }
    }
}
