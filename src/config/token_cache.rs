//! Where token cache entries are kept, `Session.TokenCache`, and the binding that this takes.

use super::fault::Problem;
use super::section::Section;
use super::{ACCOUNTS, TOKEN_CACHE, TOKEN_CACHE_DB};

/// Where token cache entries are kept, and whatever else outlives a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenCache {
    /// In Workers KV; with account objects it holds copies of theirs.
    Kv,
    /// In the accounts' objects and nowhere else.
    DurableObject,
    /// In a D1 database; with account objects it holds copies of theirs.
    D1,
    /// In the memory of the isolate, for tests: without account objects, whether or not they are bound.
    Memory,
}

impl TokenCache {
    /// The name in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kv => "KV",
            Self::DurableObject => "DurableObject",
            Self::D1 => "D1",
            Self::Memory => "Memory",
        }
    }

    /// Whether there is a store beside the accounts' objects.
    #[must_use]
    pub const fn has_store(self) -> bool {
        !matches!(self, Self::DurableObject)
    }

    /// Whether what is read from the store is what was written last, wherever that was. Workers KV shows an older value, or
    /// none, for a minute and longer.
    #[must_use]
    pub const fn is_consistent(self) -> bool {
        !matches!(self, Self::Kv)
    }

    /// The binding that it needs, and what to do where that is missing.
    const fn binding(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Kv => {
                Some((TOKEN_CACHE, "bind a KV namespace under this name in [[kv_namespaces]] of wrangler.toml"))
            }
            Self::DurableObject => Some((
                ACCOUNTS,
                "bind the class AccountObject under this name in [[durable_objects.bindings]] of wrangler.toml, which Session.TokenCache names",
            )),
            Self::D1 => Some((
                TOKEN_CACHE_DB,
                "bind a D1 database under this name in [[d1_databases]] of wrangler.toml, which Session.TokenCache names",
            )),
            Self::Memory => None,
        }
    }
}

/// Reads `TokenCache` of the section `Session`; Workers KV if it is absent.
pub(super) fn read(session: &mut Section<'_>) -> Option<TokenCache> {
    session.parsed_or("TokenCache", "KV", |name| match name {
        "KV" => Ok(TokenCache::Kv),
        "DurableObject" => Ok(TokenCache::DurableObject),
        "D1" => Ok(TokenCache::D1),
        "Memory" => Ok(TokenCache::Memory),
        _ => Err(Problem::Invalid("be KV, DurableObject, D1 or Memory", None)),
    })
}

/// Reports the binding that is missing.
pub(super) fn look(root: &mut Section<'_>, token_cache: TokenCache, bindings: &[String]) {
    let Some((name, remedy)) = token_cache.binding() else { return };
    // As a variable, its explanation is enough.
    if !bindings.iter().any(|binding| binding == name) && !root.holds(name) {
        root.missing(name, remedy);
    }
}
