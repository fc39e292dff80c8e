//! A cookie jar that refuses what a browser refuses, and everything this project does not set.

use std::cell::RefCell;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
pub(crate) struct Jar(RefCell<BTreeMap<String, (String, u64)>>);

impl Jar {
    /// Keeps or deletes a cookie as a `Set-Cookie` header says.
    pub(crate) fn set(&self, header: &str, now: u64) {
        let mut parts = header.split("; ");
        let (name, value) = parts.next().and_then(|pair| pair.split_once('=')).unwrap();
        let attributes: Vec<&str> = parts.collect();
        assert!(name.starts_with("__Host-"), "{header}");
        for needed in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&needed), "no {needed} in {header}");
        }
        assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{header}");
        assert!(header.len() <= 4096, "a browser keeps no such cookie");
        let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age=")).unwrap();
        let age: u64 = age.parse().unwrap();
        if age == 0 {
            self.0.borrow_mut().remove(name);
        } else {
            self.0.borrow_mut().insert(name.to_owned(), (value.to_owned(), now + age));
        }
    }

    /// A cookie from anywhere, for as long as the test needs it.
    pub(crate) fn plant(&self, name: &str, value: &str) {
        self.0.borrow_mut().insert(name.to_owned(), (value.to_owned(), u64::MAX));
    }

    pub(crate) fn get(&self, name: &str) -> Option<String> {
        self.0.borrow().get(name).map(|(value, _)| value.clone())
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        self.0.borrow().keys().filter(|name| name.starts_with(prefix)).cloned().collect()
    }

    /// The `Cookie` header.
    pub(crate) fn header(&self, now: u64) -> Option<String> {
        self.0.borrow_mut().retain(|_, (_, expires)| *expires > now);
        let cookies = self.0.borrow();
        let pairs: Vec<String> = cookies.iter().map(|(name, (value, _))| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}
