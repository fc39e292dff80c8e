//! What the Microsoft identity platform asks of the scopes of one access token. Other OpenID Providers give scopes no
//! meaning that could be checked before the first token request.

use crate::oidc::authorization::SIGN_IN_SCOPES;

use super::fault::Problem;
use super::graph::Graph;

/// Whose rules hold for the scopes of APIs.
#[derive(Clone, Copy)]
pub(super) enum Platform {
    /// The Microsoft identity platform; a tenant that could not be read counts as one.
    Entra {
        /// Whether the application may have tokens of its own.
        has_one_tenant: bool,
        /// Whether it is Azure AD B2C, which has no scopes of Microsoft Graph for end-users.
        is_b2c: bool,
        /// Microsoft Graph of its cloud.
        graph: &'static Graph,
    },
    /// Any other OpenID Provider.
    Other,
}

impl Platform {
    /// The same for an API whose tokens come from one tenant, whoever is signed in.
    pub(super) const fn of_one_tenant(self) -> Self {
        match self {
            Self::Entra { is_b2c, graph, .. } => Self::Entra { has_one_tenant: true, is_b2c, graph },
            Self::Other => Self::Other,
        }
    }

    /// Whether the application can get a token of its own: one issued in the tenant that is asked.
    pub(super) const fn grants_app_tokens(self) -> Result<(), Problem> {
        match self {
            Self::Entra { has_one_tenant: false, .. } => Err(Problem::Unsupported(
                "the application's own token needs a tenant: one in TenantId, or a GUID in AppHomeTenantId or AcquireTokenOptions.Tenant",
            )),
            Self::Entra { has_one_tenant: true, .. } | Self::Other => Ok(()),
        }
    }

    /// Whether a token of the application's own can have these scopes: all that it was granted, of one resource.
    pub(super) fn accepts_app_scopes(self, scopes: &[String]) -> Result<(), Problem> {
        match (self, scopes) {
            (Self::Other, _) => Ok(()),
            (Self::Entra { graph, .. }, [scope]) if scope.contains('/') && is_default(split(scope, graph)) => Ok(()),
            (Self::Entra { .. }, _) => Err(Problem::Invalid(
                "be one scope that ends in /.default, because RequestAppToken is set",
                Some("https://graph.microsoft.com/.default"),
            )),
        }
    }

    /// Whether one token of the end-user can have these scopes. Those of every sign-in belong to no resource.
    pub(super) fn accepts_user_scopes(self, scopes: &[String]) -> Result<(), Problem> {
        let is_sign_in = |scope: &str| SIGN_IN_SCOPES.iter().any(|known| known.eq_ignore_ascii_case(scope));
        let Self::Entra { is_b2c, graph, .. } = self else { return Ok(()) };
        if is_b2c && scopes.iter().any(|scope| !is_sign_in(scope) && !scope.contains('/')) {
            let rule = "be URIs, because an Azure AD B2C directory signs nobody in for Microsoft Graph";
            return Err(Problem::Invalid(rule, Some("https://contoso.onmicrosoft.com/orders/read")));
        }
        let own = scopes.iter().map(String::as_str).filter(|scope| !is_sign_in(scope));
        let mut own = own.map(|scope| split(scope, graph));
        let Some(first) = own.next() else {
            // The cache could not tell this token from those of other APIs.
            return Err(Problem::Invalid("name a scope beyond openid, profile and offline_access", Some("User.Read")));
        };
        let others: Vec<_> = own.collect();
        if !others.is_empty() && (is_default(first) || others.iter().copied().any(is_default)) {
            return Err(Problem::Invalid("not mix .default with other scopes", None));
        }
        if others.iter().any(|(resource, _)| !is_same(first.0, resource, graph)) {
            return Err(Problem::Invalid("be scopes of one resource; each resource is an API of its own", None));
        }
        Ok(())
    }
}

/// A scope's resource and its name there. Without a resource it is Microsoft Graph's.
fn split<'a>(scope: &'a str, graph: &'static Graph) -> (&'a str, &'a str) {
    scope.rsplit_once('/').unwrap_or((graph.resource, scope))
}

/// Whether the scope stands for all that the application was granted of its resource.
fn is_default((resource, name): (&str, &str)) -> bool {
    !resource.is_empty() && name.eq_ignore_ascii_case(".default")
}

fn is_same(one: &str, other: &str, graph: &Graph) -> bool {
    one == other || (one.eq_ignore_ascii_case(graph.resource) && other.eq_ignore_ascii_case(graph.resource))
}
