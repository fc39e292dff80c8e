//! Route rules: which requests there are, who may send them, and what else holds for them.
//!
//! A leaf: configuration makes [`Rules`], the router asks them. [`Rules::find`] chooses by host, method and path
//! alone; no other header and no query plays a part. No I/O, no clock.

mod email;
mod methods;
mod pattern;
mod reading;
mod requirement;
mod table;
mod trie;
#[cfg(not(target_arch = "wasm32"))]
mod warning;

use crate::request::Method;
use crate::time::Lifetime;

use self::table::Table;

pub(crate) use self::email::is_domain;
pub use self::methods::Methods;
pub use self::pattern::{End, Pattern, Segment};
#[cfg(not(target_arch = "wasm32"))]
pub use self::reading::folded;
#[cfg(not(target_arch = "wasm32"))]
pub use self::requirement::Unmet;
pub use self::requirement::{Condition, Requirement};
pub(crate) use self::requirement::{GROUPS, ROLES};
#[cfg(not(target_arch = "wasm32"))]
pub use self::warning::Warning;

/// One rule, from `[[vars.Gateway.Routes]]`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Names the rule in the log: `Name`, or its position such as `Routes[2]`.
    pub name: String,
    /// `Path`.
    pub pattern: Pattern,
    /// `Methods`; all if absent.
    pub methods: Option<Methods>,
    /// `Host`, with its port where one was given, in lower case; any if absent.
    pub host: Option<String>,
    /// `Access`: who may pass.
    pub access: Access,
    /// `Provider`: the section of the OP that signs end-users in here; the default one if absent. With
    /// [`Access::Bearer`], that of the OP that issues the access tokens.
    pub provider: Option<String>,
    /// `Require`: what the claims of whoever is signed in must say.
    pub require: Option<Requirement>,
    /// `Scopes` that a bearer token must have; empty except with [`Access::Bearer`].
    pub scopes: Vec<String>,
    /// `AcrValues` and `MaxAgeSeconds`: how the end-user must have signed in.
    pub step_up: Option<StepUp>,
    /// `Sensitive`: a sign-out elsewhere holds here at once, whatever it costs.
    pub is_sensitive: bool,
    /// `AntiForgery`: whether only pages of our own origin may change state here; yes by default.
    pub has_anti_forgery: bool,
    /// `CorsOrigins`: other origins whose pages may send requests, as browsers serialise them.
    pub cors_origins: Vec<String>,
    /// `TimeoutSeconds` until the origin's answer begins; that of the gateway if absent.
    pub timeout: Option<Lifetime>,
    /// `Hide`: whoever does not meet `Require` is told 404 instead of 403.
    pub hides: bool,
}

/// Who may pass, and what everybody else is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; nobody is looked up.
    Anonymous,
    /// Whoever is signed in; a script is told 401, never redirected.
    Api,
    /// Whoever sends an access token for us (RFC 6750).
    Bearer,
    /// Whoever is signed in; a navigation is sent to the OP.
    Login,
    /// Everybody, with the identity of whoever is signed in.
    Optional,
}

impl Access {
    /// As the configuration has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "Anonymous",
            Self::Api => "Api",
            Self::Bearer => "Bearer",
            Self::Login => "Login",
            Self::Optional => "Optional",
        }
    }
}

/// How the end-user must have signed in (OIDC Core 3.1.2.1, RFC 9470).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// `acr_values`: any of these; empty if all will do.
    pub acr_values: Vec<String>,
    /// `max_age`: no longer ago than this.
    pub max_age: Option<Lifetime>,
}

/// An origin could read the path as one that another rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AmbiguousReading;

/// All rules, those of the origin and those of the downstream APIs, which never apply to each other's requests.
#[derive(Clone, Debug)]
pub struct Rules {
    origin: Table,
    apis: Table,
    ignores_case: bool,
}

impl Rules {
    /// Rules without two that could take the same request from each other, as configuration has proven.
    pub(crate) fn new(origin: Vec<Rule>, apis: Vec<Rule>, ignores_case: bool) -> Self {
        let origin = Table::new(origin, Rule::without_conditions("default", Access::Login));
        let apis = Table::new(apis, Rule::without_conditions("default", Access::Api));
        Self { origin, apis, ignores_case }
    }

    /// The rule for a request to the origin; [`Access::Login`] where none was written.
    ///
    /// `host` is the request's own, with its port unless that is the scheme's default; `path` is as the WHATWG parser
    /// serialised it.
    ///
    /// # Errors
    /// When a reading of the path by a lenient origin belongs to another rule.
    pub fn find(&self, host: &str, method: Method, path: &str) -> Result<&Rule, AmbiguousReading> {
        self.origin.find(host, method, path, self.ignores_case)
    }

    /// The rule for a call of a downstream API; [`Access::Api`] where none was written. `path` is the whole path,
    /// beginning with `Gateway.ApiPath`.
    ///
    /// # Errors
    /// As for [`Rules::find`].
    pub fn find_api(&self, host: &str, method: Method, path: &str) -> Result<&Rule, AmbiguousReading> {
        self.apis.find(host, method, path, self.ignores_case)
    }

    /// Whether a rule names this host.
    #[must_use]
    pub fn names_host(&self, host: &str) -> bool {
        [&self.origin, &self.apis].into_iter().any(|table| table.names_host(host))
    }

    /// Why [`Rules::find`], or [`Rules::find_api`] for a call of an API, finds a path ambiguous: the first reading of it
    /// for each rule. `None` if no reading counts, because there are too many or one climbs.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub fn readings(&self, host: &str, method: Method, path: &str, is_api: bool) -> Option<Vec<(String, &Rule)>> {
        let table = if is_api { &self.apis } else { &self.origin };
        let mut first: Vec<(String, &Rule)> = Vec::new();
        for (reading, rule) in table.readings(host, method, path, self.ignores_case)? {
            if !first.iter().any(|(_, known)| std::ptr::eq(*known, rule)) {
                first.push((String::from_utf8_lossy(&reading).into_owned(), rule));
            }
        }
        Some(first)
    }

    /// The rules that were written: the origin's, then the APIs', each in their order.
    pub fn written(&self) -> impl Iterator<Item = &Rule> {
        self.origin.rules().iter().chain(self.apis.rules())
    }
}

impl Rule {
    /// A rule for everything, with nothing but `access`.
    fn without_conditions(name: &str, access: Access) -> Self {
        Self {
            name: name.to_owned(),
            pattern: Pattern::everything(),
            methods: None,
            host: None,
            access,
            provider: None,
            require: None,
            scopes: Vec::new(),
            step_up: None,
            is_sensitive: false,
            has_anti_forgery: true,
            cors_origins: Vec::new(),
            timeout: None,
            hides: false,
        }
    }
}
