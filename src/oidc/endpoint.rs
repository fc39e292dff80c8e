//! The endpoints of an OpenID Provider as URLs: which ones may be used at all (OIDC Core 3.1.2.1, RFC 8252 §8.3), and
//! how parameters are added to one (RFC 6749 §3.1). Nothing here decides which host is trusted; configuration does.

use url::{Host, Url};

/// Whether what is sent to `url` cannot be read on the way: https, or http that never leaves the machine.
#[must_use]
pub fn is_secure_or_loopback(url: &Url) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => url.host().is_some_and(|host| is_loopback(&host)),
        _ => false,
    }
}

/// The endpoint with `parameters` appended. Its own query is kept (RFC 6749 §3.1), except for the names that are ours
/// to set: no parameter may be sent twice, and a provider that reads the first one would not read ours.
pub(crate) fn with_parameters(endpoint: &Url, parameters: &[(&str, &str)]) -> Url {
    let is_ours = |name: &str| parameters.iter().any(|(ours, _)| ours.eq_ignore_ascii_case(name));
    let own: Vec<(String, String)> = endpoint.query_pairs().into_owned().filter(|(name, _)| !is_ours(name)).collect();
    let mut url = endpoint.clone();
    url.query_pairs_mut().clear().extend_pairs(own).extend_pairs(parameters);
    url
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(url: &str) -> bool {
        is_secure_or_loopback(&Url::parse(url).unwrap())
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for url in ["https://op.example/a", "http://localhost:8080/", "http://127.0.0.1/", "http://127.9.9.9/"] {
            assert!(accepts(url), "{url}");
        }
        assert!(accepts("http://[::1]:3000/"));
        for url in ["http://op.example/", "http://localhost.evil.example/", "http://127.0.0.1.evil.example/"] {
            assert!(!accepts(url), "{url}");
        }
        for url in ["http://10.0.0.1/", "http://0.0.0.0/", "http://[::]/", "ftp://localhost/", "data:text/html,x"] {
            assert!(!accepts(url), "{url}");
        }
    }

    #[test]
    fn the_endpoints_own_query_is_kept_but_never_doubles_a_parameter() {
        let endpoint = Url::parse("https://op.example/authorize?p=B2C_1_a&scope=evil&SCOPE=evil").unwrap();
        let url = with_parameters(&endpoint, &[("scope", "openid a+b&c")]);
        assert_eq!(url.as_str(), "https://op.example/authorize?p=B2C_1_a&scope=openid+a%2Bb%26c");
    }
}
