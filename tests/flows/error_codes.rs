//! The table of error codes: what `error.rs` can say, `answer.rs` explains and the README documents.

use std::collections::BTreeSet;

use vestibule::answer::{Answer, title};
use vestibule::error::{
    AccessTokenFault, Error, ExchangeFault, InteractionNeed, InteractionReason, LogoutRequestFault, OpFault,
    OperatorFault, SessionEnd,
};
use vestibule::oidc::authorization::AuthorizationResponseFault;
use vestibule::oidc::claims_challenge::ClaimsChallenge;
use vestibule::oidc::jwt::JwtFault;
use vestibule::oidc::op_error::Obstacle;
use vestibule::request::HeadFault;
use vestibule::rules::StepUp;
use vestibule::runtime::{StoreFault, TransportFault};
use vestibule::session::account::AccountDigest;
use vestibule::session::login_attempt::{AttemptFault, Interaction};
use vestibule::session::login_request::LoginRequestFault;

/// One of each.
fn errors() -> Vec<Error> {
    let mut errors = plain();
    errors.extend(Obstacle::ALL.map(Error::SignInRefused));
    errors
}

fn plain() -> Vec<Error> {
    vec![
        Error::AccessTokenMalformed,
        Error::AccessTokenMissing,
        Error::AccessTokenRejected(AccessTokenFault::Opaque),
        Error::AccountMismatch,
        Error::ApiUnreachable("Orders".to_owned(), TransportFault::NoConnection),
        Error::AttemptInvalid(AttemptFault::Missing),
        Error::AuthorizationResponseInvalid(AuthorizationResponseFault::Duplicate),
        Error::BadRequest(HeadFault::AmbiguousPath),
        Error::Bug("none"),
        Error::CacheUnavailable(StoreFault::Get),
        Error::CodeRejected,
        Error::Forbidden { rule: "admin".to_owned(), hides: false },
        Error::Forbidden { rule: "admin".to_owned(), hides: true },
        Error::IdTokenRejected(JwtFault::Expired),
        Error::InteractionLoop("Orders".to_owned()),
        interaction_required(),
        Error::LoginRequestInvalid(LoginRequestFault::Expired),
        Error::LoginRequired,
        Error::LogoutRequestInvalid(LogoutRequestFault::Issuer),
        Error::LogoutResponseInvalid,
        Error::LogoutTokenRejected(JwtFault::Expired),
        Error::Misconfigured,
        Error::NoSuchRoute,
        Error::NotExchanged("Orders".to_owned(), ExchangeFault::ClaimsDemanded(ClaimsChallenge::parse("{}").unwrap())),
        Error::NotExchanged("Orders".to_owned(), ExchangeFault::ConsentMissing),
        Error::NotExchanged("Orders".to_owned(), ExchangeFault::NoEndUser),
        Error::NotExchanged("Orders".to_owned(), ExchangeFault::TokenRefused),
        Error::OpMisbehaved(OpFault::TokenResponse),
        Error::OpRefused("invalid_client".to_owned()),
        Error::OpUnreachable(TransportFault::TimedOut),
        Error::OperatorRefused,
        Error::OperatorRequestInvalid(OperatorFault::Missing),
        Error::OriginUnreachable(TransportFault::TimedOut),
        Error::ScopeInsufficient { rule: "orders".to_owned(), scopes: vec![] },
        Error::SessionEnded(SessionEnd::SignedOut),
        Error::StepUpFailed(JwtFault::AuthTimeTooOld),
        Error::StepUpRequired("admin".to_owned(), StepUp { acr_values: vec![], max_age: None }),
        Error::TenantNotAllowed(Some("72f988bf-86f1-41af-91ab-2d7cd011db47".to_owned())),
        Error::UntrustedOrigin,
        Error::UpgradeRequired,
        Error::WrongMethod { allow: "GET" },
    ]
}

fn interaction_required() -> Error {
    let account = AccountDigest::from_subject("https://op.example", "ada");
    Error::InteractionRequired(Box::new(InteractionNeed {
        interaction: Interaction { api: "Orders".to_owned(), claims: None, account, round: 0 },
        scopes: vec!["orders.read".to_owned()],
        reason: InteractionReason::OpWantsUser,
    }))
}

/// Fails to compile when a variant is added that `errors` may lack.
const fn is_listed(error: &Error) -> bool {
    match error {
        Error::AccessTokenMalformed
        | Error::AccessTokenMissing
        | Error::AccessTokenRejected(_)
        | Error::AccountMismatch
        | Error::ApiUnreachable(..)
        | Error::AttemptInvalid(_)
        | Error::AuthorizationResponseInvalid(_)
        | Error::BadRequest(_)
        | Error::Bug(_)
        | Error::CacheUnavailable(_)
        | Error::CodeRejected
        | Error::Forbidden { .. }
        | Error::IdTokenRejected(_)
        | Error::InteractionLoop(_)
        | Error::InteractionRequired(_)
        | Error::LoginRequestInvalid(_)
        | Error::LoginRequired
        | Error::LogoutRequestInvalid(_)
        | Error::LogoutResponseInvalid
        | Error::LogoutTokenRejected(_)
        | Error::Misconfigured
        | Error::NoSuchRoute
        | Error::NotExchanged(..)
        | Error::OpMisbehaved(_)
        | Error::OpRefused(_)
        | Error::OpUnreachable(_)
        | Error::OperatorRefused
        | Error::OperatorRequestInvalid(_)
        | Error::OriginUnreachable(_)
        | Error::ScopeInsufficient { .. }
        | Error::SessionEnded(_)
        | Error::SignInRefused(_)
        | Error::StepUpFailed(_)
        | Error::StepUpRequired(..)
        | Error::TenantNotAllowed(_)
        | Error::UntrustedOrigin
        | Error::UpgradeRequired
        | Error::WrongMethod { .. } => true,
    }
}

#[test]
fn every_code_has_a_title_and_an_advice_of_its_own() {
    let fallback = title("no such code");
    let mut titles = BTreeSet::new();
    for error in errors() {
        assert!(is_listed(&error));
        let code = error.code();
        assert!(title(code) != fallback || code == "internal", "{code} has no title");
        let page = Answer::error_page(&error, "trace", None).body;
        assert!(!page.contains("<p>Please try again.</p>"), "{code} has no advice");
        titles.insert(code);
    }
    assert!(titles.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
}

#[test]
fn a_code_means_one_status_but_for_the_documented_ones() {
    let mut seen = std::collections::BTreeMap::new();
    for error in errors() {
        let status = *seen.entry(error.code()).or_insert(error.status());
        assert_eq!(status, error.status(), "{}", error.code());
    }
}

#[test]
fn the_readme_documents_every_code_with_its_status() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap_or_default();
    let rows: Vec<Vec<&str>> = readme
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let missing: BTreeSet<String> = errors()
        .iter()
        .map(|error| (format!("`{}`", error.code()), error.status().to_string()))
        .filter(|(code, status)| !rows.iter().any(|row| row[1] == code && row[2].contains(status.as_str())))
        .map(|(code, status)| format!("{code} {status}"))
        .collect();
    assert!(missing.is_empty(), "README.md lacks | code | status | of {missing:?}");
}
