//! `at_hash` (OIDC Core 3.1.3.6): the left half of the access token's digest.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256, Sha512};

use crate::oidc::algorithm::Algorithm;

/// The value for a token signed with `algorithm`, whose hash is the one to use. Ed25519 hashes with SHA-512 (RFC 8032
/// §5.1), and providers follow that.
pub(super) fn of(algorithm: Algorithm, access_token: &str) -> String {
    let digest = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => Sha256::digest(access_token).to_vec(),
        Algorithm::EdDsa => Sha512::digest(access_token).to_vec(),
    };
    URL_SAFE_NO_PAD.encode(digest.get(..digest.len() / 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_oidc_core_appendix_a_3_comes_out() {
        assert_eq!(of(Algorithm::Rs256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"), "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn ed25519_hashes_with_sha_512() {
        assert_eq!(of(Algorithm::EdDsa, "token").len(), 43);
    }
}
