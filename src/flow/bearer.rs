//! Requests of programs, which bring an access token instead of a session (`docs/bearer.md`): the token is judged by the
//! OP's keys, or by the OP itself, and remembered for a while. What a route demands of it is judged for every request.

use std::rc::Rc;

use serde_json::Value;

use super::signer::Signer;
use super::{Incoming, documents, guard, introspect, signer};
use crate::answer::Answer;
use crate::config::{Bearer, Introspection};
use crate::error::{AccessTokenFault, Error, ExchangeFault};
use crate::forwarding::Carried;
use crate::memory::{BearerTokenKey, JudgedBy};
use crate::oidc::access_token::{ExpectedAccessToken, Profile, UntrustedAccessToken};
use crate::oidc::bearer::{BearerCredential, BearerRefusal, CredentialMalformed};
use crate::oidc::bearer_token::BearerToken;
use crate::oidc::issuer::IssuerRule;
use crate::oidc::protected_resource::{METADATA_PATH, ProtectedResource};
use crate::order;
use crate::request::Method;
use crate::rules::{Access, Rule, StepUp};
use crate::runtime::Runtime;
use crate::time::Lifetime;

/// Who judges a token.
enum Judge {
    /// We do, by the OP's keys.
    Keys,
    /// Nobody: it is no JWT, and the OP is not to be asked.
    Nobody,
    /// The OP (RFC 7662).
    Op,
}

/// An access token that a request brought, and what it is.
pub(super) struct Presented {
    pub(super) credential: BearerCredential,
    /// What it is remembered under.
    pub(super) key: BearerTokenKey,
    pub(super) token: Rc<BearerToken>,
}

/// The token of the request, if this isolate's memory vouches for it.
pub(super) fn at_once<R: Runtime>(incoming: &Incoming<'_, R>) -> Option<Presented> {
    let bearer = incoming.context.app.config.bearer.as_ref()?;
    remembered(incoming, bearer, credential(incoming).ok()?).ok()
}

/// The token of the request, judged if need be. Nothing is written to any store, and nothing is asked of anybody about a
/// text that cannot be an access token.
pub(super) async fn authenticated<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Presented, Error> {
    let bearer = incoming.app.config.bearer.as_ref().ok_or(Error::Bug("a rule for access tokens without settings"))?;
    let credential = match remembered(incoming, bearer, credential(incoming)?) {
        Ok(presented) => return Ok(presented),
        Err(credential) => credential,
    };
    let (key, token) = match judge(bearer, &credential) {
        Judge::Keys => verified(incoming, bearer, &credential).await?,
        Judge::Nobody => return Err(Error::AccessTokenRejected(AccessTokenFault::Opaque)),
        Judge::Op => introspect::ask(incoming, bearer, &credential).await?,
    };
    Ok(Presented { credential, key, token })
}

/// Whether the rule lets the program do this. No page sends an access token for its user without knowing, as it does a
/// cookie, so it does not matter whose page it is.
pub(super) fn judged<R: Runtime>(incoming: &Incoming<'_, R>, rule: &Rule, token: &BearerToken) -> Result<(), Error> {
    scopes(rule, token)?;
    guard::claims(incoming, rule, token.claims())
}

/// Whether the token was granted what the route asks for.
fn scopes(rule: &Rule, token: &BearerToken) -> Result<(), Error> {
    if token.has_scopes(&rule.scopes) {
        return Ok(());
    }
    Err(Error::ScopeInsufficient { rule: rule.name.clone(), scopes: rule.scopes.clone() })
}

/// Until when a WebSocket is carried that the request opens.
pub(super) fn carried<R: Runtime>(incoming: &Incoming<'_, R>, token: &BearerToken) -> Option<Carried> {
    let ends_at = token.expires_at().unwrap_or(incoming.now + LONGEST_WEBSOCKET);
    incoming.head.is_websocket().then_some(Carried { session: None, object: None, ends_at })
}

/// The answer to a program: never a sign-in, never a page.
pub(super) fn refused<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Answer {
    let answer = Answer::problem(error, &incoming.trace, None);
    // Where whoever uses the program can be asked for more, as far as the OP was met.
    let metadata =
        incoming.realm.memory.documents(incoming.context.user_flow).metadata.read().map(|(metadata, _)| metadata);
    let authorization_uri = metadata.as_ref().map(|metadata| metadata.authorization_endpoint.as_str());
    match refusal(error, authorization_uri) {
        Some(refusal) => answer.with("www-authenticate", refusal.to_field(&incoming.public_url(METADATA_PATH))),
        None => answer,
    }
}

/// Answers with the metadata of this protected resource (RFC 9728), to the pages of all origins: clients that run in
/// browsers read it before they have a token.
pub(super) fn metadata<R: Runtime>(incoming: &Incoming<'_, R>, bearer: &Bearer) -> Result<Answer, Error> {
    let is_preflight = incoming.head.preflight().is_some();
    if !is_preflight {
        incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    }
    let realm = incoming.app.realm(&bearer.provider).ok_or(Error::Bug("the provider of access tokens is none"))?;
    let config = &incoming.app.config;
    let rules = config.rules.written().filter(|rule| rule.access == Access::Bearer);
    let mut scopes: Vec<&str> = rules.flat_map(|rule| &rule.scopes).map(String::as_str).collect();
    order::sort(&mut scopes);
    scopes.dedup();
    let document = ProtectedResource {
        resource: incoming.public_origin.as_str().trim_end_matches('/'),
        authorization_servers: &[match &realm.provider.issuer {
            IssuerRule::Exact(issuer) => issuer,
            // A template is no issuer that a client could look up; the authority is.
            IssuerRule::Learned(_) | IssuerRule::Tenanted(_) => realm.provider.authority(),
        }],
        scopes: &scopes,
        name: bearer.resource_name.as_deref(),
    };
    let answer = if is_preflight {
        Answer::empty(204).with("access-control-allow-methods", "GET, HEAD".to_owned())
    } else {
        Answer::public_json(&document.to_json(), MAX_AGE)
    };
    let answer = answer.with("access-control-allow-origin", "*".to_owned());
    Ok(if is_preflight { answer.with("access-control-allow-headers", "*".to_owned()) } else { answer })
}

/// The key under which the verdict of `judge` on a credential is remembered.
pub(super) fn key<R: Runtime>(
    incoming: &Incoming<'_, R>,
    judge: JudgedBy<'_>,
    credential: &BearerCredential,
) -> BearerTokenKey {
    let issuer = incoming.context.realm.provider.issuer.name();
    BearerTokenKey::new(issuer, judge, credential.secret().expose())
}

fn credential<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<BearerCredential, Error> {
    match BearerCredential::parse(incoming.head.header("authorization")) {
        Ok(Some(credential)) => Ok(credential),
        Ok(None) => Err(Error::AccessTokenMissing),
        Err(CredentialMalformed) => Err(Error::AccessTokenMalformed),
    }
}

fn judge(bearer: &Bearer, credential: &BearerCredential) -> Judge {
    match (bearer.introspection, credential.is_jwt()) {
        (Introspection::Always, _) | (Introspection::Opaque, false) => Judge::Op,
        (Introspection::Opaque | Introspection::Off, true) => Judge::Keys,
        (Introspection::Off, false) => Judge::Nobody,
    }
}

/// The token as this isolate's memory has it; otherwise what was presented.
fn remembered<R: Runtime>(
    incoming: &Incoming<'_, R>,
    bearer: &Bearer,
    credential: BearerCredential,
) -> Result<Presented, BearerCredential> {
    let memory = &incoming.context.realm.memory;
    let find = || {
        let known;
        let judged_by = match judge(bearer, &credential) {
            Judge::Keys => JudgedBy::Keys,
            Judge::Nobody => return None,
            Judge::Op => {
                known = memory.documents(incoming.context.user_flow).metadata.read()?.0;
                JudgedBy::Endpoint(known.introspection_endpoint.as_ref()?)
            }
        };
        let key = key(incoming, judged_by, &credential);
        memory.bearer_tokens.find(key, incoming.context.now).map(|token| (key, token))
    };
    match find() {
        Some((key, token)) => Ok(Presented { credential, key, token }),
        None => Err(credential),
    }
}

/// The token, if it is a JWT that the OP signed and that is for us (RFC 9068 §4).
async fn verified<R: Runtime>(
    incoming: &Incoming<'_, R>,
    bearer: &Bearer,
    credential: &BearerCredential,
) -> Result<(BearerTokenKey, Rc<BearerToken>), Error> {
    let rejected = |fault| Error::AccessTokenRejected(AccessTokenFault::Jwt(fault));
    let provider = &incoming.realm.provider;
    let profile = if provider.is_entra { Profile::Entra } else { Profile::Rfc9068 };
    let token = UntrustedAccessToken::parse(credential.secret().expose(), profile).map_err(rejected)?;
    let metadata = documents::metadata(incoming).await?;
    let signer = signer::find(incoming, &metadata, token.jwt()).await?;
    if matches!(signer, Signer::Unknown)
        && let Some(fault) = documents::recent_failure(incoming)
    {
        // The key may be so new that only the OP has it: nothing is known against the token.
        return Err(Error::OpUnreachable(fault));
    }
    let expected = ExpectedAccessToken {
        issuer: &metadata.issuer,
        audiences: &bearer.audiences,
        algorithms: &provider.id_token_algorithms,
        now: incoming.runtime.now(),
        skew: provider.clock_skew,
    };
    let token = token.accept(signer.key(), &expected).map_err(rejected)?;
    if !provider.admits(token.claims().get("tid").and_then(Value::as_str)) {
        return Err(Error::AccessTokenRejected(AccessTokenFault::TenantNotAllowed));
    }
    let until = token.believed_until(incoming.now, VERIFIED);
    let key = key(incoming, JudgedBy::Keys, credential);
    Ok((key, incoming.realm.memory.bearer_tokens.remember(key, token, until)))
}

/// How RFC 6750 and RFC 9470 put it, if it is about the token at all.
fn refusal<'a>(error: &'a Error, authorization_uri: Option<&'a str>) -> Option<BearerRefusal<'a>> {
    if let Error::NotExchanged(_, ExchangeFault::ClaimsDemanded(claims)) = error {
        return Some(BearerRefusal::ClaimsInsufficient { claims, authorization_uri });
    }
    if let Error::ScopeInsufficient { scopes, .. } = error {
        return Some(BearerRefusal::ScopeInsufficient(scopes));
    }
    if let Error::StepUpRequired(_, StepUp { acr_values, max_age }) = error {
        return Some(BearerRefusal::AuthenticationInsufficient { acr_values, max_age: *max_age });
    }
    if matches!(error, Error::AccessTokenRejected(_) | Error::NotExchanged(_, ExchangeFault::TokenRefused)) {
        return Some(BearerRefusal::TokenInvalid);
    }
    if matches!(error, Error::AccessTokenMissing) {
        return Some(BearerRefusal::TokenMissing);
    }
    matches!(error, Error::AccessTokenMalformed).then_some(BearerRefusal::RequestMalformed)
}

/// For so long a signature is not verified again.
const VERIFIED: Lifetime = Lifetime::from_seconds(300);
/// Where the OP does not say when the token ends.
const LONGEST_WEBSOCKET: Lifetime = Lifetime::from_seconds(3600);
/// In seconds.
const MAX_AGE: u64 = 300;
