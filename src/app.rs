//! One deployment, as one isolate sees it: the configuration, the keys made from it, and the isolate's memory.

use crate::config::{Config, ConfigFault};
use crate::memory::Memory;
use crate::session::keys::KeyRing;

/// Everything that outlives a request.
pub struct App {
    /// The configuration, without faults.
    pub config: Config,
    /// The key ring.
    pub ring: KeyRing,
    /// What this isolate remembers.
    pub memory: Memory,
}

impl App {
    /// Reads the environment: see [`Config::parse`].
    ///
    /// # Errors
    /// All faults of the configuration, together.
    pub fn new(environment: &str) -> Result<Self, Vec<ConfigFault>> {
        let config = Config::parse(environment)?;
        let ring = KeyRing::new(&config.session.keys);
        let memory = Memory::new(config.session.memory_entries);
        Ok(Self { config, ring, memory })
    }
}
