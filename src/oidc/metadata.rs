//! The OpenID Provider's metadata document (OIDC Discovery 3, RFC 8414 §2). Fetching and caching it is not done here.

use std::fmt;

use url::Url;

use super::endpoint::is_secure_or_loopback;
use super::issuer::IssuerRule;
use crate::json::{Json, Members};

/// The longest document that is parsed. Those of large providers have 2 to 6 KiB.
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// What the provider says about itself, as far as this relying party acts on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// Where the browser is sent to sign in.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are redeemed.
    pub token_endpoint: Url,
    /// Where the signing keys are.
    pub jwks_uri: Url,
    /// Where more claims can be read (OIDC Core 5.3).
    pub userinfo_endpoint: Option<Url>,
    /// Where the browser is sent to sign out (RP-Initiated Logout 1.0 §2.1).
    pub end_session_endpoint: Option<Url>,
    /// Where a refresh token can be revoked (RFC 7009 §2).
    pub revocation_endpoint: Option<Url>,
    /// Where an access token can be asked about (RFC 7662 §2).
    pub introspection_endpoint: Option<Url>,
    /// What `iss` must be in tokens, now that the document has named the issuer, or the template of it.
    pub issuer: IssuerRule,
    /// Whether authorization responses carry `iss`, so that one without it is refused (RFC 9207 §2.3).
    pub sends_issuer_parameter: bool,
    /// Whether the provider says that it checks S256 code challenges. They are sent in any case: RFC 6749 §3.1 has
    /// unknown parameters ignored, and some providers check what they do not advertise.
    pub advertises_s256: bool,
}

impl Metadata {
    /// Parses the document and holds it against the issuer that it was fetched for (OIDC Discovery 4.3).
    pub fn parse(document: &[u8], issuer: &IssuerRule) -> Result<Self, MetadataFault> {
        if document.len() > MAX_DOCUMENT_BYTES {
            return Err(MetadataFault::TooLong);
        }
        let mut document = Document(Members::parse(document).ok_or(MetadataFault::Malformed)?);
        let named: String = document.take("issuer")?.ok_or(MetadataFault::Malformed)?;
        let issuer = issuer.learn(&named).ok_or_else(|| MetadataFault::of_issuer(&named))?;
        let methods: Vec<String> = document.take("code_challenge_methods_supported")?.unwrap_or_default();
        Ok(Self {
            authorization_endpoint: document.required("authorization_endpoint")?,
            token_endpoint: document.required("token_endpoint")?,
            jwks_uri: document.required("jwks_uri")?,
            userinfo_endpoint: document.endpoint("userinfo_endpoint")?,
            end_session_endpoint: document.endpoint("end_session_endpoint")?,
            revocation_endpoint: document.endpoint("revocation_endpoint")?,
            introspection_endpoint: document.endpoint("introspection_endpoint")?,
            issuer,
            sends_issuer_parameter: document.take("authorization_response_iss_parameter_supported")?.unwrap_or(false),
            advertises_s256: methods.iter().any(|name| name == "S256"),
        })
    }
}

/// The document's members. One of another type than its own is refused, even if it could be done without.
struct Document(Members);

impl Document {
    fn take<T: Json>(&mut self, name: &str) -> Result<Option<T>, MetadataFault> {
        self.0.take(name).ok_or(MetadataFault::Malformed)
    }

    fn endpoint(&mut self, name: &str) -> Result<Option<Url>, MetadataFault> {
        self.take::<String>(name)?.map(|text| endpoint(&text)).transpose()
    }

    fn required(&mut self, name: &str) -> Result<Url, MetadataFault> {
        self.endpoint(name)?.ok_or(MetadataFault::EndpointMissing)
    }
}

/// Why a metadata document was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetadataFault {
    /// An endpoint is neither https nor on a loopback host.
    EndpointInsecure,
    /// An endpoint is no absolute URL, or carries user information or a fragment.
    EndpointMalformed,
    /// `authorization_endpoint`, `token_endpoint` or `jwks_uri` is absent.
    EndpointMissing,
    /// `issuer` is not the configured one: the document belongs to someone else.
    IssuerMismatch,
    /// `issuer` is that of one user flow of Azure AD B2C (`…/tfp/…`), so that its tokens would fit no other.
    IssuerOfUserFlow,
    /// Not a JSON object with members of the right types.
    Malformed,
    /// Longer than [`MAX_DOCUMENT_BYTES`].
    TooLong,
}

impl MetadataFault {
    fn of_issuer(stated: &str) -> Self {
        if stated.contains("/tfp/") { Self::IssuerOfUserFlow } else { Self::IssuerMismatch }
    }
}

impl fmt::Display for MetadataFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndpointInsecure => "an endpoint in the metadata is neither https nor loopback",
            Self::EndpointMalformed => "an endpoint in the metadata is not a usable url",
            Self::EndpointMissing => "the metadata lacks a required endpoint",
            Self::IssuerMismatch => "the metadata names another issuer",
            Self::IssuerOfUserFlow => {
                "the metadata names an issuer for one user flow; choose the issuer without tfp in its token settings"
            }
            Self::Malformed => "the metadata is malformed",
            Self::TooLong => "the metadata is too long",
        })
    }
}

impl std::error::Error for MetadataFault {}

fn endpoint(text: &str) -> Result<Url, MetadataFault> {
    let url = Url::parse(text).map_err(|_| MetadataFault::EndpointMalformed)?;
    if !is_secure_or_loopback(&url) {
        return Err(MetadataFault::EndpointInsecure);
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(MetadataFault::EndpointMalformed);
    }
    Ok(url)
}
