//! Front-channel logout (OpenID Connect Front-Channel Logout 1.0): the OP has the browser load our address in a hidden
//! frame. No cookie comes with that, so the OP's session must be known by its `sid` alone; the Microsoft identity platform
//! sends nothing else.
//!
//! Whoever sent it cannot be known, so it never revokes anything at the OP, and one that is about no session known here
//! changes nothing.

use url::{Url, form_urlencoded};

use super::log::{self, Event};
use super::op_logout::{self, Heard, OpLogout};
use super::{Incoming, documents};
use crate::answer::Answer;
use crate::error::{Error, LogoutRequestFault};
use crate::json;
use crate::oidc::issuer::IssuerRule;
use crate::request::Method;
use crate::runtime::Runtime;
use crate::time::Timestamp;

/// `/signout-oidc`: ends the sessions of the OP's session that is named.
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<Answer, Error> {
    incoming.only(&[Method::Get], "GET")?;
    let rule = &incoming.realm.provider.issuer;
    let metadata = if matches!(rule, IssuerRule::Learned(_)) { documents::metadata(incoming).await.ok() } else { None };
    let issuer = metadata.as_ref().map_or(rule, |metadata| &metadata.issuer);
    let sid = named(incoming, issuer).map_err(Error::LogoutRequestInvalid)?;
    // Whenever they began: it is the OP's session that is over.
    let until = Timestamp::from_unix(u64::MAX);
    let logout = OpLogout { account: None, sid: Some(&sid), until, token: None };
    let heard = op_logout::carry_out(incoming, &logout).await?;
    let details = json::named("known", (heard != Heard::Unknown).into());
    log::happened(incoming, Event::LogoutByFrontChannel, None, details);
    // The same for an unknown one: a frame learns nothing here.
    Ok(Answer::framed(&frames(incoming).await))
}

/// The `sid` that is logged out (§3).
fn named<R: Runtime>(incoming: &Incoming<'_, R>, issuer: &IssuerRule) -> Result<String, LogoutRequestFault> {
    let query = incoming.head.target.query().unwrap_or("");
    let values = |wanted: &'static str| {
        form_urlencoded::parse(query.as_bytes()).filter(move |(name, _)| name == wanted).map(|(_, value)| value)
    };
    if values("sid").count() > 1 || values("iss").count() > 1 {
        return Err(LogoutRequestFault::Duplicate);
    }
    // While it is not known, it is passed over: nobody is believed for naming it, and `sid` must be known all the same.
    let is_known = !matches!(issuer, IssuerRule::Learned(_));
    if is_known && values("iss").any(|named| !issuer.accepts_of_any_tenant(&named)) {
        return Err(LogoutRequestFault::Issuer);
    }
    let sid = values("sid").next().filter(|sid| !sid.is_empty() && sid.len() <= LONGEST_SID);
    sid.map(|sid| sid.into_owned()).ok_or(LogoutRequestFault::SessionMissing)
}

/// Who may show the answer in a frame: the OP, at whichever of its origins.
async fn frames<R: Runtime>(incoming: &Incoming<'_, R>) -> String {
    let origin = |url: &Url| url.origin().ascii_serialization();
    let configured = origin(&incoming.realm.provider.metadata_url);
    let metadata = documents::metadata(incoming).await.ok();
    let stated = metadata.and_then(|metadata| metadata.end_session_endpoint.as_ref().map(origin));
    match stated.filter(|stated| *stated != configured) {
        Some(stated) => format!("{configured} {stated}"),
        None => configured,
    }
}

const LONGEST_SID: usize = 512;
