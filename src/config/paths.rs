//! The paths that the gateway keeps for itself. Requests are matched against them byte for byte, so two of them may
//! neither be equal nor lie one under the other's prefix.

use super::address;
use super::fault::Problem;
use super::section::Section;
use crate::oidc::protected_resource::METADATA_PATH;

/// The gateway's own prefixes, canonical and disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `Gateway.AuthPath`; `/.auth` by default.
    pub auth: String,
    /// `Gateway.ApiPath`; `/api` by default.
    pub api: String,
}

/// The paths that one provider and the browsers that it sends back know. Each provider has its own, so that an answer of
/// one can never be taken for that of another (RFC 9700 §4.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPaths {
    /// `CallbackPath` of the redirect URI; `/signin-oidc` by default.
    pub callback: String,
    /// `SignedOutCallbackPath` of the post-logout redirect URI; `/signout-callback-oidc` by default.
    pub signed_out_callback: String,
    /// `RemoteSignOutPath` for front-channel logout; `/signout-oidc` by default.
    pub front_channel_logout: String,
}

impl ProviderPaths {
    /// Whether it is one of them.
    pub(super) fn contain(&self, path: &str) -> bool {
        [&self.callback, &self.signed_out_callback, &self.front_channel_logout].into_iter().any(|own| own == path)
    }
}

/// The paths that stand in a provider's section, as in `appsettings.json`.
pub(super) struct Redirects {
    section: String,
    callback: Option<String>,
    signed_out_callback: Option<String>,
    front_channel_logout: Option<String>,
    pub(super) signed_out_target: Option<String>,
}

impl Redirects {
    /// Reads a provider's section. The defaults of one with a name of its own end in that.
    pub(super) fn read(section: &mut Section<'_>, label: Option<&str>) -> Self {
        let end = label.map(|label| format!("/{label}")).unwrap_or_default();
        let mut path = |name, default: &str| section.parsed_or(name, &format!("{default}{end}"), address::path);
        let callback = path("CallbackPath", "/signin-oidc");
        let signed_out_callback = path("SignedOutCallbackPath", "/signout-callback-oidc");
        let front_channel_logout = path("RemoteSignOutPath", "/signout-oidc");
        let signed_out_target = section.parsed("SignedOutRedirectUri", address::redirect_target);
        let section = section.path().to_owned();
        Self { section, callback, signed_out_callback, front_channel_logout, signed_out_target }
    }

    /// The paths, if none is at fault.
    pub(super) fn paths(&self) -> Option<ProviderPaths> {
        Some(ProviderPaths {
            callback: self.callback.clone()?,
            signed_out_callback: self.signed_out_callback.clone()?,
            front_channel_logout: self.front_channel_logout.clone()?,
        })
    }

    /// Each with its key.
    pub(super) fn keyed(&self) -> [(String, &Option<String>); 3] {
        let own = |name: &str| format!("{}.{name}", self.section);
        [
            (own("CallbackPath"), &self.callback),
            (own("SignedOutCallbackPath"), &self.signed_out_callback),
            (own("RemoteSignOutPath"), &self.front_channel_logout),
        ]
    }
}

/// Reads the gateway's two prefixes.
pub(super) fn read(gateway: &mut Section<'_>) -> (Option<String>, Option<String>) {
    let auth = gateway.parsed_or("AuthPath", "/.auth", address::path);
    let api = gateway.parsed_or("ApiPath", "/api", address::path);
    (auth, api)
}

/// Puts the paths of all sections together and compares each with each; `has_bearer` tells whether one more is taken.
pub(super) fn join(
    root: &mut Section<'_>,
    redirects: &[Redirects],
    (auth, api): (Option<String>, Option<String>),
    has_bearer: bool,
) -> Option<Paths> {
    let prefixes = [("Gateway.AuthPath".to_owned(), &auth), ("Gateway.ApiPath".to_owned(), &api)];
    let exact: Vec<_> = redirects.iter().flat_map(Redirects::keyed).collect();
    let all: Vec<_> = prefixes.iter().chain(&exact).collect();
    for (position, (key, path)) in all.iter().enumerate() {
        for (other_key, other) in all.iter().take(position) {
            if path.is_some() && path == other {
                root.fault(key, Problem::Same(other_key.clone()));
            }
        }
        if has_bearer && path.as_deref() == Some(METADATA_PATH) {
            root.fault(key, Problem::Same(METADATA.to_owned()));
        }
        for (prefix_key, prefix) in &prefixes {
            if lies_under(path.as_deref(), prefix.as_deref()) {
                root.fault(key, Problem::Shadowed(prefix_key.clone()));
            }
        }
    }
    let takes_metadata = |prefix: &Option<String>| has_bearer && lies_under(Some(METADATA_PATH), prefix.as_deref());
    for (key, _) in prefixes.iter().filter(|(_, prefix)| takes_metadata(prefix)) {
        root.fault(key, Problem::Invalid("not be /.well-known beside [vars.Bearer]", None));
    }
    // A browser sent back to one of these after sign-out would end on an error page.
    for Redirects { section, signed_out_target: target, .. } in redirects {
        for (key, _) in exact.iter().filter(|(_, path)| path.is_some() && *path == target) {
            root.fault(&format!("{section}.SignedOutRedirectUri"), Problem::Same(key.clone()));
        }
    }
    Some(Paths { auth: auth?, api: api? })
}

/// The path that clients with access tokens look up, in words.
pub(super) const METADATA: &str = "/.well-known/oauth-protected-resource, which [vars.Bearer] takes";

fn lies_under(path: Option<&str>, prefix: Option<&str>) -> bool {
    path.zip(prefix).is_some_and(|(path, prefix)| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')))
}
