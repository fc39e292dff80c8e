//! The configuration: the names people know from `appsettings.json`, in the Worker's variables and secrets.
//!
//! [`Config::parse`] is the only way in. It reports every fault at once, refuses every key it does not know, and
//! never takes a default because a value could not be read. No I/O: the variables arrive as one JSON text.

mod address;
mod api;
mod authority;
mod b2c;
mod bearer;
mod claim_headers;
mod client_credential;
mod client_credentials;
mod cloud;
mod entra;
mod environment;
mod error_path;
mod extra;
mod fault;
mod gateway;
mod graph;
mod kinds;
mod operator;
mod paths;
mod platform;
mod provider;
mod providers;
mod requirement;
mod rewriting;
mod routes;
mod section;
mod session;
mod settings;
mod tenancy;
mod tenant;
mod token_cache;
mod unsupported;
mod user_flows;
mod values;

use crate::order;
use crate::rules::Rules;

use self::environment::Environment;
use self::section::Section;

pub use self::api::{Api, ApiToken};
pub use self::bearer::{Bearer, Introspection};
pub use self::client_credential::{AssertionPlace, AssertionSource, ClientCredential};
pub use self::client_credentials::AssertionAudience;
pub use self::cloud::Cloud;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::environment::flat_name;
pub use self::fault::{ConfigFault, Problem};
pub use self::gateway::{Gateway, Origin};
pub use self::operator::Operator;
pub use self::paths::{Paths, ProviderPaths};
pub use self::provider::Provider;
pub use self::rewriting::Rewriting;
pub use self::session::{LONGEST_SESSION, SessionKeys, SessionSettings, SignOutScope};
#[cfg(not(target_arch = "wasm32"))]
pub use self::settings::{Kind, SECTION_ALIASES};
pub use self::settings::{SETTINGS, Setting};
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use self::settings::{explain, names_under};
pub use self::token_cache::TokenCache;
#[cfg(not(target_arch = "wasm32"))]
pub use self::unsupported::refused_options;
pub use self::user_flows::{Policy, UserFlows};

/// The KV namespace that holds token cache entries and the OP's documents.
const TOKEN_CACHE: &str = "TOKEN_CACHE";

/// The D1 database that holds the same.
const TOKEN_CACHE_DB: &str = "TOKEN_CACHE_DB";

/// The Durable Object namespace with one object for each account.
const ACCOUNTS: &str = "ACCOUNTS";

/// The Analytics Engine dataset that counts.
const METRICS: &str = "METRICS";

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The OpenID Provider, from `AzureAd` (or `AzureAdB2C`) or `OpenIdConnect`; where there is neither, the first of `Providers`.
    pub provider: Provider,
    /// The others of `Providers`, sorted by name; none by default.
    pub other_providers: Vec<Provider>,
    /// The downstream APIs, sorted by name (which [`Config::api`] goes by); none by default.
    pub apis: Vec<Api>,
    /// The public side and the origin.
    pub gateway: Gateway,
    /// The life of a session and its keys.
    pub session: SessionSettings,
    /// The access tokens that machine clients may bring; none by default.
    pub bearer: Option<Bearer>,
    /// The paths that the gateway keeps for itself.
    pub paths: Paths,
    /// Who may send which requests; everything needs a sign-in by default.
    pub rules: Rules,
    /// Who may end the sessions of others; nobody by default.
    pub operator: Option<Operator>,
    /// Where token cache entries are kept.
    pub token_cache: TokenCache,
    /// Whether there is an object for each account: the binding `ACCOUNTS`, unless everything is kept in memory.
    pub has_account_objects: bool,
    /// Whether the binding `METRICS`, a dataset to count in, is there.
    pub has_metrics: bool,
}

impl Config {
    /// Reads `{"vars": {<name>: <value>}, "bindings": [<name>]}`: the Worker's variables and secrets, and the names
    /// of its other bindings.
    ///
    /// # Errors
    ///
    /// Every fault, sorted by key.
    pub fn parse(environment: &str) -> Result<Self, Vec<ConfigFault>> {
        let mut faults = Vec::new();
        let Environment { vars, bindings } = Environment::parse(environment, &mut faults);
        // Without variables to look at, every key would be missing.
        if !faults.is_empty() && vars.is_empty() {
            return Err(faults);
        }
        let root = Section::root(vars, &mut faults);
        let config = Self::read(root, &bindings);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            Some(_) | None => {
                let place = |fault: &ConfigFault| (fault.key().to_owned(), fault.to_string());
                order::sort_by(&mut faults, |one, other| place(one).cmp(&place(other)));
                faults.dedup();
                Err(faults)
            }
        }
    }

    /// Every provider, in the order in which people choose.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        std::iter::once(&self.provider).chain(&self.other_providers)
    }

    /// The downstream APIs that take tokens of the provider of that name.
    pub fn apis_of<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a Api> {
        self.apis.iter().filter(move |api| api.provider == provider)
    }

    /// The downstream API of exactly this name.
    #[must_use]
    pub fn api(&self, name: &str) -> Option<&Api> {
        let position = self.apis.binary_search_by(|api| api.name.as_str().cmp(name)).ok()?;
        self.apis.get(position)
    }

    fn read(mut root: Section<'_>, bindings: &[String]) -> Option<Self> {
        let (token_cache, session) = session::read(&mut root);
        if let Some(token_cache) = token_cache {
            token_cache::look(&mut root, token_cache, bindings);
        }
        let providers::Readings { providers, redirects, platforms } = providers::read_all(&mut root, bindings);
        let apis = api::read(&mut root, &platforms);
        let mut section = root.child("Gateway", "Gateway");
        let gateway = gateway::read(&mut section, bindings);
        let (auth, api) = paths::read(&mut section);
        let missing = match token_cache {
            Some(TokenCache::Memory) => Some("another Session.TokenCache than Memory"),
            _ if bindings.iter().any(|binding| binding == ACCOUNTS) => None,
            _ => Some("the binding ACCOUNTS"),
        };
        let routes = routes::read(&mut section, api.as_deref(), missing);
        section.finish();
        let operator = operator::read(&mut root);
        let has_bearer = root.mentions("Bearer");
        let bearer = bearer::read(&mut root, routes.has_bearer(), &platforms);
        let paths = paths::join(&mut root, &redirects, (auth, api), has_bearer);
        let kept = routes::Kept { paths: paths.as_ref(), redirects: &redirects, has_bearer };
        let names: Vec<_> = platforms.iter().map(|(name, _)| name.as_str()).collect();
        let issuer = bearer.as_ref().map(|bearer| bearer.provider.as_str());
        let rules = routes::join(&mut root, routes, &kept, (&names, issuer, &apis));
        if let (Some(paths), Some(rules), Some(gateway)) = (&paths, &rules, &gateway) {
            error_path::join(&mut root, &providers, paths, rules, gateway);
        }
        root.finish();
        let mut providers = providers.into_iter();
        Some(Self {
            provider: providers.next()?,
            other_providers: providers.collect(),
            apis,
            gateway: gateway?,
            session: session?,
            bearer,
            paths: paths?,
            rules: rules?,
            operator,
            token_cache: token_cache?,
            has_account_objects: missing.is_none(),
            has_metrics: bindings.iter().any(|binding| binding == METRICS),
        })
    }
}

/// Whether an API or a provider can have this name: it stands in paths, cookies and keys.
fn is_name(name: &str) -> bool {
    name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

const LONGEST_NAME: usize = 64;
