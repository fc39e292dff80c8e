//! `Gateway.ClaimHeaders`: the claims that the origin gets as headers.

use crate::order;
use crate::reserved_headers::{is_listed, is_reserved};

use super::extra::{Purpose, plain_header_name};
use super::fault::Problem;
use super::section::{Section, plain_text};

const TABLE: &str = "ClaimHeaders";

/// Pairs of a header's name, in lower case, and a claim's, sorted.
pub(super) fn read(section: &mut Section<'_>) -> Vec<(String, String)> {
    let entries = section.entries(TABLE);
    let mut pairs = Vec::new();
    for (position, (name, claim)) in entries.iter().enumerate() {
        let key = format!("{TABLE}.{name}");
        // Servers that hand headers on as variables could not tell the two apart.
        if let Some((twin, _)) = entries.iter().take(position).find(|(earlier, _)| is_listed(name, &[earlier], &[])) {
            let other = section.key(&format!("{TABLE}.{twin}"));
            let is_case = twin.eq_ignore_ascii_case(name);
            section.fault(&key, if is_case { Problem::DiffersByCase(other) } else { Problem::Conflict(other) });
        }
        let name = section.accept(&key, header_name(name));
        let claim = section.accept(&key, plain_text(claim));
        pairs.extend(name.zip(claim));
    }
    order::sort(&mut pairs);
    pairs
}

fn header_name(name: &str) -> Result<String, Problem> {
    let plain = plain_header_name(name, Purpose::SetOnRequest)?;
    let is_ours = is_reserved(name) && !is_listed(name, IDENTITIES, &["x-auth-request-"]);
    if is_ours || is_listed(name, &[], &["x-ms-"]) {
        return Err(Problem::Unsupported("Vestibule itself writes or removes it"));
    }
    Ok(plain)
}

/// Reserved, but nothing that Vestibule writes unless it is told to here.
const IDENTITIES: &[&str] = &[
    "remote-user",
    "x-forwarded-email",
    "x-forwarded-groups",
    "x-forwarded-preferred-username",
    "x-forwarded-user",
    "x-remote-user",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_an_identity_are_free_and_all_other_reserved_ones_are_not() {
        for name in ["X-Forwarded-Email", "X_FORWARDED_USER", "x-auth-request-groups", "Remote-User", "X-Claim-Sub"] {
            assert_eq!(header_name(name), Ok(name.to_ascii_lowercase()));
        }
        for name in [
            "X-Forwarded-For",
            "x_forwarded_host",
            "X-Forwarded-Proto",
            "X-Forwarded-Emails",
            "Authorization",
            "Cookie",
            "X-MS-Client-Principal",
            "X_MS_Anything",
            "X-Vestibule-Assertion",
            "Connection",
            "Sec-Fetch-Site",
            "CF-Ray",
            "Forwarded",
            "X-Real-IP",
        ] {
            assert!(matches!(header_name(name), Err(Problem::Unsupported(_))), "{name}");
        }
        assert!(matches!(header_name("a b"), Err(Problem::Invalid(..))));
    }
}
