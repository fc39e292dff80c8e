//! Where a sign-in came from, for the list of one's own sessions: a coarse name of the browser, and the country. It says
//! no more than a person would.

/// Names the browser and system that a `User-Agent` header claims to be, e.g. `Firefox on Linux`.
#[must_use]
pub fn describe(user_agent: Option<&str>) -> String {
    let claim = user_agent.unwrap_or("");
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| claim.contains(mark)).map(|(_, name)| *name);
    match (first(BROWSERS), first(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => "Unknown browser".to_owned(),
    }
}

/// The country that Cloudflare says a request came from (`CF-IPCountry`); nothing where it does not know.
#[must_use]
pub fn country(header: Option<&str>) -> Option<String> {
    let is_code = |code: &&str| {
        code.len() == 2 && *code != "XX" && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'1')
    };
    header.filter(is_code).map(str::to_owned)
}

/// Most specific first: most browsers also claim to be Chrome and Safari.
const BROWSERS: &[(&str, &str)] =
    &[("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];

const SYSTEMS: &[(&str, &str)] = &[
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_that_claim_to_be_others_get_their_own_name() {
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/150.0 Safari/537.36 Edg/150.0";
        assert_eq!(describe(Some(edge)), "Edge on Windows");
        assert_eq!(describe(Some("curl/8")), "Unknown browser");
        assert_eq!(describe(None), "Unknown browser");
    }

    #[test]
    fn a_country_is_two_letters_or_tor() {
        assert_eq!(country(Some("DE")).as_deref(), Some("DE"));
        assert_eq!(country(Some("T1")).as_deref(), Some("T1"));
        for unknown in [None, Some("XX"), Some(""), Some("de"), Some("DEU"), Some("<b")] {
            assert_eq!(country(unknown), None);
        }
    }
}
