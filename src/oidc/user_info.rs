//! The UserInfo response (OIDC Core 5.3.2, 5.3.4), as JSON. Signed or encrypted answers are refused as malformed.

use std::fmt;

use crate::json;

use serde_json::{Map, Value};

/// The longest answer that is parsed.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Claims about the end-user whose ID token was accepted; [`UserInfo::parse`] is the only constructor.
pub struct UserInfo(Map<String, Value>);

impl UserInfo {
    /// Parses the answer. `subject` is the ID token's `sub`: an answer about anyone else must not be used, for an
    /// access token could have been substituted (OIDC Core 5.3.2).
    pub fn parse(answer: &[u8], subject: &str) -> Result<Self, UserInfoFault> {
        if answer.len() > MAX_ANSWER_BYTES {
            return Err(UserInfoFault::TooLong);
        }
        let claims = json::object(answer).ok_or(UserInfoFault::Malformed)?;
        let Some(sub) = claims.get("sub") else {
            return Err(UserInfoFault::SubjectMissing);
        };
        if sub.as_str() != Some(subject) {
            return Err(UserInfoFault::SubjectMismatch);
        }
        Ok(Self(claims))
    }

    /// The claims, `sub` included.
    #[must_use]
    pub const fn claims(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Gives the claims up.
    #[must_use]
    pub fn into_claims(self) -> Map<String, Value> {
        self.0
    }
}

/// Why a UserInfo answer was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UserInfoFault {
    /// Not a JSON object with unique names.
    Malformed,
    /// `sub` is another end-user's, or no string.
    SubjectMismatch,
    /// There is no `sub`.
    SubjectMissing,
    /// Longer than [`MAX_ANSWER_BYTES`].
    TooLong,
}

impl fmt::Display for UserInfoFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the userinfo answer is malformed",
            Self::SubjectMismatch => "the userinfo answer is about another subject",
            Self::SubjectMissing => "the userinfo answer names no subject",
            Self::TooLong => "the userinfo answer is too long",
        })
    }
}

impl std::error::Error for UserInfoFault {}
