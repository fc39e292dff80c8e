//! Issuer identifiers (OIDC Core 1.2), compared byte for byte, and the tenanted template of the Microsoft identity
//! platform, whose multi-tenant metadata names `https://…/{tenantid}/v2.0` instead of one issuer.

/// What `iss` must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerRule {
    /// Exactly this string.
    Exact(String),
    /// This string with `{tenantid}` replaced by the token's `tid`, which must be a GUID.
    Tenanted(String),
}

/// The placeholder in the metadata of `common`, `organizations` and `consumers`.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

impl IssuerRule {
    /// Whether `issuer` is the one expected; `tenant` is the token's `tid`, where it has one.
    #[must_use]
    pub fn accepts(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::Tenanted(template) => tenant
                .filter(|tenant| is_guid(tenant))
                .is_some_and(|tenant| issuer == template.replace(TENANT_PLACEHOLDER, tenant)),
        }
    }

    /// Whether `issuer` is the one expected, of whatever tenant: for a message that names no tenant beside it.
    #[must_use]
    pub fn accepts_of_any_tenant(&self, issuer: &str) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::Tenanted(_) => self.tenant_of(issuer).is_some(),
        }
    }

    /// The tenant that an issuer of the template is of; none where there is no template.
    #[must_use]
    pub fn tenant_of<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        let Self::Tenanted(template) = self else { return None };
        let (before, after) = template.split_once(TENANT_PLACEHOLDER)?;
        issuer.strip_prefix(before)?.strip_suffix(after).filter(|tenant| is_guid(tenant))
    }

    /// The string that the provider's metadata document must carry as its `issuer`.
    #[must_use]
    pub fn in_metadata(&self) -> &str {
        match self {
            Self::Exact(issuer) | Self::Tenanted(issuer) => issuer,
        }
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "https://login.microsoftonline.com/{tenantid}/v2.0";
    const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

    #[test]
    fn an_exact_issuer_differs_by_a_trailing_slash() {
        let rule = IssuerRule::Exact("https://op.example".to_owned());
        assert!(rule.accepts("https://op.example", None));
        assert!(!rule.accepts("https://op.example/", None));
    }

    #[test]
    fn where_no_tenant_is_named_any_will_do() {
        let rule = IssuerRule::Tenanted(TEMPLATE.to_owned());
        assert!(rule.accepts_of_any_tenant(&TEMPLATE.replace(TENANT_PLACEHOLDER, TENANT)));
        for other in [TEMPLATE, "https://login.microsoftonline.com/x/v2.0", "https://login.microsoftonline.com/", ""] {
            assert!(!rule.accepts_of_any_tenant(other), "{other}");
        }
        assert!(IssuerRule::Exact("https://op.example".to_owned()).accepts_of_any_tenant("https://op.example"));
        assert!(!IssuerRule::Exact("https://op.example".to_owned()).accepts_of_any_tenant("https://op.example/"));
    }

    #[test]
    fn the_tenant_of_an_issuer_is_what_stands_for_the_placeholder() {
        let rule = IssuerRule::Tenanted(TEMPLATE.to_owned());
        assert_eq!(rule.tenant_of(&TEMPLATE.replace(TENANT_PLACEHOLDER, TENANT)), Some(TENANT));
        assert_eq!(rule.tenant_of(TEMPLATE), None);
        assert_eq!(IssuerRule::Exact("https://op.example".to_owned()).tenant_of("https://op.example"), None);
    }

    #[test]
    fn a_template_needs_the_tenant_of_the_token() {
        let rule = IssuerRule::Tenanted(TEMPLATE.to_owned());
        let issuer = TEMPLATE.replace(TENANT_PLACEHOLDER, TENANT);
        assert!(rule.accepts(&issuer, Some(TENANT)));
        assert!(!rule.accepts(&issuer, None));
        assert!(!rule.accepts(&issuer, Some("8188040d-6c67-4c5b-b112-36a304b66dad")));
        assert!(!rule.accepts("https://login.microsoftonline.com/../v2.0", Some("..")));
        assert!(!rule.accepts(TEMPLATE, Some(TENANT_PLACEHOLDER)));
    }
}
