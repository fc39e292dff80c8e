//! An OpenID Provider: `[vars.AzureAd]` for the Microsoft identity platform, `[vars.OpenIdConnect]` for any other.
//! The two differ in how the issuer is named and in a few defaults; see `entra.rs` for the former, and `providers.rs` for
//! where several stand.

use url::Url;

use crate::oidc::algorithm::Algorithm;
use crate::oidc::issuer::IssuerRule;
use crate::oidc::user_flow::UserFlow;
use crate::time::Lifetime;

use super::authority::{Authority, authority_of};
use super::b2c;
use super::client_credential::{ClientCredential, client_text};
use super::client_credentials::{self, AssertionAudience};
use super::cloud::Cloud;
use super::entra;
use super::fault::Problem;
use super::graph::Graph;
use super::kinds::Defaults;
use super::paths::{ProviderPaths, Redirects};
use super::platform::Platform;
use super::section::Section;
use super::tenancy::{self, Tenancy};
use super::user_flows::{Policy, UserFlows};
use super::values::Range;
use super::{address, error_path, extra};

const JWKS_REFETCH: Range = Range { min: 1, max: 86_400, default: 60 };
const TIMEOUT: Range = Range { min: 1, max: 14, default: 5 };
const AUTHORITY_EXAMPLE: &str = "https://op.example.com";

/// The OP and how this client talks to it.
#[derive(Clone, Debug)]
pub struct Provider {
    /// `AzureAd` or `OpenIdConnect` of the section of that name, or the name that `Providers` gives it.
    pub name: String,
    /// Whether `Providers` gave it that name.
    pub is_named: bool,
    /// `DisplayName`: what people are asked to choose; the name by default.
    pub display_name: String,
    /// The paths that only it knows.
    pub paths: ProviderPaths,
    /// Whether it is the Microsoft identity platform.
    pub is_entra: bool,
    /// The cloud of the platform, where the sign-in host tells.
    pub cloud: Option<Cloud>,
    /// Whether its accounts are those of customers, in a directory apart: an external tenant, or Azure AD B2C.
    pub is_for_customers: bool,
    /// The user flows of Azure AD B2C; of anything else none.
    pub user_flows: Option<UserFlows>,
    /// Where its metadata document is; that of the sign-in, where there are several user flows.
    pub metadata_url: Url,
    /// What the metadata must say that `iss` is.
    pub issuer: IssuerRule,
    /// `AllowedTenants`, in lower case: whose users may sign in; empty for all that the authority takes, the default.
    pub allowed_tenants: Vec<String>,
    /// `AppHomeTenantId`, in lower case: where the application's own tokens come from; by default the authority's tenant.
    pub app_tenant: Option<String>,
    /// `ClientId`.
    pub client_id: String,
    /// `ClientCredentials`, or `ClientSecret` alone, in the order in which they are tried; at least one.
    pub credentials: Vec<ClientCredential>,
    /// `ClientAssertionAudience`: what the assertions of its keys name in `aud`; the token endpoint for `AzureAd`.
    pub assertion_audience: AssertionAudience,
    /// `Scope`: scopes of every sign-in beyond `openid profile offline_access`; none by default.
    pub scopes: Vec<String>,
    /// `ExtraQueryParameters` of the authorization request, sorted by name; none by default.
    pub extra_query: Vec<(String, String)>,
    /// `IdTokenSigningAlgorithms`: RS256 for `AzureAd`, all of [`Algorithm::ALL`] for `OpenIdConnect` by default.
    pub id_token_algorithms: Vec<Algorithm>,
    /// `ClientCapabilities` of the Microsoft identity platform, in lower case; none by default, and nowhere else.
    pub client_capabilities: Vec<String>,
    /// `UserInfo`: whether sign-in calls the `UserInfo` endpoint; no by default.
    pub user_info: bool,
    /// Whether sign-out sends the ID token to the OP as `id_token_hint`, through the browser. Never at the Microsoft
    /// identity platform, whose `logout_hint` does the same, but for Azure AD B2C where `OmitIdTokenHint` is `false`;
    /// elsewhere unless it is `true`.
    pub sends_id_token_hint: bool,
    /// `JwksRefetchSeconds`: least time between two fetches for an unknown `kid`; 60 s by default.
    pub jwks_refetch: Lifetime,
    /// `ClockSkewSeconds`: 300 s for `AzureAd`, 60 s for `OpenIdConnect` by default.
    pub clock_skew: Lifetime,
    /// `BackchannelTimeoutSeconds`: for one call to the OP; 5 s by default.
    pub timeout: Lifetime,
    /// `ErrorPath`: where the origin explains a sign-in that failed; by default Vestibule's own page does.
    pub error_path: Option<String>,
    /// `SignedOutRedirectUri`: a path on this origin or an absolute URL; by default the signed-out page.
    pub signed_out_redirect_uri: Option<String>,
}

/// What became of the section; other sections are compared even with a faulty one.
pub(super) struct Reading {
    pub(super) provider: Option<Provider>,
    pub(super) redirects: Redirects,
    pub(super) platform: Platform,
}

impl Provider {
    /// What its keys and cookies are told apart by from those of other providers.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.is_named.then_some(self.name.as_str())
    }

    /// The policy that a user flow is called by, where there are user flows.
    #[must_use]
    pub fn policy(&self, flow: UserFlow) -> Option<&Policy> {
        self.user_flows.as_ref()?.policy(flow)
    }

    /// Where the metadata document of a user flow is.
    #[must_use]
    pub fn metadata_url_of(&self, flow: UserFlow) -> &Url {
        self.policy(flow).map_or(&self.metadata_url, |policy| &policy.metadata_url)
    }

    /// What its metadata document is found under: the issuer, unless that is a template.
    #[must_use]
    pub fn authority(&self) -> &str {
        authority_of(&self.metadata_url)
    }

    /// Whether users of the tenant may sign in, by the `tid` of a token that is believed.
    #[must_use]
    pub fn admits(&self, tenant: Option<&str>) -> bool {
        let is_listed = |tenant: &str| self.allowed_tenants.iter().any(|own| own.eq_ignore_ascii_case(tenant));
        self.allowed_tenants.is_empty() || tenant.is_some_and(is_listed)
    }

    /// App Service's name of it; one of several goes by its own.
    #[must_use]
    pub fn idp(&self) -> &str {
        let known = if self.is_entra { "aad" } else { "openidconnect" };
        self.label().unwrap_or(known)
    }
}

/// Reads a section; `label` is the name that `Providers` gives it, and `bindings` may have its assertions.
pub(super) fn read(mut section: Section<'_>, defaults: &Defaults, label: Option<&str>, bindings: &[String]) -> Reading {
    let redirects = Redirects::read(&mut section, label);
    let is_entra = defaults.is_entra;
    let is_b2c = is_entra && b2c::is_meant(&section);
    let query = if is_entra { section.split_query("Authority") } else { None };
    let authority = if is_entra { entra::read(&mut section) } else { authority(&mut section) };
    let tenancy = if is_entra { tenancy::read(&mut section, authority.as_ref()) } else { Tenancy::default() };
    let has_one_tenant = tenancy.app.is_some() || authority.as_ref().is_none_or(|authority| authority.has_one_tenant);
    let graph = Graph::of(authority.as_ref().and_then(|authority| authority.cloud));
    let platform = if is_entra { Platform::Entra { has_one_tenant, is_b2c, graph } } else { Platform::Other };
    let extra_query = extra::authorization_query(&mut section, query.as_deref());
    let provider = provider(&mut section, (defaults, label, bindings), authority, &redirects);
    let provider = provider.map(|provider| Provider {
        allowed_tenants: tenancy.allowed,
        app_tenant: tenancy.app,
        extra_query,
        ..provider
    });
    section.finish();
    Reading { provider, redirects, platform }
}

fn provider(
    section: &mut Section<'_>,
    (defaults, label, bindings): (&Defaults, Option<&str>, &[String]),
    authority: Option<Authority>,
    redirects: &Redirects,
) -> Option<Provider> {
    let name = label.unwrap_or(defaults.name);
    let display_name = if label.is_some() { section.text("DisplayName") } else { None };
    let is_entra = defaults.is_entra;
    let client_id = section.required("ClientId", "the id that the OpenID Provider gave this client", client_text);
    let kind = if label.is_some() { defaults.credentials.of_named() } else { defaults.credentials };
    let credentials = client_credentials::read(section, kind, bindings);
    let assertion_audience = client_credentials::audience(section, is_entra);
    let scopes = section.scopes("Scope").unwrap_or_default();
    let id_token_algorithms = algorithms(section, defaults);
    let client_capabilities = if is_entra { entra::client_capabilities(section) } else { Some(Vec::new()) };
    section.parsed("ResponseMode", |text| match text {
        "query" => Ok(()),
        _ => Err(Problem::Invalid("be query; the sign-in cookies are not sent with a form post", None)),
    });
    let user_info = section.flag("UserInfo");
    let is_b2c = authority.as_ref().is_none_or(|authority| authority.user_flows.is_some());
    let omits_id_token_hint =
        if is_entra { b2c::omits_id_token_hint(section, is_b2c) } else { section.flag("OmitIdTokenHint") };
    let jwks_refetch = section.seconds("JwksRefetchSeconds", &JWKS_REFETCH);
    let clock_skew = section.seconds("ClockSkewSeconds", &defaults.clock_skew);
    let timeout = section.seconds("BackchannelTimeoutSeconds", &TIMEOUT);
    let error_path = error_path::read(section);
    let authority = authority?;
    Some(Provider {
        name: name.to_owned(),
        is_named: label.is_some(),
        display_name: display_name.unwrap_or_else(|| name.to_owned()),
        paths: redirects.paths()?,
        is_entra,
        cloud: authority.cloud,
        is_for_customers: authority.is_for_customers,
        user_flows: authority.user_flows,
        metadata_url: authority.metadata_url,
        issuer: authority.issuer,
        allowed_tenants: Vec::new(),
        app_tenant: None,
        client_id: client_id?,
        credentials: credentials?,
        assertion_audience: assertion_audience?,
        scopes,
        extra_query: Vec::new(),
        id_token_algorithms: id_token_algorithms?,
        client_capabilities: client_capabilities?,
        user_info: user_info?,
        sends_id_token_hint: !omits_id_token_hint?,
        jwks_refetch: jwks_refetch?,
        clock_skew: clock_skew?,
        timeout: timeout?,
        error_path,
        signed_out_redirect_uri: redirects.signed_out_target.clone(),
    })
}

fn authority(section: &mut Section<'_>) -> Option<Authority> {
    section.required("Authority", "the OpenID Provider's issuer identifier, an https URL", |issuer| {
        address::base_url(issuer, AUTHORITY_EXAMPLE)?;
        // The text and not the parsed URL: issuers compare byte for byte (OIDC Core 3.1.3.7 step 2).
        Authority::at(issuer, IssuerRule::Exact(issuer.to_owned()))
    })
}

fn algorithms(section: &mut Section<'_>, defaults: &Defaults) -> Option<Vec<Algorithm>> {
    const KEY: &str = "IdTokenSigningAlgorithms";
    const RULE: Problem = Problem::Invalid("name algorithms of RS256, ES256, PS256 and EdDSA", None);

    if !section.holds(KEY) {
        return Some(defaults.algorithms.to_vec());
    }
    let names = section.words(KEY)?;
    let algorithms: Option<Vec<_>> = names.iter().map(|name| Algorithm::parse(name)).collect();
    section.accept(KEY, algorithms.ok_or(RULE))
}
