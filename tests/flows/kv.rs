//! Workers KV in memory: expiry by the world's clock, a record of everything done, and faults on demand.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vestibule::runtime::{KvListing, StoreFault};
use vestibule::time::{Lifetime, Timestamp};

/// What was done to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Get(String),
    Put(String, u64),
    Delete(String),
    List(String),
}

#[derive(Clone)]
struct Stored {
    value: Vec<u8>,
    metadata: String,
    expires_at: Timestamp,
}

#[derive(Default)]
pub(crate) struct Kv {
    values: RefCell<BTreeMap<String, Stored>>,
    operations: RefCell<Vec<Operation>>,
    failing: RefCell<Vec<(StoreFault, String)>>,
    unlisted: RefCell<Vec<String>>,
}

impl Kv {
    pub(crate) fn get(&self, key: &str, now: Timestamp) -> Result<Option<Vec<u8>>, StoreFault> {
        self.record(Operation::Get(key.to_owned()));
        self.fail(StoreFault::Get, key)?;
        let values = self.values.borrow();
        Ok(values.get(key).filter(|stored| stored.expires_at > now).map(|stored| stored.value.clone()))
    }

    pub(crate) fn put(
        &self,
        key: &str,
        value: &[u8],
        metadata: &str,
        ends: (Timestamp, Lifetime),
    ) -> Result<(), StoreFault> {
        let (now, lifetime) = ends;
        self.record(Operation::Put(key.to_owned(), lifetime.as_seconds()));
        assert!(lifetime.as_seconds() >= 60, "Workers KV refuses a life of {lifetime}");
        assert!(key.len() <= 512 && metadata.len() <= 1024, "Workers KV refuses {key} with {metadata}");
        self.fail(StoreFault::Put, key)?;
        let stored = Stored { value: value.to_vec(), metadata: metadata.to_owned(), expires_at: now + lifetime };
        self.values.borrow_mut().insert(key.to_owned(), stored);
        Ok(())
    }

    pub(crate) fn delete(&self, key: &str) -> Result<(), StoreFault> {
        self.record(Operation::Delete(key.to_owned()));
        self.fail(StoreFault::Delete, key)?;
        self.values.borrow_mut().remove(key);
        Ok(())
    }

    pub(crate) fn list(&self, prefix: &str, now: Timestamp) -> Result<Vec<KvListing>, StoreFault> {
        self.record(Operation::List(prefix.to_owned()));
        self.fail(StoreFault::List, prefix)?;
        let values = self.values.borrow();
        let unlisted = self.unlisted.borrow();
        let listed = values
            .iter()
            .filter(|(key, stored)| key.starts_with(prefix) && stored.expires_at > now && !unlisted.contains(key));
        Ok(listed
            .map(|(key, stored)| KvListing { key: key.clone(), metadata: Some(stored.metadata.clone()) })
            .collect())
    }

    /// From now on `fault` comes of every such operation on keys with `prefix`.
    pub(crate) fn fail_at(&self, fault: StoreFault, prefix: &str) {
        self.failing.borrow_mut().push((fault, prefix.to_owned()));
    }

    pub(crate) fn recover(&self) {
        self.failing.borrow_mut().clear();
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

    /// Puts a value in place behind the code's back, as a stale replica or an intruder would.
    pub(crate) fn plant(&self, key: &str, value: Vec<u8>) {
        let stored = Stored { value, metadata: "{}".to_owned(), expires_at: Timestamp::from_unix(u64::MAX) };
        self.values.borrow_mut().insert(key.to_owned(), stored);
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
