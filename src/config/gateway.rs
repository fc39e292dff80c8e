//! Where the gateway stands and what stands behind it, `[vars.Gateway]`.

use url::Url;

use crate::time::Lifetime;

use super::address;
use super::fault::Problem;
use super::section::Section;
use super::values::Range;

const ORIGIN_EXAMPLE: &str = "https://origin.example.com";
const PUBLIC_EXAMPLE: &str = "https://app.example.com";
const TIMEOUT: Range = Range { min: 1, max: 300, default: 30 };

/// The public side and the origin.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// `PublicOrigin`: scheme, host and port only, as browsers see them.
    pub public_origin: Url,
    /// `Origin`: scheme, host and port only.
    pub origin: Url,
    /// `OriginTimeoutSeconds` until the origin's answer begins; 30 s by default.
    pub origin_timeout: Lifetime,
}

/// Reads the two addresses; the section's paths are read by `paths.rs`.
pub(super) fn read(section: &mut Section<'_>) -> Option<Gateway> {
    let public_origin = section
        .required("PublicOrigin", "e.g. \"https://app.example.com\"", |text| address::origin(text, PUBLIC_EXAMPLE));
    let origin =
        section.required("Origin", "e.g. \"https://origin.example.com\"", |text| address::origin(text, ORIGIN_EXAMPLE));
    let origin_timeout = section.seconds("OriginTimeoutSeconds", &TIMEOUT);
    let gateway = Gateway { public_origin: public_origin?, origin: origin?, origin_timeout: origin_timeout? };
    if gateway.public_origin.origin() == gateway.origin.origin() {
        // Requests would come back to the gateway for ever.
        section.fault("Origin", Problem::Same(section.key("PublicOrigin")));
    }
    Some(gateway)
}
