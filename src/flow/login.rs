//! Login: sends the browser to the OpenID Provider (OIDC Core 3.1.2.1). Nothing is written to any store.

use serde_json::Value;
use url::{Url, form_urlencoded};

use super::log::{self, Event};
use super::sign_in_scope::SignInScope;
use super::{Incoming, authenticate, documents, interaction, user_flow};
use crate::answer::Answer;
use crate::error::Error;
use crate::json::members;
use crate::oidc::authorization::AuthorizationRequest;
use crate::oidc::claims_request::claims_request;
use crate::oidc::issuer::IssuerRule;
use crate::oidc::metadata::Metadata;
use crate::realm::Realm;
use crate::request::Method;
use crate::router::{self, Route};
use crate::rules::StepUp;
use crate::runtime::Runtime;
use crate::session::cookie::{CookieName, Cookies};
use crate::session::entry::TokenCacheEntry;
use crate::session::login_attempt::{Beginning, Interaction, LoginAttempt, is_another, surplus};
use crate::session::login_request::LoginRequest;
use crate::session::return_to::ReturnTo;
use crate::time::Lifetime;

/// What a login is to do besides signing in.
pub(super) struct Wish {
    return_to: ReturnTo,
    prompt: Option<String>,
    login_hint: Option<String>,
    domain_hint: Option<String>,
    interaction: Option<Interaction>,
    step_up: Option<StepUp>,
    is_another: bool,
}

impl Wish {
    /// To go on with an attempt in another user flow.
    pub(super) fn of_attempt(attempt: LoginAttempt) -> Self {
        let LoginAttempt { return_to, interaction, step_up, .. } = attempt;
        Self { return_to, prompt: None, login_hint: None, domain_hint: None, interaction, step_up, is_another: false }
    }

    /// To come back to the page that was asked for, with what it lacks by an error.
    pub(super) fn to_return_to<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Self {
        let interaction = error.interaction().cloned();
        let step_up = error.step_up().cloned();
        Self {
            return_to: wanted(incoming, &incoming.head.target.path_and_query()),
            prompt: None,
            login_hint: None,
            domain_hint: None,
            interaction,
            step_up,
            is_another: false,
        }
    }

    /// To try once more what came to nothing, and then to go to that page.
    pub(super) const fn another(return_to: ReturnTo) -> Self {
        let (prompt, login_hint, domain_hint) = (None, None, None);
        Self { return_to, prompt, login_hint, domain_hint, interaction: None, step_up: None, is_another: true }
    }

    /// Whether whoever is signed in is to sign in again, and nobody says as whom.
    const fn is_of_who_is_signed_in(&self) -> bool {
        self.step_up.is_some() && self.prompt.is_none() && self.login_hint.is_none() && self.domain_hint.is_none()
    }
}

/// `/.auth/login`, with or without a provider's name: takes what a page may ask for, and nothing else, from the query.
/// Where only the end-user can say which provider it is to be, they are asked.
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>, is_chosen: bool) -> Result<Answer, Error> {
    incoming.only(&[Method::Get, Method::Head], "GET, HEAD")?;
    if !is_chosen && incoming.app.has_several_realms() {
        return Ok(choice(incoming));
    }
    let incoming = &incoming.in_flow(user_flow::requested(incoming)?);
    let hint = |name| incoming.parameter(name).filter(|hint: &String| hint.len() <= MAX_HINT);
    let request = incoming.parameter("request").map(|sealed| {
        LoginRequest::open(&sealed, &incoming.realm.ring, incoming.now).map_err(Error::LoginRequestInvalid)
    });
    let wish = Wish {
        return_to: incoming
            .parameter("return_to")
            .map_or_else(ReturnTo::root, |wanted_path| wanted(incoming, &wanted_path)),
        prompt: hint("prompt").filter(|prompt| PROMPTS.contains(&prompt.as_str())),
        login_hint: hint("login_hint"),
        domain_hint: hint("domain_hint"),
        interaction: request.transpose()?.map(|request| request.interaction),
        step_up: step_up(incoming),
        is_another: false,
    };
    begin(incoming, wish).await
}

/// A better or more recent sign-in, if the page asks for one: it can only demand more than nothing.
fn step_up<R: Runtime>(incoming: &Incoming<'_, R>) -> Option<StepUp> {
    let acr_values = incoming.parameter("acr_values").filter(|values| values.len() <= MAX_HINT);
    let max_age = incoming.parameter("max_age").and_then(|age| age.parse().ok()).map(Lifetime::from_seconds);
    let acr_values: Vec<_> =
        acr_values.iter().flat_map(|values| values.split_ascii_whitespace()).map(str::to_owned).collect();
    (!acr_values.is_empty() || max_age.is_some()).then_some(StepUp { acr_values, max_age })
}

/// Asks the end-user for the provider, and keeps what else the address says. Where to return to is decided here: the links
/// are those of a page of ours, whoever sent the end-user to it.
fn choice<R: Runtime>(incoming: &Incoming<'_, R>) -> Answer {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(path) = incoming.parameter("return_to") {
        query.append_pair("return_to", wanted(incoming, &path).as_str());
    }
    let asked = form_urlencoded::parse(incoming.head.target.query().unwrap_or("").as_bytes());
    query.extend_pairs(asked.filter(|(name, _)| name != "return_to"));
    let query = query.finish();
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let config = &incoming.app.config;
    let links: Vec<_> = config
        .providers()
        .map(|provider| (provider.display_name.as_str(), format!("{}{query}", incoming.login_url(provider))))
        .collect();
    Answer::choice("Sign in", "How would you like to sign in?", &links)
}

/// Begins an attempt and redirects.
pub(super) async fn begin<R: Runtime>(incoming: &Incoming<'_, R>, wish: Wish) -> Result<Answer, Error> {
    let (config, provider) = (&incoming.app.config, &incoming.realm.provider);
    let metadata = documents::metadata(incoming).await?;
    let entry = interaction::entry_of_who_left(incoming, wish.interaction.as_ref()).await;
    let scope = SignInScope::of(config, provider, wish.interaction.as_ref(), entry.as_deref());
    let (resource, scopes) = scope.redeemed_for();
    let attempt = LoginAttempt::begin(Beginning {
        random: incoming.runtime.random(),
        return_to: wish.return_to.clone(),
        provider: provider.name.clone(),
        user_flow: incoming.user_flow,
        resource,
        scopes,
        interaction: wish.interaction.clone(),
        step_up: wish.step_up.clone(),
        is_another: wish.is_another,
        now: incoming.now,
    });
    let entry = match entry {
        None if wish.is_of_who_is_signed_in() => authenticate::signed_in(incoming).await.ok().map(|known| known.entry),
        entry => entry,
    };
    let location = location(incoming, &metadata, &attempt, &wish, &scope, entry.as_deref());
    log::happened(incoming, Event::LoginStarted, None, started(incoming, &attempt));
    let answer = Answer::redirect(302, location.into()).with("set-cookie", cookie(incoming, attempt));
    Ok(give_up_surplus(incoming, answer))
}

/// Which attempt it is, and what for.
fn started<R: Runtime>(incoming: &Incoming<'_, R>, attempt: &LoginAttempt) -> Value {
    let api = attempt.interaction.as_ref().map(|interaction| interaction.api.as_str());
    let cause = match (api, &attempt.step_up) {
        (Some(_), _) => "api",
        (None, Some(_)) => "step_up",
        (None, None) if matches!(incoming.route, Route::Login(_)) => "login",
        (None, None) if is_another(&attempt.state) => "another",
        (None, None) => "page",
    };
    let user_flow = incoming.realm.provider.user_flows.as_ref().map(|_| attempt.user_flow.name());
    members([
        ("api", api.into()),
        ("attempt", attempt.id().into()),
        ("for", cause.into()),
        ("user_flow", user_flow.into()),
    ])
}

/// The authorization request. Who is signed in already is hinted at, so that the OP does not ask who it is.
fn location<R: Runtime>(
    incoming: &Incoming<'_, R>,
    metadata: &Metadata,
    attempt: &LoginAttempt,
    wish: &Wish,
    scope: &SignInScope<'_>,
    entry: Option<&TokenCacheEntry>,
) -> Url {
    let provider = &incoming.realm.provider;
    let (scopes, resources) = scope.consented_to();
    let challenge = wish.interaction.as_ref().and_then(|interaction| interaction.claims.as_ref());
    let acr_values = wish.step_up.as_ref().map(|step_up| step_up.acr_values.join(" "));
    // Where one tenant is asked, it knows its guests; some of them have a home that no hint names.
    let is_anywhere = matches!(provider.issuer, IssuerRule::Tenanted(_));
    let home = entry.filter(|_| is_anywhere).and_then(interaction::domain_hint);
    AuthorizationRequest {
        client_id: &provider.client_id,
        redirect_uri: &incoming.public_url(&provider.paths.callback),
        scopes: &scopes,
        resources: &resources,
        state: &attempt.state,
        nonce: &attempt.nonce,
        code_challenge: &attempt.verifier.challenge(),
        prompt: wish.prompt.as_deref(),
        login_hint: wish.login_hint.as_deref().or_else(|| entry.and_then(interaction::login_hint)),
        domain_hint: wish.domain_hint.as_deref().or(home),
        max_age: wish.step_up.as_ref().and_then(|step_up| step_up.max_age),
        acr_values: acr_values.as_deref().filter(|values| !values.is_empty()),
        claims: claims_request(&provider.client_capabilities, challenge).as_deref(),
        client_info: provider.is_entra,
        extra: &provider.extra_query,
    }
    .url(&metadata.authorization_endpoint)
}

/// The cookie of an attempt. Where claims make it longer than a browser keeps, the way back is given up for the start page.
fn cookie<R: Runtime>(incoming: &Incoming<'_, R>, attempt: LoginAttempt) -> String {
    let seal = |attempt: &LoginAttempt| {
        let sealed = attempt.seal(&incoming.realm.ring, incoming.runtime.random());
        CookieName::LoginAttempt(incoming.realm.ring.label(), attempt.id())
            .set(&sealed, incoming.app.config.session.login_attempt)
    };
    let cookie = seal(&attempt);
    if cookie.len() <= MAX_COOKIE {
        return cookie;
    }
    seal(&LoginAttempt { return_to: ReturnTo::root(), ..attempt })
}

/// Cookies of attempts that were never finished, at whichever provider, must not pile up until a server refuses the header.
fn give_up_surplus<R: Runtime>(incoming: &Incoming<'_, R>, answer: Answer) -> Answer {
    let lifetime = incoming.app.config.session.login_attempt;
    let cookies = Cookies::parse(incoming.head.header("cookie"));
    let attempts = incoming.app.realms().flat_map(|Realm { ring, .. }| {
        cookies.login_attempts(ring.label()).map(move |(id, sealed)| {
            let attempt = LoginAttempt::open(id, sealed.as_deref(), ring, incoming.now, lifetime);
            (CookieName::LoginAttempt(ring.label(), id), attempt.ok().map(|attempt| attempt.created_at))
        })
    });
    let given_up = surplus(attempts.collect(), MAX_ATTEMPTS);
    given_up.into_iter().fold(answer, |answer, name| answer.with("set-cookie", name.expire()))
}

/// A page of ours that is worth returning to; our own paths are not, or a login would follow the login. An API is, if a
/// page of ours asks for it: nobody else gets it called by way of a sign-in.
fn wanted<R: Runtime>(incoming: &Incoming<'_, R>, wanted: &str) -> ReturnTo {
    let config = &incoming.app.config;
    let is_welcome = |path: &str| !router::is_api(config, path) || incoming.is_ours();
    ReturnTo::parse(wanted, incoming.public_origin)
        .filter(|page| !router::is_sign_in(config, page.path()) && is_welcome(page.path()))
        .unwrap_or_else(ReturnTo::root)
}

/// Attempts that one browser may have under way at once.
const MAX_ATTEMPTS: usize = 8;
const MAX_HINT: usize = 320;
/// What a browser keeps of one cookie, its attributes included.
const MAX_COOKIE: usize = 4096;
/// `none` is missing: a page that wants to know without asking the user has `/.auth/me`.
const PROMPTS: &[&str] = &["login", "select_account", "consent"];
