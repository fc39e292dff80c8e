//! A key and its certificates in a PFX file (PKCS #12, RFC 7292). It is encrypted, so the platform opens it: what comes
//! out is a [`ClientKey`].

use std::fmt;

use super::client_key::{ClientKey, ClientKeyFault, KeyUse};
use crate::secret::Secret;

/// A file that has not been opened.
#[derive(Clone, Debug)]
pub struct Pfx {
    /// `Base64EncodedValue`, decoded.
    pub contents: Secret<Vec<u8>>,
    /// `CertificatePassword`; empty if there is none.
    pub password: Secret,
    /// What the key must be.
    pub wanted: KeyUse,
}

/// What is in a file.
pub struct OpenedPfx {
    /// The private key, as PKCS#8 in DER.
    pub pkcs8: Secret<Vec<u8>>,
    /// The certificates in DER, in the order of the file.
    pub certificates: Vec<Vec<u8>>,
}

impl OpenedPfx {
    /// The key that is in it.
    ///
    /// # Errors
    /// What is wrong with the key or its certificates.
    pub fn into_key(self, wanted: &KeyUse) -> Result<ClientKey, PfxFault> {
        ClientKey::from_der(self.pkcs8, self.certificates, wanted).map_err(PfxFault::Key)
    }
}

/// Why a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PfxFault {
    /// What is in it cannot be used.
    Key(ClientKeyFault),
    /// There is none, or there are several.
    KeyNotAlone,
    /// It is no DER of such a file, or has no MAC.
    Malformed,
    /// The integrity check fails.
    Password,
    /// It is encrypted with something else than AES (such files were before: RC2, Triple DES), or in another way.
    Unsupported,
}

impl fmt::Display for PfxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(fault) => return write!(f, "the PFX file {fault}"),
            Self::KeyNotAlone => "the PFX file must hold one private key",
            Self::Malformed => "Base64EncodedValue is no PFX file, or one without a MAC",
            Self::Password => "the PFX file does not open: CertificatePassword is wrong, or the file is damaged",
            Self::Unsupported => {
                "the PFX file is not encrypted with AES, as old ones are not; export it again: `openssl pkcs12 -legacy \
                 -in old.pfx -nodes | openssl pkcs12 -export -out new.pfx`, or in PowerShell `Export-PfxCertificate \
                 -CryptoAlgorithmOption AES256_SHA256`"
            }
        })
    }
}

impl std::error::Error for PfxFault {}
