//! Tenants of the Microsoft identity platform that the configuration names: whose users may sign in, and where access
//! tokens come from that are not the end-user's own tenant's.

use crate::oidc::issuer::IssuerRule;
use crate::oidc::tenant::is_guid;

use super::authority::Authority;
use super::fault::Problem;
use super::platform::Platform;
use super::section::Section;

const ALLOWED: &str = "AllowedTenants";
const HOME: &str = "AppHomeTenantId";
/// The table of an API that says how its token is acquired.
pub(super) const OPTIONS: &str = "AcquireTokenOptions";
const TENANT: &str = "Tenant";

const MANY: &str = "TenantId common or organizations";
const OF_CUSTOMERS: Problem = Problem::Unsupported("a directory of Azure AD B2C knows no other tenants");
const NO_TENANTS: Problem = Problem::Unsupported("only the Microsoft identity platform has tenants");

/// What a provider's section says of tenants.
#[derive(Default)]
pub(super) struct Tenancy {
    /// `AllowedTenants`, in lower case; empty for all that the authority takes.
    pub(super) allowed: Vec<String>,
    /// `AppHomeTenantId`, in lower case.
    pub(super) app: Option<String>,
}

/// Reads a provider's section. Each setting is refused where the authority itself says the same.
pub(super) fn read(section: &mut Section<'_>, authority: Option<&Authority>) -> Tenancy {
    let takes_many = |authority: &Authority| matches!(authority.issuer, IssuerRule::Tenanted(_));
    if section.holds(ALLOWED) && !authority.is_none_or(takes_many) {
        section.fault(ALLOWED, Problem::NeedsBeside(MANY));
    }
    if section.holds(HOME) && authority.is_some_and(|authority| authority.has_one_tenant) {
        section.fault(HOME, Problem::NeedsBeside("TenantId common, organizations or consumers"));
    }
    let allowed = section.words(ALLOWED).and_then(|names| {
        let tenants = names.iter().map(|name| guid(name)).collect::<Result<_, _>>();
        section.accept(ALLOWED, tenants.map_err(|_| Problem::Invalid("be GUIDs of tenants", None)))
    });
    Tenancy { allowed: allowed.unwrap_or_default(), app: section.parsed(HOME, guid) }
}

/// `AcquireTokenOptions.Tenant` of an API, in lower case.
pub(super) fn of_api(section: &mut Section<'_>, platform: Platform) -> Option<String> {
    let mut options = section.child(OPTIONS, "DownstreamApis.<Name>.AcquireTokenOptions");
    let problem = match platform {
        Platform::Other => Some(NO_TENANTS),
        Platform::Entra { is_b2c: true, .. } => Some(OF_CUSTOMERS),
        Platform::Entra { is_b2c: false, .. } => None,
    };
    if let Some(problem) = problem.filter(|_| options.holds(TENANT)) {
        options.fault(TENANT, problem);
    }
    let tenant = options.parsed(TENANT, guid);
    options.finish();
    tenant
}

fn guid(text: &str) -> Result<String, Problem> {
    if is_guid(text) { Ok(text.to_ascii_lowercase()) } else { Err(Problem::Invalid("be a tenant's GUID", None)) }
}
