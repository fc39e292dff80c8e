//! What a person or a script gets when a request is refused.

use url::form_urlencoded;

use super::{Context, log, login};
use crate::answer::Answer;
use crate::error::Error;
use crate::router::Route;
use crate::runtime::Runtime;
use crate::session::cookie::CookieName;
use crate::session::return_to::ReturnTo;

/// Logs the reason and answers: a sign-in for a page that needs one, a page for people, a problem for scripts.
pub(super) async fn answer<R: Runtime>(context: &Context<'_, R>, route: Route<'_>, error: Error) -> Answer {
    log::refused(context.runtime, &context.trace, &error);
    let ends_session = error.ends_session();
    let answer = if wants_login(context, route, &error) {
        match login::begin(context, login::Wish::to_return_to(context)).await {
            Ok(answer) => answer,
            Err(error) => {
                log::refused(context.runtime, &context.trace, &error);
                shown(context, &error)
            }
        }
    } else {
        shown(context, &error)
    };
    if ends_session { answer.with("set-cookie", CookieName::Session.expire()) } else { answer }
}

/// The answer to an error that no sign-in mends.
pub(super) fn shown<R: Runtime>(context: &Context<'_, R>, error: &Error) -> Answer {
    if context.head.is_navigation() {
        let home = context.app.config.public_url("/");
        return Answer::error_page(error, &context.trace, Some(&home));
    }
    let login_url = needs_login(error).then(|| login_url(context));
    Answer::problem(error, &context.trace, login_url.as_deref())
}

fn wants_login<R: Runtime>(context: &Context<'_, R>, route: Route<'_>, error: &Error) -> bool {
    route.is_forwarded() && needs_login(error) && context.head.is_navigation() && context.head.method.starts_a_login()
}

const fn needs_login(error: &Error) -> bool {
    matches!(error, Error::LoginRequired(_) | Error::SessionEnded(_))
}

/// Where a script can send its user: the login, which comes back to the page that the script runs on.
fn login_url<R: Runtime>(context: &Context<'_, R>) -> String {
    let config = &context.app.config;
    let login = config.auth_url("login");
    let origin = config.gateway.public_origin.origin().ascii_serialization();
    let page = context.head.header("referer").and_then(|referer| referer.strip_prefix(&origin));
    match page.and_then(|page| ReturnTo::parse(page, &config.gateway.public_origin)) {
        None => login,
        Some(page) => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("return_to", page.as_str()).finish();
            format!("{login}?{query}")
        }
    }
}
