//! Which sections of the files are whose.

use serde_json::json;

use super::appsettings::{Node, Section};
use super::conversion::{Conversion, Place, meaningless};
use super::{downstream, provider};

/// Converts everything.
pub(super) fn convert(settings: &Section) -> Conversion {
    let mut conversion = Conversion::default();
    gateway(&mut conversion, settings);
    providers(&mut conversion, settings);
    for (name, node) in settings.iter() {
        let section = node.section();
        let is_alone = section.is_some_and(downstream::is_api);
        match (name.to_ascii_lowercase().as_str(), section) {
            ("allowedhosts" | "authentication", _) => {}
            (name, _) if is_provider(name) => {}
            ("downstreamapis", Some(section)) => several(&mut conversion, name, section),
            ("downstreamapi" | "downstreamwebapi", Some(section)) if !is_alone => {
                several(&mut conversion, name, section)
            }
            ("microsoftgraph" | "graphbeta" | "graphapi" | "graph", Some(section)) => {
                downstream::convert_alone(&mut conversion, name, section, true);
            }
            (_, Some(section)) if is_alone => downstream::convert_alone(&mut conversion, name, section, false),
            _ => conversion.leave_out(name, of_the_application(name)),
        }
    }
    conversion
}

/// What no file of an application says, or only by the way.
fn gateway(conversion: &mut Conversion, settings: &Section) {
    const HOSTS: &str = "AllowedHosts";

    let hosts = settings.text(HOSTS);
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let host = hosts.as_deref().filter(|hosts| hosts.contains('.') && hosts.bytes().all(is_host));
    let public = host.map_or_else(|| "https://app.example.com".to_owned(), |host| format!("https://{host}"));
    let mut set = |key: &str, value: String, remark| {
        conversion.set(key, json!(value));
        conversion.remarks.insert(key.to_owned(), remark);
    };
    let remark = if host.is_some() {
        "from AllowedHosts: is it the address that browsers use?"
    } else {
        "FILL IN the address that browsers use, without a path"
    };
    set("Gateway.PublicOrigin", public, remark);
    set("Gateway.Origin", "https://origin.example.com".to_owned(), "FILL IN where the application runs");
    if hosts.is_some() && host.is_none() {
        conversion.leave_out(HOSTS, of_the_application(HOSTS));
    }
}

/// The first one gets a section of its own; a second one stands in `Providers`.
fn providers(conversion: &mut Conversion, settings: &Section) {
    let authentication = settings.section("Authentication");
    let schemes = authentication.and_then(|section| section.section("Schemes"));
    let mut is_first = true;
    for (own, name, kind) in KINDS {
        let places = [(Some(settings), ""), (authentication, "Authentication:"), (schemes, "Authentication:Schemes:")];
        let found =
            places.into_iter().find_map(|(parent, path)| Some((parent?.section(name)?, format!("{path}{name}"))));
        let Some((section, source)) = found else { continue };
        let place = if is_first {
            Place::new(kind, kind, source)
        } else {
            Place::new(format!("Providers.{own}"), "Providers.<Name>", source)
        };
        if !is_first {
            conversion.set(&place.key_of("Kind"), json!(kind));
        }
        is_first = false;
        provider::convert(conversion, &place, section, kind == "AzureAd");
    }
    rest_of_authentication(conversion, authentication);
}

/// The name as one of several, the section, and whose settings it has.
const KINDS: [(&str, &str, &str); 6] = [
    ("Staff", "AzureAd", "AzureAd"),
    ("Entra", "EntraId", "AzureAd"),
    ("MicrosoftEntra", "MicrosoftEntraId", "AzureAd"),
    ("Customers", "AzureAdB2C", "AzureAd"),
    ("Other", "OpenIdConnect", "OpenIdConnect"),
    ("Others", "Oidc", "OpenIdConnect"),
];

fn is_provider(name: &str) -> bool {
    KINDS.iter().any(|(_, section, _)| section.eq_ignore_ascii_case(name))
}

fn rest_of_authentication(conversion: &mut Conversion, authentication: Option<&Section>) {
    for (name, node) in authentication.into_iter().flat_map(Section::iter) {
        if is_provider(name) {
            continue;
        }
        match node.section().filter(|_| name.eq_ignore_ascii_case("Schemes")) {
            None => conversion.leave_out(format!("Authentication:{name}"), STAYS),
            Some(schemes) => {
                for (name, _) in schemes.iter().filter(|(name, _)| !is_provider(name)) {
                    conversion.leave_out(format!("Authentication:Schemes:{name}"), STAYS);
                }
            }
        }
    }
}

fn several(conversion: &mut Conversion, source: &str, section: &Section) {
    for (name, node) in section.iter() {
        let source = format!("{source}:{name}");
        match node {
            Node::Section(section) => downstream::convert(conversion, name, &source, section, false),
            Node::Value(_) => conversion.leave_out(source, "is no section of an API"),
        }
    }
}

const STAYS: &str = "is none of Vestibule's settings; the application keeps it";

fn of_the_application(name: &str) -> &'static str {
    meaningless("", name).unwrap_or(STAYS)
}
