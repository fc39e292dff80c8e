//! Ending sessions, whoever wants it: the user, the OP or an operator. Wherever an account is kept, and under every name
//! that it has: one for each key of the ring.

use std::rc::Rc;

use super::account::{self, Ask, LogoutTokenId, Reply, Which, encoded, on_kv};
use super::{Context, token_cache};
use crate::error::Error;
use crate::runtime::Runtime;
use crate::session::account::AccountDigest;
use crate::session::entry::TokenCacheEntry;
use crate::session::keys::PurposeKeys;
use crate::session::session::{Session, SessionId};
use crate::session::storage_key::{EntryKey, SidKey};
use crate::time::Timestamp;

/// What is left of a session whose user signs out.
pub(super) struct Farewell {
    /// Its last entry: the OP gets its hints and its refresh token. Known even if not everything could be removed.
    pub(super) entry: Option<Rc<TokenCacheEntry>>,
    /// Whether nothing of it is left here.
    pub(super) outcome: Result<(), Error>,
}

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

/// Ends every session of the user's account, and deletes what is kept of them, whether or not it can be opened.
pub(super) async fn account<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Farewell {
    let until = context.now.max(session.issued_at);
    let mut farewell = Farewell { entry: last_known(context, session).await, outcome: Ok(()) };
    let memory = &context.app.memory;
    if !account::is_elsewhere(context) {
        // From this moment on a refresh that is under way in this isolate keeps nothing.
        memory.sign_out(session.account, until);
    }
    for keys in context.app.ring.all() {
        let own = (keys.id() == session.named_by).then_some(session);
        let ended = end(context, session.account.prefix(keys), Which::Whole(until), own, None).await;
        farewell.add(ended, context, session);
    }
    if farewell.outcome.is_ok() {
        // Not earlier: where the sign-out fails, the session goes on, and with it the cookie to try again with.
        memory.sign_out(session.account, until);
    }
    memory.forget(session.id);
    farewell
}

/// Ends one session, of which the cookie is here. `kept` is an index key that leads to another one by now.
pub(super) async fn session<R: Runtime>(context: &Context<'_, R>, session: &Session, kept: Option<&str>) -> Farewell {
    let mut farewell = Farewell { entry: last_known(context, session).await, outcome: Ok(()) };
    if let Some(keys) = context.app.ring.find(session.named_by) {
        let prefix = session.account.prefix(keys);
        let ended = end(context, prefix, Which::One(session.id), Some(session), kept).await;
        farewell.add(ended, context, session);
    }
    context.app.memory.forget(session.id);
    farewell
}

/// Ends one session of an account, known by its id.
pub(super) async fn by_id<R: Runtime>(
    context: &Context<'_, R>,
    account: AccountDigest,
    id: SessionId,
) -> Result<(), Error> {
    // No more than that: it may be anybody's.
    context.app.memory.forget(id);
    for prefix in account.prefixes(&context.app.ring) {
        end(context, prefix, Which::One(id), None, None).await?.outcome?;
    }
    Ok(())
}

/// Ends the sessions of an account that began up to a moment; all of them if that is now.
pub(super) async fn by_operator<R: Runtime>(
    context: &Context<'_, R>,
    account: AccountDigest,
    until: Timestamp,
) -> Result<(), Error> {
    context.app.memory.sign_out(account, until);
    for prefix in account.prefixes(&context.app.ring) {
        under(context, prefix, Which::logged_out(None, until, context.now)).await?;
    }
    Ok(())
}

/// Ends sessions under one name of an account: what the names of its entries begin with.
pub(super) async fn under<R: Runtime>(context: &Context<'_, R>, prefix: String, which: Which<'_>) -> Result<(), Error> {
    end(context, prefix, which, None, None).await?.outcome
}

/// Ends the sessions that a logout of the OP is about.
pub(super) async fn by_op<R: Runtime>(context: &Context<'_, R>, logout: &OpLogout<'_>) -> Result<Heard, Error> {
    let end_here = || {
        if let Some(account) = logout.account.filter(|_| logout.sid.is_none()) {
            context.app.memory.sign_out(account, logout.until.min(context.now));
        }
    };
    if !account::is_elsewhere(context) {
        // From this moment on a refresh that is under way in this isolate keeps nothing.
        end_here();
    }
    let mut heard = Heard::Unknown;
    for keys in context.app.ring.all() {
        let under_one = match logout.account {
            Some(account) => by_account(context, logout, (account, keys)).await?,
            None => by_index(context, logout, keys).await?,
        };
        // Here the end is known, and need not be heard of from an object.
        if let Some(sid) = logout.sid.filter(|_| under_one != Heard::Unknown) {
            context.app.memory.forget_indexed(&sid_key(context, sid, keys));
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
    let heard = end_of(context, account.prefix(keys), sid.clone(), logout).await?;
    // Sign-ins that are under way find there that their session of the OP has ended. They are named by the current key.
    let is_current = keys.id() == context.app.ring.current().id();
    let Some(sid) = sid.filter(|_| is_current && account::is_elsewhere(context)) else { return Ok(heard) };
    // Even if the account's object knew the token: it may be that nobody came this far with it.
    match end_indexed(context, sid, logout).await? {
        Heard::Ended | Heard::Unknown => Ok(Heard::Ended),
        Heard::Replayed => Ok(heard),
    }
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
    let ended = on_kv(context, (lead.prefix(), Which::Of(&sid, logout.until)), own, None).await;
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
        let name = object_name(&prefix);
        let ask = Ask::Logout { prefix, sid, until, token: logout.token.clone() };
        return heard(account::ask(context, &name, ask).await?);
    }
    let which = Which::logged_out(sid.as_deref(), until, context.now);
    on_kv(context, (&prefix, which), None, None).await.map(|()| Heard::Ended).map_err(account::error)
}

/// What an account's object gave.
struct Ended {
    /// The last entry of the session that was given, sealed.
    entry: Option<Vec<u8>>,
    /// Whether everything is deleted.
    outcome: Result<(), Error>,
}

/// Ends sessions under one name of an account. If it fails, nothing has ended.
async fn end<R: Runtime>(
    context: &Context<'_, R>,
    prefix: String,
    which: Which<'_>,
    own: Option<&Session>,
    kept: Option<&str>,
) -> Result<Ended, Error> {
    if !account::is_elsewhere(context) {
        let sid =
            |session: &Session| context.app.memory.stale_entry(session.id).and_then(|entry| entry.sid_key.clone());
        let own = own.map(|session| (EntryKey::under(&prefix, session.id).as_str().to_owned(), sid(session)));
        let outcome = on_kv(context, (&prefix, which), own, kept).await.map_err(account::error);
        return Ok(Ended { entry: None, outcome });
    }
    let (name, session) = (object_name(&prefix), own.map(encoded));
    let ask = match which {
        Which::One(id) => Ask::End { prefix, id: id.to_text(), session },
        Which::Of(sid, until) => Ask::Logout { prefix, sid: Some(sid.to_owned()), until, token: None },
        Which::Until(until) => Ask::SignOut { prefix, until, all: false, session },
        Which::Whole(until) => Ask::SignOut { prefix, until, all: true, session },
    };
    let reply = account::ask(context, &name, ask).await?;
    let Reply::Ended { entry, left } = reply else { return Err(account::refused(reply)) };
    Ok(Ended { entry, outcome: left.map_or(Ok(()), |left| Err(account::error(left))) })
}

impl Farewell {
    fn add<R: Runtime>(&mut self, ended: Result<Ended, Error>, context: &Context<'_, R>, session: &Session) {
        let outcome = ended.and_then(|Ended { entry, outcome }| {
            let entry = entry.and_then(|entry| token_cache::open(context, session, &entry).ok());
            self.entry = entry.map(Rc::new).or(self.entry.take());
            outcome
        });
        // The first failure is as good as any.
        if self.outcome.is_ok() {
            self.outcome = outcome;
        }
    }
}

/// The entry as far as it is known before it is removed. Doing without is no reason not to sign out.
async fn last_known<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Option<Rc<TokenCacheEntry>> {
    let known = context.app.memory.stale_entry(session.id);
    if known.is_some() || account::is_elsewhere(context) {
        return known;
    }
    token_cache::read(context, session).await.ok()
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

fn object_name(prefix: &str) -> String {
    prefix.trim_end_matches('/').to_owned()
}

fn sid_key<R: Runtime>(context: &Context<'_, R>, sid: &str, keys: &PurposeKeys) -> String {
    SidKey::new(context.app.config.provider.issuer.in_metadata(), sid, keys).as_str().to_owned()
}
