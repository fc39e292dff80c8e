//! What belongs to one OpenID Provider: its configuration, the keys, and what the isolate remembers. Nothing of one realm
//! opens in another, so no answer, cookie or token can be taken for one of another provider.

use std::rc::Rc;

use crate::config::{Provider, SessionKeys};
use crate::memory::{Memory, Watermark};
use crate::session::keys::KeyRing;

/// A protection space of its own (RFC 9110 §11.5).
pub struct Realm {
    /// The provider.
    pub provider: Provider,
    /// The key ring, derived for this provider.
    pub ring: KeyRing,
    /// What this isolate remembers of its sessions.
    pub memory: Memory,
}

impl Realm {
    /// A realm that remembers at most `sessions` sessions, and nothing yet.
    #[must_use]
    pub fn new(provider: &Provider, keys: &SessionKeys, sessions: usize, everybody: Rc<Watermark>) -> Self {
        let ring = KeyRing::of(keys, provider.label());
        Self { provider: provider.clone(), ring, memory: Memory::beside(sessions, everybody) }
    }
}
