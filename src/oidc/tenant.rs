//! Tenants of the Microsoft identity platform. Each has the endpoints of the others under its own id; a refresh token is
//! good at all of those that its user can reach, an access token is one tenant's.

use url::Url;

pub use super::issuer::is_guid;

/// The tenant of all Microsoft accounts that belong to people and not to organizations.
pub const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The token endpoint of `tenant`, by the authority of another one beside it, such as
/// `https://login.microsoftonline.com/common/v2.0`. Whatever the authority is, its host stays.
#[must_use]
pub fn token_endpoint(authority: &str, tenant: &str) -> Option<Url> {
    let mut url = Url::parse(authority.strip_suffix("/v2.0").unwrap_or(authority)).ok()?;
    url.path_segments_mut().ok()?.pop().extend([tenant, "oauth2", "v2.0", "token"]);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

    #[test]
    fn the_endpoint_lies_beside_that_of_the_authority() {
        for (authority, instance) in [
            ("https://login.microsoftonline.com/common/v2.0", "https://login.microsoftonline.com/"),
            ("https://login.microsoftonline.us/contoso.example", "https://login.microsoftonline.us/"),
            ("http://127.0.0.1:8787/cloud/organizations/v2.0", "http://127.0.0.1:8787/cloud/"),
            ("https://host.example", "https://host.example/"),
        ] {
            let endpoint = token_endpoint(authority, TENANT).unwrap();
            assert_eq!(endpoint.as_str(), format!("{instance}{TENANT}/oauth2/v2.0/token"), "{authority}");
        }
        assert_eq!(token_endpoint("mailto:someone", TENANT), None);
    }
}
