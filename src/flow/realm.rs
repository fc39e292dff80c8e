//! Which realm a request is about: that of the provider that its path names, or that of whoever is signed in.

use crate::app::App;
use crate::realm::Realm;
use crate::request::RequestHead;
use crate::router::Route;
use crate::session::cookie::Cookies;
use crate::session::session::Session;
use crate::time::Timestamp;

/// The realm of a request. Where the path does not say, it is the one whose session the browser began last; without any
/// session, the first.
pub(super) fn of<'a>(app: &'a App, route: Route<'_>, head: &RequestHead<'_>, now: Timestamp) -> &'a Realm {
    if let Some(realm) = route.provider().and_then(|provider| app.realm(provider)) {
        return realm;
    }
    // Nearly always there is only one, and its cookie is opened later.
    if !app.has_several_realms() {
        return app.first();
    }
    last_begun(app, head, now).unwrap_or(app.first())
}

/// The realm of an earlier request, whose cookies may be past their idle end by now.
pub(super) fn of_earlier<'a>(app: &'a App, route: Route<'_>, head: &RequestHead<'_>) -> &'a Realm {
    of(app, route, head, Timestamp::from_unix(0))
}

/// The realm of the session that the browser began last, by its cookies alone.
fn last_begun<'a>(app: &'a App, head: &RequestHead<'_>, now: Timestamp) -> Option<&'a Realm> {
    let cookies = Cookies::parse(head.header("cookie"));
    let begun = app.realms().filter_map(|realm| {
        let sealed = cookies.session(realm.ring.label())?;
        let session = Session::open(&sealed, &realm.ring, now).ok()?;
        Some((session.issued_at, realm))
    });
    begun.max_by_key(|(issued_at, _)| *issued_at).map(|(_, realm)| realm)
}
