//! The logout request (RP-Initiated Logout 1.0 §2). Ending the session and removing the account come before it and are
//! not done here.

use url::Url;

use super::endpoint::with_parameters;

/// What the browser takes to the `end_session_endpoint`.
pub struct EndSessionRequest<'a> {
    /// Our client identifier.
    pub client_id: &'a str,
    /// The ID token of the session, for providers that ask for it. It is a token in a URL: sent only where configured.
    pub id_token_hint: Option<&'a str>,
    /// The `login_hint` claim, which spares the account picker at the Microsoft identity platform.
    pub logout_hint: Option<&'a str>,
    /// Where the provider sends the browser back to; must be registered there.
    pub post_logout_redirect_uri: &'a str,
    /// Comes back with the browser.
    pub state: &'a str,
}

impl EndSessionRequest<'_> {
    /// The request as a URL.
    #[must_use]
    pub fn url(&self, endpoint: &Url) -> Url {
        let mut parameters = vec![
            ("client_id", self.client_id),
            ("post_logout_redirect_uri", self.post_logout_redirect_uri),
            ("state", self.state),
        ];
        parameters.extend(self.id_token_hint.map(|hint| ("id_token_hint", hint)));
        parameters.extend(self.logout_hint.map(|hint| ("logout_hint", hint)));
        with_parameters(endpoint, &parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_in_their_parameters() {
        let endpoint = Url::parse("https://op.example/logout?p=B2C_1_a").unwrap();
        let request = EndSessionRequest {
            client_id: "client!+ID",
            id_token_hint: None,
            logout_hint: Some("O.C&state=evil#x"),
            post_logout_redirect_uri: "https://app.example.com/signout-callback-oidc",
            state: "s t&u",
        };
        let url = request.url(&endpoint);
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("p", "B2C_1_a"),
            ("client_id", "client!+ID"),
            ("post_logout_redirect_uri", "https://app.example.com/signout-callback-oidc"),
            ("state", "s t&u"),
            ("logout_hint", "O.C&state=evil#x"),
        ];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(url.fragment(), None);
    }

    #[test]
    fn no_token_is_sent_unless_given() {
        let endpoint = Url::parse("https://op.example/logout").unwrap();
        let request = EndSessionRequest {
            client_id: "c",
            id_token_hint: Some("a.b.c"),
            logout_hint: None,
            post_logout_redirect_uri: "https://app.example.com/",
            state: "s",
        };
        assert!(request.url(&endpoint).as_str().contains("&id_token_hint=a.b.c"));
        let request = EndSessionRequest { id_token_hint: None, ..request };
        assert!(!request.url(&endpoint).as_str().contains("id_token_hint"));
    }
}
