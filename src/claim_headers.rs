//! Claims of whose request it is as headers of the operator's choice (`Gateway.ClaimHeaders`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::header_text::ascii;

/// The headers, each with the claim that is configured for it. A claim that is not there, or that is no
/// value for a header, has none.
#[must_use]
pub fn claim_headers(claims: &Map<String, Value>, names: &[(String, String)]) -> Vec<(Cow<'static, str>, String)> {
    let value = |claim: &str| claims.get(claim).and_then(text).filter(|text| is_sent(text));
    names.iter().filter_map(|(header, claim)| Some((Cow::Owned(header.clone()), value(claim)?))).collect()
}

/// The headers that are left out because their value is too long.
pub fn left_out<'a>(claims: &Map<String, Value>, names: &'a [(String, String)]) -> impl Iterator<Item = &'a str> {
    let is_long = |claim: &str| claims.get(claim).and_then(text).is_some_and(|text| text.len() > LONGEST_VALUE);
    names.iter().filter(move |(_, claim)| is_long(claim)).map(|(header, _)| header.as_str())
}

/// The claim as a header's value; none for what has no unambiguous one.
fn text(claim: &Value) -> Option<String> {
    match claim {
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| Some(scalar(item)?.replace(',', "%2C"))).collect();
            Some(items?.join(","))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => scalar(claim),
    }
}

fn scalar(claim: &Value) -> Option<String> {
    match claim {
        Value::String(text) => Some(ascii(text)),
        Value::Bool(_) | Value::Number(_) => Some(claim.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A part of a list would be another list, so what is too long is not shortened.
fn is_sent(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_VALUE
}

/// In bytes. Servers commonly take 8 or 16 KiB for all headers of a request.
const LONGEST_VALUE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn map(claims: Value) -> Map<String, Value> {
        serde_json::from_value(claims).unwrap()
    }

    fn header(claim: &Value) -> Option<String> {
        let names = [("x-claim".to_owned(), "c".to_owned())];
        let mut headers = claim_headers(&map(json!({ "c": claim })), &names);
        headers.pop().map(|(name, value)| {
            assert_eq!(name, "x-claim");
            value
        })
    }

    #[test]
    fn each_kind_of_claim_has_one_form_or_none() {
        for (claim, expected) in [
            (json!("Doe, Jane"), "Doe, Jane"),
            (json!("Zo\u{eb} 100%\r\nX-Evil: 1"), "Zo%C3%AB 100%25%0D%0AX-Evil: 1"),
            (json!(" a b "), "%20a b%20"),
            (json!(12.5), "12.5"),
            (json!(true), "true"),
            (json!(["a", "b,c", 7, false, "\u{7f}"]), "a,b%2Cc,7,false,%7F"),
            (json!(["%2C", " a"]), "%252C,%20a"),
        ] {
            assert_eq!(header(&claim).as_deref(), Some(expected), "{claim}");
        }
        for claim in
            [json!(""), json!([]), json!([""]), json!(null), json!({"a": 1}), json!(["a", {"b": 1}]), json!([[1]])]
        {
            assert_eq!(header(&claim), None, "{claim}");
        }
    }

    #[test]
    fn a_value_that_is_too_long_is_left_out_and_named() {
        let names = ["x-groups", "x-name", "x-none"].map(|name| (name.to_owned(), name[2..].to_owned()));
        let longest = "a".repeat(LONGEST_VALUE);
        let claims = map(json!({ "groups": [longest, "b"], "name": longest }));
        let headers = claim_headers(&claims, &names);
        assert_eq!(headers.iter().map(|(name, _)| name.as_ref()).collect::<Vec<_>>(), ["x-name"]);
        assert_eq!(left_out(&claims, &names).collect::<Vec<_>>(), ["x-groups"]);
    }

    proptest! {
        #[test]
        fn no_value_has_a_control_character_or_ends_in_space(
            texts in proptest::collection::vec("(?s).{0,12}", 0..4),
            is_list: bool,
        ) {
            let claim = if is_list { json!(texts) } else { json!(texts.first()) };
            if let Some(value) = header(&claim) {
                prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{value:?}");
                prop_assert_eq!(value.trim(), value.as_str());
                prop_assert!(!is_list || value.split(',').count() == texts.len(), "{value:?} of {texts:?}");
            }
        }
    }
}
