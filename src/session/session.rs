//! The session: what the browser's cookie holds, sealed. Its expiry is inside the seal and checked on opening; the
//! cookie's `Max-Age` is a courtesy to the browser.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::config::SessionSettings;
use crate::json::Json;
use crate::secret::Secret;
use crate::session::account::AccountDigest;
use crate::session::cookie::CookieName;
use crate::session::keys::{KeyId, KeyRing, Purpose};
use crate::session::seal::NONCE_LENGTH;
use crate::time::{Lifetime, Timestamp};

/// A session's random id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionId([u8; 16]);

/// One browser, signed in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Fresh at every sign-in.
    pub id: SessionId,
    /// Who is signed in.
    pub account: AccountDigest,
    /// When the sign-in was completed; compared with the account's watermark.
    pub issued_at: Timestamp,
    /// The end if the browser stays away.
    pub idle_expires_at: Timestamp,
    /// The end in any case.
    pub absolute_expires_at: Timestamp,
    /// Opens the token cache entry; kept nowhere but in the cookie.
    pub record_key: Secret<[u8; 32]>,
    /// The ring key that named the entry.
    pub named_by: KeyId,
}

/// Why a session cookie is not a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFault {
    /// Forged, damaged, or sealed by a key that is no longer in the ring.
    DoesNotOpen,
    /// Its idle or absolute end has passed.
    Expired,
}

impl SessionId {
    /// An id from 16 random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id as it stands in names and addresses. It is no secret: without a cookie it opens nothing.
    #[must_use]
    pub fn to_text(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads the text back.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl Session {
    /// A new session that begins now.
    #[must_use]
    pub fn begin(
        account: AccountDigest,
        id: [u8; 16],
        record_key: Secret<[u8; 32]>,
        named_by: KeyId,
        now: Timestamp,
        settings: &SessionSettings,
    ) -> Self {
        let absolute_expires_at = now + settings.absolute;
        Self {
            id: SessionId(id),
            account,
            issued_at: now,
            idle_expires_at: idle_end(now, absolute_expires_at, settings),
            absolute_expires_at,
            record_key,
            named_by,
        }
    }

    /// The session with its idle window begun anew, once enough of it has passed to be worth a new cookie.
    #[must_use]
    pub fn rolled(&self, now: Timestamp, settings: &SessionSettings) -> Option<Self> {
        let idle_expires_at = idle_end(now, self.absolute_expires_at, settings);
        (now > self.may_be_rolled_after(settings) && idle_expires_at > self.idle_expires_at)
            .then(|| Self { idle_expires_at, ..self.clone() })
    }

    /// Until when [`rolled`](Self::rolled) gives nothing in any case.
    #[must_use]
    pub fn may_be_rolled_after(&self, settings: &SessionSettings) -> Timestamp {
        self.idle_expires_at - settings.idle.half()
    }

    /// When the session ends unless it is rolled.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.idle_expires_at.min(self.absolute_expires_at)
    }

    /// Time left until the absolute end: the life of everything stored for the session.
    #[must_use]
    pub const fn storage_lifetime(&self, now: Timestamp) -> Lifetime {
        self.absolute_expires_at.since(now)
    }

    /// Seals the session for its cookie.
    #[must_use]
    pub fn seal(&self, ring: &KeyRing, nonce: [u8; NONCE_LENGTH]) -> Vec<u8> {
        ring.seal(Purpose::Session, PLACE, &self.encode(), nonce)
    }

    /// The `Set-Cookie` value that hands the session to its browser. The browser forgets it when it ends.
    #[must_use]
    pub fn cookie(&self, ring: &KeyRing, nonce: [u8; NONCE_LENGTH], now: Timestamp) -> String {
        CookieName::Session(ring.label()).set(&self.seal(ring, nonce), self.expires_at().since(now))
    }

    /// The session as bytes, the record key among them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(PLAIN_LENGTH);
        plain.extend_from_slice(&self.id.0);
        plain.extend_from_slice(self.account.as_bytes());
        plain.extend_from_slice(self.record_key.expose());
        plain.extend_from_slice(self.named_by.as_bytes());
        for moment in [self.issued_at, self.idle_expires_at, self.absolute_expires_at] {
            plain.extend_from_slice(&moment.as_unix().to_be_bytes());
        }
        plain
    }

    /// Opens a sealed session and checks that it has not ended.
    ///
    /// # Errors
    /// [`SessionFault`].
    pub fn open(sealed: &[u8], ring: &KeyRing, now: Timestamp) -> Result<Self, SessionFault> {
        let (_, plain) = ring.open(Purpose::Session, PLACE, sealed).map_err(|_| SessionFault::DoesNotOpen)?;
        let session = Self::decode(&plain, ring).ok_or(SessionFault::DoesNotOpen)?;
        if session.expires_at() <= now {
            return Err(SessionFault::Expired);
        }
        Ok(session)
    }

    /// Reads the bytes back. `None` for any others, and for a session that no key of the ring names.
    #[must_use]
    pub fn decode(plain: &[u8], ring: &KeyRing) -> Option<Self> {
        let (id, rest) = plain.split_first_chunk::<16>()?;
        let (account, rest) = rest.split_first_chunk::<32>()?;
        let (record_key, rest) = rest.split_first_chunk::<32>()?;
        let (named_by, rest) = rest.split_first_chunk::<4>()?;
        let (issued_at, rest) = rest.split_first_chunk::<8>()?;
        let (idle, rest) = rest.split_first_chunk::<8>()?;
        let (absolute, rest) = rest.split_first_chunk::<8>()?;
        let named_by = ring.all().map(|keys| keys.id()).find(|id| id.as_bytes() == named_by)?;
        rest.is_empty().then(|| Self {
            id: SessionId(*id),
            account: AccountDigest::from_bytes(*account),
            record_key: Secret::new(*record_key),
            named_by,
            issued_at: moment(*issued_at),
            idle_expires_at: moment(*idle),
            absolute_expires_at: moment(*absolute),
        })
    }
}

fn idle_end(now: Timestamp, absolute: Timestamp, settings: &SessionSettings) -> Timestamp {
    (now + settings.idle).min(absolute)
}

const fn moment(bytes: [u8; 8]) -> Timestamp {
    Timestamp::from_unix(u64::from_be_bytes(bytes))
}

const PLACE: &str = "__Host-session";
const PLAIN_LENGTH: usize = 16 + 32 + 32 + 4 + 3 * 8;

impl Json for SessionFault {
    fn to_json(&self) -> Value {
        match self {
            Self::DoesNotOpen => "DoesNotOpen".into(),
            Self::Expired => "Expired".into(),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        match value.as_str()? {
            "DoesNotOpen" => Some(Self::DoesNotOpen),
            "Expired" => Some(Self::Expired),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SessionKeys, SignOutScope};

    fn settings() -> SessionSettings {
        SessionSettings {
            keys: SessionKeys { current: Secret::new([1; 32]), previous: vec![] },
            idle: Lifetime::from_seconds(3600),
            absolute: Lifetime::from_seconds(8000),
            login_attempt: Lifetime::from_seconds(900),
            recheck: Lifetime::from_seconds(10),
            memory_entries: 10,
            sign_out_scope: SignOutScope::Account,
        }
    }

    fn session(ring: &KeyRing, now: u64) -> Session {
        let account = AccountDigest::from_subject("https://op.example", "alice");
        Session::begin(
            account,
            [7; 16],
            Secret::new([8; 32]),
            ring.current().id(),
            Timestamp::from_unix(now),
            &settings(),
        )
    }

    #[test]
    fn a_sealed_session_opens_until_its_idle_end() {
        let ring = KeyRing::new(&settings().keys);
        let sealed = session(&ring, 1000).seal(&ring, [1; NONCE_LENGTH]);
        let opened = Session::open(&sealed, &ring, Timestamp::from_unix(4599)).unwrap();
        assert_eq!(opened.id, SessionId::from_bytes([7; 16]));
        assert_eq!(Session::open(&sealed, &ring, Timestamp::from_unix(4600)).unwrap_err(), SessionFault::Expired);
    }

    #[test]
    fn rolling_waits_for_half_the_window_and_never_passes_the_absolute_end() {
        let ring = KeyRing::new(&settings().keys);
        let session = session(&ring, 1000);
        let at = |now| session.rolled(Timestamp::from_unix(now), &settings());
        assert!(at(2700).is_none());
        let rolled = at(3000).unwrap();
        assert_eq!(rolled.idle_expires_at.as_unix(), 6600);
        let again = rolled.rolled(Timestamp::from_unix(6500), &settings()).unwrap();
        assert_eq!(again.idle_expires_at, again.absolute_expires_at);
        assert!(again.rolled(Timestamp::from_unix(8999), &settings()).is_none());
    }

    #[test]
    fn the_cookie_stays_below_four_hundred_bytes() {
        let ring = KeyRing::new(&settings().keys);
        let sealed = session(&ring, 1000).seal(&ring, [1; NONCE_LENGTH]);
        assert!(sealed.len() * 4 / 3 + PLACE.len() + 1 < 400, "{}", sealed.len());
    }
}
