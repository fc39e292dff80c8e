//! Logouts that the OP asks for, by whichever channel: of an account, or of one session of the OP. Under every name that
//! the account and the index of that session have: one for each key of the ring.

use super::Context;
use super::account::{self, Ask, LogoutTokenId, Reply, Which, kv_alone};
use crate::error::Error;
use crate::runtime::Runtime;
use crate::session::account::AccountDigest;
use crate::session::keys::PurposeKeys;
use crate::session::storage_key::SidKey;
use crate::time::Timestamp;

/// A logout that the OP asks for.
pub(super) struct OpLogout<'a> {
    /// The account, where the OP names it.
    pub(super) account: Option<AccountDigest>,
    /// The OP's session, where it names that.
    pub(super) sid: Option<&'a str>,
    /// Sessions that began up to this moment end.
    pub(super) until: Timestamp,
    /// The logout token, if there is one.
    pub(super) token: Option<LogoutTokenId>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Sessions have ended.
    Ended,
    /// The logout token was used before.
    Replayed,
    /// No session is known that it could be about.
    Unknown,
}

/// Ends the sessions that a logout of the OP is about.
pub(super) async fn carry_out<R: Runtime>(context: &Context<'_, R>, logout: &OpLogout<'_>) -> Result<Heard, Error> {
    let end_here = || {
        if let Some(account) = logout.account.filter(|_| logout.sid.is_none()) {
            context.realm.memory.sign_out(account, logout.until.min(context.now));
        }
    };
    if !account::is_elsewhere(context) {
        // From this moment on a refresh that is under way in this isolate keeps nothing.
        end_here();
    }
    let mut heard = Heard::Unknown;
    for keys in context.realm.ring.all() {
        let under_one = match logout.account {
            Some(account) => by_account(context, logout, (account, keys)).await?,
            None => by_index(context, logout, keys).await?,
        };
        // Here the end is known, and need not be heard of from an object.
        if let Some(sid) = logout.sid.filter(|_| under_one != Heard::Unknown) {
            context.realm.memory.forget_indexed(&sid_key(context, sid, keys));
        }
        heard = match (heard, under_one) {
            (Heard::Ended, _) | (_, Heard::Ended) => Heard::Ended,
            (Heard::Replayed, _) | (_, Heard::Replayed) => Heard::Replayed,
            (Heard::Unknown, Heard::Unknown) => Heard::Unknown,
        };
    }
    if heard == Heard::Ended {
        // Not earlier: a token that was used before ends nothing.
        end_here();
    }
    Ok(heard)
}

async fn by_account<R: Runtime>(
    context: &Context<'_, R>,
    logout: &OpLogout<'_>,
    (account, keys): (AccountDigest, &PurposeKeys),
) -> Result<Heard, Error> {
    let sid = logout.sid.map(|sid| sid_key(context, sid, keys));
    // First: sign-ins that are under way find there that their session of the OP has ended, and those that have registered
    // end with it. They are named by the current key.
    let is_current = keys.id() == context.realm.ring.current().id();
    if let Some(sid) = sid.clone().filter(|_| is_current && account::is_elsewhere(context)) {
        end_indexed(context, sid, logout).await?;
    }
    // Whether the token was used before is for the account's object to say: it counts once, however many come at once.
    end_of(context, account.prefix(keys), sid, logout).await
}

async fn by_index<R: Runtime>(
    context: &Context<'_, R>,
    logout: &OpLogout<'_>,
    keys: &PurposeKeys,
) -> Result<Heard, Error> {
    let Some(sid) = logout.sid.map(|sid| sid_key(context, sid, keys)) else { return Ok(Heard::Unknown) };
    if account::is_elsewhere(context) {
        return end_indexed(context, sid, logout).await;
    }
    let lead = account::stored_lead(context, &sid).await.map_err(Error::CacheUnavailable)?;
    let Some(lead) = lead else { return Ok(Heard::Unknown) };
    // A listing may not have it yet.
    let own = (logout.until >= context.now).then(|| (lead.as_str().to_owned(), Some(sid.clone())));
    let ended = kv_alone::end(context, (lead.prefix(), Which::Of(&sid, logout.until)), own, None).await;
    ended.map(|()| Heard::Ended).map_err(account::error)
}

/// Ends the sessions that the object of an OP's session leads to.
async fn end_indexed<R: Runtime>(context: &Context<'_, R>, sid: String, logout: &OpLogout<'_>) -> Result<Heard, Error> {
    let (name, token) = (sid.clone(), logout.token.clone());
    let ask = Ask::EndIndexed { sid, until: logout.until, token, names_account: logout.account.is_some() };
    heard(account::ask(context, &name, ask).await?)
}

/// Ends sessions under one name of an account, for the OP.
async fn end_of<R: Runtime>(
    context: &Context<'_, R>,
    prefix: String,
    sid: Option<String>,
    logout: &OpLogout<'_>,
) -> Result<Heard, Error> {
    let until = logout.until;
    if account::is_elsewhere(context) {
        let name = account::object_under(&prefix);
        let ask = Ask::Logout { prefix, sid, until, token: logout.token.clone() };
        return heard(account::ask(context, &name, ask).await?);
    }
    let which = Which::logged_out(sid.as_deref(), until, context.now);
    kv_alone::end(context, (&prefix, which), None, None).await.map(|()| Heard::Ended).map_err(account::error)
}

fn heard(reply: Reply) -> Result<Heard, Error> {
    match reply {
        Reply::Done {} => Ok(Heard::Ended),
        Reply::Replayed {} => Ok(Heard::Replayed),
        Reply::Unknown {} => Ok(Heard::Unknown),
        reply @ (Reply::Begun(_)
        | Reply::Current {}
        | Reply::Ended { .. }
        | Reply::Entry(_)
        | Reply::Failed(_)
        | Reply::Sessions(_)
        | Reply::ValidAfter(_)) => Err(account::refused(reply)),
    }
}

fn sid_key<R: Runtime>(context: &Context<'_, R>, sid: &str, keys: &PurposeKeys) -> String {
    SidKey::new(context.realm.provider.issuer.name(), sid, keys).as_str().to_owned()
}
