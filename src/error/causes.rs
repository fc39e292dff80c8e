//! What stands behind some errors: details for the log, and what an answer needs to say.

use serde::{Deserialize, Serialize};

use super::InteractionReason;
use crate::oidc::jwks::JwksFault;
use crate::oidc::metadata::MetadataFault;
use crate::oidc::user_info::UserInfoFault;
use crate::session::login_attempt::Interaction;
use crate::session::session::SessionFault;

/// What an API needs the end-user for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InteractionNeed {
    /// What the sign-in is for.
    pub interaction: Interaction,
    /// The scopes that the API needs.
    pub scopes: Vec<String>,
    /// Why no refresh will do.
    pub reason: InteractionReason,
}

/// How a session came to be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionEnd {
    /// The cookie is no session, or not any more.
    Cookie(SessionFault),
    /// The token cache entry does not open with the session's key.
    EntryDoesNotOpen,
    /// The token cache entry is gone: signed out elsewhere, or expired.
    EntryMissing,
    /// The account signed out after this session began.
    SignedOut,
}

/// What the OP got wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpFault {
    /// A refresh brought tokens of another account.
    AccountMismatch,
    /// `client_info` is missing or malformed where the Microsoft identity platform must send it.
    ClientInfo,
    /// The token response has no ID token.
    IdTokenMissing,
    /// The JWKS document.
    Jwks(JwksFault),
    /// A refreshed ID token names a key that the OP does not publish, or not yet.
    KeyUnknown,
    /// The metadata document.
    Metadata(MetadataFault),
    /// What a refresh brought cannot be trusted; the log has the reason.
    Renewal,
    /// An HTTP status that the protocol does not know, of the endpoint named.
    Status(&'static str, u16),
    /// The token response is not one.
    TokenResponse,
    /// The UserInfo answer.
    UserInfo(UserInfoFault),
}
