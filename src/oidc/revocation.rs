//! The revocation request (RFC 7009 §2.1): the OP is told that nobody needs a refresh token any more. Deleting it here
//! comes first and does not depend on it.

/// What the OP is told.
#[must_use]
pub const fn parameters(refresh_token: &str) -> [(&str, &str); 2] {
    [("token", refresh_token), ("token_type_hint", "refresh_token")]
}
