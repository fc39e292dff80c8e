//! What an isolate learnt about the ways in which the client authenticates, by their positions in the configuration.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::oidc::client_key::ClientKey;
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// Which credentials work, and what took time to get.
#[derive(Default)]
pub struct ClientCredentials {
    first: Cell<usize>,
    opened: RefCell<Vec<(usize, Option<Rc<ClientKey>>)>>,
    assertions: RefCell<Vec<(usize, Secret, Timestamp)>>,
    warned_at: Cell<Option<Timestamp>>,
}

impl ClientCredentials {
    /// The one to begin with.
    pub const fn first(&self) -> usize {
        self.first.get()
    }

    /// Begins with that one from now on.
    pub fn begin_with(&self, position: usize) {
        self.first.set(position);
    }

    /// The key out of a file, where that was opened before; `None` within if it cannot be opened.
    pub fn opened(&self, position: usize) -> Option<Option<Rc<ClientKey>>> {
        self.opened.borrow().iter().find(|(known, _)| *known == position).map(|(_, key)| key.clone())
    }

    /// Remembers what is in a file. It never changes, and opening it takes thousands of hashes.
    pub fn remember_opened(&self, position: usize, key: Option<Rc<ClientKey>>) {
        self.opened.borrow_mut().push((position, key));
    }

    /// An assertion that somebody signed for us, if it may be used until a moment that is still to come.
    pub fn assertion(&self, position: usize, now: Timestamp) -> Option<Secret> {
        let assertions = self.assertions.borrow();
        let known = assertions.iter().find(|(known, _, until)| *known == position && *until > now);
        known.map(|(_, assertion, _)| assertion.clone())
    }

    /// Remembers an assertion.
    pub fn remember_assertion(&self, position: usize, assertion: Secret, until: Timestamp) {
        let mut assertions = self.assertions.borrow_mut();
        assertions.retain(|(known, ..)| *known != position);
        assertions.push((position, assertion, until));
    }

    /// Forgets an assertion that the OP refused.
    pub fn forget_assertion(&self, position: usize) {
        self.assertions.borrow_mut().retain(|(known, ..)| *known != position);
    }

    /// Whether to warn of something that is still to come: at most once within `pause`.
    pub fn warns(&self, now: Timestamp, pause: Lifetime) -> bool {
        let is_due = self.warned_at.get().is_none_or(|warned_at| warned_at + pause <= now);
        if is_due {
            self.warned_at.set(Some(now));
        }
        is_due
    }
}
