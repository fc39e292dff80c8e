//! The configuration: the names people know from `appsettings.json`, in the Worker's variables and secrets.
//!
//! [`Config::parse`] is the only way in. It reports every fault at once, refuses every key it does not know, and
//! never takes a default because a value could not be read. No I/O: the variables arrive as one JSON text.

mod address;
mod api;
mod authority;
mod entra;
mod environment;
mod extra;
mod fault;
mod gateway;
mod operator;
mod paths;
mod platform;
mod provider;
mod section;
mod session;
mod settings;
mod unsupported;
mod values;

use self::environment::Environment;
use self::section::Section;

pub use self::api::{Api, ApiToken};
pub use self::fault::{ConfigFault, Problem};
pub use self::gateway::Gateway;
pub use self::operator::Operator;
pub use self::paths::Paths;
pub use self::provider::{ClientCredential, Provider};
pub use self::session::{LONGEST_SESSION, SessionKeys, SessionSettings, SignOutScope};
pub use self::settings::{Kind, SETTINGS, Setting};

/// The KV namespace that holds token cache entries and the OP's documents.
const TOKEN_CACHE: &str = "TOKEN_CACHE";

/// The Durable Object namespace with one object for each account.
const ACCOUNTS: &str = "ACCOUNTS";

/// A configuration without faults.
#[derive(Clone, Debug)]
pub struct Config {
    /// The OpenID Provider, from `AzureAd` or `OpenIdConnect`.
    pub provider: Provider,
    /// The downstream APIs, sorted by name; none by default.
    pub apis: Vec<Api>,
    /// The public side and the origin.
    pub gateway: Gateway,
    /// The life of a session and its keys.
    pub session: SessionSettings,
    /// The paths that the gateway keeps for itself.
    pub paths: Paths,
    /// Who may end the sessions of others; nobody by default.
    pub operator: Option<Operator>,
    /// Whether the binding `ACCOUNTS`, an object for each account, is there.
    pub has_account_objects: bool,
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
        if !faults.is_empty() && vars.0.is_empty() {
            return Err(faults);
        }
        let mut root = Section::root(vars, &mut faults);
        let is_bound = |name| bindings.iter().any(|binding| binding == name);
        // As a variable, its explanation is enough.
        if !is_bound(TOKEN_CACHE) && !root.holds(TOKEN_CACHE) {
            root.missing(TOKEN_CACHE, "bind a KV namespace under this name in [[kv_namespaces]] of wrangler.toml");
        }
        let config = Self::read(root, is_bound(ACCOUNTS));
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            Some(_) | None => {
                faults.sort_by_cached_key(|fault| (fault.key().to_owned(), fault.to_string()));
                faults.dedup();
                Err(faults)
            }
        }
    }

    /// The downstream API of exactly this name.
    #[must_use]
    pub fn api(&self, name: &str) -> Option<&Api> {
        self.apis.iter().find(|api| api.name == name)
    }

    /// `PublicOrigin` followed by `path`, which begins with `/`.
    #[must_use]
    pub fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway.public_origin.as_str().trim_end_matches('/'))
    }

    /// The absolute URL of one of our own pages under `AuthPath`.
    #[must_use]
    pub fn auth_url(&self, name: &str) -> String {
        self.public_url(&format!("{}/{name}", self.paths.auth))
    }

    fn read(mut root: Section<'_>, has_account_objects: bool) -> Option<Self> {
        let provider::Reading { provider, redirects, platform } = provider::read(&mut root);
        let apis = api::read(&mut root, platform);
        let mut section = root.child("Gateway", "Gateway");
        let gateway = gateway::read(&mut section);
        let (auth, api) = paths::read(&mut section);
        section.finish();
        let session = session::read(&mut root);
        let operator = operator::read(&mut root);
        let paths = paths::join(&mut root, redirects, auth, api);
        root.finish();
        Some(Self {
            provider: provider?,
            apis,
            gateway: gateway?,
            session: session?,
            paths: paths?,
            operator,
            has_account_objects,
        })
    }
}
