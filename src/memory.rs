//! What one isolate remembers between requests. All of it is a copy or a bound: losing it costs a read, never a session.
//!
//! Everything here is bounded.

mod bearer_tokens;
mod client_credentials;
mod exchanges;
mod generations;
mod introspections;
mod purpose_key;
mod slot;
mod standing_plans;
mod turns;
mod under_way;
mod watermark;

use std::cell::RefCell;
use std::rc::Rc;

use crate::error::Failure;
use crate::oidc::jwks::Jwks;
use crate::oidc::metadata::Metadata;
use crate::oidc::user_flow::UserFlow;
use crate::session::account::AccountDigest;
use crate::session::entry::{CachedAccessToken, TokenCacheEntry};
use crate::session::session::{Session, SessionId};
use crate::time::{Lifetime, Timestamp};
use generations::Generations;

pub use bearer_tokens::{BearerTokenKey, BearerTokens, JudgedBy};
pub use client_credentials::ClientCredentials;
pub use exchanges::{ExchangeFailure, Exchanges};
pub use introspections::{Introspections, Pause};
pub use purpose_key::PurposeKey;
pub use slot::{Held, Slot};
pub use standing_plans::{Asked, StandingPlans};
pub use turns::{Turn, Turns};
pub use under_way::{Begun, UnderWay, Work};
pub use watermark::Watermark;

/// The memory of one isolate.
pub struct Memory {
    entries: RefCell<Generations<SessionId, Remembered>>,
    signed_out: RefCell<Generations<AccountDigest, Timestamp>>,
    ended: RefCell<Generations<SessionId, ()>>,
    failures: RefCell<Generations<PurposeKey, (Failure, Timestamp)>>,
    renewals: RefCell<Generations<PurposeKey, Timestamp>>,
    app_tokens: RefCell<Vec<(String, CachedAccessToken)>>,
    /// The access tokens of machine clients.
    pub bearer_tokens: BearerTokens,
    /// What those were exchanged for.
    pub exchanges: Exchanges,
    /// What the OP said of others.
    pub introspections: Introspections,
    /// The ways in which the client authenticates.
    pub client_credentials: ClientCredentials,
    left_out: RefCell<Vec<String>>,
    /// Whose turn it is to renew the tokens of a session. For an account's object only.
    pub turns: Turns,
    /// What requests are doing for others as well.
    pub under_way: UnderWay,
    /// Up to when every session of the deployment has ended.
    pub everybody: Rc<Watermark>,
    sign_in: Documents,
    edit_profile: Documents,
    reset_password: Documents,
}

/// What the OP publishes about one of its authorities.
pub struct Documents {
    /// The metadata.
    pub metadata: Slot<Metadata>,
    /// The keys.
    pub jwks: Slot<Jwks>,
}

#[derive(Clone)]
struct Remembered {
    entry: Rc<TokenCacheEntry>,
    read_at: Timestamp,
}

impl Documents {
    const fn new() -> Self {
        Self { metadata: Slot::new(), jwks: Slot::new() }
    }
}

impl Memory {
    /// An empty memory for at most `sessions` sessions.
    #[must_use]
    pub fn new(sessions: usize) -> Self {
        Self::beside(sessions, Rc::default())
    }

    /// The same, where other memories go by the same moment up to which every session has ended.
    #[must_use]
    pub fn beside(sessions: usize, everybody: Rc<Watermark>) -> Self {
        Self {
            entries: RefCell::new(Generations::new(sessions)),
            signed_out: RefCell::new(Generations::new(sessions)),
            ended: RefCell::new(Generations::new(sessions)),
            failures: RefCell::new(Generations::new(sessions)),
            renewals: RefCell::new(Generations::new(sessions)),
            app_tokens: RefCell::default(),
            bearer_tokens: BearerTokens::new(sessions),
            exchanges: Exchanges::new(sessions),
            introspections: Introspections::new(sessions),
            client_credentials: ClientCredentials::default(),
            left_out: RefCell::default(),
            turns: Turns::default(),
            under_way: UnderWay::new(sessions),
            everybody,
            sign_in: Documents::new(),
            edit_profile: Documents::new(),
            reset_password: Documents::new(),
        }
    }

    /// What the OP publishes about the authority of a user flow.
    #[must_use]
    pub const fn documents(&self, flow: UserFlow) -> &Documents {
        match flow {
            UserFlow::SignIn => &self.sign_in,
            UserFlow::EditProfile => &self.edit_profile,
            UserFlow::ResetPassword => &self.reset_password,
        }
    }

    /// The entry of a session, if it was read or written within `recheck`.
    #[must_use]
    pub fn entry(&self, session: SessionId, now: Timestamp, recheck: Lifetime) -> Option<Rc<TokenCacheEntry>> {
        let remembered = self.entries.borrow_mut().find(&session)?;
        (remembered.read_at + recheck > now).then_some(remembered.entry)
    }

    /// The entry of a session, however old the copy: for when the store cannot be reached.
    #[must_use]
    pub fn stale_entry(&self, session: SessionId) -> Option<Rc<TokenCacheEntry>> {
        self.entries.borrow_mut().find(&session).map(|remembered| remembered.entry)
    }

    /// Remembers an entry as of `now` and returns the newer of it and the copy already here.
    pub fn remember(&self, session: SessionId, entry: TokenCacheEntry, now: Timestamp) -> Rc<TokenCacheEntry> {
        let mut entries = self.entries.borrow_mut();
        let known = entries.find(&session).map(|remembered| remembered.entry);
        let entry = known.filter(|known| known.revision > entry.revision).unwrap_or_else(|| Rc::new(entry));
        entries.insert(session, Remembered { entry: Rc::clone(&entry), read_at: now });
        entry
    }

    /// Trusts a remembered entry anew, as of `now`.
    pub fn confirm(&self, session: SessionId, entry: Rc<TokenCacheEntry>, now: Timestamp) -> Rc<TokenCacheEntry> {
        self.entries.borrow_mut().insert(session, Remembered { entry: Rc::clone(&entry), read_at: now });
        entry
    }

    /// Forgets a session.
    pub fn forget(&self, session: SessionId) {
        self.entries.borrow_mut().remove(&session);
    }

    /// Forgets the sessions that an index entry leads to.
    pub fn forget_indexed(&self, sid_key: &str) {
        self.entries.borrow_mut().retain(|remembered| remembered.entry.sid_key.as_deref() != Some(sid_key));
    }

    /// Ends every session of the account that began up to `until`, for this isolate. A comparison, not a marker on a
    /// session: nothing that is written afterwards can undo it.
    pub fn sign_out(&self, account: AccountDigest, until: Timestamp) {
        let mut signed_out = self.signed_out.borrow_mut();
        let until = signed_out.find(&account).map_or(until, |watermark| watermark.max(until));
        signed_out.insert(account, until);
    }

    /// The moment at which a session that begins now counts as begun: after the last sign-out of its account, even within
    /// the same second.
    #[must_use]
    pub fn after_sign_out(&self, account: AccountDigest, now: Timestamp) -> Timestamp {
        now.after(self.signed_out.borrow_mut().find(&account))
    }

    /// Ends one session, for this isolate.
    pub fn end(&self, session: SessionId) {
        self.ended.borrow_mut().insert(session, ());
        self.forget(session);
    }

    /// Whether a session was ended as far as this isolate saw: by itself, with its account, or with everybody's.
    #[must_use]
    pub fn has_ended(&self, session: &Session) -> bool {
        let with_account = self.signed_out.borrow_mut().find(&session.account);
        with_account.is_some_and(|watermark| session.issued_at <= watermark)
            || self.everybody.covers(session.issued_at)
            || self.ended.borrow_mut().find(&session.id).is_some()
    }

    /// Remembers until a moment why a session's token could not be renewed, so that a crowd does not ask the OP one by
    /// one. `purpose` names what the token was for.
    pub fn failed(&self, session: SessionId, purpose: &str, failure: Failure, until: Timestamp) {
        self.failures.borrow_mut().insert(PurposeKey::of_session(session, purpose), (failure, until));
    }

    /// Why a session's token could not be renewed just now.
    #[must_use]
    pub fn recent_failure(&self, session: SessionId, purpose: &str, now: Timestamp) -> Option<Failure> {
        let key = PurposeKey::of_session(session, purpose);
        let (failure, until) = self.failures.borrow_mut().find(&key).filter(|(_, until)| *until > now)?;
        Some(failure.with_pause(until.since(now)))
    }

    /// Whether to begin renewing an API's token in the background: once within `pause`, however many requests ask.
    #[must_use]
    pub fn begins_renewal(&self, session: SessionId, api: &str, now: Timestamp, pause: Lifetime) -> bool {
        let key = PurposeKey::of_session(session, api);
        let mut renewals = self.renewals.borrow_mut();
        if renewals.find(&key).is_some_and(|begun_at| begun_at + pause > now) {
            return false;
        }
        renewals.insert(key, now);
        true
    }

    /// Notes that a header or claim, one of those that are configured, was left out; tells whether that is news.
    pub fn is_left_out_anew(&self, name: &str) -> bool {
        let mut left_out = self.left_out.borrow_mut();
        let is_new = !left_out.iter().any(|known| known == name);
        if is_new {
            left_out.push(name.to_owned());
        }
        is_new
    }

    /// The application's own token for an API.
    #[must_use]
    pub fn app_token(&self, api: &str) -> Option<CachedAccessToken> {
        let app_tokens = self.app_tokens.borrow();
        app_tokens.iter().find(|(name, _)| name == api).map(|(_, token)| token.clone())
    }

    /// Remembers the application's own token for an API, one of those that are configured.
    pub fn remember_app_token(&self, api: &str, token: CachedAccessToken) {
        let mut app_tokens = self.app_tokens.borrow_mut();
        app_tokens.retain(|(name, _)| name != api);
        app_tokens.push((api.to_owned(), token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::secret::Secret;
    use crate::session::keys::KeyRing;

    #[test]
    fn a_sign_out_ends_earlier_sessions_and_not_later_ones() {
        let memory = Memory::new(10);
        let account = AccountDigest::from_subject("https://op.example", "alice");
        memory.sign_out(account, Timestamp::from_unix(100));
        let session = |id, issued_at| Session {
            id: SessionId::from_bytes([id; 16]),
            account,
            issued_at: Timestamp::from_unix(issued_at),
            idle_expires_at: Timestamp::from_unix(900),
            absolute_expires_at: Timestamp::from_unix(900),
            record_key: Secret::new([0; 32]),
            named_by: KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![] }).current().id(),
        };
        assert!(memory.has_ended(&session(1, 100)) && !memory.has_ended(&session(1, 101)));
        memory.end(SessionId::from_bytes([1; 16]));
        assert!(memory.has_ended(&session(1, 101)) && !memory.has_ended(&session(2, 101)));
        memory.everybody.raise(Timestamp::from_unix(101));
        assert!(memory.has_ended(&session(2, 101)) && !memory.has_ended(&session(2, 102)));
        assert_eq!(memory.after_sign_out(account, Timestamp::from_unix(100)), Timestamp::from_unix(101));
        assert_eq!(memory.after_sign_out(account, Timestamp::from_unix(200)), Timestamp::from_unix(200));
    }

    #[test]
    fn the_sessions_of_an_index_entry_are_forgotten_and_no_others() {
        let memory = Memory::new(4);
        let now = Timestamp::from_unix(100);
        let sid_keys = [Some("sid/a"), Some("sid/b"), None, Some("sid/a")];
        let sessions = [1, 2, 3, 4].map(|byte| SessionId::from_bytes([byte; 16]));
        for (session, sid_key) in sessions.into_iter().zip(sid_keys) {
            let mut entry = TokenCacheEntry::new("https://op.example".to_owned(), serde_json::Map::new(), now);
            entry.sid_key = sid_key.map(str::to_owned);
            memory.remember(session, entry, now);
        }
        memory.forget_indexed("sid/a");
        let known = sessions.map(|session| memory.stale_entry(session).is_some());
        assert_eq!(known, [false, true, true, false]);
    }
}
