//! Ending sessions for their user or for an operator, wherever the account is kept and under every name that it has: one
//! for each key of the ring.

use std::rc::Rc;

use super::account::{self, Ask, Chosen, Reply, encoded, kv_alone};
use super::{Context, token_cache};
use crate::error::Error;
use crate::runtime::Runtime;
use crate::session::account::AccountDigest;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::{Session, SessionId};
use crate::session::storage_key::EntryKey;
use crate::time::Timestamp;

/// What is left of a session whose user signs out.
pub(super) struct Farewell {
    /// Its last entry, if it has ended: the OP gets its hints and its refresh token.
    pub(super) entry: Option<Rc<TokenCacheEntry>>,
    /// Whether nothing of it is left here.
    pub(super) outcome: Result<(), Error>,
}

/// Ends every session of the user's account, and deletes what is kept of them, whether or not it can be opened.
pub(super) async fn account<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Farewell {
    let until = context.now.max(session.issued_at);
    let mut farewell = Farewell { entry: last_known(context, session).await, outcome: Ok(()) };
    let memory = &context.realm.memory;
    if !account::is_elsewhere(context) {
        // From this moment on a refresh that is under way in this isolate keeps nothing.
        memory.sign_out(session.account, until);
    }
    for keys in context.realm.ring.all() {
        let (prefix, chosen) = (session.account.prefix(keys), Chosen::Whole(until));
        if keys.id() == session.named_by {
            farewell.own(end(context, prefix, chosen, Some(session), None).await, context, session);
        } else {
            farewell.other(end(context, prefix, chosen, None, None).await);
        }
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
    if let Some(keys) = context.realm.ring.find(session.named_by) {
        let prefix = session.account.prefix(keys);
        let ended = end(context, prefix, Chosen::One(session.id), Some(session), kept).await;
        farewell.own(ended, context, session);
    }
    context.realm.memory.forget(session.id);
    farewell
}

/// Ends one session of an account, known by its id.
pub(super) async fn by_id<R: Runtime>(
    context: &Context<'_, R>,
    account: AccountDigest,
    id: SessionId,
) -> Result<(), Error> {
    // No more than that: it may be anybody's.
    context.realm.memory.forget(id);
    for prefix in account.prefixes(&context.realm.ring) {
        end(context, prefix, Chosen::One(id), None, None).await?.outcome?;
    }
    Ok(())
}

/// Ends the sessions of an account that began up to a moment; all of them if that is now.
pub(super) async fn by_operator<R: Runtime>(
    context: &Context<'_, R>,
    account: AccountDigest,
    until: Timestamp,
) -> Result<(), Error> {
    if !account::is_elsewhere(context) {
        // From this moment on a refresh that is under way in this isolate keeps nothing.
        context.realm.memory.sign_out(account, until);
    }
    for prefix in account.prefixes(&context.realm.ring) {
        under(context, prefix, Chosen::until(until, context.now)).await?;
    }
    context.realm.memory.sign_out(account, until);
    Ok(())
}

/// Ends sessions under one name of an account: what the names of its entries begin with.
pub(super) async fn under<R: Runtime>(context: &Context<'_, R>, prefix: String, chosen: Chosen) -> Result<(), Error> {
    end(context, prefix, chosen, None, None).await?.outcome
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
    chosen: Chosen,
    own: Option<&Session>,
    kept: Option<&str>,
) -> Result<Ended, Error> {
    if !account::is_elsewhere(context) {
        let sid =
            |session: &Session| context.realm.memory.stale_entry(session.id).and_then(|entry| entry.sid_key.clone());
        let own = own.map(|session| (EntryKey::under(&prefix, session.id).as_str().to_owned(), sid(session)));
        kv_alone::end(context, (&prefix, chosen.into()), own, kept).await.map_err(account::error)?;
        return Ok(Ended { entry: None, outcome: Ok(()) });
    }
    let (name, session) = (account::object_under(&prefix), own.map(encoded));
    let ask = match chosen {
        Chosen::One(id) => Ask::End { prefix, id: id.to_text(), session },
        Chosen::Until(until) => Ask::SignOut { prefix, until, all: false, session },
        Chosen::Whole(until) => Ask::SignOut { prefix, until, all: true, session },
    };
    let reply = account::ask(context, &name, ask).await?;
    let Reply::Ended { entry, left } = reply else { return Err(account::refused(reply)) };
    Ok(Ended { entry, outcome: left.map_or(Ok(()), |left| Err(account::error(left))) })
}

impl Farewell {
    /// Takes what came of the session itself, under the name that it has.
    fn own<R: Runtime>(&mut self, ended: Result<Ended, Error>, context: &Context<'_, R>, session: &Session) {
        match &ended {
            // It goes on, and needs its tokens.
            Err(_) => self.entry = None,
            Ok(Ended { entry, .. }) => {
                let entry = entry.as_deref().and_then(|entry| token_cache::open(context, session, entry).ok());
                self.entry = entry.map(Rc::new).or(self.entry.take());
            }
        }
        self.other(ended);
    }

    /// Takes what came of another name of the account. The first failure is as good as any.
    fn other(&mut self, ended: Result<Ended, Error>) {
        if self.outcome.is_ok() {
            self.outcome = ended.and_then(|ended| ended.outcome);
        }
    }
}

/// The entry as far as it is known before it is removed. Doing without is no reason not to sign out.
async fn last_known<R: Runtime>(context: &Context<'_, R>, session: &Session) -> Option<Rc<TokenCacheEntry>> {
    let known = context.realm.memory.stale_entry(session.id);
    if known.is_some() || account::is_elsewhere(context) {
        return known;
    }
    token_cache::read(context, session).await.ok()
}
