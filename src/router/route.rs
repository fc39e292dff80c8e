//! What a request can be.

use crate::config::{Api, Bearer, Provider};
use crate::request::Target;
use crate::rules::{Access, Rule};

/// What a request is.
#[derive(Clone, Copy, Debug)]
pub enum Route<'a> {
    /// A path that an origin could read as one that another rule is for. It is served to nobody.
    Ambiguous,
    /// A call of a downstream API: what follows `/api/<Name>` is the target under its base URL.
    Api(&'a Api, Target<'a>, &'a Rule),
    /// The OP says that sessions are over, server to server.
    BackChannelLogout(&'a Provider),
    /// The OP's answer to an authorization request.
    Callback(&'a Provider),
    /// Tells a page when its session ends.
    Events,
    /// The OP says that its session is over, by way of the browser.
    FrontChannelLogout(&'a Provider),
    /// For monitors.
    Health,
    /// The keys of assertions to the origin.
    Keys,
    /// Begins a login, at the provider named or at whichever the end-user chooses.
    Login(Option<&'a Provider>),
    /// Begins a sign-out.
    Logout,
    /// Who am I.
    Me,
    /// A path of ours with nothing behind it. It never reaches the origin.
    Nothing,
    /// An operator ends sessions.
    OperatorSignOut,
    /// Everything that is not ours, and the rule that holds for it.
    Origin(&'a Rule),
    /// The root, where the origin lies under a prefix: the prefix.
    Prefix(&'a str),
    /// Where access tokens for us are to be had.
    ResourceMetadata(&'a Bearer),
    /// One of the end-user's own sessions, by its id.
    Session(&'a str),
    /// The end-user's own sessions.
    Sessions,
    /// The OP's answer to a sign-out.
    SignedOut(&'a Provider),
}

impl<'a> Route<'a> {
    /// The provider that the request can only be about, by its name.
    #[must_use]
    pub fn provider(self) -> Option<&'a str> {
        match self {
            Self::Api(api, ..) => Some(&api.provider),
            Self::Origin(rule) => rule.provider.as_deref(),
            Self::BackChannelLogout(provider)
            | Self::Callback(provider)
            | Self::FrontChannelLogout(provider)
            | Self::Login(Some(provider))
            | Self::SignedOut(provider) => Some(&provider.name),
            Self::Ambiguous
            | Self::Events
            | Self::Health
            | Self::Keys
            | Self::Login(None)
            | Self::Logout
            | Self::Me
            | Self::Nothing
            | Self::OperatorSignOut
            | Self::Prefix(_)
            | Self::ResourceMetadata(_)
            | Self::Session(_)
            | Self::Sessions => None,
        }
    }

    /// What the request is, in a word: for the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::Api(..) => "api",
            Self::BackChannelLogout(_) => "back_channel_logout",
            Self::Callback(_) => "callback",
            Self::Events => "events",
            Self::FrontChannelLogout(_) => "front_channel_logout",
            Self::Health => "health",
            Self::Keys => "keys",
            Self::Login(_) => "login",
            Self::Logout => "logout",
            Self::Me => "me",
            Self::Nothing => "nothing",
            Self::OperatorSignOut => "operator",
            Self::Origin(_) => "origin",
            Self::Prefix(_) => "prefix",
            Self::ResourceMetadata(_) => "resource_metadata",
            Self::Session(_) => "session",
            Self::Sessions => "sessions",
            Self::SignedOut(_) => "signed_out",
        }
    }

    /// The rule that holds for the request, where one can.
    #[must_use]
    pub const fn rule(self) -> Option<&'a Rule> {
        match self {
            Self::Api(_, _, rule) | Self::Origin(rule) => Some(rule),
            Self::Ambiguous
            | Self::BackChannelLogout(_)
            | Self::Callback(_)
            | Self::Events
            | Self::FrontChannelLogout(_)
            | Self::Health
            | Self::Keys
            | Self::Login(_)
            | Self::Logout
            | Self::Me
            | Self::Nothing
            | Self::OperatorSignOut
            | Self::Prefix(_)
            | Self::ResourceMetadata(_)
            | Self::Session(_)
            | Self::Sessions
            | Self::SignedOut(_) => None,
        }
    }

    /// Whether a person who asks for it and is not signed in is sent to the OP rather than told so.
    #[must_use]
    pub const fn begins_a_login(self) -> bool {
        match self {
            Self::Api(_, _, rule) => !matches!(rule.access, Access::Bearer),
            Self::Sessions => true,
            Self::Origin(rule) => matches!(rule.access, Access::Login),
            Self::Ambiguous
            | Self::BackChannelLogout(_)
            | Self::Callback(_)
            | Self::Events
            | Self::FrontChannelLogout(_)
            | Self::Health
            | Self::Keys
            | Self::Login(_)
            | Self::Logout
            | Self::Me
            | Self::Nothing
            | Self::OperatorSignOut
            | Self::Prefix(_)
            | Self::ResourceMetadata(_)
            | Self::Session(_)
            | Self::SignedOut(_) => false,
        }
    }
}
