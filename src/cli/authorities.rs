//! Which cloud a provider of the Microsoft identity platform belongs to, and what its metadata alone will say.

use serde_json::{Map, Value};
use url::Url;

use super::known;
use super::report::Report;
use crate::config::{Cloud, Config, Provider};
use crate::oidc::issuer::IssuerRule;

/// Notes what does not meet the eye.
pub(super) fn look(config: &Config, vars: &Map<String, Value>, report: &mut Report) {
    for provider in config.providers().filter(|provider| provider.is_entra) {
        let section = match provider.label() {
            Some(name) => format!("Providers.{name}"),
            None => provider.name.clone(),
        };
        other_name(provider, &section, vars, report);
        if let Some(name) = provider.cloud.and_then(name) {
            report.note(&section, format!("signs in at {name}"));
        }
        if matches!(provider.issuer, IssuerRule::Learned(_)) {
            report.note(&section, "does not tell its tenant's GUID: the issuer is the one that its metadata name");
        }
    }
}

/// A host of a cloud under another name than its issuers have.
fn other_name(provider: &Provider, section: &str, vars: &Map<String, Value>, report: &mut Report) {
    for key in ["Instance", "Authority"].map(|key| format!("{section}.{key}")) {
        let written = known::text(vars, &key).and_then(|text| Url::parse(text).ok());
        let is_other = |url: &Url| url.host_str() != provider.metadata_url.host_str();
        if let Some(cloud) = provider.cloud.filter(|_| written.as_ref().is_some_and(is_other)) {
            report.note(&key, format!("is another name of {}, which is asked instead", cloud.host()));
        }
    }
}

/// What a cloud is called that is not the worldwide one.
const fn name(cloud: Cloud) -> Option<&'static str> {
    match cloud {
        Cloud::Public => None,
        Cloud::UsGovernment => Some("Azure Government of the United States"),
        Cloud::China => Some("Azure China, operated by 21Vianet"),
        Cloud::France => Some("Bleu, the sovereign cloud of France"),
        Cloud::Germany => Some("Delos, the sovereign cloud of Germany"),
        Cloud::Singapore => Some("GovSG, the sovereign cloud of Singapore"),
    }
}
