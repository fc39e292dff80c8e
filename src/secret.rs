//! Values that must never be printed, compared in variable time or serialised by accident.
//!
//! The missing traits are the design: a [`Secret`] has no `Display`, `PartialEq` or `Serialize`, and its
//! `Debug` says nothing. Whoever needs the value calls [`Secret::expose`], which is easy to search for.

use std::fmt;

use subtle::ConstantTimeEq;

/// A string or byte string that no log line, error or answer may contain.
#[derive(Clone)]
pub struct Secret<T = String>(T);

impl<T> Secret<T> {
    /// Wraps a value that must not leak.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Every caller is a place to review.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Gives the value up to a caller that keeps it secret from here on.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T: AsRef<[u8]>> Secret<T> {
    /// Compares in a time that depends only on the lengths.
    #[must_use]
    pub fn matches(&self, candidate: &[u8]) -> bool {
        self.0.as_ref().ct_eq(candidate).into()
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_the_value() {
        assert_eq!(format!("{:?}", Secret::new("hunter2".to_owned())), "[secret]");
    }

    #[test]
    fn matches_only_the_same_bytes() {
        let secret = Secret::new("correct horse".to_owned());
        assert!(secret.matches(b"correct horse"));
        assert!(!secret.matches(b"correct horsf"));
        assert!(!secret.matches(b"correct"));
    }
}
