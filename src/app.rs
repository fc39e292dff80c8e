//! One deployment, as one isolate sees it: the configuration, and a realm for each OpenID Provider.

use std::rc::Rc;

use crate::config::{Config, ConfigFault};
use crate::flow::StandingPlan;
use crate::memory::{StandingPlans, Watermark};
use crate::realm::Realm;

/// Everything that outlives a request.
pub struct App {
    /// The configuration, without faults.
    pub config: Config,
    /// The plans that stand for requests which come again.
    pub standing_plans: StandingPlans<StandingPlan>,
    first: Realm,
    others: Vec<Realm>,
}

impl App {
    /// Reads the environment: see [`Config::parse`].
    ///
    /// # Errors
    /// All faults of the configuration, together.
    pub fn new(environment: &str) -> Result<Self, Vec<ConfigFault>> {
        let config = Config::parse(environment)?;
        let everybody = Rc::new(Watermark::default());
        let sessions = config.session.memory_entries / config.providers().count();
        let realm = |provider| Realm::new(provider, &config.session.keys, sessions.max(1), Rc::clone(&everybody));
        let (first, others) = (realm(&config.provider), config.other_providers.iter().map(realm).collect());
        Ok(Self { config, standing_plans: StandingPlans::new(), first, others })
    }

    /// The realm of the first provider, which is the only one in most deployments.
    #[must_use]
    pub const fn first(&self) -> &Realm {
        &self.first
    }

    /// The realm of the provider whose keys and cookies carry no name, if there is one: the only one that an earlier version
    /// of this software knows.
    #[must_use]
    pub fn unlabelled(&self) -> Option<&Realm> {
        self.realms().find(|realm| realm.ring.label().is_none())
    }

    /// Every realm, in the order of the configuration.
    pub fn realms(&self) -> impl Iterator<Item = &Realm> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Whether there is a choice.
    #[must_use]
    pub const fn has_several_realms(&self) -> bool {
        !self.others.is_empty()
    }

    /// The realm of the provider of that name.
    #[must_use]
    pub fn realm(&self, provider: &str) -> Option<&Realm> {
        self.realms().find(|realm| realm.provider.name == provider)
    }
}
