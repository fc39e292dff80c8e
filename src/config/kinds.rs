//! The kinds of providers, by the names of their sections, and what holds where nothing is written.

use crate::oidc::algorithm::Algorithm;

use super::b2c;
use super::client_credentials::Kind;
use super::values::Range;

/// What the two kinds do not share.
pub(super) struct Defaults {
    pub(super) name: &'static str,
    pub(super) is_entra: bool,
    pub(super) credentials: Kind,
    pub(super) algorithms: &'static [Algorithm],
    pub(super) clock_skew: Range,
}

pub(super) const AZURE_AD: Defaults = Defaults {
    name: "AzureAd",
    is_entra: true,
    credentials: Kind {
        auth_method: "client_secret_post",
        secret_hint: "store it with `wrangler secret put AzureAd__ClientSecret`",
        is_entra: true,
        pattern: "AzureAd.ClientCredentials[]",
    },
    algorithms: &[Algorithm::Rs256],
    clock_skew: Range { min: 0, max: 600, default: 300 },
};

pub(super) const AZURE_AD_B2C: Defaults = Defaults {
    name: b2c::SECTION,
    credentials: Kind {
        secret_hint: "store it with `wrangler secret put AzureAdB2C__ClientSecret`",
        ..AZURE_AD.credentials
    },
    ..AZURE_AD
};

pub(super) const OPEN_ID_CONNECT: Defaults = Defaults {
    name: "OpenIdConnect",
    is_entra: false,
    credentials: Kind {
        auth_method: "client_secret_basic",
        secret_hint: "store it with `wrangler secret put OpenIdConnect__ClientSecret`",
        is_entra: false,
        pattern: "OpenIdConnect.ClientCredentials[]",
    },
    algorithms: &Algorithm::ALL,
    clock_skew: Range { min: 0, max: 600, default: 60 },
};

/// Whether a provider of that name is not one of `Providers`.
pub(super) fn has_own_section(name: &str) -> bool {
    [AZURE_AD.name, AZURE_AD_B2C.name, OPEN_ID_CONNECT.name].contains(&name)
}
