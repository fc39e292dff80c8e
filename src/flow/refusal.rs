//! What a person or a script gets when a request is refused.

use url::form_urlencoded;

use super::{Incoming, bearer, interaction, login};
use crate::answer::{Action, Answer};
use crate::error::Error;
use crate::request::RequestHead;
use crate::router::Route;
use crate::rules::{Access, StepUp};
use crate::runtime::Runtime;
use crate::session::cookie::CookieName;
use crate::session::return_to::ReturnTo;

/// Logs the reason and answers: a sign-in for a page that needs one, a page for people, a problem for scripts.
pub(super) async fn answer<R: Runtime>(incoming: &Incoming<'_, R>, route: Route<'_>, error: Error) -> Answer {
    incoming.refused(&error);
    let ends_session = error.ends_session();
    let answer = if wants_login(incoming.head, route, &error) {
        login(incoming, &error).await.unwrap_or_else(|error| {
            incoming.refused(&error);
            sign_in_failed(incoming, &error, None)
        })
    } else if matches!(route, Route::Login(_)) {
        sign_in_failed(incoming, &error, None)
    } else {
        shown(incoming, &error)
    };
    if ends_session {
        answer.with("set-cookie", CookieName::Session(incoming.realm.ring.label()).expire())
    } else {
        answer
    }
}

/// Sends the end-user to the provider, or to where they choose one.
async fn login<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Result<Answer, Error> {
    if is_provider_known(incoming, error) {
        return login::begin(incoming, login::Wish::to_return_to(incoming, error)).await;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", &incoming.head.target.path_and_query());
    Ok(Answer::redirect(302, format!("{}?{}", incoming.auth_url("login"), query.finish())))
}

/// The problem document of an error, for whoever is no browser.
pub(super) fn problem<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Answer {
    Answer::problem(error, &incoming.trace, None)
}

/// The answer to a sign-in that cannot begin or does not succeed: the origin's own page explains it, if it has one. No
/// rule has that page ask for a sign-in. `page` is the one that the end-user wanted, where that is known.
pub(super) fn sign_in_failed<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error, page: Option<&ReturnTo>) -> Answer {
    let own = incoming.realm.provider.error_path.as_ref().filter(|_| incoming.head.is_navigation());
    let Some(own) = own else { return shown_for(incoming, error, page) };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("error", error.code()).append_pair("trace", &incoming.trace);
    Answer::redirect(303, format!("{}?{}", incoming.public_url(own), query.finish()))
}

/// The answer to an error that no redirect mends.
pub(super) fn shown<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Answer {
    shown_for(incoming, error, None)
}

/// The same, where it is known which page the end-user wanted.
pub(super) fn shown_for<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error, page: Option<&ReturnTo>) -> Answer {
    if incoming.route.rule().is_some_and(|rule| rule.access == Access::Bearer) {
        return bearer::refused(incoming, error);
    }
    if incoming.head.is_navigation() && !is_for_programs(incoming) {
        let (label, url) = way_on(incoming, error, page);
        return Answer::error_page(error, &incoming.trace, Some(Action::Link(label, &url)));
    }
    let login_url = needs_login(error).then(|| login_url(incoming, error));
    Answer::problem(error, &incoming.trace, login_url.as_deref())
}

/// What there is to do about an error, and where.
fn way_on<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error, page: Option<&ReturnTo>) -> (&'static str, String) {
    let is_of_the_account = matches!(error, Error::AccountMismatch | Error::TenantNotAllowed(_))
        || matches!(error, Error::SignInRefused(obstacle) if obstacle.is_of_the_account());
    if !is_of_the_account {
        return ("Start again", incoming.public_url(page.map_or("/", ReturnTo::as_str)));
    }
    // The OP would bring the same account again without asking. `login` is the one of these values that every OP knows
    // (OIDC Core 15.1); the Microsoft identity platform would keep to the account with it, and its Azure AD B2C knows no
    // other.
    let provider = &incoming.realm.provider;
    let selects = provider.is_entra && provider.user_flows.is_none();
    let prompt = if selects { "select_account" } else { "login" };
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("prompt", prompt);
    // What the one account wanted is not what the other one does.
    let page = page.filter(|_| !matches!(error, Error::AccountMismatch));
    query.extend_pairs(page.map(|page| ("return_to", page.as_str())));
    let login = incoming.login_url(&incoming.realm.provider);
    ("Try again with another account", format!("{login}?{}", query.finish()))
}

/// Whether the rule says that only programs ask here: they read no page, whatever asks.
fn is_for_programs<R: Runtime>(incoming: &Incoming<'_, R>) -> bool {
    if let Route::Origin(rule) = incoming.route { rule.access == Access::Api } else { false }
}

/// Whether whoever sent the request is sent to sign in rather than told so.
pub(crate) fn wants_login(head: &RequestHead<'_>, route: Route<'_>, error: &Error) -> bool {
    route.begins_a_login() && needs_login(error) && head.is_navigation() && head.method.starts_a_login()
}

/// Whether it is clear at which provider the end-user is to sign in. Whoever is signed in already is to do so there.
fn is_provider_known<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> bool {
    names_a_provider(incoming.route, error) || !incoming.app.has_several_realms()
}

/// The same among several.
pub(crate) fn names_a_provider(route: Route<'_>, error: &Error) -> bool {
    let is_signed_in = matches!(error, Error::InteractionRequired(_) | Error::StepUpRequired(..));
    is_signed_in || route.provider().is_some()
}

const fn needs_login(error: &Error) -> bool {
    matches!(
        error,
        Error::InteractionRequired(_) | Error::LoginRequired | Error::SessionEnded(_) | Error::StepUpRequired(..)
    )
}

/// Where a script can send its user: the login, which comes back to the page that the script runs on.
fn login_url<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> String {
    let origin = incoming.public_origin.origin().ascii_serialization();
    let page = incoming.head.header("referer").and_then(|referer| referer.strip_prefix(&origin));
    let page = page.and_then(|page| ReturnTo::parse(page, incoming.public_origin));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(page.as_ref().map(|page| ("return_to", page.as_str())));
    let request = error.interaction().map(|interaction| interaction::sealed_request(incoming, interaction));
    query.extend_pairs(request.as_ref().map(|request| ("request", request)));
    if let Some(StepUp { acr_values, max_age }) = error.step_up() {
        query.extend_pairs((!acr_values.is_empty()).then(|| ("acr_values", acr_values.join(" "))));
        query.extend_pairs(max_age.map(|age| ("max_age", age.as_seconds().to_string())));
    }
    let query = query.finish();
    let is_known = is_provider_known(incoming, error);
    let login = if is_known { incoming.login_url(&incoming.realm.provider) } else { incoming.auth_url("login") };
    if query.is_empty() { login } else { format!("{login}?{query}") }
}
