//! Microsoft Graph, `DownstreamApis.<Name>.Preset = "Graph"`: where it is in each cloud of the Microsoft identity platform,
//! and what the preset fills in.

use url::Url;

use super::address;
use super::cloud::Cloud;
use super::fault::Problem;

/// Microsoft Graph of one cloud.
#[derive(Debug)]
pub(super) struct Graph {
    cloud: Cloud,
    /// It as a resource: what a scope without one belongs to.
    pub(super) resource: &'static str,
    /// `BaseUrl` of the preset.
    pub(super) base_url: &'static str,
    /// Another one in the same cloud, whose scopes name it.
    other: Option<&'static str>,
}

const fn graph(cloud: Cloud, resource: &'static str, base_url: &'static str) -> Graph {
    Graph { cloud, resource, base_url, other: None }
}

/// That of every sign-in host that is of no other cloud.
pub(super) static PUBLIC: Graph =
    graph(Cloud::Public, "https://graph.microsoft.com", "https://graph.microsoft.com/v1.0");

static NATIONAL: [Graph; 5] = [
    Graph {
        other: Some("https://dod-graph.microsoft.us"),
        ..graph(Cloud::UsGovernment, "https://graph.microsoft.us", "https://graph.microsoft.us/v1.0")
    },
    graph(Cloud::China, "https://microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"),
    graph(Cloud::France, "https://graph.svc.sovcloud.fr", "https://graph.svc.sovcloud.fr/v1.0"),
    graph(Cloud::Germany, "https://graph.svc.sovcloud.de", "https://graph.svc.sovcloud.de/v1.0"),
    graph(Cloud::Singapore, "https://graph.svc.sovcloud.sg", "https://graph.svc.sovcloud.sg/v1.0"),
];

impl Graph {
    /// That of a cloud, as far as it is known.
    pub(super) fn of(cloud: Option<Cloud>) -> &'static Self {
        NATIONAL.iter().find(|graph| Some(graph.cloud) == cloud).unwrap_or(&PUBLIC)
    }

    /// `BaseUrl` beside the preset: one of Microsoft Graph in this cloud, or a loopback address for tests.
    pub(super) fn accept(&self, text: &str) -> Result<Url, Problem> {
        let url = address::base_url(text, self.base_url)?;
        let is_graph = [Some(self.resource), self.other].contains(&Some(&*url.origin().ascii_serialization()));
        if is_graph || address::is_on_loopback(&url) {
            return Ok(url);
        }
        Err(Problem::Invalid(
            "be Microsoft Graph's in the cloud of Instance; without Preset it can be any",
            Some(self.base_url),
        ))
    }

    /// `Scopes` of the preset for a token of the application's own, or the end-user's.
    pub(super) fn scopes(&self, base_url: Option<&Url>, is_app: bool) -> Vec<String> {
        let origin = base_url.map(|url| url.origin().ascii_serialization());
        let other = self.other.filter(|other| origin.as_deref() == Some(other));
        vec![match other {
            other if is_app => [other.unwrap_or(self.resource), "/.default"].concat(),
            None => "User.Read".to_owned(),
            Some(other) => [other, "/User.Read"].concat(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graph_is_where_the_cloud_of_the_sign_in_has_it() {
        for (host, base_url) in [
            ("login.microsoftonline.com", "https://graph.microsoft.com/v1.0"),
            ("login.microsoftonline.us", "https://graph.microsoft.us/v1.0"),
            ("login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"),
            ("login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn/v1.0"),
            ("login.sovcloud-identity.fr", "https://graph.svc.sovcloud.fr/v1.0"),
            ("login.sovcloud-identity.de", "https://graph.svc.sovcloud.de/v1.0"),
            ("login.sovcloud-identity.sg", "https://graph.svc.sovcloud.sg/v1.0"),
            ("127.0.0.1", "https://graph.microsoft.com/v1.0"),
        ] {
            let graph = Graph::of(Cloud::of_host(host));
            assert_eq!((graph.base_url, &*format!("{}/v1.0", graph.resource)), (base_url, base_url));
        }
    }

    #[test]
    fn the_preset_asks_for_scopes_of_the_graph_that_is_called() {
        let graph = Graph::of(Some(Cloud::UsGovernment));
        for (base_url, user, app) in [
            ("https://graph.microsoft.us/beta", "User.Read", "https://graph.microsoft.us/.default"),
            ("http://127.0.0.1:9000", "User.Read", "https://graph.microsoft.us/.default"),
            (
                "https://dod-graph.microsoft.us/v1.0",
                "https://dod-graph.microsoft.us/User.Read",
                "https://dod-graph.microsoft.us/.default",
            ),
        ] {
            let base_url = graph.accept(base_url).unwrap();
            assert_eq!(graph.scopes(Some(&base_url), false), [user]);
            assert_eq!(graph.scopes(Some(&base_url), true), [app]);
        }
        for elsewhere in
            ["https://graph.microsoft.com/v1.0", "http://graph.microsoft.us", "https://graph.microsoft.us:444", "x"]
        {
            assert!(graph.accept(elsewhere).is_err(), "{elsewhere}");
        }
    }
}
