//! Another access token for one that somebody else presented, so that an API further on sees the same end-user: OAuth 2.0
//! Token Exchange (RFC 8693), and what the Microsoft identity platform has instead, the access token as an assertion
//! (RFC 7523 §2.1) and "on behalf of".

use super::token::TokenErrorCode;

/// How an access token is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenExchange {
    /// The Microsoft identity platform's on-behalf-of flow.
    OnBehalfOf,
    /// RFC 8693.
    Rfc8693,
}

impl TokenExchange {
    /// The parameters of the token request (RFC 6749 §4.5) beside the client's own, `scope`, `resource` and `claims`.
    #[must_use]
    pub fn parameters(self, access_token: &str) -> Vec<(&'static str, String)> {
        let parameters: &[(&'static str, &str)] = match self {
            Self::OnBehalfOf => &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", access_token),
                ("requested_token_use", "on_behalf_of"),
            ],
            // §2.1
            Self::Rfc8693 => &[
                ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
                ("subject_token", access_token),
                ("subject_token_type", ACCESS_TOKEN),
                ("requested_token_type", ACCESS_TOKEN),
            ],
        };
        parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    /// Whether the response is an access token by its `issued_token_type`, which RFC 8693 §2.2.1 requires: any other kind
    /// could be in the same member.
    #[must_use]
    pub fn is_access_token(self, issued_token_type: Option<&str>) -> bool {
        match self {
            Self::OnBehalfOf => true,
            Self::Rfc8693 => issued_token_type == Some(ACCESS_TOKEN),
        }
    }

    /// Whether the error is about the presented token rather than about us: RFC 8693 §2.2.2 has `invalid_request` for a
    /// subject token that is "invalid for any reason".
    #[must_use]
    pub const fn blames_token(self, code: TokenErrorCode) -> bool {
        matches!((self, code), (Self::Rfc8693, TokenErrorCode::InvalidRequest))
    }
}

/// RFC 8693 §3.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_access_token_is_taken_where_the_response_says_what_it_is() {
        let exchange = TokenExchange::Rfc8693;
        assert!(exchange.is_access_token(Some("urn:ietf:params:oauth:token-type:access_token")));
        for other in [None, Some(""), Some("access_token"), Some("urn:ietf:params:oauth:token-type:id_token")] {
            assert!(!exchange.is_access_token(other), "{other:?}");
        }
        assert!(TokenExchange::OnBehalfOf.is_access_token(None));
    }

    #[test]
    fn each_protocol_has_its_own_word_for_a_bad_token() {
        for code in TokenErrorCode::ALL {
            let is_request = code == TokenErrorCode::InvalidRequest;
            assert_eq!(TokenExchange::Rfc8693.blames_token(code), is_request, "{code:?}");
            assert!(!TokenExchange::OnBehalfOf.blames_token(code), "{code:?}");
        }
    }
}
