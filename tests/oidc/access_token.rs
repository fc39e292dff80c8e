//! JWT access tokens: each vector changes one thing of a good one, signs it for real and says what must come of it.

use serde_json::{Map, Value, json};
use vestibule::oidc::access_token::{ExpectedAccessToken, Profile, UntrustedAccessToken};
use vestibule::oidc::bearer_token::BearerToken;
use vestibule::oidc::issuer::IssuerRule;
use vestibule::oidc::jwks::Jwks;
use vestibule::oidc::jwt::JwtFault;
use vestibule::time::{Lifetime, Timestamp};

use crate::jwt::{self, Expected, ISSUER, KEYS, NOW, jwks};
use crate::provider::{Provider, signer};
use crate::{id_token, logout_token, vectors};

pub(crate) const AUDIENCE: &str = "https://app.example.com/a%26b?c=d";
const OTHER_AUDIENCE: &str = "5c1d0f2e-93a7-4a39-8f0b-5f3f8a1b2c3d";
const CLIENT: &str = "machine!+ID";
const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";

#[test]
fn every_access_token_vector_has_its_outcome() {
    let provider = Provider::new();
    vectors::run(include_str!("../vectors/access_token.json"), |vector| vectors::outcome(accept(&provider, vector)));
}

#[test]
fn an_accepted_token_tells_who_may_do_what() {
    let provider = Provider::new();
    let claims = json!({"acr": "urn:mfa \"2\"", "auth_time": NOW - 9, "groups": ["a<b"], "jti": "j", "nbf": NOW});
    let token = accept(&provider, &json!({"claims": claims})).unwrap();
    assert_eq!((token.issuer(), token.subject(), token.client_id()), (ISSUER, "user+1", CLIENT));
    assert_eq!(token.scopes(), ["orders.read", "orders.write:a&b"]);
    assert_eq!(token.expires_at(), Some(Timestamp::from_unix(NOW + 600)));
    assert_eq!((token.acr(), token.auth_time()), (Some("urn:mfa \"2\""), Some(Timestamp::from_unix(NOW - 9))));
    let claims = json!({
        "acr": "urn:mfa \"2\"", "auth_time": NOW - 9, "groups": ["a<b"], "sub": "user+1", "client_id": CLIENT,
        "scope": "orders.read orders.write:a&b",
    });
    assert_eq!(Value::Object(token.claims().clone()), claims);
    assert_eq!(format!("{token:?}"), "BearerToken([claims])");
    let plain = accept(&provider, &json!({"without": ["scope"]})).unwrap();
    assert_eq!((plain.scopes().len(), plain.acr(), plain.auth_time()), (0, None, None));
}

#[test]
fn scopes_are_granted_letter_for_letter_and_all_of_them_are_needed() {
    let token = accept(&Provider::new(), &json!({"claims": {"scope": "  a  b.c\td "}})).unwrap();
    let has = |names: &[&str]| token.has_scopes(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    assert!(has(&[]) && has(&["a"]) && has(&["b.c\td", "a"]) && has(&["a", "a"]));
    for refused in [&["A"][..], &["a", "x"], &["b.c"], &["b"], &["d"], &[""], &["a b.c\td"]] {
        assert!(!has(refused), "{refused:?}");
    }
}

#[test]
fn a_token_is_believed_for_a_while_and_never_past_its_end() {
    let token = accept(&Provider::new(), &json!({})).unwrap();
    let until = |longest| token.believed_until(Timestamp::from_unix(NOW), Lifetime::from_seconds(longest)).as_unix();
    assert_eq!((until(30), until(600), until(601), until(u64::MAX)), (NOW + 30, NOW + 600, NOW + 600, NOW + 600));
}

#[test]
fn the_microsoft_identity_platform_says_scp_or_roles_and_azp_or_appid() {
    let provider = Provider::new();
    let user = accept(&provider, &json!({"profile": "Entra", "claims": {"roles": ["Admin"]}})).unwrap();
    assert_eq!((user.scopes(), user.client_id()), (&["Orders.Read".to_owned(), "b".to_owned()][..], CLIENT));
    assert_eq!(user.issuer(), TEMPLATE.replace("{tenantid}", TENANT));
    let claims = json!({
        "roles": ["Admin"], "tid": TENANT, "sub": user.subject(), "client_id": CLIENT, "scope": "Orders.Read b",
    });
    assert_eq!(Value::Object(user.claims().clone()), claims);
    let both = accept(&provider, &json!({"profile": "Entra", "claims": {"appid": "other"}})).unwrap();
    assert_eq!(both.client_id(), CLIENT);
    let app = json!({"profile": "Entra", "without": ["scp", "azp"], "claims": {"roles": ["R 1"], "appid": "app"}});
    let app = accept(&provider, &app).unwrap();
    assert_eq!((app.scopes(), app.client_id()), (&["R 1".to_owned()][..], "app"));
    assert!(user.has_end_user() && !app.has_end_user());
}

#[test]
fn a_client_that_acts_for_nobody_is_its_own_subject() {
    let provider = Provider::new();
    for (subject, has_end_user) in [("user+1", true), (CLIENT, false)] {
        let token = accept(&provider, &json!({"claims": {"sub": subject}})).unwrap();
        assert_eq!(token.has_end_user(), has_end_user, "{subject}");
    }
}

#[test]
fn no_single_flipped_bit_of_an_access_token_is_accepted() {
    let provider = Provider::new();
    let jwks = jwks(&provider, &Value::Null);
    for (key, alg) in KEYS {
        let compact = compact(&provider, &json!({"alg": alg, "key": key}));
        assert_eq!(judge(&compact, &jwks, Profile::Rfc9068, &Map::new()).map(drop), Ok(()));
        for bit in 0..compact.len() * 8 {
            let mut flipped = compact.clone().into_bytes();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let Ok(flipped) = String::from_utf8(flipped) else { continue };
            assert!(judge(&flipped, &jwks, Profile::Rfc9068, &Map::new()).is_err(), "{alg}, bit {bit}");
        }
    }
}

/// Whatever else fits: the other tokens name our audience, too, and are judged at their own OP.
#[test]
fn no_kind_of_token_passes_for_another() {
    let provider = Provider::new();
    let jwks = jwks(&provider, &Value::Null);
    let audiences = json!({"audiences": [jwt::CLIENT_ID], "issuer": ISSUER}).as_object().cloned().unwrap();
    let as_access_token = |compact: &str, profile| judge(compact, &jwks, profile, &audiences).map(drop);
    for vector in [json!({}), json!({"claims": {"client_id": CLIENT, "scope": "a", "scp": "a", "roles": ["a"]}})] {
        let id_token = id_token::compact(&provider, &vector);
        assert_eq!(as_access_token(&id_token, Profile::Rfc9068), Err(JwtFault::TypeRefused));
        assert_eq!(as_access_token(&id_token, Profile::Entra), Err(JwtFault::ClientIdMissing));
        let logout_token = logout_token::compact(&provider, &vector);
        assert_eq!(as_access_token(&logout_token, Profile::Rfc9068), Err(JwtFault::TypeRefused));
        assert_eq!(as_access_token(&logout_token, Profile::Entra), Err(JwtFault::TypeRefused));
    }
    let named = id_token::compact(&provider, &json!({"claims": {"azp": jwt::CLIENT_ID, "roles": ["a"]}}));
    assert_eq!(as_access_token(&named, Profile::Entra), Err(JwtFault::IdTokenPresented));
    let access_token = compact(&provider, &json!({"claims": {"aud": jwt::CLIENT_ID}}));
    assert_eq!(as_access_token(&access_token, Profile::Rfc9068), Ok(()));
    assert_eq!(id_token::judge(&access_token, &jwks, &Map::new()).map(drop), Err(JwtFault::TypeRefused));
    assert_eq!(logout_token::judge(&access_token, &jwks, &Map::new()).map(drop), Err(JwtFault::TypeRefused));
}

#[test]
fn cve_2026_22817_and_33322_no_token_chooses_how_it_is_verified() {
    let provider = Provider::new();
    let macs = ["hmac_of_rsa_key", "hmac_of_rsa_modulus", "hmac_of_client_secret", "hmac_of_nothing", "nothing"];
    for alg in ["none", "HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "RS512", "rs256", ""] {
        for listed in [json!([{"key": "rsa", "kid": "rsa"}]), json!([{"key": "rsa", "kid": "rsa", "alg": "RS256"}])] {
            for key in macs {
                let vector = json!({"alg": alg, "key": key, "header": {"kid": "rsa"}, "jwks": listed});
                assert!(accept(&provider, &vector).is_err(), "{alg} by {key}");
            }
        }
    }
}

#[test]
fn ghsa_wcvh_g65p_v576_and_cve_2026_55689_nothing_passes_without_an_audience_of_ours() {
    let provider = Provider::new();
    for (aud, expected) in [
        (json!("https://other.example"), JwtFault::AudienceMismatch),
        (json!([]), JwtFault::AudienceMismatch),
        (Value::Null, JwtFault::ClaimWrongType),
    ] {
        assert_eq!(accept(&provider, &json!({"claims": {"aud": aud}})).map(drop), Err(expected));
    }
    assert_eq!(accept(&provider, &json!({"without": ["aud"]})).map(drop), Err(JwtFault::AudienceMissing));
    for aud in [json!(AUDIENCE), json!(""), json!([])] {
        let vector = json!({"claims": {"aud": aud}, "expected": {"audiences": []}});
        assert_eq!(accept(&provider, &vector).map(drop), Err(JwtFault::AudienceMismatch));
    }
}

pub(crate) fn compact(provider: &Provider, vector: &Value) -> String {
    if profile(vector) == Profile::Entra {
        let base = json!({
            "iss": TEMPLATE.replace("{tenantid}", TENANT), "tid": TENANT, "sub": "user+1", "aud": OTHER_AUDIENCE,
            "exp": NOW + 600, "iat": NOW, "nbf": NOW, "azp": CLIENT, "azpacr": "1", "scp": "Orders.Read b", "ver": "2.0",
        });
        return jwt::compact(provider, vector, "JWT", &base);
    }
    let base = json!({
        "iss": ISSUER, "sub": "user+1", "aud": AUDIENCE, "exp": NOW + 600, "iat": NOW, "jti": "j%t i\"1",
        "client_id": CLIENT, "scope": "orders.read orders.write:a&b",
    });
    jwt::compact(provider, vector, "at+jwt", &base)
}

/// What Vestibule makes of `compact` with the keys it would find.
pub(crate) fn judge(
    compact: &str,
    jwks: &Jwks,
    profile: Profile,
    expected: &Map<String, Value>,
) -> Result<BearerToken, JwtFault> {
    let audiences = audiences(expected);
    let is_tenanted = profile == Profile::Entra && !expected.contains_key("issuer");
    let Expected { issuer, algorithms, skew } = Expected::of(expected);
    let issuer = if is_tenanted { IssuerRule::Tenanted(TEMPLATE.to_owned()) } else { issuer };
    let token = UntrustedAccessToken::parse(compact, profile)?;
    let signed_by = signer(token.jwt(), jwks);
    let now = Timestamp::from_unix(NOW);
    token.accept(
        signed_by,
        &ExpectedAccessToken { issuer: &issuer, audiences: &audiences, algorithms: &algorithms, now, skew },
    )
}

/// The audiences that a vector configures, or ours.
pub(crate) fn audiences(expected: &Map<String, Value>) -> Vec<String> {
    let ours = json!([AUDIENCE, OTHER_AUDIENCE]);
    let names = expected.get("audiences").unwrap_or(&ours).as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

fn accept(provider: &Provider, vector: &Value) -> Result<BearerToken, JwtFault> {
    let expected = vector["expected"].as_object().cloned().unwrap_or_default();
    judge(&compact(provider, vector), &jwks(provider, &vector["jwks"]), profile(vector), &expected)
}

fn profile(vector: &Value) -> Profile {
    match vector["profile"].as_str() {
        None => Profile::Rfc9068,
        Some("Entra") => Profile::Entra,
        Some(other) => panic!("no such profile: {other}"),
    }
}
