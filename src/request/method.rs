//! Request methods (RFC 9110 §9).

/// The methods that matter for a decision; the rest is passed on by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `DELETE`.
    Delete,
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// `PATCH` (RFC 5789).
    Patch,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// Any other method; treated as state-changing.
    Other,
}

impl Method {
    pub(super) fn parse(name: &str) -> Self {
        match name {
            "DELETE" => Self::Delete,
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "OPTIONS" => Self::Options,
            "PATCH" => Self::Patch,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            _ => Self::Other,
        }
    }

    /// Whether the method asks only to read (RFC 9110 §9.2.1).
    #[must_use]
    pub const fn is_safe(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options => true,
            Self::Delete | Self::Patch | Self::Post | Self::Put | Self::Other => false,
        }
    }

    /// Whether sending a request twice asks for no more than sending it once (RFC 9110 §9.2.2).
    #[must_use]
    pub const fn is_idempotent(self) -> bool {
        match self {
            Self::Delete | Self::Get | Self::Head | Self::Options | Self::Put => true,
            Self::Patch | Self::Post | Self::Other => false,
        }
    }

    /// Whether a navigation with this method can be repeated after a sign-in without losing anything.
    #[must_use]
    pub const fn starts_a_login(self) -> bool {
        match self {
            Self::Get | Self::Head => true,
            Self::Delete | Self::Options | Self::Patch | Self::Post | Self::Put | Self::Other => false,
        }
    }
}
