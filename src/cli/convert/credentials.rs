//! The client's credentials: `ClientSecret`, and the lists of credentials that Microsoft.Identity.Web knows. Where a
//! certificate lies on a disk, in a store or in a vault, the Worker needs a copy of it as a secret.

use serde_json::{Value, json};

use super::appsettings::Section;
use super::conversion::{Conversion, Place};

const LIST: &str = "ClientCredentials";
const SECRET: &str = "ClientSecret";

/// Microsoft.Identity.Abstractions' `CredentialSource`, by its numbers.
const SOURCE_TYPES: [&str; 14] = [
    "Certificate",
    "KeyVault",
    "Base64Encoded",
    "Path",
    "StoreWithThumbprint",
    "StoreWithDistinguishedName",
    "ClientSecret",
    "SignedAssertionFromManagedIdentity",
    "SignedAssertionFilePath",
    "SignedAssertionFromVault",
    "AutoDecryptKeys",
    "CustomSignedAssertion",
    "ManagedCertificate",
    "StoreWithSubjectName",
];

/// One credential as the Worker can have it.
enum Credential {
    /// As PFX in base64; `origin` says how to come by it where it is not in the files.
    Certificate {
        source: String,
        origin: &'static str,
        value: Option<String>,
        password: Option<(String, String)>,
    },
    Secret {
        source: String,
        value: Option<String>,
    },
}

/// Converts all credentials of the provider at `place`.
pub(super) fn convert(conversion: &mut Conversion, place: &Place, section: &Section) {
    let mut credentials = Vec::new();
    for list in [LIST, "ClientCertificates"] {
        let items = section.section(list).and_then(Section::items).unwrap_or_default();
        for (position, item) in items.into_iter().enumerate() {
            let source = format!("{}:{position}", place.source_of(list));
            match item.section().map(|item| credential(&source, item)) {
                Some(Ok(credential)) => credentials.push(credential),
                Some(Err(what)) => conversion.leave_to_do(source, what),
                None => conversion.leave_to_do(source, "is no credential"),
            }
        }
    }
    // Microsoft.Identity.Web takes it last, too.
    let value = section.text(SECRET);
    if value.is_some() {
        credentials.push(Credential::Secret { source: place.source_of(SECRET), value });
    }
    put(conversion, place, credentials);
}

/// A single secret needs no list.
fn put(conversion: &mut Conversion, place: &Place, mut credentials: Vec<Credential>) {
    match (credentials.pop(), credentials.is_empty()) {
        (Some(Credential::Secret { source, value }), true) => {
            conversion.secret(&place.key_of(SECRET), source, value);
        }
        (last, _) => {
            credentials.extend(last);
            list(conversion, place, credentials);
        }
    }
}

fn list(conversion: &mut Conversion, place: &Place, credentials: Vec<Credential>) {
    let mut tables = Vec::new();
    for (position, credential) in credentials.into_iter().enumerate() {
        let key = |name: &str| format!("{}.{position}.{name}", place.key_of(LIST));
        match credential {
            Credential::Secret { source, value } => {
                tables.push(json!({ "SourceType": SECRET }));
                conversion.secret(&key(SECRET), source, value);
            }
            Credential::Certificate { source, origin, value, password } => {
                tables.push(json!({ "SourceType": "Base64Encoded" }));
                let source = if value.is_some() { source } else { format!("{source}: {origin}, in base64") };
                conversion.secret(&key("Base64EncodedValue"), source, value);
                if let Some((source, value)) = password {
                    conversion.secret(&key("CertificatePassword"), source, Some(value));
                }
            }
        }
    }
    if !tables.is_empty() {
        conversion.set(&place.key_of(LIST), Value::Array(tables));
    }
}

fn credential(source: &str, item: &Section) -> Result<Credential, String> {
    let written = item.text("SourceType").unwrap_or_default();
    let known = written.parse::<usize>().ok().and_then(|number| SOURCE_TYPES.get(number).copied());
    let known =
        known.or_else(|| SOURCE_TYPES.into_iter().find(|source_type| source_type.eq_ignore_ascii_case(&written)));
    match known {
        Some(SECRET) => Ok(Credential::Secret { source: format!("{source}:{SECRET}"), value: item.text(SECRET) }),
        Some("Base64Encoded") => Ok(certificate(source, item, "the certificate with its key as PFX")),
        Some("KeyVault") => {
            Ok(certificate(source, item, "download the certificate with its key as PFX from the vault"))
        }
        Some("Path") => Ok(certificate(source, item, "the file of CertificateDiskPath")),
        Some("StoreWithDistinguishedName" | "StoreWithThumbprint" | "StoreWithSubjectName" | "Certificate") => {
            Ok(certificate(source, item, "export the certificate with its key as PFX"))
        }
        Some("SignedAssertionFromManagedIdentity" | "ManagedCertificate") => {
            Err("exists on Azure hosts only; put a client secret or a certificate instead".to_owned())
        }
        Some("SignedAssertionFilePath" | "SignedAssertionFromVault" | "CustomSignedAssertion") => {
            Err("needs a CustomSignedAssertion with AssertionService or AssertionUrl, which only you can name; or put \
             a client secret or a certificate instead"
                .to_owned())
        }
        Some("AutoDecryptKeys") => Err("decrypts tokens, and encrypted ID tokens are refused".to_owned()),
        Some(_) | None => Err("has a SourceType that is not known".to_owned()),
    }
}

fn certificate(source: &str, item: &Section, origin: &'static str) -> Credential {
    const PASSWORD: &str = "CertificatePassword";

    let password = item.text(PASSWORD).map(|password| (format!("{source}:{PASSWORD}"), password));
    Credential::Certificate { source: source.to_owned(), origin, value: item.text("Base64EncodedValue"), password }
}
