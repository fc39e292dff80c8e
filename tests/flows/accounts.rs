//! The accounts' objects: one for each name, wherever it is called from, with a memory and a storage of its own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use serde_json::Value;
use vestibule::app::App;
use vestibule::runtime::{AccountStorage, StoreFault, StoredSession};
use vestibule::session::session::SessionId;
use vestibule::time::Timestamp;

use crate::deployment;
use crate::schedule::Task;
use crate::storage::{Storage, StorageFaults};

/// One account's object.
pub(crate) struct Object {
    /// Where it was called first: it stays there.
    pub(crate) location: usize,
    pub(crate) storage: Storage,
    app: RefCell<Rc<App>>,
    /// How often it was started anew.
    life: Cell<u64>,
    running: RefCell<Vec<Waker>>,
}

pub(crate) struct Accounts {
    objects: RefCell<BTreeMap<String, Rc<Object>>>,
    calls: RefCell<Vec<String>>,
    environment: Rc<RefCell<Value>>,
    pauses: Rc<Cell<bool>>,
    faults: StorageFaults,
    /// Whether every call fails.
    pub(crate) is_down: Cell<bool>,
    /// The call that fails, counted from 0, if one does.
    pub(crate) fails_at: Cell<Option<usize>>,
    /// Whether every call of a storage fails.
    pub(crate) storage_fails: Rc<Cell<bool>>,
    /// The next flush loses everything that is not durable yet, and the object's memory.
    pub(crate) crash_before_flush: Rc<Cell<bool>>,
    /// The next flush is done, and then the object's memory is lost.
    pub(crate) crash_after_flush: Rc<Cell<bool>>,
    /// The next call is served, but the object's memory is lost and the reply with it.
    pub(crate) crash_before_reply: Cell<bool>,
    /// The next call is served, and only its reply is lost.
    pub(crate) lose_reply: Cell<bool>,
    /// Whether calls come from a Worker of a version that knew one provider only.
    pub(crate) names_no_provider: Cell<bool>,
}

impl Object {
    /// The object's memory.
    pub(crate) fn app(&self) -> Rc<App> {
        Rc::clone(&self.app.borrow())
    }

    pub(crate) fn life(&self) -> u64 {
        self.life.get()
    }

    /// Does some work inside the object. A crash ends everything that runs there.
    pub(crate) async fn run<T>(&self, accounts: &Accounts, mut work: Task<'_, T>) -> Result<T, StoreFault> {
        let life = self.life();
        let finished = poll_fn(|context| {
            if self.life() != life {
                return Poll::Ready(None);
            }
            let polled = work.as_mut().poll(context);
            if self.storage.crashes() {
                accounts.restart(self);
                return Poll::Ready(None);
            }
            self.running.borrow_mut().push(context.waker().clone());
            polled.map(Some)
        });
        finished.await.ok_or(StoreFault::Account)
    }
}

impl Accounts {
    pub(crate) fn new(environment: Rc<RefCell<Value>>, pauses: Rc<Cell<bool>>) -> Self {
        let faults = StorageFaults::default();
        Self {
            objects: RefCell::default(),
            calls: RefCell::default(),
            environment,
            pauses,
            is_down: Cell::new(false),
            fails_at: Cell::new(None),
            storage_fails: Rc::clone(&faults.fails),
            crash_before_flush: Rc::clone(&faults.crash_before_flush),
            crash_after_flush: Rc::clone(&faults.crash_after_flush),
            crash_before_reply: Cell::new(false),
            lose_reply: Cell::new(false),
            names_no_provider: Cell::new(false),
            faults,
        }
    }

    /// A call from a location reaches the object of that name.
    pub(crate) fn reach(&self, name: &str, location: usize) -> Result<Rc<Object>, StoreFault> {
        let environment = self.environment.borrow();
        let bindings = environment["bindings"].as_array().unwrap();
        assert!(bindings.iter().any(|binding| binding == "ACCOUNTS"), "no binding leads to the object {name}");
        let number = self.calls();
        self.calls.borrow_mut().push(name.to_owned());
        if self.is_down.get() || self.fails_at.get() == Some(number) {
            return Err(StoreFault::Account);
        }
        let mut objects = self.objects.borrow_mut();
        let object = objects.entry(name.to_owned()).or_insert_with(|| {
            Rc::new(Object {
                location,
                storage: Storage::new(self.faults.clone(), Rc::clone(&self.pauses)),
                app: RefCell::new(deployment::app(&environment)),
                life: Cell::new(0),
                running: RefCell::default(),
            })
        });
        Ok(Rc::clone(object))
    }

    /// A reply leaves the object, once everything written is durable.
    pub(crate) fn reply(&self, object: &Object, reply: String) -> Result<String, StoreFault> {
        object.storage.commit();
        if self.crash_before_reply.take() {
            self.restart(object);
            return Err(StoreFault::Account);
        }
        if self.lose_reply.take() { Err(StoreFault::Account) } else { Ok(reply) }
    }

    /// The call as it arrives.
    pub(crate) fn delivered(&self, request: &str) -> String {
        if !self.names_no_provider.get() {
            return request.to_owned();
        }
        let mut call: Value = serde_json::from_str(request).unwrap();
        call.as_object_mut().unwrap().remove("provider").expect("no provider");
        call.to_string()
    }

    /// The objects whose alarm is due.
    pub(crate) fn alarmed(&self, now: Timestamp) -> Vec<Rc<Object>> {
        let objects = self.objects.borrow();
        objects.values().filter(|object| object.storage.takes_alarm(now)).map(Rc::clone).collect()
    }

    /// How often an object was called.
    pub(crate) fn calls(&self) -> usize {
        self.calls.borrow().len()
    }

    /// The names of the objects called, in order.
    pub(crate) fn called(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// The names of all objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.objects.borrow().keys().cloned().collect()
    }

    /// What the object of that name holds.
    pub(crate) fn sessions(&self, name: &str) -> Vec<(SessionId, StoredSession)> {
        self.objects.borrow()[name].storage.sessions()
    }

    /// Every session of every account.
    pub(crate) fn all_sessions(&self) -> Vec<(SessionId, StoredSession)> {
        let objects = self.objects.borrow();
        let accounts = objects.iter().filter(|(name, _)| name.starts_with("account/"));
        accounts.flat_map(|(_, object)| object.storage.sessions()).collect()
    }

    /// What every object holds, by its name.
    pub(crate) fn everything(&self) -> Vec<(String, Vec<(SessionId, StoredSession)>)> {
        self.objects.borrow().iter().map(|(name, object)| (name.clone(), object.storage.sessions())).collect()
    }

    /// The keys of Workers KV that the objects will delete.
    pub(crate) fn to_delete(&self) -> Vec<String> {
        self.objects.borrow().values().flat_map(|object| object.storage.to_delete().unwrap()).collect()
    }

    /// The highest revision that survives a crash.
    pub(crate) fn durable_revision(&self) -> u64 {
        let objects = self.objects.borrow();
        objects.values().map(|object| object.storage.durable_revision()).max().unwrap_or_default()
    }

    /// When the object of that name wants to be woken.
    pub(crate) fn alarm(&self, name: &str) -> Option<Timestamp> {
        self.objects.borrow()[name].storage.alarm()
    }

    /// Everything stored: the object's name, the entry, the metadata.
    pub(crate) fn dump(&self) -> Vec<(String, Vec<u8>, String)> {
        let objects = self.objects.borrow();
        let all = objects.iter().flat_map(|(name, object)| {
            let sessions = object.storage.sessions().into_iter();
            sessions.map(|(_, session)| (name.clone(), session.entry.unwrap_or_default(), session.metadata))
        });
        all.collect()
    }

    /// Every object loses its memory and what is under way, as after a deployment.
    pub(crate) fn restart_all(&self) {
        self.objects.borrow().values().for_each(|object| self.restart(object));
    }

    fn restart(&self, object: &Object) {
        object.storage.roll_back();
        object.life.set(object.life() + 1);
        *object.app.borrow_mut() = deployment::app(&self.environment.borrow());
        object.running.take().into_iter().for_each(Waker::wake);
    }
}
