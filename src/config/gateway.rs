//! Where the gateway stands and what stands behind it, `[vars.Gateway]`.

use url::Url;

use crate::time::Lifetime;

use super::fault::Problem;
use super::rewriting::{self, REWRITE_LOCATION, Rewriting};
use super::section::Section;
use super::values::Range;
use super::{address, claim_headers};

const ORIGIN: &str = "Origin";
const ORIGIN_EXAMPLE: &str = "https://origin.example.com";
const PUBLIC_EXAMPLE: &str = "https://app.example.com";
const SERVICE: &str = "OriginService";
const TIMEOUT: Range = Range { min: 1, max: 300, default: 30 };

/// The public side and the origin.
#[derive(Clone, Debug)]
pub struct Gateway {
    /// `PublicOrigin`: scheme, host and port only, as browsers see them.
    pub public_origin: Url,
    /// `AlternateOrigins`: further origins under which browsers reach the same gateway; none by default.
    pub alternate_origins: Vec<Url>,
    /// What stands behind the gateway.
    pub origin: Origin,
    /// `OriginTimeoutSeconds` until the origin's answer begins; 30 s by default.
    pub origin_timeout: Lifetime,
    /// What is rewritten on the way to the origin and back; nothing but `Location` by default.
    pub rewriting: Rewriting,
    /// `ClaimHeaders`: names of headers in lower case, and the claims that the origin gets in them; none by default.
    pub claim_headers: Vec<(String, String)>,
    /// `OriginAssertionAudience`, by default `Origin` without a trailing slash; none unless `OriginAssertion` is set.
    pub assertion_audience: Option<String>,
}

/// What stands behind the gateway: exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `Origin`: scheme, host and port, and a path that is put before that of each request.
    Url(Url),
    /// `OriginService`: the name of a service binding or of a static-assets binding.
    Service(String),
}

/// Reads the public side, the origin and what it is told of the user; the origin may be one of `bindings`; the section's paths are read by `paths.rs`.
pub(super) fn read(section: &mut Section<'_>, bindings: &[String]) -> Option<Gateway> {
    let public_origin = section
        .required("PublicOrigin", "e.g. \"https://app.example.com\"", |text| address::origin(text, PUBLIC_EXAMPLE));
    let alternate_origins = alternates(section, public_origin.as_ref());
    let is_service = section.holds(SERVICE);
    let origin = if is_service { service(section, bindings) } else { url(section) };
    let origin_timeout = section.seconds("OriginTimeoutSeconds", &TIMEOUT);
    if is_service && section.holds(REWRITE_LOCATION) {
        // A service sees the public URL, so there is nothing to rewrite.
        let service = section.key(SERVICE);
        section.fault(REWRITE_LOCATION, Problem::Conflict(service));
    }
    let rewriting = rewriting::read(section);
    let claim_headers = claim_headers::read(section);
    let assertion_audience = assertion_audience(section, origin.as_ref());
    let gateway = Gateway {
        public_origin: public_origin?,
        alternate_origins: alternate_origins?,
        origin: origin?,
        origin_timeout: origin_timeout?,
        rewriting: rewriting?,
        claim_headers,
        assertion_audience: assertion_audience?,
    };
    if matches!(&gateway.origin, Origin::Url(url) if gateway.public_origins().any(|own| own.origin() == url.origin())) {
        // Requests would come back to the gateway for ever.
        section.fault(ORIGIN, Problem::Same(section.key("PublicOrigin")));
    }
    Some(gateway)
}

impl Gateway {
    /// Every origin under which browsers reach the gateway, `PublicOrigin` first.
    pub fn public_origins(&self) -> impl Iterator<Item = &Url> {
        std::iter::once(&self.public_origin).chain(&self.alternate_origins)
    }

    /// The origin that a request was made to, by the host of its URL: `PublicOrigin` unless it is one of the others.
    #[must_use]
    pub fn public_origin_of(&self, host: &str) -> &Url {
        self.alternate_origins.iter().find(|own| own.authority() == host).unwrap_or(&self.public_origin)
    }
}

/// For whom the assertion is, if there is one. A service goes by its binding's name.
fn assertion_audience(section: &mut Section<'_>, origin: Option<&Origin>) -> Option<Option<String>> {
    let is_asserted = section.flag("OriginAssertion");
    let audience = section.text("OriginAssertionAudience");
    let default = || match origin? {
        Origin::Url(url) => Some(url.as_str().trim_end_matches('/').to_owned()),
        Origin::Service(name) => Some(name.clone()),
    };
    Some(if is_asserted? { audience.or_else(default) } else { None })
}

/// Each as browsers serialise it, so that it can be compared with the host of a request.
fn alternates(section: &mut Section<'_>, public_origin: Option<&Url>) -> Option<Vec<Url>> {
    const KEY: &str = "AlternateOrigins";

    if !section.holds(KEY) {
        return Some(Vec::new());
    }
    let texts = section.words(KEY)?;
    let origins: Result<Vec<_>, _> = texts.iter().map(|text| address::origin(text, PUBLIC_EXAMPLE)).collect();
    let origins = section.accept(KEY, origins)?;
    if public_origin.is_some_and(|public| origins.iter().any(|origin| origin.origin() == public.origin())) {
        section.fault(KEY, Problem::Same(section.key("PublicOrigin")));
    }
    Some(origins)
}

fn url(section: &mut Section<'_>) -> Option<Origin> {
    const HINT: &str = "e.g. \"https://origin.example.com\", or OriginService with the name of a binding";

    section.required(ORIGIN, HINT, |text| address::base_url(text, ORIGIN_EXAMPLE)).map(Origin::Url)
}

fn service(section: &mut Section<'_>, bindings: &[String]) -> Option<Origin> {
    const NEEDS_BINDING: &str = "name a binding of [[services]] or [assets] in wrangler.toml";

    if section.holds(ORIGIN) {
        let origin = section.key(ORIGIN);
        section.fault(SERVICE, Problem::Conflict(origin));
        section.take(ORIGIN);
    }
    section.parsed(SERVICE, |name| {
        let is_other = [super::TOKEN_CACHE, super::TOKEN_CACHE_DB, super::ACCOUNTS].contains(&name);
        if !is_other && bindings.iter().any(|binding| binding == name) {
            Ok(Origin::Service(name.to_owned()))
        } else {
            Err(Problem::Invalid(NEEDS_BINDING, Some("ASSETS")))
        }
    })
}
