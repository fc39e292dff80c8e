//! The clouds of the Microsoft identity platform, by their sign-in hosts. A host that is not among them is taken as it is:
//! a customers' directory, a custom domain, or a stand-in.

use super::fault::Problem;

/// One of Microsoft's clouds, each with directories of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide one.
    Public,
    /// Azure Government, of the United States.
    UsGovernment,
    /// Azure China, operated by 21Vianet.
    China,
    /// Bleu, of France.
    France,
    /// Delos, of Germany.
    Germany,
    /// `GovSG`, of Singapore.
    Singapore,
}

impl Cloud {
    /// The cloud that a sign-in host belongs to, whichever of its names that is.
    pub(super) fn of_host(host: &str) -> Option<Self> {
        CLOUDS.iter().find(|(_, hosts, _)| hosts.contains(&host)).map(|(cloud, ..)| *cloud)
    }

    /// The same for a directory of customers, whose host is its own under one of these.
    pub(super) fn of_customers(host: &str) -> Option<Self> {
        let is_under = |suffix: &&str| host.strip_suffix(*suffix).is_some_and(|rest| rest.ends_with('.'));
        CLOUDS.iter().find(|(_, _, suffixes)| suffixes.iter().any(&is_under)).map(|(cloud, ..)| *cloud)
    }

    /// The host that stands in the issuers of its directories, and that all its other names lead to.
    #[must_use]
    pub fn host(self) -> &'static str {
        let known = CLOUDS.iter().find(|(cloud, ..)| *cloud == self);
        known.and_then(|(_, hosts, _)| hosts.first()).copied().unwrap_or_default()
    }
}

/// Why nobody can sign in at a host any more, if it is one of those.
pub(super) fn closed(host: &str) -> Option<Problem> {
    matches!(host, "login.microsoftonline.de").then_some(Problem::Unsupported(
        "Microsoft Cloud Germany was closed in October 2021; its directories have moved",
    ))
}

/// Each with its hosts, the canonical one first, and what the hosts of customers' directories end in.
const CLOUDS: &[(Cloud, &[&str], &[&str])] = &[
    (
        Cloud::Public,
        &["login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"],
        &["b2clogin.com", "ciamlogin.com"],
    ),
    (Cloud::UsGovernment, &["login.microsoftonline.us", "login.usgovcloudapi.net"], &["b2clogin.us"]),
    (Cloud::China, &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"], &["b2clogin.cn"]),
    (Cloud::France, &["login.sovcloud-identity.fr"], &[]),
    (Cloud::Germany, &["login.sovcloud-identity.de"], &[]),
    (Cloud::Singapore, &["login.sovcloud-identity.sg"], &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_a_cloud_leads_to_its_canonical_host() {
        for (names, host) in [
            (["login.windows.net", "sts.windows.net", "login.microsoft.com"].as_slice(), "login.microsoftonline.com"),
            (&["login.usgovcloudapi.net"], "login.microsoftonline.us"),
            (&["login.chinacloudapi.cn"], "login.partner.microsoftonline.cn"),
            (&[], "login.sovcloud-identity.fr"),
            (&[], "login.sovcloud-identity.de"),
            (&[], "login.sovcloud-identity.sg"),
        ] {
            for name in names.iter().chain([&host]) {
                assert_eq!(Cloud::of_host(name).map(Cloud::host), Some(host), "{name}");
                assert_eq!(closed(name), None);
            }
        }
        for name in ["", "microsoftonline.com", "xlogin.microsoftonline.com", "login.microsoftonline.com.evil.example"]
        {
            assert_eq!(Cloud::of_host(name), None, "{name}");
        }
        assert!(closed("login.microsoftonline.de").is_some() && Cloud::of_host("login.microsoftonline.de").is_none());
    }

    #[test]
    fn a_directory_of_customers_is_in_the_cloud_of_its_domain() {
        assert_eq!(Cloud::of_customers("contoso.b2clogin.com"), Some(Cloud::Public));
        assert_eq!(Cloud::of_customers("contoso.ciamlogin.com"), Some(Cloud::Public));
        assert_eq!(Cloud::of_customers("contoso.b2clogin.us"), Some(Cloud::UsGovernment));
        assert_eq!(Cloud::of_customers("contoso.b2clogin.cn"), Some(Cloud::China));
        for name in ["b2clogin.com", "evilb2clogin.com", "contoso.b2clogin.com.evil.example", "op.example"] {
            assert_eq!(Cloud::of_customers(name), None, "{name}");
        }
    }
}
