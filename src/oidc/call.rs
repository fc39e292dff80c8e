//! Requests to an OpenID Provider and its answers, as far as they matter: no other header of it decides anything.

use crate::secret::Secret;

/// A request to an OpenID Provider.
#[derive(Clone)]
pub struct OpRequest {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where to.
    pub url: String,
    /// The body; empty for `GET`.
    pub body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
}

/// What it answered.
pub struct OpResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// The whole body.
    pub body: Vec<u8>,
}

/// A header's value would end the header. It may be a secret, so it is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderMalformed;

impl OpRequest {
    /// Asks for JSON.
    #[must_use]
    pub fn get(url: &str) -> Self {
        Self { method: "GET", url: url.to_owned(), body: Vec::new(), headers: vec![("accept", JSON.to_owned())] }
    }

    /// Sends a form and asks for JSON.
    #[must_use]
    pub fn post(url: &str, form: String) -> Self {
        let headers = vec![("accept", JSON.to_owned()), ("content-type", FORM.to_owned())];
        Self { method: "POST", url: url.to_owned(), body: form.into_bytes(), headers }
    }

    /// Sets a header in place of one of that name, which is in lower case.
    ///
    /// # Errors
    /// For a value with a control character in it.
    pub fn set(&mut self, name: &'static str, value: String) -> Result<(), HeaderMalformed> {
        if value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(HeaderMalformed);
        }
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value));
        Ok(())
    }

    /// Sends an access token, or what counts as one (RFC 6750 §2.1).
    ///
    /// # Errors
    /// For a token with a control character in it.
    pub fn authorize(&mut self, token: &Secret) -> Result<(), HeaderMalformed> {
        self.set("authorization", ["Bearer ", token.expose()].concat())
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every header, its name in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_there_once_and_cannot_begin_another() {
        let mut request = OpRequest::get("https://op.example/");
        assert_eq!(request.set("x", "a\r\nauthorization: b".to_owned()), Err(HeaderMalformed));
        assert_eq!(request.authorize(&Secret::new("a\nb".to_owned())), Err(HeaderMalformed));
        assert_eq!(request.headers().collect::<Vec<_>>(), [("accept", JSON)]);
        for value in ["text/plain", "*/*"] {
            request.set("accept", value.to_owned()).unwrap();
        }
        assert_eq!(request.headers().collect::<Vec<_>>(), [("accept", "*/*")]);
    }
}
