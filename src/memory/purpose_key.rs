//! Who wants something, and what for: what much of an isolate's memory is found by.

use sha2::{Digest, Sha256};

use super::bearer_tokens::BearerTokenKey;
use crate::session::session::SessionId;

/// Who wants something, and what for: a digest. One kind of key for many maps is one compiled copy of their code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PurposeKey([u8; 32]);

impl PurposeKey {
    /// The key of a session for a purpose, such as an API by its name.
    #[must_use]
    pub fn of_session(session: SessionId, purpose: &str) -> Self {
        Self::new(session.as_bytes(), purpose)
    }

    /// The key of an access token that a program presented for a purpose.
    #[must_use]
    pub fn of_token(presented: BearerTokenKey, purpose: &str) -> Self {
        Self::new(presented.as_bytes(), purpose)
    }

    fn new(who: &[u8], purpose: &str) -> Self {
        Self(Sha256::new().chain_update(who).chain_update(purpose).finalize().into())
    }
}
