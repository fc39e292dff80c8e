//! What is wrong with a key of the client's.

use std::fmt;

/// What is wrong with a key; its `Display` completes "must …".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKeyFault {
    /// The key cannot sign with the algorithm that is configured, or that the JWK names.
    AlgorithmUnfit,
    /// A certificate is no DER of an X.509 certificate.
    CertificateMalformed,
    /// The OP knows the key by its certificate, and there is none.
    CertificateMissing,
    /// No certificate has the key's public half.
    CertificateOfOtherKey,
    /// Not a JSON object with the members of a key.
    JwkMalformed,
    /// The private key is encrypted.
    KeyEncrypted,
    /// There is no private key.
    KeyMissing,
    /// There are several private keys.
    KeyNotAlone,
    /// PKCS#1 or SEC 1, which WebCrypto does not import.
    KeyOfOldFormat,
    /// Neither RSA nor P-256, or P-256 for the Microsoft identity platform.
    KeyOfOtherKind,
    /// An RSA key of less than 2048 bits.
    KeyShort,
    /// A block that does not end, or is no base64.
    PemMalformed,
}

impl ClientKeyFault {
    /// What would be right, to complete "must …".
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::AlgorithmUnfit => {
                "hold a key for the algorithm that is named: RSA for RS256 and PS256 (the only one for AzureAd), P-256 for ES256"
            }
            Self::CertificateMalformed => "hold certificates of X.509 only",
            Self::CertificateMissing => "hold the certificate beside the key: the OpenID Provider is told of it",
            Self::CertificateOfOtherKey => "hold the certificate of this very key; those that it holds are of others",
            Self::JwkMalformed => "be a JSON Web Key of a private key",
            Self::KeyEncrypted => {
                "hold the key without a password; decrypt it with `openssl pkcs8 -in key.pem -out plain.pem`"
            }
            Self::KeyMissing => "hold a private key",
            Self::KeyNotAlone => "hold one private key only",
            Self::KeyOfOldFormat => {
                "hold the key as PKCS#8; convert it with `openssl pkcs8 -topk8 -nocrypt -in old.pem -out key.pem`"
            }
            Self::KeyOfOtherKind => "hold an RSA key or, except for AzureAd, an EC key on the curve P-256",
            Self::KeyShort => "hold an RSA key of 2048 bits or more",
            Self::PemMalformed => "be PEM from the first -----BEGIN to the last -----END",
        }
    }
}

impl fmt::Display for ClientKeyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "must {}", self.rule())
    }
}

impl std::error::Error for ClientKeyFault {}
