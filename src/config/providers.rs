//! Every OpenID Provider: the one section `AzureAd` or `OpenIdConnect`, and any number of `[vars.Providers.<Name>]`.

use super::fault::Problem;
use super::kinds::{AZURE_AD, AZURE_AD_B2C, Defaults, OPEN_ID_CONNECT};
use super::platform::Platform;
use super::provider::{Provider, Reading, read};
use super::section::Section;
use super::{is_name, paths};

const SECTION: &str = "Providers";
const PATTERN: &str = "Providers.<Name>";
const NAME_RULE: Problem = Problem::Invalid(
    "have a name of up to 64 letters, digits, - and _ that begins with a letter or digit",
    Some("Providers.Staff"),
);
/// Names of the sections, and the origin's for the provider of one (see [`Provider::idp`]).
const TAKEN: [&str; 4] = [AZURE_AD.name, AZURE_AD_B2C.name, OPEN_ID_CONNECT.name, "aad"];

/// What became of all sections.
#[derive(Default)]
pub(super) struct Readings {
    /// The providers without faults: the section first, then by name.
    pub(super) providers: Vec<Provider>,
    /// The paths of all of them.
    pub(super) redirects: Vec<paths::Redirects>,
    /// Whose rules hold for the scopes of each.
    pub(super) platforms: Vec<(String, Platform)>,
}

/// Reads every provider; there must be one.
pub(super) fn read_all(root: &mut Section<'_>, bindings: &[String]) -> Readings {
    let mut readings = Readings::default();
    let is_alias = root.mentions(AZURE_AD_B2C.name);
    let is_entra = root.mentions(AZURE_AD.name) || is_alias;
    let entra = if is_alias { &AZURE_AD_B2C } else { &AZURE_AD };
    if is_alias && root.mentions(AZURE_AD.name) {
        root.fault(AZURE_AD_B2C.name, Problem::Conflict(AZURE_AD.name.to_owned()));
        read(root.child(AZURE_AD.name, AZURE_AD.name), &AZURE_AD, None, bindings);
    }
    let is_other = root.mentions(OPEN_ID_CONNECT.name);
    let is_many = root.mentions(SECTION);
    if is_entra && is_other {
        root.fault(OPEN_ID_CONNECT.name, Problem::Conflict(entra.name.to_owned()));
        // Its own faults are worth knowing all the same.
        read(root.child(OPEN_ID_CONNECT.name, OPEN_ID_CONNECT.name), &OPEN_ID_CONNECT, None, bindings);
    }
    if is_entra || is_other {
        let (defaults, pattern) =
            if is_entra { (entra, AZURE_AD.name) } else { (&OPEN_ID_CONNECT, OPEN_ID_CONNECT.name) };
        readings.add(defaults.name, read(root.child(defaults.name, pattern), defaults, None, bindings));
    }
    if !(is_entra || is_other || is_many) {
        root.missing(AZURE_AD.name, "add [vars.AzureAd], or [vars.OpenIdConnect] for any other OpenID Provider");
    }
    named(root, bindings, &mut readings);
    readings
}

fn named(root: &mut Section<'_>, bindings: &[String], readings: &mut Readings) {
    let is_needed = root.holds(SECTION) && readings.platforms.is_empty();
    let mut section = root.child(SECTION, SECTION);
    let names = section.names();
    if is_needed && names.is_empty() {
        section.missing("<Name>", "a section for each OpenID Provider");
    }
    for (position, name) in names.iter().enumerate() {
        if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(name)) {
            section.fault(
                name,
                Problem::Invalid("not be what a section of its own is called here or at the origin", None),
            );
        } else if !is_name(name) {
            section.fault(name, NAME_RULE);
        }
        if let Some(twin) = names.iter().take(position).find(|earlier| earlier.eq_ignore_ascii_case(name)) {
            section.fault(name, Problem::DiffersByCase(section.key(twin)));
        }
        let mut child = section.child(name, PATTERN);
        let defaults = kind(&mut child);
        readings.add(name, read(child, defaults, Some(name), bindings));
    }
    section.finish();
}

/// `Kind`: whose rules the section follows.
fn kind(section: &mut Section<'_>) -> &'static Defaults {
    let kind = section.parsed_or("Kind", OPEN_ID_CONNECT.name, |kind| {
        [&AZURE_AD, &OPEN_ID_CONNECT]
            .into_iter()
            .find(|defaults| defaults.name == kind)
            .ok_or(Problem::Invalid("be AzureAd or OpenIdConnect", None))
    });
    kind.unwrap_or(&OPEN_ID_CONNECT)
}

impl Readings {
    fn add(&mut self, name: &str, reading: Reading) {
        self.providers.extend(reading.provider);
        self.redirects.push(reading.redirects);
        self.platforms.push((name.to_owned(), reading.platform));
    }
}
