//! The section of an OpenID Provider: `AzureAd`, `AzureAdB2C`, or that of another one.

use serde_json::json;

use super::appsettings::{Node, Section};
use super::conversion::{Conversion, Place};
use super::credentials;
use crate::oidc::tenant::is_guid;

/// The page of the application that says why a sign-in failed, which everybody must be able to see.
const ERROR_PATH: &str = "ErrorPath";
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// Converts the section at `place`; `is_entra` tells whether it is one of the Microsoft identity platform.
pub(super) fn convert(conversion: &mut Conversion, place: &Place, section: &Section, is_entra: bool) {
    let has = |name: &str| section.get(name).is_some_and(|node| node.text().is_some());
    for (name, node) in section.iter() {
        match name.to_ascii_lowercase().as_str() {
            "authority" if is_entra && (has("Instance") || has("TenantId")) => {
                if has(name) {
                    conversion.leave_out(
                        place.source_of(name),
                        "Instance and TenantId say the same, and Microsoft.Identity.Web ignores it beside them",
                    );
                }
            }
            "clientcertificates" | "clientcredentials" | "clientsecret" => {}
            "getclaimsfromuserinfoendpoint" => {
                if node.text().is_some_and(|text| text.eq_ignore_ascii_case("true")) {
                    conversion.set(&place.key_of("UserInfo"), json!(true));
                }
            }
            "metadataaddress" => metadata_address(conversion, place, (name, node), has("Authority")),
            "responsemode" => other_response_mode(conversion, place, (name, node)),
            "responsetype" if node.text().as_deref() == Some("code") => {}
            _ => conversion.setting(place, name, node),
        }
    }
    credentials::convert(conversion, place, section);
    if let Some(path) = section.text(ERROR_PATH) {
        conversion.open(&path);
    }
    if is_entra && section.text("ClientId").is_some_and(|id| !is_guid(&id)) {
        conversion
            .leave_to_do(place.key_of("ClientId"), "is no GUID, so it may be a placeholder; put the application's id");
    }
}

fn metadata_address(conversion: &mut Conversion, place: &Place, (name, node): (&str, &Node), has_authority: bool) {
    let address = node.text();
    match address.as_deref().and_then(|address| address.strip_suffix(WELL_KNOWN)) {
        Some(authority) if !has_authority => conversion.set(&place.key_of("Authority"), json!(authority)),
        Some(_) | None => conversion.setting(place, name, node),
    }
}

/// Sign-in works without the form post, whose answer would have to be accepted from another site.
fn other_response_mode(conversion: &mut Conversion, place: &Place, (name, node): (&str, &Node)) {
    if node.text().is_some_and(|mode| mode != "query") {
        conversion.leave_out(place.source_of(name), "sign-in always uses query, whose cookies can be SameSite=Lax");
    }
}
