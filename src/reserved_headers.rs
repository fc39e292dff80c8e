//! The request headers that belong to us or to the front of the chain: whatever claims to be an identity, a credential
//! or an original request. They are stripped from what clients send, and configuration may not add them either.

/// Whether no client may set a header of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    is_listed(name, NAMES, PREFIXES)
}

/// Whether `name` is one of `names` or begins with one of `prefixes`, in any letter case and with `_` for `-`: servers
/// that hand headers on as variables cannot tell those apart.
pub(crate) fn is_listed(name: &str, names: &[&str], prefixes: &[&str]) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    let matches = |listed: &str| {
        let mut bytes = name.bytes().map(plain);
        listed.bytes().map(plain).all(|expected| bytes.next() == Some(expected))
    };
    prefixes.iter().any(|prefix| matches(prefix))
        || names.iter().any(|listed| listed.len() == name.len() && matches(listed))
}

const PREFIXES: &[&str] = &[
    "x-forwarded-",
    "x-ms-client-principal",
    "x-ms-token-",
    "x-original-",
    "x-rewrite-",
    "x-envoy-",
    "x-auth-request-",
    "x-vestibule-",
];

const NAMES: &[&str] =
    &["authorization", "forwarded", "proxy-authorization", "remote-user", "x-real-ip", "x-remote-user"];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_list_is_closed_under_case_and_underscores(
            index in 0..NAMES.len(),
            flips in proptest::collection::vec(any::<(bool, bool)>(), 30),
        ) {
            let disguised: String = NAMES[index].chars().zip(flips).map(|(character, (upper, underscore))| {
                let character = if character == '-' && underscore { '_' } else { character };
                if upper { character.to_ascii_uppercase() } else { character }
            }).collect();
            prop_assert!(is_reserved(&disguised));
        }
    }

    #[test]
    fn a_list_may_be_spelled_either_way() {
        assert!(is_listed("x-user_id", &["X_User-Id"], &[]) && is_listed("X-USER-ID", &[], &["x_user_"]));
        assert!(!is_listed("x-user-id", &["x-user"], &[]) && !is_listed("x-user", &["x-user-id"], &[]));
    }
}
