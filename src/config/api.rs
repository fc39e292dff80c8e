//! The downstream APIs, `[vars.DownstreamApis.<Name>]`: where each is and which access token it gets.

use url::Url;

use crate::time::Lifetime;

use super::extra::Purpose;
use super::fault::Problem;
use super::graph::{self, Graph};
use super::kinds::has_own_section;
use super::platform::Platform;
use super::section::Section;
use super::values::Range;
use super::{address, extra, is_name, tenancy};

const ANONYMOUS: &str = "Anonymous";
const APP: &str = "RequestAppToken";
const GRAPH: &str = "Graph";
const INCREMENTAL: &str = "IncrementalConsent";
const LINKS: &str = "RewriteLinks";
const PRESET: &str = "Preset";
const SCOPES: &str = "Scopes";
const TOKEN_SETTINGS: [&str; 3] = [SCOPES, "Resource", tenancy::OPTIONS];

const EXAMPLE: &str = "https://api.example.com";
const SECTION: &str = "DownstreamApis";
const TIMEOUT: Range = Range { min: 1, max: 300, default: 30 };

/// One downstream API, served at `<ApiPath>/<name>/…`.
#[derive(Clone, Debug)]
pub struct Api {
    /// The name in its path, compared exactly.
    pub name: String,
    /// `Provider`: the provider whose tokens it takes, and whose users may call it; by default that of the section
    /// `AzureAd` or `OpenIdConnect`, or the only one.
    pub provider: String,
    /// `BaseUrl` and `RelativePath` joined; its path has no trailing slash unless it is `/`.
    pub base_url: Url,
    /// Whose access token it gets.
    pub token: ApiToken,
    /// `Scopes` of its access token; empty for [`ApiToken::None`] only.
    pub scopes: Vec<String>,
    /// `IncrementalConsent`: its scopes are asked for when it is first called, not at sign-in; no by default.
    pub incremental_consent: bool,
    /// `AcquireTokenOptions.Tenant`, in lower case: whose access tokens it takes; by default those of the end-user's own
    /// tenant, or of the application's.
    pub tenant: Option<String>,
    /// `Resource` (RFC 8707) for its token requests; none by default.
    pub resource: Option<String>,
    /// `ExtraHeaderParameters` to set on its requests, sorted by name, in lower case; none by default.
    pub extra_headers: Vec<(String, String)>,
    /// `ExtraQueryParameters` to append to its requests' query, sorted by name; none by default.
    pub extra_query: Vec<(String, String)>,
    /// `RewriteLinks`: the links to further pages in its JSON answers become addresses of the gateway where they point at
    /// `base_url`; with `Preset = "Graph"` by default.
    pub rewrites_links: bool,
    /// `TimeoutSeconds` until its answer begins; 30 s by default.
    pub timeout: Lifetime,
}

/// Whose access token an API gets. The end-user must be signed in for each of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiToken {
    /// `RequestAppToken`: the application's own, by client credentials (RFC 6749 §4.4).
    App,
    /// `Anonymous`: it is called without an access token.
    None,
    /// The signed-in end-user's, the default.
    User,
}

/// Reads every API, sorted by name; none is fine. `platforms` are those of all providers by their names.
pub(super) fn read(root: &mut Section<'_>, platforms: &[(String, Platform)]) -> Vec<Api> {
    let mut section = root.child(SECTION, SECTION);
    let names = section.names();
    let mut apis = Vec::new();
    for (position, name) in names.iter().enumerate() {
        if !is_name(name) {
            let rule = "have a name of up to 64 letters, digits, - and _ that begins with a letter or digit";
            section.fault(name, Problem::Invalid(rule, Some("DownstreamApis.Orders")));
        }
        if let Some(twin) = names.iter().take(position).find(|earlier| earlier.eq_ignore_ascii_case(name)) {
            section.fault(name, Problem::DiffersByCase(section.key(twin)));
        }
        let mut child = section.child(name, "DownstreamApis.<Name>");
        apis.extend(api(&mut child, name, platforms));
        child.finish();
    }
    section.finish();
    apis
}

fn api(section: &mut Section<'_>, name: &str, platforms: &[(String, Platform)]) -> Option<Api> {
    let provider = provider(section, platforms);
    let platform = provider.as_ref().map(|(_, platform)| *platform);
    let graph = preset(section, platform);
    let base = match graph {
        Some(graph) => section.parsed_or("BaseUrl", graph.base_url, |text| graph.accept(text)),
        None => {
            section.required("BaseUrl", "e.g. \"https://api.example.com\"", |text| address::base_url(text, EXAMPLE))
        }
    };
    let relative = section.parsed_or("RelativePath", "", address::relative_path);
    let token_settings: Vec<_> = TOKEN_SETTINGS.into_iter().filter(|name| section.holds(name)).collect();
    let platform = platform.unwrap_or(Platform::Other);
    let tenant = tenancy::of_api(section, platform);
    let platform = if tenant.is_some() { platform.of_one_tenant() } else { platform };
    let token = token(section, platform);
    if token == Some(ApiToken::None) {
        refuse_token_settings(section, &token_settings);
    }
    if token == Some(ApiToken::None) && graph.is_some() {
        refuse_beside(section, PRESET, ANONYMOUS);
    }
    let of_preset = graph.map(|graph| graph.scopes(base.as_ref(), token == Some(ApiToken::App)));
    let scopes = scopes(section, (token, platform), of_preset);
    let rewrites_links = if section.holds(LINKS) { section.flag(LINKS) } else { Some(graph.is_some()) };
    let incremental_consent = incremental_consent(section, token);
    let resource = section.parsed("Resource", address::resource);
    let timeout = section.seconds("TimeoutSeconds", &TIMEOUT);
    let extra_headers = extra::headers(section, "ExtraHeaderParameters", Purpose::SetOnRequest);
    let extra_query = extra::query(section, &[]);
    Some(Api {
        name: name.to_owned(),
        provider: provider?.0,
        base_url: joined(base?, &relative?),
        token: token?,
        scopes: scopes?,
        incremental_consent: incremental_consent?,
        tenant,
        resource,
        extra_headers,
        extra_query,
        rewrites_links: rewrites_links?,
        timeout: timeout?,
    })
}

/// `Preset`: Microsoft Graph of the provider's cloud. A preset with a fault still counts as one, so that nothing else is
/// missed.
fn preset(section: &mut Section<'_>, platform: Option<Platform>) -> Option<&'static Graph> {
    let name = section.text(PRESET)?;
    let graph = match platform {
        Some(Platform::Entra { graph, .. }) => graph,
        Some(Platform::Other) => {
            section.fault(PRESET, Problem::NeedsBeside("a provider that is the Microsoft identity platform"));
            &graph::PUBLIC
        }
        None => &graph::PUBLIC,
    };
    if name != GRAPH {
        section.fault(PRESET, Problem::Invalid("be Graph, the only one there is", None));
    }
    Some(graph)
}

fn provider(section: &mut Section<'_>, platforms: &[(String, Platform)]) -> Option<(String, Platform)> {
    if !section.holds("Provider") {
        // The first of several by name would be another one as soon as one is added.
        let is_clear = |(name, _): &&(String, Platform)| platforms.len() == 1 || has_own_section(name);
        return match (platforms.first(), platforms.first().filter(is_clear)) {
            // Without any provider there is a fault already.
            (None, _) => Some((String::new(), Platform::Other)),
            (Some(_), None) => {
                section.missing("Provider", "the name of one of the providers");
                None
            }
            (Some(_), Some(provider)) => Some(provider.clone()),
        };
    }
    section.parsed("Provider", |name| {
        let known = platforms.iter().find(|(known, _)| known == name).cloned();
        known.ok_or(Problem::Invalid("be the name of a provider's section", Some("OpenIdConnect")))
    })
}

fn token(section: &mut Section<'_>, platform: Platform) -> Option<ApiToken> {
    let (is_app, is_anonymous) = (section.flag(APP), section.flag(ANONYMOUS));
    match (is_app?, is_anonymous?) {
        (true, true) => {
            refuse_beside(section, APP, ANONYMOUS);
            None
        }
        (true, false) => {
            section.accept(APP, platform.grants_app_tokens());
            Some(ApiToken::App)
        }
        (false, true) => Some(ApiToken::None),
        (false, false) => Some(ApiToken::User),
    }
}

/// What describes a token has no meaning without one.
fn refuse_token_settings(section: &mut Section<'_>, settings: &[&str]) {
    for name in settings {
        refuse_beside(section, name, ANONYMOUS);
        section.take(name);
    }
}

fn scopes(
    section: &mut Section<'_>,
    (token, platform): (Option<ApiToken>, Platform),
    of_preset: Option<Vec<String>>,
) -> Option<Vec<String>> {
    const HINT: &str = "the scopes of the API's access token, e.g. \"User.Read\"; \
        Anonymous = true is for an API that takes no token";

    if token == Some(ApiToken::None) {
        return Some(Vec::new());
    }
    let is_missing = section.lacks(SCOPES);
    if token.is_some() && is_missing && of_preset.is_none() {
        section.missing(SCOPES, HINT);
        section.take(SCOPES);
        return None;
    }
    let scopes = match of_preset.filter(|_| is_missing) {
        None => section.scopes(SCOPES)?,
        Some(scopes) => {
            section.take(SCOPES);
            scopes
        }
    };
    let is_accepted = match token? {
        ApiToken::App => platform.accepts_app_scopes(&scopes),
        ApiToken::User | ApiToken::None => platform.accepts_user_scopes(&scopes),
    };
    section.accept(SCOPES, is_accepted.map(|()| scopes))
}

fn incremental_consent(section: &mut Section<'_>, token: Option<ApiToken>) -> Option<bool> {
    let is_incremental = section.flag(INCREMENTAL)?;
    let other = match token {
        Some(ApiToken::App) => APP,
        Some(ApiToken::None) => ANONYMOUS,
        Some(ApiToken::User) | None => return Some(is_incremental),
    };
    if is_incremental {
        refuse_beside(section, INCREMENTAL, other);
    }
    Some(is_incremental)
}

fn refuse_beside(section: &mut Section<'_>, name: &str, other: &str) {
    let other = section.key(other);
    section.fault(name, Problem::Conflict(other));
}

fn joined(mut base: Url, relative: &str) -> Url {
    let path = format!("{}/{relative}", base.path().trim_end_matches('/'));
    base.set_path(path.trim_end_matches('/'));
    base
}
