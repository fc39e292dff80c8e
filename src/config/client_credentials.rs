//! How this client authenticates at its OpenID Provider: `ClientSecret`, or `[[…ClientCredentials]]`, a list of ways in
//! the order in which they are tried.

use crate::secret::Secret;

use super::client_credential::{ClientCredential, SECRET, Shared, entry, secret};
use super::fault::Problem;
use super::section::Section;

/// Whom assertions by a key are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssertionAudience {
    /// The issuer identifier, which nobody else can be mistaken for.
    Issuer,
    /// The token endpoint, as the Microsoft identity platform wants it.
    TokenEndpoint,
}

const LIST: &str = "ClientCredentials";
const SEND_X5C: &str = "SendX5C";
const NEEDS_ENTRY: Problem = Problem::Invalid("have an entry", None);

/// What kinds of providers do not share.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub(super) auth_method: &'static str,
    pub(super) secret_hint: &'static str,
    pub(super) is_entra: bool,
    /// What the settings of a list's entries are found under.
    pub(super) pattern: &'static str,
}

impl Kind {
    /// The same for one of several providers.
    pub(super) const fn of_named(self) -> Self {
        let secret_hint = "store it with `wrangler secret put Providers__<Name>__ClientSecret`";
        Self { secret_hint, pattern: "Providers.<Name>.ClientCredentials[]", ..self }
    }
}

/// Reads the credentials of a provider's section, at least one; `bindings` may have assertions.
pub(super) fn read(section: &mut Section<'_>, kind: Kind, bindings: &[String]) -> Option<Vec<ClientCredential>> {
    let wrap = section.parsed_or("TokenEndpointAuthMethod", kind.auth_method, |method| match method {
        "client_secret_basic" => Ok(ClientCredential::SecretBasic as fn(Secret) -> ClientCredential),
        "client_secret_post" => Ok(ClientCredential::SecretPost as fn(Secret) -> ClientCredential),
        _ => Err(Problem::Invalid("be client_secret_basic or client_secret_post", None)),
    });
    let sends_x5c = section.flag(SEND_X5C);
    let credentials = if section.holds(LIST) {
        let (wrap, sends_x5c) = (wrap.unwrap_or(ClientCredential::SecretPost), sends_x5c.unwrap_or_default());
        list(section, kind.pattern, &Shared { wrap, is_entra: kind.is_entra, sends_x5c, bindings })
    } else {
        secret(section, kind.secret_hint).zip(wrap).map(|(secret, wrap)| vec![wrap(secret)])
    };
    if sends_x5c? && credentials.as_ref().is_some_and(|credentials| !credentials.iter().any(is_key)) {
        section.fault(SEND_X5C, Problem::NeedsBeside("a certificate in ClientCredentials"));
    }
    credentials.filter(|_| wrap.is_some())
}

/// Whom assertions are for. The Microsoft identity platform leaves no choice.
pub(super) fn audience(section: &mut Section<'_>, is_entra: bool) -> Option<AssertionAudience> {
    if is_entra {
        return Some(AssertionAudience::TokenEndpoint);
    }
    section.parsed_or("ClientAssertionAudience", "Issuer", |text| match text {
        "Issuer" => Ok(AssertionAudience::Issuer),
        "TokenEndpoint" => Ok(AssertionAudience::TokenEndpoint),
        _ => Err(Problem::Invalid("be Issuer or TokenEndpoint", None)),
    })
}

fn list(section: &mut Section<'_>, pattern: &'static str, shared: &Shared<'_>) -> Option<Vec<ClientCredential>> {
    if section.holds(SECRET) {
        let secret = section.key(SECRET);
        section.fault(LIST, Problem::Conflict(secret));
        section.take(SECRET);
    }
    let tables = section.secret_tables(LIST)?;
    if tables.is_empty() {
        section.fault(LIST, NEEDS_ENTRY);
    }
    let mut credentials = Some(Vec::new());
    for table in tables {
        let mut element = section.element(LIST, table, pattern);
        let credential = entry(&mut element, shared);
        element.finish();
        credentials = credentials.zip(credential).map(|(mut credentials, credential)| {
            credentials.push(credential);
            credentials
        });
    }
    credentials.filter(|credentials| !credentials.is_empty())
}

const fn is_key(credential: &ClientCredential) -> bool {
    matches!(credential, ClientCredential::Key(_) | ClientCredential::Pfx(_))
}
