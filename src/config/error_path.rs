//! `ErrorPath` of a provider's section: the page of the origin's own that explains a sign-in that failed.

use crate::oidc::protected_resource::METADATA_PATH;
use crate::request::Method;
use crate::rules::{Access, Rules};

use super::address;
use super::fault::Problem;
use super::gateway::Gateway;
use super::paths::Paths;
use super::provider::Provider;
use super::section::Section;

const KEY: &str = "ErrorPath";
const NEEDS_OPEN: Problem =
    Problem::Invalid("be a path that a rule with Access Anonymous or Optional lets everybody GET", None);
const NEEDS_ORIGIN: Problem =
    Problem::Invalid("be a path of the origin, none that Vestibule keeps for itself", Some("/sign-in-failed"));

/// Compares the path of each provider with everything that is not the origin's, and with the rules: a page that needed a
/// sign-in would lead from one that failed into the next.
pub(super) fn join(root: &mut Section<'_>, providers: &[Provider], paths: &Paths, rules: &Rules, gateway: &Gateway) {
    for provider in providers {
        let Some(path) = &provider.error_path else { continue };
        let section = if provider.is_named { "Providers." } else { "" };
        let is_kept = lies_within(path, &paths.auth)
            || lies_within(path, &paths.api)
            || path == METADATA_PATH
            || providers.iter().any(|provider| provider.paths.contain(path))
            || gateway.rewriting.strip_path_prefix.as_ref().is_some_and(|prefix| !lies_within(path, prefix));
        let is_open = gateway.public_origins().all(|origin| {
            let rule = rules.find(origin.authority(), Method::Get, path);
            rule.is_ok_and(|rule| matches!(rule.access, Access::Anonymous | Access::Optional))
        });
        if is_kept || !is_open {
            let problem = if is_kept { NEEDS_ORIGIN } else { NEEDS_OPEN };
            root.fault(&format!("{section}{}.{KEY}", provider.name), problem);
        }
    }
}

/// Reads the path.
pub(super) fn read(section: &mut Section<'_>) -> Option<String> {
    section.parsed(KEY, address::path)
}

fn lies_within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
