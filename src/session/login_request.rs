//! A sign-in that a script is told to send its user to: what an API needs the end-user for, sealed into the address.
//!
//! Scopes and claims come from configuration and from the API, never from whoever builds an address, and the account that
//! must come back is the one that was signed in. The page adds only where to return to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::json::{Json, Members, members};
use crate::session::keys::{KeyRing, Purpose};
use crate::session::login_attempt::Interaction;
use crate::session::seal::NONCE_LENGTH;
use crate::time::{Lifetime, Timestamp};

/// A request for a sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRequest {
    /// What for.
    pub interaction: Interaction,
    /// When it was handed out.
    pub created_at: Timestamp,
}

/// Why an address holds no such request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRequestFault {
    /// It was changed, or sealed by a key that is no longer in the ring.
    DoesNotOpen,
    /// It was handed out too long ago.
    Expired,
}

impl LoginRequest {
    /// Seals the request for the query of an address.
    #[must_use]
    pub fn seal(&self, ring: &KeyRing, nonce: [u8; NONCE_LENGTH]) -> String {
        let stored = members([("interaction", self.interaction.to_json()), ("created_at", self.created_at.to_json())]);
        let plain = stored.to_string().into_bytes();
        URL_SAFE_NO_PAD.encode(ring.seal(Purpose::LoginRequest, PLACE, &plain, nonce))
    }

    /// Opens what a query brought back.
    ///
    /// # Errors
    /// [`LoginRequestFault`].
    pub fn open(sealed: &str, ring: &KeyRing, now: Timestamp) -> Result<Self, LoginRequestFault> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| LoginRequestFault::DoesNotOpen)?;
        let (_, plain) =
            ring.open(Purpose::LoginRequest, PLACE, &sealed).map_err(|_| LoginRequestFault::DoesNotOpen)?;
        let request = Members::parse(&plain).and_then(Self::from_stored).ok_or(LoginRequestFault::DoesNotOpen)?;
        if request.created_at + LIFETIME <= now {
            return Err(LoginRequestFault::Expired);
        }
        Ok(request)
    }

    fn from_stored(mut stored: Members) -> Option<Self> {
        Some(Self { interaction: stored.take("interaction")?, created_at: stored.take("created_at")? })
    }
}

const PLACE: &str = "login?request";
/// A page may show the link for a while before somebody follows it.
const LIFETIME: Lifetime = Lifetime::from_seconds(3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionKeys;
    use crate::secret::Secret;
    use crate::session::account::AccountDigest;

    fn ring(byte: u8) -> KeyRing {
        KeyRing::new(&SessionKeys { current: Secret::new([byte; 32]), previous: vec![] })
    }

    #[test]
    fn a_request_opens_unchanged_for_an_hour() {
        let account = AccountDigest::from_subject("https://op.example", "alice");
        let interaction = Interaction { api: "Orders".to_owned(), claims: None, account, round: 0 };
        let request = LoginRequest { interaction, created_at: Timestamp::from_unix(1000) };
        let sealed = request.seal(&ring(1), [3; NONCE_LENGTH]);
        let open = |sealed: &str, ring: &KeyRing, now| LoginRequest::open(sealed, ring, Timestamp::from_unix(now));
        assert_eq!(open(&sealed, &ring(1), 4599).as_ref(), Ok(&request));
        assert_eq!(open(&sealed, &ring(1), 4600), Err(LoginRequestFault::Expired));
        assert_eq!(open(&sealed, &ring(2), 1000), Err(LoginRequestFault::DoesNotOpen));
        let changed = sealed.replacen(&sealed[10..11], if &sealed[10..11] == "A" { "B" } else { "A" }, 1);
        for other in [changed.as_str(), "", "%", &sealed[1..]] {
            assert_eq!(open(other, &ring(1), 1000), Err(LoginRequestFault::DoesNotOpen), "{other}");
        }
    }
}
