//! What an isolate is doing at the moment, so that of a crowd of requests that want the same one does it for all.

use std::cell::RefCell;
use std::rc::Rc;

use super::generations::Generations;
use super::purpose_key::PurposeKey;
use crate::runtime::Wake;
use crate::time::{Lifetime, Timestamp};

/// What is under way.
pub struct UnderWay(RefCell<Generations<PurposeKey, Rc<Work>>>);

/// Something that a request is doing.
pub struct Work {
    counts_until: Timestamp,
    waiting: RefCell<Vec<Wake>>,
}

/// Something that was begun; over when it is dropped, whatever came of it.
pub struct Begun<'a> {
    under_way: &'a UnderWay,
    key: PurposeKey,
    work: Rc<Work>,
}

impl UnderWay {
    pub(super) fn new(capacity: usize) -> Self {
        Self(RefCell::new(Generations::new(capacity)))
    }

    /// Begins something.
    ///
    /// # Errors
    ///
    /// The work of another request that is at it.
    pub fn begin(&self, key: PurposeKey, now: Timestamp) -> Result<Begun<'_>, Rc<Work>> {
        let mut all = self.0.borrow_mut();
        if let Some(work) = all.find(&key).filter(|work| work.counts_until > now) {
            return Err(work);
        }
        let work = Rc::new(Work { counts_until: now + Work::LONGEST, waiting: RefCell::new(Vec::new()) });
        all.insert(key, Rc::clone(&work));
        Ok(Begun { under_way: self, key, work })
    }
}

impl Work {
    /// For so long it counts as under way: longer than it can take. A request that the platform ended never says that it is
    /// over.
    pub const LONGEST: Lifetime = Lifetime::from_seconds(35);

    /// For how long it still counts.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Lifetime {
        self.counts_until.since(now)
    }

    /// Has somebody woken when it is over.
    pub fn when_over(&self, wake: Wake) {
        self.waiting.borrow_mut().push(wake);
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        let mut all = self.under_way.0.borrow_mut();
        // One that took too long may have a successor by now.
        if all.find(&self.key).is_some_and(|work| Rc::ptr_eq(&work, &self.work)) {
            all.remove(&self.key);
        }
        drop(all);
        for wake in self.work.waiting.take() {
            wake();
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
        let begun = |key, now| under_way.begin(key, now).ok();
        let first = begun(key(one, "a"), now);
        assert!(first.is_some() && begun(key(one, "a"), now).is_none());
        let others = [(one, "b"), (other, "a")].map(|(session, what)| begun(key(session, what), now));
        assert!(others.iter().all(Option::is_some));
        drop(first);
        assert!(begun(key(one, "a"), now).is_some() && begun(key(other, "a"), now).is_none());
        let late = begun(key(other, "a"), now + Work::LONGEST);
        assert!(late.is_some() && begun(key(other, "a"), now + Work::LONGEST).is_none());
        drop(others);
        assert!(
            begun(key(other, "a"), now + Work::LONGEST).is_none(),
            "the end of the first is not that of its successor"
        );
    }

    #[test]
    fn whoever_waits_is_woken_by_the_one_it_waits_for() {
        let under_way = UnderWay::new(10);
        let key = PurposeKey::of_session(SessionId::from_bytes([1; 16]), "a");
        let [early, late] = [100, 135].map(Timestamp::from_unix);
        let woken = Rc::new(RefCell::new(Vec::new()));
        let wait = |who: &'static str, now| {
            let Err(work) = under_way.begin(key, now) else { panic!("{who} waits for nobody") };
            let woken = Rc::clone(&woken);
            work.when_over(Box::new(move || woken.borrow_mut().push(who)));
            work.left(now).as_seconds()
        };
        let first = under_way.begin(key, early).ok();
        assert_eq!((wait("one", early), wait("two", early + Lifetime::from_seconds(34))), (35, 1));
        let successor = under_way.begin(key, late).ok();
        assert_eq!(wait("three", late), 35);
        assert!(woken.borrow().is_empty());
        drop(first);
        assert_eq!(*woken.borrow(), ["one", "two"]);
        drop(successor);
        assert_eq!(*woken.borrow(), ["one", "two", "three"]);
    }
}
