//! The OP's own ways to end sessions: a request from its server, and a hidden frame in the end-user's browser.

use serde_json::{Value, json};

use crate::browser::absolute;
use crate::op::EndUser;
use crate::request::{Received, Request};
use crate::site::Site;
use crate::world::World;

pub(crate) const BACK_CHANNEL: &str = "/.auth/backchannel-logout";

impl World {
    /// A logout token of this moment with these claims.
    pub(crate) fn logout_token(&self, claims: &Value) -> String {
        self.op.logout_token(self.time(), claims)
    }
}

/// Names the end-user.
pub(crate) fn by_sub(user: &EndUser) -> Value {
    json!({ "sub": user.sub })
}

/// Names the OP's session.
pub(crate) fn by_sid(user: &EndUser) -> Value {
    json!({ "sid": user.sid })
}

/// Names both.
pub(crate) fn by_both(user: &EndUser) -> Value {
    json!({ "sub": user.sub, "sid": user.sid })
}

/// The OP's request with a logout token (Back-Channel Logout 1.0 §2.5).
pub(crate) fn request(token: &str) -> Request {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("logout_token", token);
    Request::new("POST", &absolute(BACK_CHANNEL)).form(&form.finish())
}

/// The OP posts a logout token, and it arrives at a site.
pub(crate) fn posted_at(site: &Site<'_>, token: &str) -> Received {
    let received = site.serve(&request(token));
    assert_eq!((received.header("cache-control"), received.set_cookies().count()), (Some("no-store"), 0));
    received
}

/// The OP posts a logout token.
pub(crate) fn posted(world: &World, token: &str) -> Received {
    posted_at(&world.site(), token)
}

/// It is done: an empty 200 (§2.8).
pub(crate) fn assert_done(received: &Received, what: &str) {
    assert_eq!((received.status, received.body.as_str()), (200, ""), "{what}");
}

/// It is refused in the OP's own terms (§2.8).
pub(crate) fn assert_invalid(received: &Received, what: &str) {
    assert_eq!((received.status, received.json()), (400, json!({ "error": "invalid_request" })), "{what}");
    assert_eq!(received.header("content-type"), Some("application/json"), "{what}");
}

/// What the frame loads: from the OP's page, and so without our cookies.
pub(crate) fn frame(query: &str) -> Request {
    Request::navigation("GET", &absolute(&format!("/signout-oidc{query}")), "cross-site")
        .with("sec-fetch-dest", "iframe")
}

/// The query that names an OP's session, and its issuer.
pub(crate) fn query(sid: Option<&str>, issuer: Option<&str>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(issuer.map(|issuer| ("iss", issuer)));
    query.extend_pairs(sid.map(|sid| ("sid", sid)));
    format!("?{}", query.finish())
}

/// The OP has the browser load the frame, which names the end-user's session.
pub(crate) fn framed_at(site: &Site<'_>, user: &EndUser) -> Received {
    let received = site.serve(&frame(&query(user.sid, None)));
    assert_eq!((received.status, received.set_cookies().count()), (200, 0));
    received
}
