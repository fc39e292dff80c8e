//! The sections of downstream APIs.

use serde_json::{Value, json};
use url::Url;

use super::appsettings::Section;
use super::conversion::{Conversion, Place};

const SECTION: &str = "DownstreamApis";
const PATTERN: &str = "DownstreamApis.<Name>";
const GRAPH: &str = "Graph";
const GRAPH_HOSTS: [&str; 4] =
    ["graph.microsoft.com", "graph.microsoft.us", "dod-graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"];

/// What the defaults of `GraphServiceClientOptions` in Microsoft.Identity.Web are.
const GRAPH_BASE_URL: &str = "https://graph.microsoft.com/v1.0";
const GRAPH_SCOPE: &str = "User.Read";
const GRAPH_APP_SCOPE: &str = "https://graph.microsoft.com/.default";

/// What the oldest templates called them.
const RENAMED: [(&str, &str); 2] = [("CalledApiScopes", "Scopes"), ("CalledApiUrl", "BaseUrl")];

/// Whether a section is one API, rather than a table of several or something else.
pub(super) fn is_api(section: &Section) -> bool {
    base_url(section).is_some_and(|url| url.starts_with("http"))
}

/// Converts an API that has no name of its own, since its section is the only one of its kind.
pub(super) fn convert_alone(conversion: &mut Conversion, source: &str, section: &Section, is_graph: bool) {
    let name = if (is_graph || leads_to_graph(section)) && !is_taken(conversion, GRAPH) { GRAPH } else { source };
    convert(conversion, name, source, section, is_graph);
}

/// Converts an API, which is called `name` here. `is_graph` tells whether what is absent has Microsoft Graph's defaults.
pub(super) fn convert(conversion: &mut Conversion, name: &str, source: &str, section: &Section, is_graph: bool) {
    let name = &free_name(conversion, name);
    let place = Place::new(format!("{SECTION}.{name}"), PATTERN, source);
    for (name, node) in section.iter() {
        let renamed = RENAMED.iter().find(|(old, _)| old.eq_ignore_ascii_case(name)).map_or(name, |(_, new)| new);
        conversion.setting(&place, renamed, node);
    }
    let api = conversion.vars.get(SECTION).and_then(|apis| apis.get(name));
    let has = |name: &str| api.is_some_and(|api| api.get(name).is_some());
    let (has_base_url, has_scopes) = (has("BaseUrl"), has("Scopes"));
    let is_app = api.is_some_and(|api| api.get("RequestAppToken") == Some(&json!(true)));
    if is_of_entra(conversion, is_app) && (is_graph || has_scopes && leads_to_graph(section)) {
        // By default it says what is absent here.
        return conversion.set(&place.key_of("Preset"), json!(GRAPH));
    }
    if is_graph && !has_base_url {
        conversion.set(&place.key_of("BaseUrl"), json!(GRAPH_BASE_URL));
    }
    match (is_graph, is_app) {
        _ if has_scopes => {}
        (true, true) => conversion.set(&place.key_of("Scopes"), json!(GRAPH_APP_SCOPE)),
        (true, false) => conversion.set(&place.key_of("Scopes"), json!(GRAPH_SCOPE)),
        (false, true) => {}
        (false, false) => without_token(conversion, &place),
    }
}

/// The name as it can stand in a path, and as no other API has it.
fn free_name(conversion: &Conversion, name: &str) -> String {
    let can_stand = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let mended: String = name.chars().map(|letter| if can_stand(letter) { letter } else { '-' }).collect();
    let mut free = mended.clone();
    let mut number = 1;
    while is_taken(conversion, &free) {
        number += 1;
        free = format!("{mended}-{number}");
    }
    free
}

fn is_taken(conversion: &Conversion, name: &str) -> bool {
    let apis = conversion.vars.get(SECTION).and_then(Value::as_object);
    apis.is_some_and(|apis| apis.keys().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Whether the provider can sign somebody in for Microsoft Graph, or get the application a token for it.
fn is_of_entra(conversion: &Conversion, is_app: bool) -> bool {
    let is_b2c = |section: &Value| section.get("SignUpSignInPolicyId").is_some();
    conversion.vars.get("AzureAd").is_some_and(|section| is_app || !is_b2c(section))
}

fn leads_to_graph(section: &Section) -> bool {
    let url = base_url(section).and_then(|url| Url::parse(&url).ok());
    url.is_some_and(|url| url.host_str().is_some_and(|host| GRAPH_HOSTS.contains(&host)))
}

/// Without scopes, Microsoft.Identity.Web calls an API without a token.
fn without_token(conversion: &mut Conversion, place: &Place) {
    let key = place.key_of("Anonymous");
    conversion.remarks.insert(key.clone(), "no Scopes, so no token, as in ASP.NET Core; or are they in the code?");
    conversion.set(&key, json!(true));
}

fn base_url(section: &Section) -> Option<String> {
    section.text("BaseUrl").or_else(|| section.text("CalledApiUrl"))
}
