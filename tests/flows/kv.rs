//! Workers KV in memory: a centre, and at each location copies of what was read or written there. Expiry goes by the
//! world's clock; everything done is recorded; faults come on demand.
//!
//! A location that has read a key, or found it missing, or changed it, goes on seeing that for a minute. Whoever
//! writes last wins.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use vestibule::runtime::{KV_PAGE, KvListing, KvPage, StoreFault};
use vestibule::time::{Lifetime, Timestamp};

/// What was done to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get(String),
    Put(String, u64),
    Delete(String),
    List(String),
}

/// A value as the store keeps it.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) value: Vec<u8>,
    pub(crate) metadata: String,
    pub(crate) expires_at: Timestamp,
}

/// Where and when something is done.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) location: usize,
    pub(crate) now: Timestamp,
}

/// What a location believes, and until when.
struct Copied {
    stored: Option<Stored>,
    until: Timestamp,
}

#[derive(Default)]
pub(crate) struct Kv {
    values: RefCell<BTreeMap<String, Stored>>,
    copies: RefCell<BTreeMap<(usize, String), Copied>>,
    changed_at: RefCell<BTreeMap<String, Timestamp>>,
    delayed: RefCell<Vec<(At, String, Stored)>>,
    operations: RefCell<Vec<Operation>>,
    failing: RefCell<Vec<(StoreFault, String)>>,
    losing: RefCell<Vec<String>>,
    delaying: RefCell<Vec<String>>,
    lagging: RefCell<Vec<String>>,
    unlisted: RefCell<Vec<String>>,
    /// Whether it is a database, which every location sees as it is.
    pub(crate) is_database: Cell<bool>,
    /// Whether a second change of a key within the same second is refused.
    pub(crate) throttles: Cell<bool>,
    /// The most keys of a page of a listing, where that is less than usual.
    pub(crate) page: Cell<Option<usize>>,
}

impl Kv {
    pub(crate) fn get(&self, at: At, key: &str) -> Result<Option<Vec<u8>>, StoreFault> {
        self.record(Operation::Get(key.to_owned()));
        self.fail(StoreFault::Get, key)?;
        let is_current = |stored: &Stored| stored.expires_at > at.now;
        let mut copies = self.copies.borrow_mut();
        let place = (at.location, key.to_owned());
        if self.is_database.get() || copies.get(&place).is_none_or(|copied| copied.until <= at.now) {
            let stored = self.values.borrow().get(key).cloned().filter(is_current);
            copies.insert(place.clone(), Copied { stored, until: at.now + COPY_LIFETIME });
        }
        Ok(copies[&place].stored.clone().filter(is_current).map(|stored| stored.value))
    }

    pub(crate) fn put(&self, at: At, key: &str, stored: Stored) -> Result<(), StoreFault> {
        let lifetime = stored.expires_at.since(at.now);
        self.record(Operation::Put(key.to_owned(), lifetime.as_seconds()));
        assert!(lifetime.as_seconds() >= 60, "Workers KV refuses a life of {lifetime}");
        let metadata = &stored.metadata;
        assert!(key.len() <= 512 && metadata.len() <= 1024, "Workers KV refuses {key} with {metadata}");
        self.change(StoreFault::Put, at, key, Some(stored))
    }

    /// A database knows whether there is something to be replaced.
    pub(crate) fn replace(&self, at: At, key: &str, stored: Stored) -> Result<bool, StoreFault> {
        let is_there = self.values.borrow().get(key).is_some_and(|stored| stored.expires_at > at.now);
        if self.is_database.get() && !is_there {
            self.record(Operation::Put(key.to_owned(), 0));
            return self.fail(StoreFault::Put, key).map(|()| false);
        }
        self.put(at, key, stored).map(|()| true)
    }

    /// A database deletes all of them or none.
    pub(crate) fn delete_all(&self, at: At, keys: &[&str]) -> Result<(), StoreFault> {
        keys.iter().try_for_each(|key| self.fail(StoreFault::Delete, key))?;
        keys.iter().try_for_each(|key| self.delete(at, key))
    }

    pub(crate) fn delete(&self, at: At, key: &str) -> Result<(), StoreFault> {
        self.record(Operation::Delete(key.to_owned()));
        self.change(StoreFault::Delete, at, key, None)
    }

    /// A page; the cursor is the last key of the page before.
    pub(crate) fn list(&self, at: At, prefix: &str, cursor: Option<&str>) -> Result<KvPage, StoreFault> {
        self.record(Operation::List(prefix.to_owned()));
        self.fail(StoreFault::List, prefix)?;
        let values = self.values.borrow();
        let unlisted = self.unlisted.borrow();
        let listed = values
            .iter()
            .filter(|(key, stored)| key.starts_with(prefix) && stored.expires_at > at.now && !unlisted.contains(key))
            .filter(|(key, _)| cursor.is_none_or(|cursor| key.as_str() > cursor));
        let page = self.page.get().unwrap_or(KV_PAGE);
        let mut listings: Vec<_> = listed
            .map(|(key, stored)| KvListing { key: key.clone(), metadata: Some(stored.metadata.clone()) })
            .take(page + 1)
            .collect();
        let has_more = listings.len() > page;
        listings.truncate(page);
        let cursor = listings.last().filter(|_| has_more).map(|last| last.key.clone());
        Ok(KvPage { listings, cursor })
    }

    /// From now on `fault` comes of every such operation on keys with `prefix`.
    pub(crate) fn fail_at(&self, fault: StoreFault, prefix: &str) {
        self.failing.borrow_mut().push((fault, prefix.to_owned()));
    }

    /// From now on changes of keys with `prefix` are made and reported as failed.
    pub(crate) fn lose_acknowledgements(&self, prefix: &str) {
        self.losing.borrow_mut().push(prefix.to_owned());
    }

    /// From now on values for keys with `prefix` are reported as failed and written by [`Self::deliver_late`].
    pub(crate) fn delay_puts(&self, prefix: &str) {
        self.delaying.borrow_mut().push(prefix.to_owned());
    }

    /// From now on values for keys with `prefix` are seen where they were written, and elsewhere only after
    /// [`Self::deliver_late`].
    pub(crate) fn lag_behind(&self, prefix: &str) {
        self.lagging.borrow_mut().push(prefix.to_owned());
    }

    /// Writes what was delayed, whatever has happened to those keys meanwhile.
    pub(crate) fn deliver_late(&self) {
        for (at, key, stored) in self.delayed.take() {
            self.apply(at, &key, Some(stored));
        }
    }

    fn copy_to(&self, at: At, key: &str, stored: Option<Stored>) {
        let copied = Copied { stored, until: at.now + COPY_LIFETIME };
        self.copies.borrow_mut().insert((at.location, key.to_owned()), copied);
    }

    /// Ends every fault. What was delayed is still under way.
    pub(crate) fn recover(&self) {
        self.failing.take();
        self.losing.take();
        self.delaying.take();
        self.lagging.take();
    }

    /// Listings lag behind: what is there now stays out of them.
    pub(crate) fn hide_from_listings(&self) {
        *self.unlisted.borrow_mut() = self.values.borrow().keys().cloned().collect();
    }

    /// The keys with `prefix` that are there now.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.values.borrow().keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    /// Everything stored, values and names, as an eavesdropper would have it.
    pub(crate) fn dump(&self) -> Vec<(String, Vec<u8>, String)> {
        let values = self.values.borrow();
        values.iter().map(|(key, stored)| (key.clone(), stored.value.clone(), stored.metadata.clone())).collect()
    }

    pub(crate) fn value(&self, key: &str) -> Vec<u8> {
        self.values.borrow()[key].value.clone()
    }

    /// Puts a value in place behind the code's back and everywhere, as an intruder would.
    pub(crate) fn plant(&self, key: &str, value: Vec<u8>) {
        let stored = Stored { value, metadata: "{}".to_owned(), expires_at: Timestamp::from_unix(u64::MAX) };
        self.values.borrow_mut().insert(key.to_owned(), stored);
        self.copies.borrow_mut().retain(|(_, copied), _| copied != key);
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.operations.borrow().clone()
    }

    /// The keys written or deleted so far.
    pub(crate) fn changes(&self) -> Vec<String> {
        let operations = self.operations.borrow();
        let changed = operations.iter().filter_map(|operation| match operation {
            Operation::Put(key, _) | Operation::Delete(key) => Some(key.clone()),
            Operation::Get(_) | Operation::List(_) => None,
        });
        changed.collect()
    }

    fn change(&self, fault: StoreFault, at: At, key: &str, stored: Option<Stored>) -> Result<(), StoreFault> {
        self.fail(fault, key)?;
        if self.throttles.get() && self.changed_at.borrow().get(key) == Some(&at.now) {
            return Err(fault);
        }
        if let Some(stored) = stored.clone().filter(|_| is_covered(key, &self.delaying)) {
            self.delayed.borrow_mut().push((at, key.to_owned(), stored));
            return Err(fault);
        }
        if let Some(stored) = stored.clone().filter(|_| is_covered(key, &self.lagging)) {
            self.copy_to(at, key, Some(stored.clone()));
            self.delayed.borrow_mut().push((at, key.to_owned(), stored));
            return Ok(());
        }
        self.apply(at, key, stored);
        self.changed_at.borrow_mut().insert(key.to_owned(), at.now);
        if is_covered(key, &self.losing) { Err(fault) } else { Ok(()) }
    }

    /// At its own location a change is seen at once.
    fn apply(&self, at: At, key: &str, stored: Option<Stored>) {
        self.copy_to(at, key, stored.clone());
        match stored {
            Some(stored) => self.values.borrow_mut().insert(key.to_owned(), stored),
            None => self.values.borrow_mut().remove(key),
        };
    }

    fn record(&self, operation: Operation) {
        self.operations.borrow_mut().push(operation);
    }

    fn fail(&self, fault: StoreFault, key: &str) -> Result<(), StoreFault> {
        let failing = self.failing.borrow();
        if failing.iter().any(|(which, prefix)| *which == fault && key.starts_with(prefix.as_str())) {
            return Err(fault);
        }
        Ok(())
    }
}

fn is_covered(key: &str, prefixes: &RefCell<Vec<String>>) -> bool {
    prefixes.borrow().iter().any(|prefix| key.starts_with(prefix.as_str()))
}

const COPY_LIFETIME: Lifetime = Lifetime::from_seconds(60);
