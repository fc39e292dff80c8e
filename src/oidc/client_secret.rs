//! A form for an endpoint of the OP that only this client may ask, with its secret (RFC 6749 §2.3.1). The token
//! endpoint's are made by `oauth2`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use url::{Url, form_urlencoded};

/// The client and its secret.
pub(super) struct ClientSecret<'a> {
    pub(super) id: &'a str,
    pub(super) secret: &'a str,
    /// Whether the secret goes into the body (`client_secret_post`) rather than into a header.
    pub(super) is_in_body: bool,
}

impl ClientSecret<'_> {
    /// `parameters` as a form for `endpoint`.
    pub(super) fn post(&self, endpoint: &Url, parameters: &[(&str, &str)]) -> Result<Request<Vec<u8>>, http::Error> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(parameters);
        let mut request = Request::post(endpoint.as_str())
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if self.is_in_body {
            form.append_pair("client_id", self.id).append_pair("client_secret", self.secret);
        } else {
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(self.id), encoded(self.secret));
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
        }
        request.body(form.finish().into_bytes())
    }
}
