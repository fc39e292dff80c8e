//! Logout tokens: each vector changes one thing of a good one, signs it for real and says what must come of it.

use serde_json::{Map, Value, json};
use vestibule::oidc::jwks::Jwks;
use vestibule::oidc::jwt::JwtFault;
use vestibule::oidc::logout_token::{ExpectedLogoutToken, LogoutToken, UntrustedLogoutToken};
use vestibule::time::Timestamp;

use crate::jwt::{self, CLIENT_ID, Expected, ISSUER, KEYS, NOW, jwks};
use crate::provider::{Provider, signer};
use crate::{id_token, vectors};

#[test]
fn every_logout_token_vector_has_its_outcome() {
    let provider = Provider::new();
    vectors::run(include_str!("../vectors/logout_token.json"), |vector| vectors::outcome(accept(&provider, vector)));
}

#[test]
fn an_accepted_token_tells_who_is_signed_out() {
    let provider = Provider::new();
    let token = accept(&provider, &json!({})).unwrap();
    assert_eq!((token.issuer(), token.token_id()), (ISSUER, "j%t i\"1"));
    assert_eq!((token.subject(), token.session_id()), (Some("user+1"), Some("s/1 &\"é")));
    assert_eq!((token.issued_at().as_unix(), token.expires_at().as_unix()), (NOW, NOW + 120));
    let by_subject = accept(&provider, &json!({"without": ["sid"]})).unwrap();
    assert_eq!((by_subject.subject(), by_subject.session_id()), (Some("user+1"), None));
    let by_session = accept(&provider, &json!({"without": ["sub"]})).unwrap();
    assert_eq!((by_session.subject(), by_session.session_id()), (None, Some("s/1 &\"é")));
}

#[test]
fn no_single_flipped_bit_of_a_logout_token_is_accepted() {
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

#[test]
fn neither_kind_of_token_passes_for_the_other() {
    let provider = Provider::new();
    let jwks = jwks(&provider, &Value::Null);
    for vector in [json!({"without_header": ["typ"]}), json!({"header": {"typ": "JWT"}})] {
        let id_token = id_token::compact(&provider, &vector);
        assert_eq!(id_token::judge(&id_token, &jwks, &Map::new()).map(drop), Ok(()));
        assert_eq!(judge(&id_token, &jwks, &Map::new()).map(drop), Err(JwtFault::EventMissing));
        let logout_token = compact(&provider, &vector);
        assert_eq!(judge(&logout_token, &jwks, &Map::new()).map(drop), Ok(()));
        assert_eq!(id_token::judge(&logout_token, &jwks, &Map::new()).map(drop), Err(JwtFault::NonceMissing));
    }
    let typed = compact(&provider, &json!({}));
    assert_eq!(id_token::judge(&typed, &jwks, &Map::new()).map(drop), Err(JwtFault::TypeRefused));
}

pub(crate) fn compact(provider: &Provider, vector: &Value) -> String {
    let base = json!({
        "iss": ISSUER, "sub": "user+1", "sid": "s/1 &\"é", "aud": CLIENT_ID, "exp": NOW + 120, "iat": NOW,
        "jti": "j%t i\"1", "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    });
    jwt::compact(provider, vector, "logout+jwt", &base)
}

/// What Vestibule makes of `compact` with the keys it would find.
pub(crate) fn judge(compact: &str, jwks: &Jwks, expected: &Map<String, Value>) -> Result<LogoutToken, JwtFault> {
    let Expected { issuer, algorithms, skew } = Expected::of(expected);
    let token = UntrustedLogoutToken::parse(compact)?;
    let signed_by = signer(token.jwt(), jwks);
    let now = Timestamp::from_unix(NOW);
    token.accept(
        signed_by,
        &ExpectedLogoutToken { issuer: &issuer, client_id: CLIENT_ID, algorithms: &algorithms, now, skew },
    )
}

fn accept(provider: &Provider, vector: &Value) -> Result<LogoutToken, JwtFault> {
    let expected = vector["expected"].as_object().cloned().unwrap_or_default();
    judge(&compact(provider, vector), &jwks(provider, &vector["jwks"]), &expected)
}
