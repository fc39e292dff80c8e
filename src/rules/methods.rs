//! A set of request methods.

use crate::request::Method;

/// Methods that a rule is for, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods(u8);

impl Methods {
    /// The methods a rule may name, in the order people write them.
    pub const KNOWN: [(&str, Method); 7] = [
        ("GET", Method::Get),
        ("HEAD", Method::Head),
        ("POST", Method::Post),
        ("PUT", Method::Put),
        ("PATCH", Method::Patch),
        ("DELETE", Method::Delete),
        ("OPTIONS", Method::Options),
    ];

    /// Reads names, case-sensitive as RFC 9110 §9.1 has them; `GET` includes `HEAD`. `None` for a name that is not
    /// known, and for no names at all.
    #[must_use]
    pub fn parse(names: &[String]) -> Option<Self> {
        let mut bits = 0;
        for name in names {
            let (_, method) = Self::KNOWN.into_iter().find(|(known, _)| known == name)?;
            bits |= bit(method);
            if method == Method::Get {
                bits |= bit(Method::Head);
            }
        }
        (bits != 0).then_some(Self(bits))
    }

    /// Whether the rule is for `method`; never for one that it could not name.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.0 & bit(method) != 0
    }

    /// Whether a method is in both.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

const fn bit(method: Method) -> u8 {
    match method {
        Method::Delete => 1,
        Method::Get => 1 << 1,
        Method::Head => 1 << 2,
        Method::Options => 1 << 3,
        Method::Patch => 1 << 4,
        Method::Post => 1 << 5,
        Method::Put => 1 << 6,
        Method::Other => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn methods(names: &[&str]) -> Option<Methods> {
        Methods::parse(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn each_known_method_is_itself_and_get_is_head_too() {
        for (name, method) in Methods::KNOWN {
            let named = methods(&[name]).unwrap();
            for (_, other) in Methods::KNOWN {
                let is_included = other == method || (method == Method::Get && other == Method::Head);
                assert_eq!(named.contains(other), is_included, "{name} {other:?}");
            }
            assert!(!named.contains(Method::Other), "{name}");
        }
    }

    #[test]
    fn what_is_no_method_is_none() {
        for names in [&[][..], &["get"], &["GET", "TRACE"], &["*"], &[""]] {
            assert_eq!(methods(names), None, "{names:?}");
        }
    }
}
