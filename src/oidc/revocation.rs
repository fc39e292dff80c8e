//! The revocation request (RFC 7009 §2.1): the OP is told that nobody needs a refresh token any more. Deleting it here
//! comes first and does not depend on it.

use http::Request;
use url::Url;

use super::client_secret::ClientSecret;

/// What the OP is told.
pub struct RevocationRequest<'a> {
    /// The token.
    pub refresh_token: &'a str,
    /// Our client identifier.
    pub client_id: &'a str,
    /// Our client secret.
    pub client_secret: &'a str,
    /// Whether the secret goes into the body (`client_secret_post`) rather than into a header (RFC 6749 §2.3.1).
    pub is_secret_in_body: bool,
}

impl RevocationRequest<'_> {
    /// The request as HTTP has it.
    ///
    /// # Errors
    /// None for an endpoint of a metadata document that was parsed.
    pub fn to_http(&self, endpoint: &Url) -> Result<Request<Vec<u8>>, http::Error> {
        let client =
            ClientSecret { id: self.client_id, secret: self.client_secret, is_in_body: self.is_secret_in_body };
        client.post(endpoint, &[("token", self.refresh_token), ("token_type_hint", "refresh_token")])
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    fn request(is_secret_in_body: bool) -> Request<Vec<u8>> {
        let endpoint = Url::parse("https://op.example/revoke?p=B2C_1_a").unwrap();
        let request = RevocationRequest {
            refresh_token: "rt+/=&%",
            client_id: "client!+ID",
            client_secret: "SECRET?%G:client",
            is_secret_in_body,
        };
        request.to_http(&endpoint).unwrap()
    }

    fn pairs(request: &Request<Vec<u8>>) -> Vec<(String, String)> {
        url::form_urlencoded::parse(request.body()).into_owned().collect()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn the_secret_goes_into_the_header_form_encoded() {
        let request = request(false);
        assert_eq!((request.method().as_str(), request.uri().query()), ("POST", Some("p=B2C_1_a")));
        assert_eq!(pairs(&request), [pair("token", "rt+/=&%"), pair("token_type_hint", "refresh_token")]);
        let expected = STANDARD.encode("client%21%2BID:SECRET%3F%25G%3Aclient");
        assert_eq!(request.headers()["authorization"], format!("Basic {expected}"));
    }

    #[test]
    fn or_into_the_body() {
        let request = request(true);
        let expected = [
            pair("token", "rt+/=&%"),
            pair("token_type_hint", "refresh_token"),
            pair("client_id", "client!+ID"),
            pair("client_secret", "SECRET?%G:client"),
        ];
        assert_eq!(pairs(&request), expected);
        assert!(!request.headers().contains_key("authorization"));
    }
}
