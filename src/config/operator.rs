//! The operator's own credential, `[vars.Operator]`, for ending sessions from outside.

use super::section::Section;
use super::session::{KEY_RULE, key};
use crate::secret::Secret;

/// Who may end the sessions of others.
#[derive(Clone, Debug)]
pub struct Operator(Secret<[u8; 32]>);

impl Operator {
    /// Whether a credential, in base64, is `Operator__Key`. Takes the same time for every wrong one.
    #[must_use]
    pub fn is_named_by(&self, credential: &str) -> bool {
        key(credential).is_ok_and(|credential| self.0.matches(credential.expose()))
    }
}

/// Reads the section; without a key there is no operator.
pub(super) fn read(root: &mut Section<'_>) -> Option<Operator> {
    let mut section = root.child("Operator", "Operator");
    let value = section.secret("Key");
    let key = value.and_then(|value| section.accept("Key", value.as_str().ok_or(KEY_RULE).and_then(key)));
    section.finish();
    key.map(Operator)
}
