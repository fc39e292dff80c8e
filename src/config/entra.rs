//! The Microsoft identity platform: `Instance` and `TenantId`, or `Authority`, become the metadata URL and the issuer.

use url::Url;

use crate::oidc::issuer::{IssuerRule, TENANT_PLACEHOLDER};

use super::address;
use super::authority::{Authority, metadata_url};
use super::fault::Problem;
use super::section::Section;

const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com/";
const AUTHORITY_EXAMPLE: &str = "https://login.microsoftonline.com/common/v2.0";

/// The tenant that personal Microsoft accounts live in; metadata of `consumers` names it as a fixed issuer.
const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The capability of a client that answers claims challenges.
const CLAIMS_CHALLENGES: &str = "cp1";

/// Hosts of external and B2C tenants, whose issuers follow other rules.
const OTHER_HOSTS: [&str; 2] = [".b2clogin.com", ".ciamlogin.com"];

// A domain's metadata names the GUID as issuer, which cannot be known before the metadata is fetched.
const TENANT_RULE: Problem =
    Problem::Invalid("be the tenant's GUID (not its domain name), or common, organizations or consumers", None);

/// Reads where the tenant is, in either form.
pub(super) fn read(section: &mut Section<'_>) -> Option<Authority> {
    // People copy it along with the rest; the tenant alone decides.
    section.text("Domain");
    if section.holds("Authority") {
        for part in ["Instance", "TenantId"] {
            if section.holds(part) {
                section.fault("Authority", Problem::Conflict(section.key(part)));
                section.text(part);
            }
        }
        return section.parsed("Authority", authority);
    }
    let instance = section.parsed_or("Instance", PUBLIC_CLOUD, |text| instance(text, PUBLIC_CLOUD));
    let tenant = section.required("TenantId", "the tenant's GUID, or common, organizations or consumers", tenant);
    let authority = issuer(&instance?, &tenant?);
    section.accept("Instance", authority)
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

/// `{Instance}{TenantId}`, with or without `/v2.0`.
fn authority(text: &str) -> Result<Authority, Problem> {
    let trimmed = text.strip_suffix('/').unwrap_or(text);
    let trimmed = trimmed.strip_suffix("/v2.0").unwrap_or(trimmed);
    address::base_url(trimmed, AUTHORITY_EXAMPLE)?;
    let rule =
        Problem::Invalid("end in the tenant's GUID, common, organizations or consumers", Some(AUTHORITY_EXAMPLE));
    let (host, name) = trimmed.rsplit_once('/').ok_or_else(|| rule.clone())?;
    let tenant = tenant(name).map_err(|_| rule)?;
    issuer(&instance(host, AUTHORITY_EXAMPLE)?, &tenant)
}

/// The instance, which ends in a slash.
fn instance(text: &str, example: &'static str) -> Result<String, Problem> {
    let url = address::base_url(text, example)?;
    if url.host_str().is_some_and(|host| OTHER_HOSTS.iter().any(|other| host.ends_with(other))) {
        return Err(Problem::Unsupported(
            "external tenants belong into [vars.OpenIdConnect], Azure AD B2C nowhere yet",
        ));
    }
    Ok(format!("{}/", url.as_str().trim_end_matches('/')))
}

/// The tenant as the metadata URL has it. GUIDs stand in issuers in lower case.
fn tenant(text: &str) -> Result<String, Problem> {
    if is_word(text) || is_guid(text) { Ok(text.to_ascii_lowercase()) } else { Err(TENANT_RULE) }
}

fn issuer(instance: &str, tenant: &str) -> Result<Authority, Problem> {
    let issuer = match tenant {
        "common" | "organizations" => IssuerRule::Tenanted(format!("{instance}{TENANT_PLACEHOLDER}/v2.0")),
        "consumers" => IssuerRule::Exact(format!("{instance}{CONSUMERS}/v2.0")),
        guid => IssuerRule::Exact(format!("{instance}{guid}/v2.0")),
    };
    let metadata_url: Url = metadata_url(&format!("{instance}{tenant}/v2.0"))?;
    let has_one_tenant = !is_word(tenant);
    Ok(Authority { metadata_url, issuer, has_one_tenant })
}

/// Whether it stands for tenants that are not known beforehand.
fn is_word(tenant: &str) -> bool {
    matches!(tenant, "common" | "organizations" | "consumers")
}

fn is_guid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
