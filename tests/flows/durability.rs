//! Whether a token is used before what came with it is durable: its refresh token's predecessor is spent by then.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use vestibule::forwarding::ForwardPlan;

use crate::world::World;

#[derive(Default)]
pub(crate) struct Durability {
    /// Whether to look. Only in worlds where one session is renewed.
    pub(crate) is_watched: Cell<bool>,
    /// What was durable when each access token came.
    came_at: RefCell<BTreeMap<String, u64>>,
    /// How many uses were looked at.
    pub(crate) uses: Cell<usize>,
}

impl World {
    /// The OP has answered.
    pub(crate) fn note_tokens(&self) {
        let durable = self.accounts.durable_revision();
        let mut came_at = self.durability.came_at.borrow_mut();
        for token in [self.op.access_tokens(), self.staff.access_tokens()].concat() {
            came_at.entry(token).or_insert(durable);
        }
    }

    /// An API is about to be called.
    pub(crate) fn assert_durable(&self, plan: &ForwardPlan) {
        let bearer = plan.set.iter().find_map(|(_, value)| value.strip_prefix("Bearer "));
        if let Some(token) = bearer.filter(|_| self.durability.is_watched.get()) {
            let came_at = self.durability.came_at.borrow()[token];
            assert!(self.accounts.durable_revision() > came_at, "a token is used and its entry may still get lost");
            self.durability.uses.set(self.durability.uses.get() + 1);
        }
    }
}
