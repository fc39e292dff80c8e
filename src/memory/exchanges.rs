//! What one isolate remembers of exchanging the access tokens of programs for those of APIs: the tokens it got, and why it
//! got none.
//!
//! Everything stands under digests, and nothing here is a decision: whoever finds a token has been judged by the route at
//! hand before.

use std::cell::RefCell;
use std::rc::Rc;

use super::generations::Generations;
use super::purpose_key::PurposeKey;
use crate::error::{ExchangeFault, Failure};
use crate::session::entry::CachedAccessToken;
use crate::time::{Lifetime, Timestamp};

/// The most tokens that are remembered. Each can have several KiB, and an isolate has 128 MiB.
const MAX_TOKENS: usize = 1000;

/// Tokens got by exchange, each until the presented one ends or it ends itself.
pub struct Exchanges {
    tokens: RefCell<Generations<PurposeKey, (Rc<CachedAccessToken>, Timestamp)>>,
    failures: RefCell<Generations<PurposeKey, (ExchangeFailure, Timestamp)>>,
}

/// Why an exchange brought no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExchangeFailure {
    /// It is about us or the OP, and so nothing is known against the presented token.
    Op(Failure),
    /// It is about the presented token.
    Token(ExchangeFault),
}

impl Exchanges {
    pub(super) fn new(capacity: usize) -> Self {
        let capacity = capacity.min(MAX_TOKENS);
        Self { tokens: RefCell::new(Generations::new(capacity)), failures: RefCell::new(Generations::new(capacity)) }
    }

    /// The token that an exchange brought.
    #[must_use]
    pub fn find(&self, key: PurposeKey, now: Timestamp) -> Option<Rc<CachedAccessToken>> {
        let (token, until) = self.tokens.borrow_mut().find(&key)?;
        (until > now).then_some(token)
    }

    /// Remembers a token until `until`, the end of the one that was presented, and never past its own.
    pub fn remember(&self, key: PurposeKey, token: CachedAccessToken, until: Timestamp) -> Rc<CachedAccessToken> {
        let (until, token) = (until.min(token.expires_at), Rc::new(token));
        self.tokens.borrow_mut().insert(key, (Rc::clone(&token), until));
        token
    }

    /// Remembers why there is no token, for as long as asking again makes no sense.
    pub fn failed(&self, key: PurposeKey, failure: ExchangeFailure, now: Timestamp) {
        let until = now + Lifetime::from_seconds(failure.pause());
        self.failures.borrow_mut().insert(key, (failure, until));
    }

    /// Why there was no token just now.
    #[must_use]
    pub fn recent_failure(&self, key: PurposeKey, now: Timestamp) -> Option<ExchangeFailure> {
        let (failure, until) = self.failures.borrow_mut().find(&key).filter(|(_, until)| *until > now)?;
        Some(match failure {
            ExchangeFailure::Op(failure) => ExchangeFailure::Op(failure.with_pause(until.since(now))),
            failure @ ExchangeFailure::Token(_) => failure,
        })
    }
}

impl ExchangeFailure {
    /// Seconds for which asking again makes no sense.
    #[must_use]
    pub const fn pause(&self) -> u64 {
        match self {
            Self::Op(failure) => failure.pause(),
            Self::Token(_) => crate::runtime::RETRY_AFTER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bearer_tokens::{BearerTokenKey, JudgedBy};
    use super::*;
    use crate::runtime::TransportFault;
    use crate::secret::Secret;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    fn key(token: &str, purpose: &str) -> PurposeKey {
        PurposeKey::of_token(BearerTokenKey::new("https://op.example", JudgedBy::Keys, token), purpose)
    }

    fn token(expires_at: Timestamp) -> CachedAccessToken {
        CachedAccessToken {
            tenant: None,
            resource: None,
            scopes: vec![],
            token: Secret::new("t".to_owned()),
            issued_at: at(0),
            expires_at,
            refresh_at: None,
            claims: None,
        }
    }

    #[test]
    fn a_token_is_found_for_whom_and_what_it_was_got_and_until_either_token_ends() {
        for (own, presented, end) in [(100, 200, 100), (200, 100, 100)] {
            let exchanges = Exchanges::new(10);
            exchanges.remember(key("a", "Orders"), token(at(own)), at(presented));
            assert!(exchanges.find(key("a", "Orders"), at(end - 1)).is_some());
            assert!(exchanges.find(key("a", "Orders"), at(end)).is_none());
            assert!(exchanges.find(key("b", "Orders"), at(0)).is_none());
            assert!(exchanges.find(key("a", "Billing"), at(0)).is_none());
        }
    }

    #[test]
    fn a_failure_is_remembered_as_long_as_it_says() {
        let exchanges = Exchanges::new(10);
        let fault = ExchangeFailure::Token(ExchangeFault::TokenRefused);
        exchanges.failed(key("a", "Orders"), fault.clone(), at(0));
        assert_eq!(exchanges.recent_failure(key("a", "Orders"), at(4)), Some(fault));
        assert_eq!(exchanges.recent_failure(key("b", "Orders"), at(4)), None);
        assert_eq!(exchanges.recent_failure(key("a", "Orders"), at(5)), None);
        let busy = |retry_after| ExchangeFailure::Op(Failure::OpUnreachable(TransportFault::Busy { retry_after }));
        exchanges.failed(key("a", "Orders"), busy(30), at(0));
        assert_eq!(exchanges.recent_failure(key("a", "Orders"), at(10)), Some(busy(20)));
        assert_eq!(exchanges.recent_failure(key("a", "Orders"), at(30)), None);
    }

    #[test]
    fn no_more_is_remembered_than_fits() {
        let exchanges = Exchanges::new(20_000);
        let keys: Vec<_> = (0..2 * MAX_TOKENS).map(|number| key(&number.to_string(), "Orders")).collect();
        keys.iter().for_each(|key| drop(exchanges.remember(*key, token(at(100)), at(100))));
        let kept = keys.iter().filter(|key| exchanges.find(**key, at(0)).is_some()).count();
        assert!((1..=MAX_TOKENS).contains(&kept), "{kept}");
    }
}
