//! Whose entries an isolate is reading at the moment, so that a crowd of one session's requests reads once.

use std::cell::RefCell;

use super::generations::Generations;
use crate::session::session::SessionId;
use crate::time::{Lifetime, Timestamp};

/// For so long a read that was begun counts as under way: longer than it can take. A request that the platform ended never
/// says that it is over.
const LONGEST: Lifetime = Lifetime::from_seconds(35);

/// The reads under way.
pub struct Reads(RefCell<Generations<SessionId, Timestamp>>);

impl Reads {
    pub(super) fn new(capacity: usize) -> Self {
        Self(RefCell::new(Generations::new(capacity)))
    }

    /// Whether to begin a read: not while another request is at it.
    #[must_use]
    pub fn begins(&self, session: SessionId, now: Timestamp) -> bool {
        let begins = !self.is_under_way(session, now);
        if begins {
            self.0.borrow_mut().insert(session, now);
        }
        begins
    }

    /// Whether a request is reading.
    #[must_use]
    pub fn is_under_way(&self, session: SessionId, now: Timestamp) -> bool {
        self.0.borrow_mut().find(&session).is_some_and(|begun_at| begun_at + LONGEST > now)
    }

    /// A read is over, whatever came of it.
    pub fn ended(&self, session: SessionId) {
        self.0.borrow_mut().remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reads_at_a_time_and_one_that_never_ends_is_not_waited_for() {
        let reads = Reads::new(10);
        let [one, other] = [1, 2].map(|byte| SessionId::from_bytes([byte; 16]));
        let now = Timestamp::from_unix(100);
        assert!(reads.begins(one, now) && !reads.begins(one, now) && reads.begins(other, now));
        reads.ended(one);
        assert!(!reads.is_under_way(one, now) && reads.is_under_way(other, now));
        assert!(reads.begins(other, now + LONGEST) && !reads.begins(other, now + LONGEST));
    }
}
