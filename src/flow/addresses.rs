//! Our own absolute URLs. All of them begin with the configured origin that the request was made to, whatever its headers
//! say.

use super::Context;
use crate::config::Provider;

impl<R> Context<'_, R> {
    /// The origin followed by `path`, which begins with `/`.
    pub(super) fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.public_origin.as_str().trim_end_matches('/'))
    }

    /// One of our own pages under `AuthPath`.
    pub(super) fn auth_url(&self, name: &str) -> String {
        self.public_url(&format!("{}/{name}", self.app.config.paths.auth))
    }

    /// Where a login at that provider begins.
    pub(super) fn login_url(&self, provider: &Provider) -> String {
        if self.app.has_several_realms() {
            self.auth_url(&format!("login/{}", provider.name))
        } else {
            self.auth_url("login")
        }
    }
}
