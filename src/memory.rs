//! What one isolate remembers between requests. All of it is a copy or a bound: losing it costs a read, never a session.
//!
//! Everything here is bounded. Sessions live in two generations: when the young one is full it becomes the old one and
//! the previous old one is forgotten, so that eviction costs nothing and what is in use survives.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

use crate::oidc::jwks::Jwks;
use crate::oidc::metadata::Metadata;
use crate::runtime::TransportFault;
use crate::session::account::AccountDigest;
use crate::session::entry::TokenCacheEntry;
use crate::session::session::SessionId;
use crate::time::{Lifetime, Timestamp};

/// The memory of one isolate.
pub struct Memory {
    entries: RefCell<Generations<SessionId, Remembered>>,
    signed_out: RefCell<Generations<AccountDigest, Timestamp>>,
    /// The OP's metadata.
    pub metadata: Slot<Metadata>,
    /// The OP's keys.
    pub jwks: Slot<Jwks>,
}

/// One document of the OP, and the last failure to get it.
pub struct Slot<T> {
    held: RefCell<Option<Held<T>>>,
    failure: Cell<Option<(TransportFault, Timestamp)>>,
}

/// A document and where it has been.
pub struct Held<T> {
    /// The parsed document.
    pub document: Rc<T>,
    /// The bytes it was parsed from.
    pub source: Rc<[u8]>,
    /// When the OP sent it.
    pub fetched_at: Timestamp,
    /// Whether the store has it.
    pub is_stored: bool,
}

#[derive(Clone)]
struct Remembered {
    entry: Rc<TokenCacheEntry>,
    read_at: Timestamp,
}

impl Memory {
    /// An empty memory for at most `sessions` sessions.
    #[must_use]
    pub fn new(sessions: usize) -> Self {
        Self {
            entries: RefCell::new(Generations::new(sessions)),
            signed_out: RefCell::new(Generations::new(sessions)),
            metadata: Slot::new(),
            jwks: Slot::new(),
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

    /// Forgets a session.
    pub fn forget(&self, session: SessionId) {
        self.entries.borrow_mut().remove(&session);
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
        let watermark = self.signed_out.borrow_mut().find(&account);
        watermark.map_or(now, |watermark| now.max(watermark + Lifetime::from_seconds(1)))
    }

    /// Whether a session that began at `issued_at` was ended by a sign-out of its account that this isolate saw.
    #[must_use]
    pub fn is_signed_out(&self, account: AccountDigest, issued_at: Timestamp) -> bool {
        self.signed_out.borrow_mut().find(&account).is_some_and(|watermark| issued_at <= watermark)
    }
}

impl<T> Slot<T> {
    const fn new() -> Self {
        Self { held: RefCell::new(None), failure: Cell::new(None) }
    }

    /// The document and when it was fetched.
    #[must_use]
    pub fn read(&self) -> Option<(Rc<T>, Timestamp)> {
        self.held.borrow().as_ref().map(|held| (Rc::clone(&held.document), held.fetched_at))
    }

    /// Puts a document in place.
    pub fn hold(&self, held: Held<T>) {
        *self.held.borrow_mut() = Some(held);
        self.failure.set(None);
    }

    /// Remembers that the OP could not be reached, so that a crowd of visitors does not wait for it one by one.
    pub fn failed(&self, fault: TransportFault, now: Timestamp) {
        self.failure.set(Some((fault, now)));
    }

    /// How the OP failed within the last `pause`.
    #[must_use]
    pub fn recent_failure(&self, now: Timestamp, pause: Lifetime) -> Option<TransportFault> {
        self.failure.get().filter(|(_, failed_at)| *failed_at + pause > now).map(|(fault, _)| fault)
    }

    /// The bytes and time of a document that the store does not have yet. From here on it counts as stored.
    #[must_use]
    pub fn take_unstored(&self) -> Option<(Rc<[u8]>, Timestamp)> {
        let mut slot = self.held.borrow_mut();
        let held = slot.as_mut().filter(|held| !held.is_stored)?;
        held.is_stored = true;
        Some((Rc::clone(&held.source), held.fetched_at))
    }
}

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    capacity: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Generations<K, V> {
    fn new(capacity: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), capacity: capacity.div_ceil(2).max(1) }
    }

    fn find(&mut self, key: &K) -> Option<V> {
        if let Some(value) = self.young.get(key) {
            return Some(value.clone());
        }
        let value = self.old.remove(key)?;
        self.insert(key.clone(), value.clone());
        Some(value)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.young.len() >= self.capacity && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    fn remove(&mut self, key: &K) {
        self.young.remove(key);
        self.old.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_keeps_what_is_in_use() {
        let mut generations = Generations::new(10);
        for number in 0..1000 {
            generations.insert(number, number);
            assert_eq!(generations.find(&0), (number < 1000).then_some(0));
        }
        assert!(generations.young.len() + generations.old.len() <= 10);
        assert_eq!(generations.find(&1), None);
    }

    #[test]
    fn a_sign_out_ends_earlier_sessions_and_not_later_ones() {
        let memory = Memory::new(10);
        let account = AccountDigest::from_subject("https://op.example", "alice");
        memory.sign_out(account, Timestamp::from_unix(100));
        assert!(memory.is_signed_out(account, Timestamp::from_unix(100)));
        assert!(!memory.is_signed_out(account, Timestamp::from_unix(101)));
        assert_eq!(memory.after_sign_out(account, Timestamp::from_unix(100)), Timestamp::from_unix(101));
        assert_eq!(memory.after_sign_out(account, Timestamp::from_unix(200)), Timestamp::from_unix(200));
    }
}
