//! Login: sends the browser to the OpenID Provider (OIDC Core 3.1.2.1). Nothing is written to any store.

use serde_json::json;

use super::log::{self, Event};
use super::{Incoming, documents};
use crate::answer::Answer;
use crate::config::Config;
use crate::error::Error;
use crate::oidc::authorization::AuthorizationRequest;
use crate::request::Method;
use crate::router;
use crate::runtime::Runtime;
use crate::session::cookie::{CookieName, Cookies};
use crate::session::login_attempt::{Beginning, LoginAttempt, surplus};
use crate::session::return_to::ReturnTo;

/// What a login is to do besides signing in.
pub(super) struct Wish {
    return_to: ReturnTo,
    prompt: Option<String>,
    login_hint: Option<String>,
    domain_hint: Option<String>,
}

impl Wish {
    /// To come back to the page that was asked for.
    pub(super) fn to_return_to<R: Runtime>(incoming: &Incoming<'_, R>) -> Self {
        Self {
            return_to: wanted(incoming, &incoming.head.target.path_and_query()),
            prompt: None,
            login_hint: None,
            domain_hint: None,
        }
    }
}

/// `/.auth/login`: takes what a page may ask for, and nothing else, from the query.
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    let hint = |name| incoming.parameter(name).filter(|hint: &String| hint.len() <= MAX_HINT);
    let wish = Wish {
        return_to: incoming
            .parameter("return_to")
            .map_or_else(ReturnTo::root, |wanted_path| wanted(incoming, &wanted_path)),
        prompt: hint("prompt").filter(|prompt| PROMPTS.contains(&prompt.as_str())),
        login_hint: hint("login_hint"),
        domain_hint: hint("domain_hint"),
    };
    begin(incoming, wish).await
}

/// Begins an attempt and redirects.
pub(super) async fn begin<R: Runtime>(incoming: &Incoming<'_, R>, wish: Wish) -> Result<Answer, Error> {
    let config = &incoming.app.config;
    let metadata = documents::metadata(incoming).await?;
    let (resource, scopes) = redeemed_for(config);
    let attempt = LoginAttempt::begin(Beginning {
        random: incoming.runtime.random(),
        return_to: wish.return_to,
        provider: config.provider.name.to_owned(),
        resource,
        scopes,
        now: incoming.now,
    });
    let (scopes, resources) = consented_to(config);
    let location = AuthorizationRequest {
        client_id: &config.provider.client_id,
        redirect_uri: &config.public_url(&config.paths.callback),
        scopes: &scopes,
        resources: &resources,
        state: &attempt.state,
        nonce: &attempt.nonce,
        code_challenge: &attempt.verifier.challenge(),
        prompt: wish.prompt.as_deref(),
        login_hint: wish.login_hint.as_deref(),
        domain_hint: wish.domain_hint.as_deref(),
        max_age: None,
        acr_values: None,
        claims: None,
        client_info: config.provider.is_entra,
        extra: &config.provider.extra_query,
    }
    .url(&metadata.authorization_endpoint);
    log::happened(incoming.runtime, &incoming.trace, Event::LoginStarted, json!({ "attempt": attempt.id() }));
    let sealed = attempt.seal(&incoming.app.ring, incoming.runtime.random());
    let cookie = CookieName::LoginAttempt(attempt.id()).set(&sealed, config.session.login_attempt);
    let answer = Answer::redirect(302, location.into()).with("set-cookie", cookie);
    Ok(give_up_surplus(incoming, answer))
}

/// What the code is redeemed for: UserInfo, which takes no token made for an API, where it is called; else the first API.
/// A token request names one resource, and the refresh token serves the others.
fn redeemed_for(config: &Config) -> (Option<String>, Vec<String>) {
    config.apis.first().filter(|_| !config.provider.user_info).map_or_else(
        || (None, config.provider.scopes.clone()),
        |api| (api.resource.clone(), [config.provider.scopes.as_slice(), api.scopes.as_slice()].concat()),
    )
}

/// What the user is asked to consent to at once: the scopes and resources of every API.
fn consented_to(config: &Config) -> (Vec<String>, Vec<String>) {
    let mut scopes = config.provider.scopes.clone();
    let mut resources: Vec<String> = Vec::new();
    for api in &config.apis {
        scopes.extend_from_slice(&api.scopes);
        if let Some(resource) = &api.resource
            && !resources.contains(resource)
        {
            resources.push(resource.clone());
        }
    }
    (scopes, resources)
}

/// Cookies of attempts that were never finished must not pile up until a server refuses the header.
fn give_up_surplus<R: Runtime>(incoming: &Incoming<'_, R>, answer: Answer) -> Answer {
    let lifetime = incoming.app.config.session.login_attempt;
    let attempts = Cookies::parse(incoming.head.header("cookie")).login_attempts().map(|(id, sealed)| {
        let attempt = LoginAttempt::open(id, sealed.as_deref(), &incoming.app.ring, incoming.now, lifetime);
        (id, attempt.ok().map(|attempt| attempt.created_at))
    });
    surplus(attempts.collect(), MAX_ATTEMPTS)
        .into_iter()
        .fold(answer, |answer, id| answer.with("set-cookie", CookieName::LoginAttempt(id).expire()))
}

/// A page of ours that is worth returning to; our own paths are not, or a login would follow the login.
fn wanted<R: Runtime>(incoming: &Incoming<'_, R>, wanted: &str) -> ReturnTo {
    let config = &incoming.app.config;
    ReturnTo::parse(wanted, &config.gateway.public_origin)
        .filter(|page| !router::is_sign_in(config, page.path()))
        .unwrap_or_else(ReturnTo::root)
}

/// Attempts that one browser may have under way at once.
const MAX_ATTEMPTS: usize = 8;
const MAX_HINT: usize = 320;
/// `none` is missing: a page that wants to know without asking the user has `/.auth/me`.
const PROMPTS: &[&str] = &["login", "select_account", "consent"];
