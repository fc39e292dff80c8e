//! The metadata of this protected resource (RFC 9728 §2), which tells a client where to get an access token.

use crate::json;
use serde_json::Value;

/// Where the document is. The resource has no path, so nothing follows (§3.1).
pub const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// What the document says.
pub struct ProtectedResource<'a> {
    /// What clients call this resource: its scheme, host and port, without a slash after them, since it must be what
    /// they made the document's URL from (§3.3).
    pub resource: &'a str,
    /// The issuers whose access tokens are accepted.
    pub authorization_servers: &'a [&'a str],
    /// The scopes that routes ask for; left out if there are none, which would mean that none is needed.
    pub scopes: &'a [&'a str],
    /// The name for people.
    pub name: Option<&'a str>,
}

impl ProtectedResource<'_> {
    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let scopes = Some(self.scopes).filter(|scopes| !scopes.is_empty());
        json::members([
            ("resource", self.resource.into()),
            ("authorization_servers", self.authorization_servers.into()),
            ("bearer_methods_supported", vec!["header"].into()),
            ("scopes_supported", scopes.into()),
            ("resource_name", self.name.into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_names_the_resource_and_who_issues_its_tokens() {
        let plain = ProtectedResource {
            resource: "https://app.example.com",
            authorization_servers: &["https://op.example/"],
            scopes: &[],
            name: None,
        };
        let mut expected = json!({
            "resource": "https://app.example.com",
            "authorization_servers": ["https://op.example/"],
            "bearer_methods_supported": ["header"],
        });
        assert_eq!(plain.to_json(), expected);
        let full = ProtectedResource { scopes: &["orders.read", "a\"b"], name: Some("Orders <&>"), ..plain };
        expected["scopes_supported"] = json!(["orders.read", "a\"b"]);
        expected["resource_name"] = json!("Orders <&>");
        assert_eq!(full.to_json(), expected);
    }
}
