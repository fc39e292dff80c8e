//! The login attempt: what must be remembered between the redirect to the OpenID Provider and its answer.
//!
//! Each attempt is one sealed cookie of its own, so that several tabs can sign in at once, nothing is written to any
//! store before somebody has signed in, and the browser that started an attempt is the only one that can finish it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::json::{Json, Members, members};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::pkce::CodeVerifier;
use crate::oidc::user_flow::UserFlow;
use crate::order;
use crate::rules::StepUp;
use crate::session::account::AccountDigest;
use crate::session::cookie::CookieName;
use crate::session::keys::{KeyRing, Purpose};
use crate::session::return_to::ReturnTo;
use crate::session::seal::NONCE_LENGTH;
use crate::time::{Lifetime, Timestamp};

/// One attempt to sign in. Opening consumes the cookie's bytes; finishing consumes the attempt.
pub struct LoginAttempt {
    /// `state`: the attempt's id, a dot, and 128 random bits.
    pub state: String,
    /// `nonce` (OIDC Core 3.1.2.1).
    pub nonce: String,
    /// The PKCE code verifier (RFC 7636).
    pub verifier: CodeVerifier,
    /// Where the browser wanted to go.
    pub return_to: ReturnTo,
    /// The section of the provider that was asked.
    pub provider: String,
    /// The user flow of that provider.
    pub user_flow: UserFlow,
    /// The resource of the token request (RFC 8707).
    pub resource: Option<String>,
    /// The scopes of the token request.
    pub scopes: Vec<String>,
    /// The API that needs the end-user, where one of a signed-in user's does.
    pub interaction: Option<Interaction>,
    /// What a route rule demands of the sign-in.
    pub step_up: Option<StepUp>,
    /// When the attempt began.
    pub created_at: Timestamp,
}

/// What an API needs a signed-in end-user for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interaction {
    /// The API's name.
    pub api: String,
    /// The claims that it, or the OP for it, demands.
    pub claims: Option<ClaimsChallenge>,
    /// Who must come back: whoever left.
    pub account: AccountDigest,
    /// How many sign-ins for the same just went before, in vain.
    pub round: u8,
}

/// What an attempt is made from.
pub struct Beginning {
    /// 80 random bytes: 8 for the id, 16 for the state, 24 for the nonce, 32 for the verifier.
    pub random: [u8; 80],
    /// Where the browser wanted to go.
    pub return_to: ReturnTo,
    /// The section of the provider that is asked.
    pub provider: String,
    /// The user flow of that provider.
    pub user_flow: UserFlow,
    /// The resource of the token request (RFC 8707).
    pub resource: Option<String>,
    /// The scopes of the token request.
    pub scopes: Vec<String>,
    /// The API that needs the end-user.
    pub interaction: Option<Interaction>,
    /// What a route rule demands of the sign-in.
    pub step_up: Option<StepUp>,
    /// Whether the answer to another attempt could not be used: then `state` says so.
    pub is_another: bool,
    /// The present moment.
    pub now: Timestamp,
}

/// Why a cookie is not the attempt that a `state` names. One wire code for all: the difference is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFault {
    /// The cookie was changed, moved, or sealed by another key.
    DoesNotOpen,
    /// The attempt is older than it may be.
    Expired,
    /// No cookie of that attempt: another browser, a second use, or cookies are off.
    Missing,
    /// The OP's session that it led to ended while the sign-in was under way.
    OpSessionEnded,
    /// The attempt was sent to another provider.
    OtherProvider,
}

impl LoginAttempt {
    /// Begins an attempt.
    #[must_use]
    pub fn begin(beginning: Beginning) -> Self {
        let part =
            |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(beginning.random.get(range).unwrap_or_default());
        let mut verifier = [0; 32];
        verifier.copy_from_slice(beginning.random.last_chunk::<32>().unwrap_or(&[0; 32]));
        Self {
            state: format!("{}.{}{}", part(0..8), part(8..24), if beginning.is_another { ANOTHER } else { "" }),
            nonce: part(24..48),
            verifier: CodeVerifier::from_random(verifier),
            return_to: beginning.return_to,
            provider: beginning.provider,
            user_flow: beginning.user_flow,
            resource: beginning.resource,
            scopes: beginning.scopes,
            interaction: beginning.interaction,
            step_up: beginning.step_up,
            created_at: beginning.now,
        }
    }

    /// The id that names the attempt's cookie.
    #[must_use]
    pub fn id(&self) -> &str {
        id_of(&self.state).unwrap_or("")
    }

    /// Seals the attempt for its cookie.
    #[must_use]
    pub fn seal(&self, ring: &KeyRing, nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        let step_up = self.step_up.as_ref();
        let user_flow = Some(self.user_flow).filter(|flow| *flow != UserFlow::SignIn);
        let stored = members([
            ("state", self.state.to_json()),
            ("nonce", self.nonce.to_json()),
            ("verifier", self.verifier.expose().into()),
            ("return_to", self.return_to.to_json()),
            ("provider", self.provider.to_json()),
            // None for the sign-in.
            ("user_flow", user_flow.map_or(Value::Null, |flow| flow.name().into())),
            ("resource", self.resource.to_json()),
            ("scopes", self.scopes.to_json()),
            ("interaction", self.interaction.to_json()),
            // None where nothing is demanded.
            ("acr_values", step_up.map_or(Value::Null, |step_up| step_up.acr_values.to_json())),
            ("max_age", step_up.map_or(Value::Null, |step_up| step_up.max_age.to_json())),
            ("created_at", self.created_at.to_json()),
        ]);
        let plain = stored.to_string().into_bytes();
        ring.seal(Purpose::LoginAttempt, &CookieName::LoginAttempt(ring.label(), self.id()).text(), &plain, nonce)
    }

    /// Opens the cookie of the attempt `id`.
    ///
    /// # Errors
    /// [`AttemptFault`].
    pub fn open(
        id: &str,
        sealed: Option<&[u8]>,
        ring: &KeyRing,
        now: Timestamp,
        lifetime: Lifetime,
    ) -> Result<Self, AttemptFault> {
        let sealed = sealed.ok_or(AttemptFault::Missing)?;
        let place = CookieName::LoginAttempt(ring.label(), id).text();
        let (_, plain) = ring.open(Purpose::LoginAttempt, &place, sealed).map_err(|_| AttemptFault::DoesNotOpen)?;
        let attempt = Members::parse(&plain).and_then(Self::from_stored).ok_or(AttemptFault::DoesNotOpen)?;
        if attempt.created_at + lifetime <= now {
            return Err(AttemptFault::Expired);
        }
        Ok(attempt)
    }

    fn from_stored(mut stored: Members) -> Option<Self> {
        let acr_values: Option<Vec<String>> = stored.take("acr_values")?;
        let max_age = stored.take("max_age")?;
        let user_flow: Option<String> = stored.take("user_flow")?;
        Some(Self {
            state: stored.take("state")?,
            nonce: stored.take("nonce")?,
            verifier: CodeVerifier::parse(stored.take("verifier")?)?,
            return_to: stored.take("return_to")?,
            provider: stored.take("provider")?,
            user_flow: user_flow.map_or(Some(UserFlow::SignIn), |name| UserFlow::parse(&name))?,
            resource: stored.take("resource")?,
            scopes: stored.take("scopes")?,
            interaction: stored.take("interaction")?,
            step_up: acr_values.map(|acr_values| StepUp { acr_values, max_age }),
            created_at: stored.take("created_at")?,
        })
    }
}

impl Json for Interaction {
    fn to_json(&self) -> Value {
        members([
            ("api", self.api.to_json()),
            ("claims", self.claims.to_json()),
            ("account", self.account.to_json()),
            ("round", self.round.to_json()),
        ])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut stored = Members::of(value)?;
        Some(Self {
            api: stored.take("api")?,
            claims: stored.take("claims")?,
            account: stored.take("account")?,
            round: stored.take("round")?,
        })
    }
}

/// Whether a `state` is that of an attempt which took the place of another. It is in the `state` itself, so that it comes
/// back even to a browser that keeps no cookies; whoever makes it up gets less and not more.
#[must_use]
pub fn is_another(state: &str) -> bool {
    state.ends_with(ANOTHER)
}

/// The attempt id inside a `state` value: the part before the dot, if it is one that we could have made.
#[must_use]
pub fn id_of(state: &str) -> Option<&str> {
    let (id, _) = state.split_once('.')?;
    let ours =
        id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    ours.then_some(id)
}

/// The attempts a browser must give up so that `allowed` remain once one more begins: unreadable ones, then the oldest.
#[must_use]
pub fn surplus<T>(attempts: Vec<(T, Option<Timestamp>)>, allowed: usize) -> Vec<T> {
    let mut attempts = attempts;
    order::sort_by(&mut attempts, |(_, one), (_, other)| one.cmp(other));
    let keep = allowed.saturating_sub(1);
    let excess = attempts.len().saturating_sub(keep);
    let unreadable = attempts.iter().take_while(|(_, created_at)| created_at.is_none()).count();
    attempts.into_iter().take(excess.max(unreadable)).map(|(id, _)| id).collect()
}

/// No end of a base64url value.
const ANOTHER: &str = ".2";
/// Eight bytes in base64url.
const ID_LENGTH: usize = 11;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::secret::Secret;

    fn ring() -> KeyRing {
        KeyRing::new(&SessionKeys { current: Secret::new([1; 32]), previous: vec![] })
    }

    fn attempt(first_byte: u8) -> LoginAttempt {
        let mut random = [3; 80];
        random[0] = first_byte;
        LoginAttempt::begin(Beginning {
            random,
            return_to: ReturnTo::root(),
            provider: "OpenIdConnect".to_owned(),
            user_flow: UserFlow::ResetPassword,
            resource: None,
            scopes: vec!["orders.read".to_owned()],
            interaction: None,
            step_up: Some(StepUp { acr_values: vec!["mfa".to_owned()], max_age: Some(Lifetime::from_seconds(60)) }),
            is_another: false,
            now: Timestamp::from_unix(1000),
        })
    }

    fn open(id: &str, sealed: Option<&[u8]>, now: u64) -> Result<LoginAttempt, AttemptFault> {
        LoginAttempt::open(id, sealed, &ring(), Timestamp::from_unix(now), Lifetime::from_seconds(900))
    }

    #[test]
    fn an_attempt_opens_in_its_own_cookie_until_it_is_too_old() {
        let attempt = attempt(1);
        let sealed = attempt.seal(&ring(), [5; NONCE_LENGTH]);
        let opened = open(attempt.id(), Some(&sealed), 1899).unwrap();
        assert_eq!(opened.state, attempt.state);
        assert_eq!(opened.verifier.expose(), attempt.verifier.expose());
        assert_eq!(opened.step_up, attempt.step_up);
        assert_eq!(opened.user_flow, UserFlow::ResetPassword);
        assert_eq!(open(attempt.id(), Some(&sealed), 1900).err(), Some(AttemptFault::Expired));
        assert_eq!(open(attempt.id(), None, 1000).err(), Some(AttemptFault::Missing));
    }

    #[test]
    fn an_attempt_moved_to_another_cookie_does_not_open() {
        let sealed = attempt(1).seal(&ring(), [5; NONCE_LENGTH]);
        assert_eq!(open(attempt(2).id(), Some(&sealed), 1000).err(), Some(AttemptFault::DoesNotOpen));
    }

    #[test]
    fn nothing_secret_to_the_attempt_is_in_its_state() {
        let attempt = attempt(1);
        assert!(!attempt.state.contains(attempt.verifier.expose()));
        assert!(!attempt.state.contains(&attempt.nonce));
        assert_eq!(id_of(&attempt.state), Some(attempt.id()));
        assert_eq!(id_of("short.x"), None);
        assert_eq!(id_of("AAAAAAAAAA;.x"), None);
    }

    #[test]
    fn unreadable_attempts_go_first_and_then_the_oldest() {
        let at = |seconds| Some(Timestamp::from_unix(seconds));
        assert_eq!(surplus(vec![("a", at(3)), ("b", at(1)), ("c", at(2))], 3), ["b"]);
        assert_eq!(surplus(vec![("a", at(3)), ("b", None)], 8), ["b"]);
        assert!(surplus(vec![("a", at(3)), ("b", at(1))], 3).is_empty());
    }
}
