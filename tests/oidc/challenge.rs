//! Challenges of protected resources.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use vestibule::oidc::challenge::{BearerChallenge, MAX_FIELD_BYTES};
use vestibule::oidc::claims_challenge::ClaimsChallenge;

use crate::claims::{claims, filler};
use crate::vectors;

#[test]
fn every_www_authenticate_vector_has_its_bearer_challenges() {
    vectors::run(include_str!("../vectors/www_authenticate.json"), |vector| {
        let parameters: Vec<String> =
            (0..vector["parameters"].as_u64().unwrap_or(0)).map(|number| format!("p{number}=v")).collect();
        let field = vector["field"].as_str().unwrap().replace("{parameters}", &parameters.join(", "));
        shown(&BearerChallenge::parse_field(&field.replace("{filler}", &filler(vector))))
    });
}

#[test]
fn only_the_exact_error_asks_for_claims() {
    let is_insufficient = |field: &str| BearerChallenge::parse_field(field)[0].is_insufficient_claims();
    assert!(is_insufficient("Bearer error=insufficient_claims"));
    for field in ["Bearer", "Bearer error=invalid_token", "Bearer error=Insufficient_claims", "Bearer claims=e30"] {
        assert!(!is_insufficient(field), "{field}");
    }
}

#[test]
fn a_challenge_is_not_printed() {
    let challenge = ClaimsChallenge::parse(r#"{"sub":{"value":"ada"}}"#).unwrap();
    assert_eq!(format!("{challenge:?}"), "ClaimsChallenge([secret])");
    let printed = format!("{:?}", BearerChallenge::parse_field(r#"Bearer claims="{\"sub\":{\"value\":\"ada\"}}""#));
    assert!(printed.contains("[secret]") && !printed.contains("ada"), "{printed}");
}

proptest! {
    #[test]
    fn no_parser_of_challenges_panics(field in any_field(), text in any::<String>()) {
        let challenges = BearerChallenge::parse_field(&field);
        prop_assert!(challenges.len() <= field.to_ascii_lowercase().matches("bearer").count());
        let _ = BearerChallenge::parse_field(&text);
    }

    #[test]
    fn what_is_written_is_read_back(challenges in vec(challenge(), 0..6), layout in vec(any::<u8>(), 64)) {
        let field = written(&challenges, &layout);
        prop_assume!(field.len() <= MAX_FIELD_BYTES);
        let expected: Vec<BearerChallenge> = challenges.iter().filter_map(Written::as_bearer).collect();
        prop_assert_eq!(BearerChallenge::parse_field(&field), expected, "{}", field);
    }

    #[test]
    fn nothing_after_a_challenge_hides_it(rest in any_field()) {
        let mut field = r#"Bearer error="first", Basic realm="x", "#.to_owned();
        field.push_str(&rest);
        let challenges = BearerChallenge::parse_field(&field);
        prop_assert_eq!(challenges[0].error.as_deref(), Some("first"));
    }

    #[test]
    fn nothing_in_a_quoted_string_is_a_challenge(text in any_field(), scheme in "[A-Za-z]{1,8}") {
        let field = format!("{scheme} realm={}, Bearer error=x", quoted(&text));
        let errors: Vec<_> = BearerChallenge::parse_field(&field).into_iter().filter_map(|found| found.error).collect();
        prop_assert_eq!(errors, ["x"]);
    }
}

/// Of each challenge its error and its claims, `-` for none.
fn shown(challenges: &[BearerChallenge]) -> String {
    let shown = challenges.iter().map(|challenge| {
        let claims = match (&challenge.claims, challenge.has_unusable_claims) {
            (Some(claims), false) => claims.as_str(),
            (None, true) => "unusable",
            (None, false) => "-",
            (Some(_), true) => panic!("claims are both"),
        };
        format!("{} {claims}", challenge.error.as_deref().unwrap_or("-"))
    });
    let shown: Vec<String> = shown.collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join("; ") }
}

/// What the grammar is made of, in any order.
fn any_field() -> impl Strategy<Value = String> {
    let pieces = [
        "Bearer", "bearer ", "Basic", "error", "claims", "=", "==", "\"", "\\", ",", ", ", " ", "\t", "e30", "{", "x",
        "ü", "\u{7f}", "/",
    ];
    vec(prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any::<String>()], 0..40)
        .prop_map(|pieces| pieces.concat())
}

/// A well-formed challenge: a scheme, and parameters whose names differ, or a token68.
#[derive(Clone, Debug)]
struct Written {
    scheme: String,
    token68: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Written {
    fn as_bearer(&self) -> Option<BearerChallenge> {
        let value = |wanted: &str| {
            let found = self.parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.as_str())
        };
        let claims = value("claims").map(ClaimsChallenge::decode);
        self.scheme.eq_ignore_ascii_case("bearer").then(|| BearerChallenge {
            error: value("error").map(str::to_owned),
            has_unusable_claims: claims == Some(None),
            claims: claims.flatten(),
        })
    }
}

fn challenge() -> impl Strategy<Value = Written> {
    let scheme = prop_oneof![
        3 => prop::sample::select(vec!["Bearer", "bearer", "BEARER"]).prop_map(str::to_owned),
        1 => "(Basic|DPoP|PoP|Negotiate|BearerX|[!#$%&'*+.^_`|~a-z0-9-]{1,8})",
    ];
    let value = prop_oneof![
        "[ -~\tü€]{0,24}",
        Just(r#"x", Bearer error="y"#.to_owned()),
        Just("insufficient_claims".to_owned()),
        claims().prop_map(|claims| STANDARD.encode(Value::Object(claims).to_string())),
        claims().prop_map(|claims| Value::Object(claims).to_string()),
    ];
    let names = "([Ee]rror|CLAIMS|claims|realm|scope|error_description|bearer|[a-z0-9!~]{1,6})";
    let parameters = vec((names, value), 0..6).prop_map(|parameters| {
        let mut unique: Vec<(String, String)> = Vec::new();
        for (name, value) in parameters {
            if !unique.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                unique.push((name, value));
            }
        }
        unique
    });
    let token68 = prop::option::weighted(0.2, "[A-Za-z0-9._~+/-]{1,12}={0,2}");
    (scheme, token68, parameters).prop_map(|(scheme, token68, parameters)| {
        let parameters = if token68.is_some() { Vec::new() } else { parameters };
        Written { scheme, token68, parameters }
    })
}

/// Writes the field; `layout` decides where the optional whitespace, empty elements and quotes go.
fn written(challenges: &[Written], layout: &[u8]) -> String {
    let mut layout = layout.iter().copied().cycle();
    let mut choose = |choices: &[&'static str]| choices[usize::from(layout.next().unwrap()) % choices.len()];
    let mut field = String::new();
    for (index, challenge) in challenges.iter().enumerate() {
        if index > 0 {
            field.push_str(choose(&[",", ", ", " ,\t", ", ,", ",,"]));
        }
        field.push_str(&challenge.scheme);
        if let Some(token68) = &challenge.token68 {
            field.push_str(choose(&[" ", "  "]));
            field.push_str(token68);
        }
        for (index, (name, value)) in challenge.parameters.iter().enumerate() {
            field.push_str(if index == 0 { choose(&[" ", "  "]) } else { choose(&[",", ", ", " , ", ",\t,"]) });
            field.push_str(name);
            field.push_str(choose(&["=", "=", " = ", "\t= "]));
            let is_claims = name.eq_ignore_ascii_case("claims");
            let unpadded = if is_claims { value.trim_end_matches('=') } else { value };
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || is_claims && b"+/".contains(&byte);
            let may_be_bare = !unpadded.is_empty() && unpadded.bytes().all(fits);
            let is_bare = may_be_bare && choose(&["bare", "quoted"]) == "bare";
            field.push_str(&if is_bare { value.clone() } else { quoted(value) });
        }
    }
    field
}

/// A quoted string; what it cannot hold is left out.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars().filter(|character| !character.is_ascii_control() || *character == '\t') {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
