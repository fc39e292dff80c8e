//! What one isolate remembers of asking the OP about access tokens, besides those that it believes: which were refused,
//! how many lately, and whether the OP stumbled.
//!
//! Refused tokens are remembered apart from believed ones, so that no amount of them makes an honest client be asked about
//! again.

use std::cell::{Cell, RefCell};

use super::bearer_tokens::BearerTokenKey;
use super::generations::Generations;
use crate::runtime::{RETRY_AFTER, TransportFault};
use crate::time::{Lifetime, Timestamp};

/// Refusals and pauses.
pub struct Introspections {
    refused: RefCell<Generations<BearerTokenKey, Timestamp>>,
    failure: Cell<Option<(TransportFault, Timestamp)>>,
    /// When the window began, and how many questions of it have had no yes.
    window: Cell<(Timestamp, u32)>,
}

/// The OP is not to be asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Why, and for how long.
    pub fault: TransportFault,
    /// Whether this is the first question too many.
    pub is_news: bool,
}

impl Introspections {
    pub(super) fn new(capacity: usize) -> Self {
        let window = Cell::new((Timestamp::from_unix(0), 0));
        Self { refused: RefCell::new(Generations::new(capacity.min(MOST_REFUSED))), failure: Cell::new(None), window }
    }

    /// Begins a question, which counts until [`Introspections::believed`].
    ///
    /// # Errors
    /// Too many of late had no yes, or the OP just failed.
    pub fn begin(&self, now: Timestamp) -> Result<(), Pause> {
        if let Some((fault, until)) = self.failure.get().filter(|(_, until)| *until > now) {
            let fault = match fault {
                TransportFault::Busy { .. } => TransportFault::Busy { retry_after: until.since(now).as_seconds() },
                TransportFault::Failing(_)
                | TransportFault::NoConnection
                | TransportFault::TimedOut
                | TransportFault::TooLarge => fault,
            };
            return Err(Pause { fault, is_news: false });
        }
        let (began, count) = Some(self.window.get()).filter(|(began, _)| *began + WINDOW > now).unwrap_or((now, 0));
        self.window.set((began, count.saturating_add(1)));
        if count < MOST_IN_WINDOW {
            return Ok(());
        }
        let retry_after = (began + WINDOW).since(now).as_seconds();
        Err(Pause { fault: TransportFault::Busy { retry_after }, is_news: count == MOST_IN_WINDOW })
    }

    /// A question had a yes.
    pub fn believed(&self) {
        let (began, count) = self.window.get();
        self.window.set((began, count.saturating_sub(1)));
    }

    /// The OP could not be asked: for a while nobody tries again.
    pub fn failed(&self, fault: TransportFault, now: Timestamp) {
        let seconds = match fault {
            TransportFault::Busy { retry_after } => retry_after,
            TransportFault::Failing(_)
            | TransportFault::NoConnection
            | TransportFault::TimedOut
            | TransportFault::TooLarge => RETRY_AFTER,
        };
        self.failure.set(Some((fault, now + Lifetime::from_seconds(seconds))));
    }

    /// A token was refused.
    pub fn refused(&self, key: BearerTokenKey, now: Timestamp) {
        self.refused.borrow_mut().insert(key, now);
    }

    /// Whether a token was refused just now.
    #[must_use]
    pub fn is_refused(&self, key: BearerTokenKey, now: Timestamp) -> bool {
        self.refused.borrow_mut().find(&key).is_some_and(|refused_at| refused_at + REFUSAL > now)
    }
}

const MOST_REFUSED: usize = 1000;
/// How long a no is remembered. Not longer: it may come of a token so new that the OP's other half does not know it yet.
const REFUSAL: Lifetime = Lifetime::from_seconds(5);
const WINDOW: Lifetime = Lifetime::from_seconds(10);
const MOST_IN_WINDOW: u32 = 100;

#[cfg(test)]
mod tests {
    use super::super::bearer_tokens::JudgedBy;
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn key(token: &str) -> BearerTokenKey {
        BearerTokenKey::new("https://op.example", JudgedBy::Keys, token)
    }

    fn busy(retry_after: u64, is_news: bool) -> Result<(), Pause> {
        Err(Pause { fault: TransportFault::Busy { retry_after }, is_news })
    }

    #[test]
    fn only_so_many_questions_go_without_a_yes() {
        let introspections = Introspections::new(10);
        for _ in 0..3 * MOST_IN_WINDOW {
            assert_eq!(introspections.begin(at(0)), Ok(()));
            introspections.believed();
        }
        for _ in 0..MOST_IN_WINDOW {
            assert_eq!(introspections.begin(at(3)), Ok(()));
        }
        assert_eq!(introspections.begin(at(3)), busy(7, true));
        assert_eq!(introspections.begin(at(9)), busy(1, false));
        for _ in 0..MOST_IN_WINDOW {
            assert_eq!(introspections.begin(at(10)), Ok(()));
        }
        assert_eq!(introspections.begin(at(10)), busy(10, true));
    }

    #[test]
    fn after_a_failure_nobody_asks_for_a_while() {
        let introspections = Introspections::new(10);
        introspections.failed(TransportFault::Busy { retry_after: 30 }, at(0));
        assert_eq!((introspections.begin(at(29)), introspections.begin(at(30))), (busy(1, false), Ok(())));
        introspections.failed(TransportFault::TimedOut, at(40));
        let pause = Err(Pause { fault: TransportFault::TimedOut, is_news: false });
        assert_eq!((introspections.begin(at(44)), introspections.begin(at(45))), (pause, Ok(())));
    }

    #[test]
    fn a_no_is_remembered_a_few_seconds_and_only_for_its_token() {
        let introspections = Introspections::new(10);
        introspections.refused(key("a"), at(0));
        assert!(introspections.is_refused(key("a"), at(4)) && !introspections.is_refused(key("b"), at(0)));
        assert!(!introspections.is_refused(key("a"), at(5)));
        for number in 0..30 {
            introspections.refused(key(&number.to_string()), at(0));
        }
        assert!(!introspections.is_refused(key("0"), at(0)) && introspections.is_refused(key("29"), at(0)));
    }
}
