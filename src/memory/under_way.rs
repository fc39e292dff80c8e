//! What an isolate is doing at the moment, so that of a crowd of requests that want the same one does it for all.

use std::cell::RefCell;

use super::generations::Generations;
use super::purpose_key::PurposeKey;
use crate::time::{Lifetime, Timestamp};

/// For so long what was begun counts as under way: longer than it can take. A request that the platform ended never says
/// that it is over.
const LONGEST: Lifetime = Lifetime::from_seconds(35);

/// What is under way, and since when.
pub struct UnderWay(RefCell<Generations<PurposeKey, Timestamp>>);

/// Something that was begun; over when it is dropped, whatever came of it.
pub struct Begun<'a> {
    under_way: &'a UnderWay,
    key: PurposeKey,
    begun_at: Timestamp,
}

impl UnderWay {
    pub(super) fn new(capacity: usize) -> Self {
        Self(RefCell::new(Generations::new(capacity)))
    }

    /// Begins something, unless another request is at it.
    #[must_use]
    pub fn begin(&self, key: PurposeKey, now: Timestamp) -> Option<Begun<'_>> {
        if self.has(key, now) {
            return None;
        }
        self.0.borrow_mut().insert(key, now);
        Some(Begun { under_way: self, key, begun_at: now })
    }

    /// Whether a request is at it.
    #[must_use]
    pub fn has(&self, key: PurposeKey, now: Timestamp) -> bool {
        self.0.borrow_mut().find(&key).is_some_and(|begun_at| begun_at + LONGEST > now)
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut under_way = self.under_way.0.borrow_mut();
        // One that took too long may have a successor by now.
        if under_way.find(&self.key) == Some(self.begun_at) {
            under_way.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::session::SessionId;

    #[test]
    fn one_is_at_it_at_a_time_and_one_that_never_ends_is_not_waited_for() {
        let under_way = UnderWay::new(10);
        let [one, other] = [1, 2].map(|byte| SessionId::from_bytes([byte; 16]));
        let key = PurposeKey::of_session;
        let now = Timestamp::from_unix(100);
        let first = under_way.begin(key(one, "a"), now);
        assert!(first.is_some() && under_way.begin(key(one, "a"), now).is_none());
        let others = [(one, "b"), (other, "a")].map(|(session, what)| under_way.begin(key(session, what), now));
        assert!(others.iter().all(Option::is_some));
        drop(first);
        assert!(!under_way.has(key(one, "a"), now) && under_way.has(key(other, "a"), now));
        let late = under_way.begin(key(other, "a"), now + LONGEST);
        assert!(late.is_some() && under_way.begin(key(other, "a"), now + LONGEST).is_none());
        drop(others);
        assert!(under_way.has(key(other, "a"), now + LONGEST), "the end of the first is not that of its successor");
    }
}
