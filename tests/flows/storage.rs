//! The storage of an account's object, in memory: what is written is seen at once and survives a crash only once it has
//! been flushed or a reply has left.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::future;
use std::rc::Rc;

use vestibule::runtime::{AccountStorage, StoreFault, StoredSession};
use vestibule::session::session::SessionId;
use vestibule::time::{Lifetime, Timestamp};

use crate::schedule::Pause;

/// The faults of every storage; crashes happen once.
#[derive(Clone, Default)]
pub(crate) struct StorageFaults {
    pub(crate) fails: Rc<Cell<bool>>,
    pub(crate) crash_before_flush: Rc<Cell<bool>>,
    pub(crate) crash_after_flush: Rc<Cell<bool>>,
}

#[derive(Clone, Default)]
struct State {
    sessions: BTreeMap<[u8; 16], StoredSession>,
    valid_after: Option<Timestamp>,
    spent: BTreeMap<String, Timestamp>,
    deletions: BTreeSet<String>,
    alarm: Option<Timestamp>,
}

#[derive(Default)]
pub(crate) struct Storage {
    state: RefCell<State>,
    durable: RefCell<State>,
    faults: StorageFaults,
    pauses: Rc<Cell<bool>>,
    crashes: Cell<bool>,
}

impl Storage {
    pub(crate) fn new(faults: StorageFaults, pauses: Rc<Cell<bool>>) -> Self {
        Self { faults, pauses, ..Self::default() }
    }

    /// Every session, by its id.
    pub(crate) fn sessions(&self) -> Vec<(SessionId, StoredSession)> {
        let state = self.state.borrow();
        state.sessions.iter().map(|(id, session)| (SessionId::from_bytes(*id), session.clone())).collect()
    }

    pub(crate) fn alarm(&self) -> Option<Timestamp> {
        self.state.borrow().alarm
    }

    /// Whether the alarm is due; a crash before [`Self::commit`] sets it again.
    pub(crate) fn takes_alarm(&self, now: Timestamp) -> bool {
        self.state.borrow_mut().alarm.take_if(|alarm| *alarm <= now).is_some()
    }

    /// The highest revision among what is durable.
    pub(crate) fn durable_revision(&self) -> u64 {
        self.durable.borrow().sessions.values().map(|session| session.revision).max().unwrap_or_default()
    }

    /// Makes durable what has been written.
    pub(crate) fn commit(&self) {
        *self.durable.borrow_mut() = self.state.borrow().clone();
    }

    /// Loses what is not durable.
    pub(crate) fn roll_back(&self) {
        *self.state.borrow_mut() = self.durable.borrow().clone();
    }

    /// Whether the object has to crash now.
    pub(crate) fn crashes(&self) -> bool {
        self.crashes.take()
    }

    async fn crash_if(&self, fault: &Cell<bool>) {
        if fault.take() {
            self.crashes.set(true);
            future::pending().await
        }
    }

    fn works(&self) -> Result<(), StoreFault> {
        if self.faults.fails.get() { Err(StoreFault::Account) } else { Ok(()) }
    }
}

impl AccountStorage for Storage {
    fn session(&self, id: SessionId) -> Result<Option<StoredSession>, StoreFault> {
        self.works()?;
        Ok(self.state.borrow().sessions.get(id.as_bytes()).cloned())
    }

    fn sessions(&self) -> Result<Vec<(SessionId, StoredSession)>, StoreFault> {
        self.works()?;
        let state = self.state.borrow();
        Ok(state.sessions.iter().map(|(id, session)| (SessionId::from_bytes(*id), session.clone())).collect())
    }

    fn put_session(&self, id: SessionId, session: &StoredSession) -> Result<(), StoreFault> {
        self.works()?;
        self.state.borrow_mut().sessions.insert(*id.as_bytes(), session.clone());
        Ok(())
    }

    fn valid_after(&self) -> Result<Option<Timestamp>, StoreFault> {
        self.works()?;
        Ok(self.state.borrow().valid_after)
    }

    fn end_until(&self, until: Timestamp) -> Result<(), StoreFault> {
        self.works()?;
        let mut state = self.state.borrow_mut();
        state.valid_after = state.valid_after.max(Some(until));
        state.sessions.retain(|_, session| session.issued_at > until);
        Ok(())
    }

    fn is_spent(&self, token: &str) -> Result<bool, StoreFault> {
        self.works()?;
        Ok(self.state.borrow().spent.contains_key(token))
    }

    fn spend(&self, token: &str, expires_at: Timestamp) -> Result<bool, StoreFault> {
        self.works()?;
        Ok(self.state.borrow_mut().spent.insert(token.to_owned(), expires_at).is_none())
    }

    fn will_delete(&self, key: &str) -> Result<(), StoreFault> {
        self.works()?;
        self.state.borrow_mut().deletions.insert(key.to_owned());
        Ok(())
    }

    fn to_delete(&self) -> Result<Vec<String>, StoreFault> {
        self.works()?;
        Ok(self.state.borrow().deletions.iter().cloned().collect())
    }

    fn deleted(&self, key: &str) -> Result<(), StoreFault> {
        self.works()?;
        self.state.borrow_mut().deletions.remove(key);
        Ok(())
    }

    fn expire(&self, now: Timestamp, longest: Lifetime) -> Result<Option<Timestamp>, StoreFault> {
        self.works()?;
        let mut state = self.state.borrow_mut();
        state.sessions.retain(|_, session| session.expires_at > now);
        state.valid_after = state.valid_after.filter(|valid_after| *valid_after + longest > now);
        state.spent.retain(|_, expires_at| *expires_at > now);
        let ends = state.sessions.values().map(|session| session.expires_at);
        let next = ends.chain(state.spent.values().copied()).min();
        Ok(next.or(state.valid_after.map(|valid_after| valid_after + longest)))
    }

    fn wake_at(&self, moment: Timestamp) -> Result<(), StoreFault> {
        self.works()?;
        let mut state = self.state.borrow_mut();
        state.alarm = Some(state.alarm.map_or(moment, |earlier| earlier.min(moment)));
        Ok(())
    }

    async fn flush(&self) -> Result<(), StoreFault> {
        self.crash_if(&self.faults.crash_before_flush).await;
        Pause(self.pauses.get()).await;
        self.works()?;
        self.commit();
        self.crash_if(&self.faults.crash_after_flush).await;
        Ok(())
    }
}
