//! ID tokens: each vector changes one thing of a good sign-in, signs it for real and says what must come of it.

use serde_json::{Map, Value, json};
use vestibule::oidc::id_token::{ExpectedIdToken, IdToken, UntrustedIdToken};
use vestibule::oidc::jwks::Jwks;
use vestibule::oidc::jwt::JwtFault;
use vestibule::time::{Lifetime, Timestamp};

use crate::jwt::{self, CLIENT_ID, Expected, ISSUER, KEYS, NOW, jwks};
use crate::provider::{Provider, signer};
use crate::vectors;

const NONCE: &str = "n-0S6_WzA2Mj";

#[test]
fn every_id_token_vector_has_its_outcome() {
    let provider = Provider::new();
    vectors::run(include_str!("../vectors/id_token.json"), |vector| vectors::outcome(accept(&provider, vector)));
}

#[test]
fn an_accepted_token_tells_who_signed_in() {
    let claims = json!({"sid": "s 1", "tid": "t", "oid": "o", "login_hint": "h", "name": "Ada", "empty": "", "n": 1});
    let token = accept(&Provider::new(), &json!({"claims": claims})).unwrap();
    assert_eq!((token.issuer(), token.subject()), (ISSUER, "user+1"));
    assert_eq!((token.session_id(), token.login_hint()), (Some("s 1"), Some("h")));
    assert_eq!((token.tenant(), token.object_id()), (Some("t"), Some("o")));
    assert_eq!((token.issued_at().as_unix(), token.expires_at().as_unix()), (NOW, NOW + 3600));
    assert_eq!((token.claim_str("name"), token.claim_str("empty"), token.claim_str("n")), (Some("Ada"), None, None));
    assert_eq!(token.claim("n"), token.claims().get("n"));
    assert!(!format!("{token:?}").contains("Ada"));
}

#[test]
fn no_single_flipped_bit_of_a_token_is_accepted() {
    let provider = Provider::new();
    let jwks = jwks(&provider, &Value::Null);
    for (key, alg) in KEYS {
        let compact = compact(&provider, &json!({"alg": alg, "key": key}));
        assert_eq!(judge(&compact, &jwks, &Map::new()).map(drop), Ok(()));
        for bit in 0..compact.len() * 8 {
            let mut flipped = compact.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            assert!(judge(&flipped, &jwks, &Map::new()).is_err(), "{alg}, bit {bit}");
        }
    }
}

pub(crate) fn compact(provider: &Provider, vector: &Value) -> String {
    let base = json!({
        "iss": ISSUER, "sub": "user+1", "aud": CLIENT_ID, "exp": NOW + 3600, "iat": NOW, "nonce": NONCE,
    });
    jwt::compact(provider, vector, "JWT", &base)
}

/// What Vestibule makes of `compact` with the keys it would find.
pub(crate) fn judge(compact: &str, jwks: &Jwks, expected: &Map<String, Value>) -> Result<IdToken, JwtFault> {
    let text = |name: &str| expected.get(name).and_then(Value::as_str);
    let lifetime = |name: &str| expected.get(name).and_then(Value::as_u64).map(Lifetime::from_seconds);
    let Expected { issuer, algorithms, skew } = Expected::of(expected);
    let acr_values = text("acr_values").unwrap_or_default();
    let acr_values: Vec<_> = acr_values.split_whitespace().map(str::to_owned).collect();
    let token = UntrustedIdToken::parse(compact)?;
    let signed_by = signer(token.jwt(), jwks);
    token.accept(
        signed_by,
        &ExpectedIdToken {
            issuer: &issuer,
            client_id: CLIENT_ID,
            algorithms: &algorithms,
            nonce: if expected.contains_key("nonce") { text("nonce") } else { Some(NONCE) },
            subject: text("subject"),
            max_age: lifetime("max_age"),
            acr_values: &acr_values,
            access_token: text("access_token"),
            policy: text("policy"),
            now: Timestamp::from_unix(NOW),
            skew,
        },
    )
}

fn accept(provider: &Provider, vector: &Value) -> Result<IdToken, JwtFault> {
    let expected = vector["expected"].as_object().cloned().unwrap_or_default();
    judge(&compact(provider, vector), &jwks(provider, &vector["jwks"]), &expected)
}
