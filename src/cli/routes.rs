//! Which requests Cloudflare sends to the Worker: the patterns of `route` and `routes`.

use serde_json::Value;
use url::Url;

use super::wrangler::Deployment;

/// One pattern.
pub(super) struct RoutePattern<'a> {
    is_https: bool,
    host: &'a str,
    path: &'a str,
}

/// The patterns of a deployment. A custom domain stands for every path of its host.
pub(super) fn patterns(deployment: &Deployment) -> Vec<RoutePattern<'_>> {
    let single = deployment.field("route").into_iter();
    single.chain(deployment.list("routes")).filter_map(pattern).collect()
}

fn pattern(route: &Value) -> Option<RoutePattern<'_>> {
    if route.get("enabled").and_then(Value::as_bool) == Some(false) {
        return None;
    }
    let text = route.as_str().or_else(|| route.get("pattern")?.as_str())?;
    if route.get("custom_domain").and_then(Value::as_bool) == Some(true) {
        return Some(RoutePattern { is_https: true, host: text, path: "/*" });
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some(match host.strip_suffix('*').filter(|host| !host.is_empty() && path.is_empty()) {
        Some(host) => RoutePattern { is_https: scheme == "https", host, path: "/*" },
        None => RoutePattern { is_https: scheme == "https", host, path },
    })
}

impl RoutePattern<'_> {
    /// Whether requests for that origin come to the Worker, on some path at least.
    pub(super) fn covers(&self, origin: &Url) -> bool {
        let host = origin.host_str().unwrap_or_default();
        let is_host = match self.host.strip_prefix('*') {
            None => self.host.eq_ignore_ascii_case(host),
            Some(end) => host.ends_with(&end.to_ascii_lowercase()),
        };
        is_host && self.is_https == (origin.scheme() == "https")
    }

    /// Whether it takes every path.
    pub(super) fn takes_every_path(&self) -> bool {
        self.path == "/*"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(route: &Value) -> (bool, bool) {
        let pattern = pattern(route).unwrap();
        let covers = pattern.covers(&Url::parse("https://app.example.com").unwrap());
        (covers, pattern.takes_every_path())
    }

    #[test]
    fn a_pattern_covers_hosts_and_takes_paths() {
        for (route, covers, takes) in [
            (json!("app.example.com/*"), true, true),
            (json!("https://APP.example.com/*"), true, true),
            (json!("http://app.example.com/*"), false, true),
            (json!("*.example.com/*"), true, true),
            (json!("*example.com/*"), true, true),
            (json!("*/*"), true, true),
            (json!("*.app.example.com/*"), false, true),
            (json!("example.com/*"), false, true),
            (json!("app.example.com"), true, false),
            (json!("app.example.com/"), true, false),
            (json!("app.example.com*"), true, true),
            (json!({"pattern": "app.example.com/shop/*", "zone_name": "example.com"}), true, false),
            (json!({"pattern": "app.example.com", "custom_domain": true}), true, true),
        ] {
            assert_eq!(read(&route), (covers, takes), "{route}");
        }
        assert!(pattern(&json!({"pattern": "a.example", "custom_domain": true, "enabled": false})).is_none());
    }
}
