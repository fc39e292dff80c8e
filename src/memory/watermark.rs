//! The moment up to which every session of the deployment has ended, as this isolate knows it.

use std::cell::Cell;

use crate::time::{Lifetime, Timestamp};

/// A moment that never moves back, and when it was last asked for.
#[derive(Default)]
pub struct Watermark {
    valid_after: Cell<Option<Timestamp>>,
    asked_at: Cell<Option<Timestamp>>,
}

impl Watermark {
    /// Whether it was asked for within `delay`.
    #[must_use]
    pub fn was_asked(&self, now: Timestamp, delay: Lifetime) -> bool {
        self.asked_at.get().is_some_and(|asked_at| asked_at + delay > now)
    }

    /// Whether nobody has heard of it yet.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.asked_at.get().is_none()
    }

    /// Notes that it is asked for.
    pub fn asks(&self, now: Timestamp) {
        self.asked_at.set(Some(now));
    }

    /// Moves to `moment`, if that is later.
    pub fn raise(&self, moment: Timestamp) {
        self.valid_after.set(self.valid_after.get().max(Some(moment)));
    }

    /// Whether a session that began at `issued_at` has ended.
    #[must_use]
    pub fn covers(&self, issued_at: Timestamp) -> bool {
        self.valid_after.get().is_some_and(|valid_after| issued_at <= valid_after)
    }

    /// The moment at which a session that begins now counts as begun.
    #[must_use]
    pub fn after(&self, now: Timestamp) -> Timestamp {
        now.after(self.valid_after.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_moves_back_and_ends_what_began_up_to_it() {
        let at = Timestamp::from_unix;
        let watermark = Watermark::default();
        assert!(!watermark.covers(at(0)) && watermark.after(at(5)) == at(5));
        watermark.raise(at(100));
        watermark.raise(at(50));
        assert!(watermark.covers(at(100)) && !watermark.covers(at(101)));
        assert_eq!((watermark.after(at(100)), watermark.after(at(200))), (at(101), at(200)));
        assert!(watermark.is_unknown() && !watermark.was_asked(at(0), Lifetime::from_seconds(10)));
        watermark.asks(at(10));
        assert!(!watermark.is_unknown() && watermark.was_asked(at(19), Lifetime::from_seconds(10)));
        assert!(!watermark.was_asked(at(20), Lifetime::from_seconds(10)));
    }
}
