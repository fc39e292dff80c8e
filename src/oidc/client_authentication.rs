//! A form for an endpoint of the OP that only this client may ask, and how it says who it is (RFC 6749 §2.3, RFC 7521
//! §4.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::{Url, form_urlencoded};

use super::call::{HeaderMalformed, OpRequest};

/// What proves that a request is this client's.
pub enum ClientAuthentication<'a> {
    /// A signed assertion in the form (RFC 7523 §2.2): of a key of its own, or of somebody whom the OP believes.
    Assertion(String),
    /// Its secret in a header (`client_secret_basic`).
    SecretBasic(&'a str),
    /// Its secret in the form (`client_secret_post`).
    SecretPost(&'a str),
}

/// `parameters` as a form, with the client's own.
///
/// # Errors
/// None: a header is in base64.
pub fn form(
    endpoint: &Url,
    (client_id, authentication): (&str, &ClientAuthentication<'_>),
    parameters: &[(&str, &str)],
) -> Result<OpRequest, HeaderMalformed> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters);
    let mut header = None;
    match authentication {
        ClientAuthentication::Assertion(assertion) => {
            form.append_pair("client_id", client_id)
                .append_pair("client_assertion_type", JWT_BEARER)
                .append_pair("client_assertion", assertion);
        }
        ClientAuthentication::SecretBasic(secret) => {
            header = Some(basic(client_id, secret));
        }
        ClientAuthentication::SecretPost(secret) => {
            form.append_pair("client_id", client_id).append_pair("client_secret", secret);
        }
    }
    let mut request = OpRequest::post(endpoint.as_str(), form.finish());
    if let Some(header) = header {
        request.set("authorization", header)?;
    }
    Ok(request)
}

/// Both parts form-encoded first (RFC 6749 §2.3.1), unlike what browsers do: a colon in the id would end it otherwise.
fn basic(client_id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = [encoded(client_id), encoded(secret)].join(":");
    ["Basic ", &STANDARD.encode(pair)].concat()
}

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

#[cfg(test)]
mod tests {
    use super::*;

    fn request(client: (&str, &ClientAuthentication<'_>)) -> OpRequest {
        let endpoint = Url::parse("https://op.example/revoke?p=B2C_1_a").unwrap();
        form(&endpoint, client, &[("token", "rt+/=&%"), ("token_type_hint", "refresh_token")]).unwrap()
    }

    fn pairs(request: &OpRequest) -> Vec<(String, String)> {
        form_urlencoded::parse(&request.body).into_owned().collect()
    }

    fn expected(own: &[(&str, &str)]) -> Vec<(String, String)> {
        let parameters = [("token", "rt+/=&%"), ("token_type_hint", "refresh_token")];
        parameters.iter().chain(own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_secret_in_the_header_is_form_encoded_first() {
        for (id, secret, encoded) in [
            ("client!+ID", "SECRET?%G:client", "client%21%2BID:SECRET%3F%25G%3Aclient"),
            ("a:b", "c:d", "a%3Ab:c%3Ad"),
            ("with space", "plus+ and %41", "with+space:plus%2B+and+%2541"),
            ("https://app.example/?a=b&c", "~-._*", "https%3A%2F%2Fapp.example%2F%3Fa%3Db%26c:%7E-._*"),
            ("zoë", "пароль", "zo%C3%AB:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"),
            ("a", "=\"'\\", "a:%3D%22%27%5C"),
        ] {
            let request = request((id, &ClientAuthentication::SecretBasic(secret)));
            let field = format!("Basic {}", STANDARD.encode(encoded));
            assert_eq!(request.header("authorization"), Some(field.as_str()), "{encoded}");
            assert_eq!(pairs(&request), expected(&[]));
            assert_eq!((request.method, request.url.as_str()), ("POST", "https://op.example/revoke?p=B2C_1_a"));
        }
    }

    #[test]
    fn a_secret_in_the_form_is_there_once() {
        let request = request(("client!+ID", &ClientAuthentication::SecretPost("SECRET?%G: é")));
        assert_eq!(pairs(&request), expected(&[("client_id", "client!+ID"), ("client_secret", "SECRET?%G: é")]));
        assert!(request.header("authorization").is_none());
    }

    #[test]
    fn an_assertion_goes_with_its_type_and_the_id_and_no_secret() {
        let request = request(("client!+ID", &ClientAuthentication::Assertion("a.b-_.c".to_owned())));
        let own = [("client_id", "client!+ID"), ("client_assertion_type", JWT_BEARER), ("client_assertion", "a.b-_.c")];
        assert_eq!(pairs(&request), expected(&own));
        assert!(request.header("authorization").is_none());
    }
}
