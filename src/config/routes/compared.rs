//! Rules beside each other, and beside what the gateway keeps for itself: none may be there in vain.

use crate::config::api::Api;
use crate::config::fault::Problem;
use crate::config::paths::{METADATA, Redirects};
use crate::config::section::Section;
use crate::oidc::protected_resource::METADATA_PATH;
use crate::order;
use crate::rules::{Access, Rule, Segment};

use super::{Kept, key};

const FOREIGN_API: Problem =
    Problem::Invalid("be Api, because an API there takes tokens of another provider than Bearer.Provider", None);

/// The gateway answers there itself, so the rule would never match.
pub(super) fn refuse_shadowed(root: &mut Section<'_>, (position, rule): &(usize, Rule), kept: &Kept<'_>) {
    let key = key(*position, "Path");
    if kept.paths.is_some_and(|paths| rule.pattern.lies_under(&paths.auth)) {
        root.fault(&key, Problem::Shadowed("Gateway.AuthPath".to_owned()));
    }
    if kept.has_bearer && rule.pattern.is_only(METADATA_PATH) {
        root.fault(&key, Problem::Same(METADATA.to_owned()));
    }
    let exact = kept.redirects.iter().flat_map(Redirects::keyed);
    for (name, _) in exact.filter(|(_, path)| path.as_deref().is_some_and(|path| rule.pattern.is_only(path))) {
        root.fault(&key, Problem::Same(name));
    }
}

/// A token of one provider cannot be exchanged for one of another, so no API of another may be where programs call with
/// the tokens of theirs. Only at rules whose provider is known.
pub(super) fn refuse_foreign_apis(
    root: &mut Section<'_>,
    (position, rule): &(usize, Rule),
    (prefix, apis): (&str, &[Api]),
) {
    let issuer = rule.provider.as_deref().filter(|_| rule.access == Access::Bearer && rule.pattern.lies_under(prefix));
    let Some(issuer) = issuer else { return };
    let name = rule.pattern.segments().get(prefix.split('/').skip(1).count());
    let is_meant = |api: &&Api| match name {
        Some(Segment::Literal(name)) => name.eq_ignore_ascii_case(&api.name),
        Some(Segment::Any) | None => true,
    };
    if apis.iter().filter(is_meant).any(|api| api.provider != issuer) {
        root.fault(&key(*position, "Access"), FOREIGN_API);
    }
}

pub(super) fn refuse_equal_names(root: &mut Section<'_>, rules: &[(usize, Rule)]) {
    let mut sorted: Vec<_> = rules.iter().map(|(position, rule)| (&rule.name, *position)).collect();
    order::sort(&mut sorted);
    let twins = sorted.iter().zip(sorted.iter().skip(1)).filter(|(first, second)| first.0 == second.0);
    for ((_, first), (_, second)) in twins {
        root.fault(&key(*second, "Name"), Problem::Same(key(*first, "Name")));
    }
}

/// Of two rules for the same requests one would never hold; and where two paths differ by letter case only, an origin
/// could take one for the other.
pub(super) fn refuse_equal_paths(root: &mut Section<'_>, rules: &[(usize, Rule)]) {
    let mut sorted: Vec<_> = rules
        .iter()
        .map(|(position, rule)| {
            let path = rule.pattern.to_string();
            ((&rule.host, path.to_ascii_lowercase()), *position, path, rule.methods)
        })
        .collect();
    order::sort_by(&mut sorted, |(one, first, ..), (other, second, ..)| one.cmp(other).then(first.cmp(second)));
    for group in sorted.chunk_by(|(one, ..), (other, ..)| one == other) {
        for (number, (_, second, path, methods)) in group.iter().enumerate() {
            for (_, first, earlier_path, earlier_methods) in group.iter().take(number) {
                let overlaps = match (methods, earlier_methods) {
                    (Some(one), Some(other)) => one.overlaps(*other),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                if path != earlier_path {
                    root.fault(&key(*second, "Path"), Problem::DiffersByCase(key(*first, "Path")));
                } else if overlaps {
                    root.fault(&key(*second, "Path"), Problem::Same(key(*first, "Path")));
                }
            }
        }
    }
}
