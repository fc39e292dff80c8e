//! The Microsoft identity platform: `Instance` and `TenantId`, or `Authority`, become the metadata URL and the issuer.
//! Customers may have directories at hosts of their own: external tenants (`ciamlogin.com`), which are read here, and Azure
//! AD B2C, see `b2c.rs`.

use crate::oidc::issuer::{IssuerRule, TENANT_PLACEHOLDER};

use super::authority::Authority;
use super::cloud::{self, Cloud};
use super::fault::Problem;
use super::section::Section;
use super::tenant::Tenant;
use super::{address, b2c};

const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com/";
const AUTHORITY_EXAMPLE: &str = "https://login.microsoftonline.com/common/v2.0";

/// The tenant that personal Microsoft accounts live in; metadata of `consumers` names it as a fixed issuer.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The capability of a client that answers claims challenges.
const CLAIMS_CHALLENGES: &str = "cp1";

/// What the hosts of external tenants end in.
const EXTERNAL: &str = ".ciamlogin.com";

/// Reads where the tenant is, in either form.
pub(super) fn read(section: &mut Section<'_>) -> Option<Authority> {
    if b2c::is_meant(section) {
        return b2c::read(section);
    }
    b2c::refuse_settings(section);
    if section.holds("Authority") {
        for part in ["Instance", "TenantId"] {
            if section.holds(part) {
                section.fault("Authority", Problem::Conflict(section.key(part)));
                section.text(part);
            }
        }
        // People copy it along with the rest.
        section.text("Domain");
        return section.parsed("Authority", authority);
    }
    let instance = section.parsed_or("Instance", PUBLIC_CLOUD, |text| Instance::parse(text, PUBLIC_CLOUD));
    let own_tenant = instance.as_ref().and_then(Instance::own_tenant);
    let (key, tenant) = match (section.holds("TenantId"), section.holds("Domain"), own_tenant) {
        (false, true, _) => ("Domain", section.parsed("Domain", Tenant::parse_domain).map(Tenant::Domain)),
        (false, false, Some(own)) => ("Instance", Some(own)),
        (true, _, _) | (false, false, None) => {
            section.text("Domain");
            let hint = "the tenant's GUID or domain name, or common, organizations or consumers";
            ("TenantId", section.required("TenantId", hint, Tenant::parse))
        }
    };
    let authority = instance?.authority(&tenant?);
    section.accept(key, authority)
}

/// `ClientCapabilities`, in lower case; none by default.
pub(super) fn client_capabilities(section: &mut Section<'_>) -> Option<Vec<String>> {
    const KEY: &str = "ClientCapabilities";

    if !section.holds(KEY) {
        return Some(Vec::new());
    }
    let names = section.words(KEY)?;
    let is_known = matches!(names.as_slice(), [name] if name.eq_ignore_ascii_case(CLAIMS_CHALLENGES));
    let capabilities = is_known.then(|| vec![CLAIMS_CHALLENGES.to_owned()]);
    section.accept(KEY, capabilities.ok_or(Problem::Invalid("be cp1, the only one there is", None)))
}

/// `{Instance}{TenantId}`, with or without `/v2.0`; of an external tenant its host is enough.
fn authority(text: &str) -> Result<Authority, Problem> {
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    let trimmed = trimmed.strip_suffix("/v2.0").unwrap_or(trimmed);
    let url = address::base_url(trimmed, AUTHORITY_EXAMPLE)?;
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let instance = Instance::parse(trimmed.strip_suffix(name).unwrap_or(trimmed), AUTHORITY_EXAMPLE)?;
    let rule = Problem::Invalid(
        "end in the tenant (its GUID or domain name, common, organizations or consumers) and, after it, in nothing but /v2.0",
        Some(AUTHORITY_EXAMPLE),
    );
    let tenant =
        if name.is_empty() { instance.own_tenant().ok_or(rule) } else { Tenant::parse(name).map_err(|_| rule) };
    instance.authority(&tenant?)
}

/// The address that tenants are below, and what is known of it.
struct Instance {
    /// It ends in a slash.
    base: String,
    host: Host,
}

enum Host {
    /// One of a cloud's.
    Cloud(Cloud),
    /// That of one external tenant, by the first part of its name.
    External(String),
    /// A custom domain of an external tenant, or a host that answers like a cloud's.
    Own,
}

impl Instance {
    fn parse(text: &str, example: &'static str) -> Result<Self, Problem> {
        let url = address::base_url(text, example)?;
        let base = format!("{}/", url.as_str().trim_end_matches('/'));
        let host = url.host_str().filter(|_| url.port().is_none()).unwrap_or_default();
        if let Some(problem) = cloud::closed(host) {
            return Err(problem);
        }
        let (base, kind) = match (Cloud::of_host(host), host.strip_suffix(EXTERNAL)) {
            (Some(cloud), _) => (format!("https://{}/", cloud.host()), Host::Cloud(cloud)),
            (None, Some(name)) => (base, Host::External(name.to_owned())),
            (None, None) if Cloud::of_customers(host).is_some() => {
                return Err(Problem::Unsupported("Azure AD B2C is named by Instance, Domain and SignUpSignInPolicyId"));
            }
            (None, None) => (base, Host::Own),
        };
        if !matches!(kind, Host::Own) && url.path() != "/" {
            return Err(Problem::Invalid("have nothing between the host and the tenant", Some(example)));
        }
        Ok(Self { base, host: kind })
    }

    /// The tenant that the host belongs to.
    fn own_tenant(&self) -> Option<Tenant> {
        let Host::External(name) = &self.host else { return None };
        Tenant::parse(&format!("{name}.onmicrosoft.com")).ok()
    }

    fn authority(&self, tenant: &Tenant) -> Result<Authority, Problem> {
        if matches!((&self.host, tenant), (Host::External(_), Tenant::Any(_))) {
            return Err(Problem::Invalid("be one tenant at this host: its GUID or domain name", None));
        }
        let cloud = match &self.host {
            Host::Cloud(cloud) => Some(*cloud),
            Host::External(_) => Some(Cloud::Public),
            Host::Own => None,
        };
        let authority = Authority::at(&format!("{}{}/v2.0", self.base, tenant.name()), self.issuer(tenant))?;
        let (has_one_tenant, is_for_customers) =
            (!matches!(tenant, Tenant::Any(_)), matches!(self.host, Host::External(_)));
        Ok(Authority { has_one_tenant, cloud, is_for_customers, ..authority })
    }

    fn issuer(&self, tenant: &Tenant) -> IssuerRule {
        let own = |tenant: &str| format!("{}{tenant}/v2.0", self.base);
        let external = |tenant: &str| format!("https://{tenant}{EXTERNAL}/{tenant}/v2.0");
        match (&self.host, tenant) {
            (_, Tenant::Any("consumers")) => IssuerRule::Exact(own(CONSUMERS)),
            (_, Tenant::Any(_)) => IssuerRule::Tenanted(own(TENANT_PLACEHOLDER)),
            (Host::Cloud(_), Tenant::Guid(guid)) => IssuerRule::Exact(own(guid)),
            (Host::Cloud(_), Tenant::Domain(_)) => IssuerRule::Learned(vec![own(TENANT_PLACEHOLDER)]),
            (Host::External(_), Tenant::Guid(guid)) => IssuerRule::Exact(external(guid)),
            (Host::External(_), Tenant::Domain(_)) => IssuerRule::Learned(vec![external(TENANT_PLACEHOLDER)]),
            // At a custom domain, an external tenant keeps its own issuer.
            (Host::Own, Tenant::Guid(guid)) => IssuerRule::Learned(vec![own(guid), external(guid)]),
            (Host::Own, Tenant::Domain(_)) => {
                IssuerRule::Learned(vec![own(TENANT_PLACEHOLDER), external(TENANT_PLACEHOLDER)])
            }
        }
    }
}
