//! One document of the OpenID Provider, as this isolate has it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::runtime::TransportFault;
use crate::time::{Lifetime, Timestamp};

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

impl<T> Slot<T> {
    pub(super) const fn new() -> Self {
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
