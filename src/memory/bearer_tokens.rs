//! The access tokens of machine clients that were verified a moment ago, so that a client which calls again is neither
//! verified nor asked about again.
//!
//! What is kept is the token, never a decision: whoever finds one asks for the scopes of the route at hand
//! (CVE-2021-32701).

use std::cell::RefCell;
use std::rc::Rc;

use sha2::{Digest, Sha256};
use url::Url;

use super::generations::Generations;
use crate::oidc::bearer_token::BearerToken;
use crate::time::Timestamp;

/// The most tokens that are remembered. Each can have claims of several KiB, and an isolate has 128 MiB.
const MAX_TOKENS: usize = 1000;

/// Verified access tokens, each until it has to be looked at again.
pub struct BearerTokens(RefCell<Generations<BearerTokenKey, (Rc<BearerToken>, Timestamp)>>);

/// What a token is remembered under: a digest, so that memory holds no token, of all that the verdict depended on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BearerTokenKey([u8; 32]);

/// What judged a token.
#[derive(Clone, Copy)]
pub enum JudgedBy<'a> {
    /// The introspection endpoint of the issuer.
    Endpoint(&'a Url),
    /// The issuer's keys.
    Keys,
}

impl BearerTokenKey {
    /// The key of `token`, as `issuer` judges it by what `judge` says. Another issuer's or another endpoint's yes is
    /// not this one's (CVE-2026-33496).
    #[must_use]
    pub fn new(issuer: &str, judge: JudgedBy<'_>, token: &str) -> Self {
        // A URL is never `jwt`.
        let judge = match judge {
            JudgedBy::Endpoint(url) => url.as_str(),
            JudgedBy::Keys => "jwt",
        };
        let mut digest = Sha256::new();
        for part in [issuer, judge, token] {
            // With its length before it, no part can run on into the next.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl BearerTokens {
    pub(super) fn new(capacity: usize) -> Self {
        Self(RefCell::new(Generations::new(capacity.min(MAX_TOKENS))))
    }

    /// The token, while it may be believed.
    #[must_use]
    pub fn find(&self, key: BearerTokenKey, now: Timestamp) -> Option<Rc<BearerToken>> {
        let mut tokens = self.0.borrow_mut();
        let (token, until) = tokens.find(&key)?;
        if until > now {
            return Some(token);
        }
        tokens.remove(&key);
        None
    }

    /// Remembers a verified token until a moment: [`BearerToken::believed_until`].
    pub fn remember(&self, key: BearerTokenKey, token: BearerToken, until: Timestamp) -> Rc<BearerToken> {
        let token = Rc::new(token);
        self.0.borrow_mut().insert(key, (Rc::clone(&token), until));
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::introspection::{ExpectedIntrospection, UntrustedIntrospection};
    use crate::oidc::issuer::IssuerRule;
    use crate::time::Lifetime;

    const ISSUER: &str = "https://op.example";

    fn now() -> Timestamp {
        Timestamp::from_unix(1_800_000_000)
    }

    fn endpoint(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn token(members: &str) -> BearerToken {
        let answer = format!(r#"{{"active":true,"aud":"a","client_id":"c","scope":"read"{members}}}"#);
        let issuer = IssuerRule::Exact(ISSUER.to_owned());
        let skew = Lifetime::from_seconds(60);
        let expected = ExpectedIntrospection { issuer: &issuer, audiences: &["a".to_owned()], now: now(), skew };
        UntrustedIntrospection::parse(answer.as_bytes()).unwrap().accept(&expected).unwrap()
    }

    #[test]
    fn cve_2026_33496_no_other_issuer_or_endpoint_shares_a_verdict() {
        let (one, other) = (endpoint("https://op.example/introspect"), endpoint("https://evil.example/introspect"));
        let keys = [
            BearerTokenKey::new(ISSUER, JudgedBy::Endpoint(&one), "t"),
            BearerTokenKey::new(ISSUER, JudgedBy::Endpoint(&other), "t"),
            BearerTokenKey::new("https://evil.example", JudgedBy::Endpoint(&one), "t"),
            BearerTokenKey::new(ISSUER, JudgedBy::Keys, "t"),
            BearerTokenKey::new(ISSUER, JudgedBy::Keys, "t2"),
            // The same bytes, cut elsewhere.
            BearerTokenKey::new("https://op.examplej", JudgedBy::Keys, "t"),
            BearerTokenKey::new(ISSUER, JudgedBy::Endpoint(&endpoint("https://op.example/introspectt")), ""),
        ];
        for (position, key) in keys.iter().enumerate() {
            let tokens = BearerTokens::new(10);
            tokens.remember(*key, token(""), now() + Lifetime::from_seconds(30));
            let found: Vec<bool> = keys.iter().map(|key| tokens.find(*key, now()).is_some()).collect();
            let expected: Vec<bool> = (0..keys.len()).map(|other| other == position).collect();
            assert_eq!(found, expected);
        }
        let again = BearerTokenKey::new(ISSUER, JudgedBy::Endpoint(&one), "t");
        assert!(again == keys[0]);
    }

    #[test]
    fn cve_2021_32701_a_hit_is_the_token_and_says_nothing_about_the_next_route() {
        let tokens = BearerTokens::new(10);
        let key = BearerTokenKey::new(ISSUER, JudgedBy::Keys, "t");
        tokens.remember(key, token(""), now() + Lifetime::from_seconds(30));
        let found = tokens.find(key, now()).unwrap();
        assert!(found.has_scopes(&["read".to_owned()]) && !found.has_scopes(&["write".to_owned()]));
    }

    #[test]
    fn a_token_is_believed_for_a_while_and_never_past_its_end() {
        let tokens = BearerTokens::new(10);
        let key = BearerTokenKey::new(ISSUER, JudgedBy::Keys, "t");
        let longest = Lifetime::from_seconds(30);
        for (members, seconds) in [("", 30), (r#","exp":1800000900"#, 30), (r#","exp":1800000007"#, 7)] {
            let token = token(members);
            let until = token.believed_until(now(), longest);
            assert_eq!(until, now() + Lifetime::from_seconds(seconds));
            tokens.remember(key, token, until);
            assert!(tokens.find(key, until - Lifetime::from_seconds(1)).is_some());
            assert!(tokens.find(key, until).is_none());
            assert!(tokens.find(key, now()).is_none(), "what was forgotten does not come back");
        }
        // The clock skew lets it pass once more, and nothing is remembered by that.
        let late = token(r#","exp":1799999999"#);
        let until = late.believed_until(now(), longest);
        tokens.remember(key, late, until);
        assert!(tokens.find(key, now()).is_none());
    }

    #[test]
    fn no_more_tokens_are_remembered_than_fit() {
        for (capacity, bound) in [(10, 10), (20_000, MAX_TOKENS)] {
            let tokens = BearerTokens::new(capacity);
            let keys: Vec<BearerTokenKey> =
                (0..2 * bound).map(|number| BearerTokenKey::new(ISSUER, JudgedBy::Keys, &number.to_string())).collect();
            for key in &keys {
                tokens.remember(*key, token(""), now() + Lifetime::from_seconds(30));
            }
            let kept = keys.iter().filter(|key| tokens.find(**key, now()).is_some()).count();
            assert!((1..=bound).contains(&kept), "{kept}");
        }
    }
}
