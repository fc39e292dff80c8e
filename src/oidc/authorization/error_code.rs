//! What an OpenID Provider may say instead of a code.

/// The `error` of an authorization response (RFC 6749 §4.1.2.1, OIDC Core 3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthorizationErrorCode {
    /// The end-user or the provider denied the request.
    AccessDenied,
    /// The end-user must choose an account, and `prompt=none` forbade asking.
    AccountSelectionRequired,
    /// The end-user must consent, and `prompt=none` forbade asking.
    ConsentRequired,
    /// The end-user must do something, and `prompt=none` forbade asking.
    InteractionRequired,
    /// The request was malformed.
    InvalidRequest,
    /// A scope is unknown.
    InvalidScope,
    /// The end-user must sign in, and `prompt=none` forbade asking.
    LoginRequired,
    /// Any other code.
    Other,
    /// The provider failed.
    ServerError,
    /// The provider is overloaded.
    TemporarilyUnavailable,
    /// This client may not use the code flow.
    UnauthorizedClient,
    /// The provider does not know the code flow.
    UnsupportedResponseType,
}

impl AuthorizationErrorCode {
    /// Every code, `Other` included.
    pub const ALL: [Self; 12] = [
        Self::AccessDenied,
        Self::AccountSelectionRequired,
        Self::ConsentRequired,
        Self::InteractionRequired,
        Self::InvalidRequest,
        Self::InvalidScope,
        Self::LoginRequired,
        Self::Other,
        Self::ServerError,
        Self::TemporarilyUnavailable,
        Self::UnauthorizedClient,
        Self::UnsupportedResponseType,
    ];

    /// Parses the `error` value; what is not known is `Other`, so that no text of the sender is kept.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|code| code.name() == name).unwrap_or(Self::Other)
    }

    /// The `error` value; `other` for those that are not known.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::LoginRequired => "login_required",
            Self::Other => "other",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedResponseType => "unsupported_response_type",
        }
    }
}
