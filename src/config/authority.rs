//! Where an OpenID Provider is, as the configuration knows it.

use url::Url;

use crate::oidc::issuer::IssuerRule;

use super::cloud::Cloud;
use super::fault::Problem;
use super::user_flows::UserFlows;

/// The OP's endpoints as configuration knows them.
pub(super) struct Authority {
    pub(super) metadata_url: Url,
    pub(super) issuer: IssuerRule,
    /// Whether all end-users are of one tenant, in which the application may have tokens of its own.
    pub(super) has_one_tenant: bool,
    /// The cloud of the Microsoft identity platform, if it is there and that is known.
    pub(super) cloud: Option<Cloud>,
    /// Whether it is a directory of customers.
    pub(super) is_for_customers: bool,
    /// The user flows of Azure AD B2C.
    pub(super) user_flows: Option<UserFlows>,
}

impl Authority {
    /// One whose metadata document is below `address`.
    pub(super) fn at(address: &str, issuer: IssuerRule) -> Result<Self, Problem> {
        let metadata_url = metadata_url(address)?;
        let (cloud, is_for_customers, user_flows) = (None, false, None);
        Ok(Self { metadata_url, issuer, has_one_tenant: true, cloud, is_for_customers, user_flows })
    }
}

/// The metadata document of an issuer (OIDC Discovery 4.1).
pub(super) fn metadata_url(issuer: &str) -> Result<Url, Problem> {
    Url::parse(&format!("{}/{WELL_KNOWN}", issuer.strip_suffix('/').unwrap_or(issuer)))
        .map_err(|_| Problem::Invalid("be a URL that a path can be appended to", Some("https://op.example.com")))
}

/// The authority of a metadata document.
pub(super) fn authority_of(metadata_url: &Url) -> &str {
    let url = metadata_url.as_str();
    url.strip_suffix(WELL_KNOWN).and_then(|url| url.strip_suffix('/')).unwrap_or(url)
}

const WELL_KNOWN: &str = ".well-known/openid-configuration";
