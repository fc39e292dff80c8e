//! The only place that matches paths and decides what a request is.

use crate::config::{Api, Config, Provider};
use crate::request::{RequestHead, Target};

/// What a request is.
#[derive(Clone, Copy, Debug)]
pub enum Route<'a> {
    /// A call of a downstream API: what follows `/api/<Name>` is the target under its base URL.
    Api(&'a Api, Target<'a>),
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
    /// Everything that is not ours.
    Origin,
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
            Self::Api(api, _) => Some(&api.provider),
            Self::BackChannelLogout(provider)
            | Self::Callback(provider)
            | Self::FrontChannelLogout(provider)
            | Self::Login(Some(provider))
            | Self::SignedOut(provider) => Some(&provider.name),
            Self::Events
            | Self::Health
            | Self::Login(None)
            | Self::Logout
            | Self::Me
            | Self::Nothing
            | Self::OperatorSignOut
            | Self::Origin
            | Self::Session(_)
            | Self::Sessions => None,
        }
    }

    /// Whether a person who asks for it and is not signed in is sent to the OP rather than told so.
    #[must_use]
    pub const fn begins_a_login(self) -> bool {
        match self {
            Self::Api(..) | Self::Origin | Self::Sessions => true,
            Self::BackChannelLogout(_)
            | Self::Callback(_)
            | Self::Events
            | Self::FrontChannelLogout(_)
            | Self::Health
            | Self::Login(_)
            | Self::Logout
            | Self::Me
            | Self::Nothing
            | Self::OperatorSignOut
            | Self::Session(_)
            | Self::SignedOut(_) => false,
        }
    }
}

/// Decides by the parsed path alone; no header and no query plays a part.
#[must_use]
pub fn route<'a>(config: &'a Config, head: &RequestHead<'a>) -> Route<'a> {
    let path = head.target.path();
    if let Some(route) = config.providers().find_map(|provider| from_provider(provider, path)) {
        return route;
    }
    let paths = &config.paths;
    if let Some(name) = below(path, &paths.auth) {
        return own(config, name);
    }
    below(path, &paths.api).map_or(Route::Origin, |rest| api(config, head.target, rest))
}

/// Where only one provider sends anybody.
fn from_provider<'a>(provider: &'a Provider, path: &str) -> Option<Route<'a>> {
    let paths = &provider.paths;
    if path == paths.callback {
        return Some(Route::Callback(provider));
    }
    if path == paths.signed_out_callback {
        return Some(Route::SignedOut(provider));
    }
    (path == paths.front_channel_logout).then_some(Route::FrontChannelLogout(provider))
}

/// What follows `AuthPath`.
fn own<'a>(config: &'a Config, name: &'a str) -> Route<'a> {
    match name {
        "/backchannel-logout" => Route::BackChannelLogout(&config.provider),
        "/events" => Route::Events,
        "/health" => Route::Health,
        "/login" => Route::Login(None),
        "/logout" => Route::Logout,
        "/me" => Route::Me,
        "/operator/sign-out" => Route::OperatorSignOut,
        SESSIONS => Route::Sessions,
        name => below_own(config, name).unwrap_or(Route::Nothing),
    }
}

fn below_own<'a>(config: &'a Config, name: &'a str) -> Option<Route<'a>> {
    let provider = |name: &str| config.providers().find(|provider| provider.name == name);
    if let Some(name) = name.strip_prefix("/login/") {
        return provider(name).map(|provider| Route::Login(Some(provider)));
    }
    if let Some(name) = name.strip_prefix("/backchannel-logout/") {
        return provider(name).map(Route::BackChannelLogout);
    }
    name.strip_prefix("/sessions/").map(Route::Session)
}

/// Whether a path belongs to the sign-in itself, so that returning there would only lead into another one.
#[must_use]
pub fn is_sign_in(config: &Config, path: &str) -> bool {
    let paths = &config.paths;
    let is_under_auth = below(path, &paths.auth).is_some_and(|rest| !rest.is_empty() && rest != SESSIONS);
    is_under_auth
        || config
            .providers()
            .any(|provider| path == provider.paths.callback || path == provider.paths.signed_out_callback)
}

/// Whether a path is that of an API, which only pages of ours may call.
#[must_use]
pub fn is_api(config: &Config, path: &str) -> bool {
    below(path, &config.paths.api).is_some()
}

fn api<'a>(config: &'a Config, target: Target<'a>, rest: &'a str) -> Route<'a> {
    let Some(rest) = rest.strip_prefix('/') else { return Route::Nothing };
    let end = rest.find('/').unwrap_or(rest.len());
    let (name, path) = rest.split_at(end);
    config.api(name).map_or(Route::Nothing, |api| Route::Api(api, target.with_rest(path)))
}

/// What follows `prefix`, if the path is the prefix itself or continues it with a slash.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

const SESSIONS: &str = "/sessions";
