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
    let answer = if wants_login(incoming, route, &error) {
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
    if ends_session { answer.with("set-cookie", CookieName::Session.expire()) } else { answer }
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
            let prompt = if config.provider.is_entra { "select_account" } else { "login" };
            format!("{}?prompt={prompt}", config.auth_url("login"))
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
    let login = config.auth_url("login");
    if query.is_empty() { login } else { format!("{login}?{query}") }
}
