//! A tenant of the Microsoft identity platform, as configuration may name it.

use crate::oidc::tenant::is_guid;

use super::fault::Problem;

/// Whose end-users sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Tenant {
    /// `common`, `organizations` or `consumers`: tenants that are not known beforehand.
    Any(&'static str),
    /// One, by a domain name of its own. Its GUID is known once the metadata is.
    Domain(String),
    /// One, by its GUID.
    Guid(String),
}

const WORDS: [&str; 3] = ["common", "organizations", "consumers"];

impl Tenant {
    /// Reads the name. GUIDs stand in issuers in lower case.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let name = text.to_ascii_lowercase();
        if let Some(word) = WORDS.into_iter().find(|word| *word == name) {
            return Ok(Self::Any(word));
        }
        if is_guid(&name) {
            return Ok(Self::Guid(name));
        }
        let rule = "be the tenant's GUID or domain name, or common, organizations or consumers";
        if is_domain(&name) { Ok(Self::Domain(name)) } else { Err(Problem::Invalid(rule, None)) }
    }

    /// The same of one tenant's GUID only.
    pub(super) fn parse_guid(text: &str) -> Result<String, Problem> {
        let name = text.to_ascii_lowercase();
        if is_guid(&name) { Ok(name) } else { Err(Problem::Invalid("be the GUID of the directory", None)) }
    }

    /// The same of a domain name only.
    pub(super) fn parse_domain(text: &str) -> Result<String, Problem> {
        let name = text.to_ascii_lowercase();
        let rule = Problem::Invalid("be a domain name of the directory", Some("contoso.onmicrosoft.com"));
        if is_domain(&name) { Ok(name) } else { Err(rule) }
    }

    /// Its name in addresses.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Any(word) => word,
            Self::Domain(name) | Self::Guid(name) => name,
        }
    }
}

fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty() && label.len() <= 63 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_a_word_a_guid_or_a_domain() {
        const GUID: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        assert_eq!(Tenant::parse("Common"), Ok(Tenant::Any("common")));
        assert_eq!(Tenant::parse(&GUID.to_uppercase()), Ok(Tenant::Guid(GUID.to_owned())));
        assert_eq!(Tenant::parse("Contoso.OnMicrosoft.com"), Ok(Tenant::Domain("contoso.onmicrosoft.com".to_owned())));
        let overlong = format!("{}.com", "a".repeat(64));
        for text in [
            "",
            "contoso",
            "contoso.",
            ".com",
            "a..b",
            "a b.com",
            "a/b.com",
            "a%2f.com",
            "é.com",
            "a_b.com",
            "..",
            "{tenantid}",
            "72f988bf-86f1-41af-91ab-2d7cd011db4",
            "72f988bf-86f1-41af-91ab-2d7cd011db4g",
            &overlong,
        ] {
            assert!(Tenant::parse(text).is_err(), "{text}");
        }
        assert!(Tenant::parse_guid("contoso.com").is_err() && Tenant::parse_domain(GUID).is_err());
    }
}
