//! `/.auth/events`: a WebSocket on which a page hears that its session has ended.
//!
//! The account's object itself holds the other end. On Workers KV alone there is nobody to hold it, and a page asks
//! `/.auth/me` from time to time.

use super::{Incoming, account, authenticate};
use crate::error::Error;
use crate::request::Method;
use crate::runtime::Runtime;

/// Connects a page of ours with the object of its user's account.
pub(super) async fn watch<R: Runtime>(incoming: &Incoming<'_, R>) -> Result<R::Forwarded, Error> {
    incoming.only(&[Method::Get], "GET")?;
    if !incoming.app.config.has_account_objects {
        return Err(Error::NoSuchRoute);
    }
    if !incoming.head.is_websocket() {
        return Err(Error::UpgradeRequired);
    }
    // No rule of browsers keeps another site's page from opening a WebSocket here, cookie and all.
    if !incoming.is_ours() {
        return Err(Error::UntrustedOrigin);
    }
    let session = authenticate::signed_in(incoming).await?.session;
    let object = account::object_name(incoming, &session)?;
    incoming.runtime.watch(&object, session.id).await.map_err(Error::CacheUnavailable)
}
