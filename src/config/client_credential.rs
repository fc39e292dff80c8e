//! One of the ways in which this client authenticates: an entry of `ClientCredentials`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;

use crate::oidc::algorithm::Algorithm;
use crate::oidc::client_key::{ClientKey, ClientKeyFault, KeyUse};
use crate::oidc::pfx::Pfx;
use crate::secret::Secret;

use super::fault::Problem;
use super::section::{Section, plain_text};
use super::{address, unsupported};

/// One way to authenticate.
#[derive(Clone, Debug)]
pub enum ClientCredential {
    /// An assertion that somebody else signs.
    Assertion(Box<AssertionSource>),
    /// A key of ours (`private_key_jwt`).
    Key(Box<ClientKey>),
    /// The same in a file that the platform must open first.
    Pfx(Box<Pfx>),
    /// `client_secret_basic`, the default of `OpenIdConnect`.
    SecretBasic(Secret),
    /// `client_secret_post`, the default of `AzureAd`.
    SecretPost(Secret),
}

/// Who signs assertions that speak for this client, so that no secret of the client is stored (federated credentials).
#[derive(Clone, Debug)]
pub struct AssertionSource {
    /// Whom to ask.
    pub place: AssertionPlace,
    /// `AssertionToken`, to ask with.
    pub token: Option<Secret>,
    /// `TokenExchangeUrl`: the audience to ask for.
    pub audience: Option<String>,
}

/// Where assertions are.
#[derive(Clone, Debug)]
pub enum AssertionPlace {
    /// `AssertionService`: the name of a service binding.
    Service(String),
    /// `AssertionUrl`.
    Url(Url),
}

pub(super) const SECRET: &str = "ClientSecret";

const SOURCE_TYPE: &str = "SourceType";
const SERVICE: &str = "AssertionService";
const URL: &str = "AssertionUrl";
const IN_LIST: &str =
    "a secret: put it under its name with __ for each dot, and __0 for [0], e.g. AzureAd__ClientCredentials__0__Pem";
const NEEDS_SOURCE: Problem =
    Problem::Invalid("be ClientSecret, Base64Encoded, Pem, Jwk or CustomSignedAssertion", None);
const NEEDS_BINDING: Problem = Problem::Invalid("name a binding of [[services]] in wrangler.toml", Some("ASSERTIONS"));
const NEEDS_BASE64: Problem = Problem::Invalid("be a PFX file in base64", None);
const NEEDS_STRING: Problem = Problem::Invalid("be a string that is not empty", None);

/// What the entries of a list have in common.
pub(super) struct Shared<'a> {
    pub(super) wrap: fn(Secret) -> ClientCredential,
    pub(super) is_entra: bool,
    pub(super) sends_x5c: bool,
    pub(super) bindings: &'a [String],
}

/// Reads an entry.
pub(super) fn entry(section: &mut Section<'_>, shared: &Shared<'_>) -> Option<ClientCredential> {
    match source(section) {
        Some(Source::Assertion) => assertion(section, shared),
        Some(Source::Jwk) => key(section, "Jwk", shared, ClientKey::from_jwk),
        Some(Source::Pem) => key(section, "Pem", shared, ClientKey::from_pem),
        Some(Source::Pfx) => pfx(section, shared),
        Some(Source::Secret) => secret(section, IN_LIST).map(shared.wrap),
        None => {
            // What else is there cannot be judged.
            for name in section.names() {
                section.take(&name);
            }
            None
        }
    }
}

enum Source {
    Assertion,
    Jwk,
    Pem,
    Pfx,
    Secret,
}

/// By name, or by the number that Microsoft.Identity.Web gives it.
fn source(section: &mut Section<'_>) -> Option<Source> {
    if !section.holds(SOURCE_TYPE) {
        section.missing(SOURCE_TYPE, "ClientSecret, Base64Encoded, Pem, Jwk or CustomSignedAssertion");
    }
    let value = section.take(SOURCE_TYPE)?.value;
    let name = if let Value::Number(number) = &value { Ok(number.to_string()) } else { plain_text(&value) };
    let source = name.and_then(|name| Source::parse(&name));
    section.accept(SOURCE_TYPE, source)
}

impl Source {
    fn parse(name: &str) -> Result<Self, Problem> {
        match name {
            "ClientSecret" | "6" => Ok(Self::Secret),
            "Base64Encoded" | "2" => Ok(Self::Pfx),
            "CustomSignedAssertion" | "11" => Ok(Self::Assertion),
            "Jwk" => Ok(Self::Jwk),
            "Pem" => Ok(Self::Pem),
            other => Err(unsupported::source_type(other).map_or(NEEDS_SOURCE, Problem::Unsupported)),
        }
    }
}

/// `ClientSecret`, which must be there.
pub(super) fn secret(section: &mut Section<'_>, hint: &'static str) -> Option<Secret> {
    if !section.holds(SECRET) {
        section.missing(SECRET, hint);
    }
    let value = section.secret(SECRET)?;
    let secret = plain_text(&value).and_then(|text| client_text(&text));
    section.accept(SECRET, secret).map(Secret::new)
}

/// A secret that must be there, of any characters.
fn required(section: &mut Section<'_>, name: &str) -> Option<String> {
    if !section.holds(name) {
        section.missing(name, IN_LIST);
    }
    let value = section.secret(name)?;
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    section.accept(name, text.map(str::to_owned).ok_or(NEEDS_STRING))
}

fn key(
    section: &mut Section<'_>,
    name: &str,
    shared: &Shared<'_>,
    parse: fn(&str, &KeyUse) -> Result<ClientKey, ClientKeyFault>,
) -> Option<ClientCredential> {
    let wanted = wanted(section, shared);
    let text = required(section, name)?;
    let key = parse(&text, &wanted?).map_err(|fault| Problem::Invalid(fault.rule(), None));
    section.accept(name, key).map(|key| ClientCredential::Key(Box::new(key)))
}

fn pfx(section: &mut Section<'_>, shared: &Shared<'_>) -> Option<ClientCredential> {
    const VALUE: &str = "Base64EncodedValue";
    const PASSWORD: &str = "CertificatePassword";

    let wanted = wanted(section, shared);
    let text = required(section, VALUE);
    let password = if section.holds(PASSWORD) {
        let value = section.secret(PASSWORD)?;
        section.accept(PASSWORD, value.as_str().map(str::to_owned).ok_or(NEEDS_STRING))?
    } else {
        String::new()
    };
    // Tools break base64 into lines.
    let encoded: String = text?.split_ascii_whitespace().collect();
    let contents = section.accept(VALUE, STANDARD.decode(encoded).map_err(|_| NEEDS_BASE64))?;
    let pfx = Pfx { contents: Secret::new(contents), password: Secret::new(password), wanted: wanted? };
    Some(ClientCredential::Pfx(Box::new(pfx)))
}

fn wanted(section: &mut Section<'_>, shared: &Shared<'_>) -> Option<KeyUse> {
    const ALGORITHM: &str = "SigningAlgorithm";
    const RULE: Problem = Problem::Invalid("be RS256, PS256 or ES256", None);

    let (is_entra, sends_x5c) = (shared.is_entra, shared.sends_x5c);
    if is_entra {
        return Some(KeyUse { algorithm: None, key_id: None, is_entra, sends_x5c });
    }
    let key_id = section.text("KeyId");
    let is_free = !section.holds(ALGORITHM);
    let algorithm = section.parsed(ALGORITHM, |name| {
        Algorithm::parse(name).filter(|algorithm| *algorithm != Algorithm::EdDsa).ok_or(RULE)
    });
    (is_free || algorithm.is_some()).then_some(KeyUse { algorithm, key_id, is_entra, sends_x5c })
}

fn assertion(section: &mut Section<'_>, shared: &Shared<'_>) -> Option<ClientCredential> {
    let place = place(section, shared.bindings);
    let token = if section.holds("AssertionToken") {
        let value = section.secret("AssertionToken")?;
        Some(section.accept("AssertionToken", plain_text(&value).and_then(|text| client_text(&text)))?)
    } else {
        None
    };
    let audience = section.text("TokenExchangeUrl").or_else(|| shared.is_entra.then(|| FEDERATION.to_owned()));
    let source = AssertionSource { place: place?, token: token.map(Secret::new), audience };
    Some(ClientCredential::Assertion(Box::new(source)))
}

fn place(section: &mut Section<'_>, bindings: &[String]) -> Option<AssertionPlace> {
    match (section.holds(SERVICE), section.holds(URL)) {
        (false, false) => {
            section.missing(SERVICE, "the name of a service binding, or AssertionUrl");
            None
        }
        (true, true) => {
            let url = section.key(URL);
            section.fault(SERVICE, Problem::Conflict(url));
            section.take(SERVICE);
            section.take(URL);
            None
        }
        (true, false) => section.parsed(SERVICE, |name| {
            let is_other = name == super::TOKEN_CACHE || name == super::ACCOUNTS;
            let is_bound = !is_other && bindings.iter().any(|binding| binding == name);
            if is_bound { Ok(AssertionPlace::Service(name.to_owned())) } else { Err(NEEDS_BINDING) }
        }),
        (false, true) => section.parsed(URL, |text| address::endpoint(text).map(AssertionPlace::Url)),
    }
}

/// RFC 6749 Appendix A.1 and A.2 allow visible ASCII and spaces only.
pub(super) fn client_text(text: &str) -> Result<String, Problem> {
    if text.bytes().all(|byte| matches!(byte, 0x20..=0x7E)) {
        return Ok(text.to_owned());
    }
    Err(Problem::Invalid("be printable ASCII, not a placeholder", None))
}

/// The audience of assertions that the Microsoft identity platform exchanges, in its public cloud.
const FEDERATION: &str = "api://AzureADTokenExchange";
