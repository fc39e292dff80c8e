//! Which access tokens machine clients may bring, `[vars.Bearer]`.

use url::Url;

use crate::time::Lifetime;

use super::fault::Problem;
use super::platform::Platform;
use super::section::Section;
use super::values::Range;

const NO_INTROSPECTION: Problem =
    Problem::Unsupported("the Microsoft identity platform has no introspection endpoint; leave it Off");
const CACHE: Range = Range { min: 0, max: 300, default: 30 };

/// What an access token must be.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// `Audiences`: one of these must be in `aud`. Never empty: a check that has nothing to compare with would let
    /// every token of the provider pass (CVE-2026-55689).
    pub audiences: Vec<String>,
    /// `Provider`: the section of the provider that issues the tokens; by default the only one.
    pub provider: String,
    /// `Introspection`: which tokens the provider is asked about; none by default.
    pub introspection: Introspection,
    /// `IntrospectionCacheSeconds`: how long its yes is believed; 30 s by default.
    pub introspection_cache: Lifetime,
    /// `ResourceName` in the protected resource metadata; none by default.
    pub resource_name: Option<String>,
}

/// Which tokens the OP is asked about (RFC 7662).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// Every token, so that a revoked JWT is noticed, too.
    Always,
    /// None: a token that is no JWT is refused.
    Off,
    /// Those that are no JWT.
    Opaque,
}

/// Reads the section. `is_needed` tells whether a route takes access tokens, which it cannot without; `providers` are
/// the sections that `Provider` may name.
pub(super) fn read(root: &mut Section<'_>, is_needed: bool, providers: &[(String, Platform)]) -> Option<Bearer> {
    const NAME: &str = "Bearer";

    if !root.mentions(NAME) {
        if is_needed {
            root.missing(NAME, "add [vars.Bearer] with Audiences, because a route has Access = \"Bearer\"");
        }
        return None;
    }
    let mut section = root.child(NAME, NAME);
    let audiences = audiences(&mut section);
    let provider = provider(&mut section, providers);
    let introspection = section.parsed_or("Introspection", "Off", |choice| match choice {
        "Always" => Ok(Introspection::Always),
        "Off" => Ok(Introspection::Off),
        "Opaque" => Ok(Introspection::Opaque),
        _ => Err(Problem::Invalid("be Off, Opaque or Always", None)),
    });
    let is_entra = provider.is_some_and(|(_, platform)| matches!(platform, Platform::Entra { .. }));
    if is_entra && introspection.is_some_and(|choice| choice != Introspection::Off) {
        section.fault("Introspection", NO_INTROSPECTION);
    }
    let introspection_cache = section.seconds("IntrospectionCacheSeconds", &CACHE);
    let resource_name = section.text("ResourceName");
    section.finish();
    Some(Bearer {
        audiences: audiences?,
        provider: provider?.0.clone(),
        introspection: introspection?,
        introspection_cache: introspection_cache?,
        resource_name,
    })
}

/// With several providers there is no telling whose tokens are meant.
fn provider<'a>(section: &mut Section<'_>, providers: &'a [(String, Platform)]) -> Option<&'a (String, Platform)> {
    const KEY: &str = "Provider";
    const HINT: &str = "the section of the OpenID Provider that issues the access tokens, since there are several";

    let parse = |name: &str| {
        let known = providers.iter().find(|(known, _)| known == name);
        known.ok_or(Problem::Invalid("name the section of an OpenID Provider that is configured", None))
    };
    match providers {
        [_, _, ..] => section.required(KEY, HINT, parse),
        [only] if !section.holds(KEY) => Some(only),
        [] | [_] => section.parsed(KEY, parse),
    }
}

fn audiences(section: &mut Section<'_>) -> Option<Vec<String>> {
    const KEY: &str = "Audiences";
    const HINT: &str = "what access tokens for this gateway name in aud, e.g. \"https://app.example.com\"";
    const RULE: Problem =
        Problem::Invalid("be absolute URIs without a fragment, or ids of letters, digits, -, . and _", None);

    if section.lacks(KEY) {
        section.missing(KEY, HINT);
        section.take(KEY);
        return None;
    }
    let audiences = section.words(KEY)?;
    let is_valid = audiences.iter().all(|audience| is_id(audience) || is_uri(audience));
    section.accept(KEY, if is_valid { Ok(audiences) } else { Err(RULE) })
}

/// A client's or a resource's id, such as the GUID of an app registration.
fn is_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Compared as it is written, so a URI that the parser would have to escape first fits nothing.
fn is_uri(text: &str) -> bool {
    Url::parse(text).is_ok() && text.bytes().all(|byte| byte.is_ascii_graphic()) && !text.contains(['#', '"', '\\'])
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::*;

    /// The section of an environment with these variables, and the faults.
    fn reading(vars: &str, is_needed: bool) -> (Option<Bearer>, Vec<String>) {
        let mut faults = Vec::new();
        let environment = Environment::parse(&format!(r#"{{"vars": {vars}, "bindings": []}}"#), &mut faults);
        let bearer = read(&mut Section::root(environment.vars, &mut faults), is_needed, &providers());
        (bearer, faults.iter().map(ToString::to_string).collect())
    }

    fn providers() -> [(String, Platform); 2] {
        let graph = &crate::config::graph::PUBLIC;
        let entra = Platform::Entra { has_one_tenant: true, is_b2c: false, graph };
        [("AzureAd".to_owned(), entra), ("Partner".to_owned(), Platform::Other)]
    }

    #[test]
    fn a_route_that_takes_access_tokens_needs_the_section() {
        let (bearer, faults) = reading("{}", true);
        assert!(bearer.is_none());
        let expected = "Bearer: is required; add [vars.Bearer] with Audiences, because a route has Access = \"Bearer\"";
        assert_eq!(faults, [expected]);
        let (bearer, faults) = reading("{}", false);
        assert!(bearer.is_none() && faults.is_empty());
        let (bearer, faults) = reading(r#"{"Bearer": {"Audiences": "a", "Provider": "Partner"}}"#, true);
        assert!(bearer.is_some() && faults.is_empty());
    }

    #[test]
    fn the_provider_is_one_that_is_configured() {
        for name in ["AzureAd", "Partner"] {
            let (bearer, faults) =
                reading(&format!(r#"{{"Bearer": {{"Audiences": "a", "Provider": "{name}"}}}}"#), true);
            assert_eq!((bearer.unwrap().provider.as_str(), faults.len()), (name, 0));
        }
        let (_, faults) = reading(r#"{"Bearer": {"Audiences": "a", "Provider": "partner"}}"#, true);
        assert_eq!(faults, ["Bearer.Provider: must name the section of an OpenID Provider that is configured"]);
        let (_, faults) = reading(r#"{"Bearer": {"Audiences": "a"}}"#, true);
        assert_eq!(
            faults,
            [
                "Bearer.Provider: is required; the section of the OpenID Provider that issues the access tokens, since there are several"
            ]
        );
    }

    #[test]
    fn the_microsoft_identity_platform_is_not_asked_about_tokens() {
        for (provider, introspection, is_right) in [
            ("Partner", "Opaque", true),
            ("Partner", "Always", true),
            ("AzureAd", "Off", true),
            ("AzureAd", "Opaque", false),
            ("AzureAd", "Always", false),
        ] {
            let section =
                format!(r#"{{"Audiences": "a", "Provider": "{provider}", "Introspection": "{introspection}"}}"#);
            let (_, faults) = reading(&format!(r#"{{"Bearer": {section}}}"#), true);
            let expected = "Bearer.Introspection: is not supported: the Microsoft identity platform has no introspection \
                            endpoint; leave it Off";
            assert_eq!(
                faults.iter().map(String::as_str).collect::<Vec<_>>(),
                if is_right { vec![] } else { vec![expected] }
            );
        }
    }
}
