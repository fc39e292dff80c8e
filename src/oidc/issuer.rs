//! Issuer identifiers (OIDC Core 1.2), compared byte for byte, and the tenanted template of the Microsoft identity
//! platform, whose multi-tenant metadata names `https://…/{tenantid}/v2.0` instead of one issuer.
//!
//! Where configuration names a tenant by its domain, or a directory that has addresses of its own, only the metadata
//! knows the issuer: that is [`IssuerRule::Learned`], which no token fits until [`IssuerRule::learn`] has made it exact.

/// What `iss` must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerRule {
    /// Exactly this string.
    Exact(String),
    /// Exactly what the metadata says, which must be one of these with a GUID in place of `{tenantid}`, if it stands in
    /// it. The first is what the issuer goes by until then.
    Learned(Vec<String>),
    /// This string with `{tenantid}` replaced by the token's `tid`, which must be a GUID.
    Tenanted(String),
}

/// The placeholder in the metadata of `common`, `organizations` and `consumers`.
pub const TENANT_PLACEHOLDER: &str = "{tenantid}";

impl IssuerRule {
    /// The rule for tokens, once the metadata has said what the issuer is; `None` where that is not as expected.
    #[must_use]
    pub fn learn(&self, stated: &str) -> Option<Self> {
        match self {
            Self::Exact(expected) | Self::Tenanted(expected) => (stated == expected).then(|| self.clone()),
            Self::Learned(templates) => {
                let is_one = templates.iter().any(|template| tenant_in(stated, template).is_some());
                is_one.then(|| Self::Exact(stated.to_owned()))
            }
        }
    }

    /// Whether `issuer` is the one expected; `tenant` is the token's `tid`, where it has one.
    #[must_use]
    pub fn accepts(&self, issuer: &str, tenant: Option<&str>) -> bool {
        match self {
            Self::Exact(expected) => issuer == expected,
            Self::Learned(_) => false,
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
            Self::Learned(_) => false,
            Self::Tenanted(_) => self.tenant_of(issuer).is_some(),
        }
    }

    /// The tenant that an issuer of the template is of; none where there is no template.
    #[must_use]
    pub fn tenant_of<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        if let Self::Tenanted(template) = self { tenant_in(issuer, template) } else { None }
    }

    /// What the issuer goes by in names of the store and of the memory: the same whether or not it is known yet.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Exact(issuer) | Self::Tenanted(issuer) => issuer,
            Self::Learned(templates) => templates.first().map_or("", String::as_str),
        }
    }
}

/// The tenant that makes `issuer` of `template`, in every place that it has there; empty where it has none.
pub(super) fn tenant_in<'a>(issuer: &'a str, template: &str) -> Option<&'a str> {
    let Some((before, _)) = template.split_once(TENANT_PLACEHOLDER) else {
        return (issuer == template).then_some("");
    };
    let tenant = issuer.strip_prefix(before)?.get(..GUID_LENGTH).filter(|tenant| is_guid(tenant))?;
    (issuer == template.replace(TENANT_PLACEHOLDER, tenant)).then_some(tenant)
}

/// Whether it is a GUID, in either case.
pub(crate) fn is_guid(text: &str) -> bool {
    text.len() == GUID_LENGTH
        && text.bytes().enumerate().all(|(position, byte)| match position {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

const GUID_LENGTH: usize = 36;

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

    #[test]
    fn what_metadata_must_say_becomes_exact_for_tokens() {
        let external = format!("https://{TENANT_PLACEHOLDER}.ciamlogin.com/{TENANT_PLACEHOLDER}/v2.0");
        let rule = IssuerRule::Learned(vec![TEMPLATE.to_owned(), external]);
        let other = "8188040d-6c67-4c5b-b112-36a304b66dad";
        for issuer in [
            format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            format!("https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
        ] {
            assert_eq!(rule.learn(&issuer), Some(IssuerRule::Exact(issuer.clone())));
            assert!(!rule.accepts(&issuer, Some(TENANT)) && !rule.accepts_of_any_tenant(&issuer), "not learned yet");
        }
        for issuer in [
            TEMPLATE.to_owned(),
            String::new(),
            format!("https://login.microsoftonline.com/{TENANT}/v2.0/"),
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0".to_owned(),
            format!("https://{TENANT}.ciamlogin.com/{other}/v2.0"),
            format!("https://{TENANT}.ciamlogin.com.evil.example/{TENANT}/v2.0"),
            format!("https://evil.example/{TENANT}.ciamlogin.com/{TENANT}/v2.0"),
            "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66da\u{e9}/v2.0".to_owned(),
        ] {
            assert_eq!(rule.learn(&issuer), None, "{issuer}");
        }
        assert_eq!(rule.name(), TEMPLATE);
    }

    #[test]
    fn metadata_says_again_what_is_known() {
        let exact = IssuerRule::Exact("https://op.example".to_owned());
        assert_eq!(exact.learn("https://op.example/"), None);
        assert_eq!(exact.learn("https://op.example"), Some(exact));
        let tenanted = IssuerRule::Tenanted(TEMPLATE.to_owned());
        assert_eq!(tenanted.learn(&TEMPLATE.replace(TENANT_PLACEHOLDER, TENANT)), None);
        assert_eq!(tenanted.learn(TEMPLATE), Some(tenanted));
        let fixed = IssuerRule::Learned(vec!["https://op.example".to_owned()]);
        assert_eq!((fixed.learn("https://op.example").is_some(), fixed.learn("https://op.example/")), (true, None));
    }
}
