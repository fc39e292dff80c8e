//! The paths that the gateway keeps for itself. Requests are matched against them byte for byte, so two of them may
//! neither be equal nor lie one under the other's prefix.

use super::address;
use super::fault::Problem;
use super::section::Section;

/// The gateway's own paths, canonical and disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// `CallbackPath` of the redirect URI; `/signin-oidc` by default.
    pub callback: String,
    /// `SignedOutCallbackPath` of the post-logout redirect URI; `/signout-callback-oidc` by default.
    pub signed_out_callback: String,
    /// `RemoteSignOutPath` for front-channel logout; `/signout-oidc` by default.
    pub front_channel_logout: String,
    /// `Gateway.AuthPath`, a prefix; `/.auth` by default.
    pub auth: String,
    /// `Gateway.ApiPath`, a prefix; `/api` by default.
    pub api: String,
}

/// The paths that stand in the provider's section, as in `appsettings.json`.
pub(super) struct Redirects {
    section: &'static str,
    callback: Option<String>,
    signed_out_callback: Option<String>,
    front_channel_logout: Option<String>,
    pub(super) signed_out_target: Option<String>,
}

impl Redirects {
    /// Those of no section.
    pub(super) const fn absent(section: &'static str) -> Self {
        Self { section, callback: None, signed_out_callback: None, front_channel_logout: None, signed_out_target: None }
    }

    /// Reads the provider's section.
    pub(super) fn read(section: &mut Section<'_>, name: &'static str) -> Self {
        Self {
            section: name,
            callback: section.parsed_or("CallbackPath", "/signin-oidc", address::path),
            signed_out_callback: section.parsed_or("SignedOutCallbackPath", "/signout-callback-oidc", address::path),
            front_channel_logout: section.parsed_or("RemoteSignOutPath", "/signout-oidc", address::path),
            signed_out_target: section.parsed("SignedOutRedirectUri", address::redirect_target),
        }
    }
}

/// Reads the gateway's two prefixes.
pub(super) fn read(gateway: &mut Section<'_>) -> (Option<String>, Option<String>) {
    let auth = gateway.parsed_or("AuthPath", "/.auth", address::path);
    let api = gateway.parsed_or("ApiPath", "/api", address::path);
    (auth, api)
}

/// Puts the paths of both sections together and compares each with each.
pub(super) fn join(
    root: &mut Section<'_>,
    redirects: Redirects,
    auth: Option<String>,
    api: Option<String>,
) -> Option<Paths> {
    let own = |name: &str| format!("{}.{name}", redirects.section);
    let prefixes = [("Gateway.AuthPath".to_owned(), &auth), ("Gateway.ApiPath".to_owned(), &api)];
    let exact = [
        (own("CallbackPath"), &redirects.callback),
        (own("SignedOutCallbackPath"), &redirects.signed_out_callback),
        (own("RemoteSignOutPath"), &redirects.front_channel_logout),
    ];
    let target = (own("SignedOutRedirectUri"), &redirects.signed_out_target);
    let all: Vec<_> = prefixes.iter().chain(&exact).collect();
    for (position, (key, path)) in all.iter().enumerate() {
        for (other_key, other) in all.iter().take(position) {
            if path.is_some() && path == other {
                root.fault(key, Problem::Same(other_key.clone()));
            }
        }
        for (prefix_key, prefix) in &prefixes {
            if lies_under(path.as_deref(), prefix.as_deref()) {
                root.fault(key, Problem::Shadowed(prefix_key.clone()));
            }
        }
    }
    // A browser sent back to one of these after sign-out would end on an error page.
    for (key, _) in exact.iter().filter(|(_, path)| path.is_some() && *path == target.1) {
        root.fault(&target.0, Problem::Same(key.clone()));
    }
    Some(Paths {
        callback: redirects.callback?,
        signed_out_callback: redirects.signed_out_callback?,
        front_channel_logout: redirects.front_channel_logout?,
        auth: auth?,
        api: api?,
    })
}

fn lies_under(path: Option<&str>, prefix: Option<&str>) -> bool {
    path.zip(prefix).is_some_and(|(path, prefix)| path.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')))
}
