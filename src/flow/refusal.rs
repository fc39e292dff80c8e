//! What a person or a script gets when a request is refused.

use url::form_urlencoded;

use super::{Incoming, log, login};
use crate::answer::Answer;
use crate::error::Error;
use crate::router::Route;
use crate::runtime::Runtime;
use crate::session::cookie::CookieName;
use crate::session::login_attempt::Interaction;
use crate::session::return_to::ReturnTo;

/// Logs the reason and answers: a sign-in for a page that needs one, a page for people, a problem for scripts.
pub(super) async fn answer<R: Runtime>(incoming: &Incoming<'_, R>, route: Route<'_>, error: Error) -> Answer {
    log::refused(incoming.runtime, &incoming.trace, &error);
    let ends_session = error.ends_session();
    let answer = if wants_login(incoming, route, &error) && !is_known(incoming, &error) {
        Answer::redirect(302, chooser_url(incoming))
    } else if wants_login(incoming, route, &error) {
        let wish = login::Wish::to_return_to(incoming, interaction(&error).cloned());
        match login::begin(incoming, wish).await {
            Ok(answer) => answer,
            Err(error) => {
                log::refused(incoming.runtime, &incoming.trace, &error);
                shown(incoming, &error)
            }
        }
    } else {
        shown(incoming, &error)
    };
    if ends_session {
        answer.with("set-cookie", CookieName::Session(incoming.realm.ring.label()).expire())
    } else {
        answer
    }
}

/// The problem document of an error, for whoever is no browser.
pub(super) fn problem<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Answer {
    Answer::problem(error, &incoming.trace, None)
}

/// The answer to an error that no redirect mends.
pub(super) fn shown<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> Answer {
    if incoming.head.is_navigation() {
        let config = &incoming.app.config;
        let start = if matches!(error, Error::AccountMismatch) {
            // The OP would bring the same account again without asking. `login` is the one of these values that every OP
            // knows (OIDC Core 15.1); the Microsoft identity platform would keep to the account with it.
            let prompt = if incoming.realm.provider.is_entra { "select_account" } else { "login" };
            format!("{}?prompt={prompt}", config.login_url(&incoming.realm.provider))
        } else {
            config.public_url("/")
        };
        return Answer::error_page(error, &incoming.trace, Some(&start));
    }
    let login_url = needs_login(error).then(|| login_url(incoming, interaction(error)));
    Answer::problem(error, &incoming.trace, login_url.as_deref())
}

fn wants_login<R: Runtime>(incoming: &Incoming<'_, R>, route: Route<'_>, error: &Error) -> bool {
    route.begins_a_login()
        && needs_login(error)
        && incoming.head.is_navigation()
        && incoming.head.method.starts_a_login()
}

/// Whether it is clear at which provider the end-user is to sign in.
fn is_known<R: Runtime>(incoming: &Incoming<'_, R>, error: &Error) -> bool {
    is_known_for(incoming, interaction(error).is_some())
}

/// Whoever is to sign in again is to do so where they did before.
fn is_known_for<R: Runtime>(incoming: &Incoming<'_, R>, is_again: bool) -> bool {
    is_again || incoming.route.provider().is_some() || !incoming.app.has_several_realms()
}

/// Where the end-user chooses, to come back to the page that was asked for.
fn chooser_url<R: Runtime>(incoming: &Incoming<'_, R>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("return_to", &incoming.head.target.path_and_query());
    format!("{}?{}", incoming.app.config.auth_url("login"), query.finish())
}

const fn needs_login(error: &Error) -> bool {
    matches!(error, Error::InteractionRequired(_) | Error::LoginRequired | Error::SessionEnded(_))
}

fn interaction(error: &Error) -> Option<&Interaction> {
    if let Error::InteractionRequired(need) = error { Some(&need.interaction) } else { None }
}

/// Where a script can send its user: the login, which comes back to the page that the script runs on.
fn login_url<R: Runtime>(incoming: &Incoming<'_, R>, interaction: Option<&Interaction>) -> String {
    let config = &incoming.app.config;
    let origin = config.gateway.public_origin.origin().ascii_serialization();
    let page = incoming.head.header("referer").and_then(|referer| referer.strip_prefix(&origin));
    let page = page.and_then(|page| ReturnTo::parse(page, &config.gateway.public_origin));
    let request = interaction.map(|interaction| super::interaction::sealed_request(incoming, interaction));
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(page.as_ref().map(|page| ("return_to", page.as_str())));
    query.extend_pairs(request.as_ref().map(|request| ("request", request)));
    let query = query.finish();
    let is_known = is_known_for(incoming, interaction.is_some());
    let login = if is_known { config.login_url(&incoming.realm.provider) } else { config.auth_url("login") };
    if query.is_empty() { login } else { format!("{login}?{query}") }
}
