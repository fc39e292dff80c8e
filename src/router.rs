//! The only place that matches paths and decides what a request is.

mod route;

use crate::config::{Config, Provider};
use crate::oidc::protected_resource::METADATA_PATH;
use crate::request::{Method, RequestHead};

pub use route::Route;

/// Decides by method, host and parsed path alone; no header and no query plays a part.
#[must_use]
pub fn route<'a>(config: &'a Config, head: &RequestHead<'a>) -> Route<'a> {
    route_for(config, head, head.method)
}

/// The same if the request had another method: that of the one to come after a CORS preflight.
#[must_use]
pub fn route_for<'a>(config: &'a Config, head: &RequestHead<'a>, method: Method) -> Route<'a> {
    let path = head.target.path();
    if let Some(route) = config.providers().find_map(|provider| from_provider(provider, path)) {
        return route;
    }
    if let Some(bearer) = config.bearer.as_ref().filter(|_| path == METADATA_PATH) {
        return Route::ResourceMetadata(bearer);
    }
    let paths = &config.paths;
    if let Some(name) = below(path, &paths.auth) {
        return own(config, name);
    }
    match below(path, &paths.api) {
        Some(rest) => api(config, head, method, rest),
        None => origin(config, head, method),
    }
}

/// What is left for the origin. Where a prefix is taken off, only what lies under it is: the origin would take a path and
/// the same path without the prefix for one, and no two rules may be for one thing.
fn origin<'a>(config: &'a Config, head: &RequestHead<'a>, method: Method) -> Route<'a> {
    let path = head.target.path();
    if let Some(prefix) = &config.gateway.rewriting.strip_path_prefix
        && below(path, prefix).is_none()
    {
        return if path == "/" { Route::Prefix(prefix) } else { Route::Nothing };
    }
    config.rules.find(host(config, head), method, path).map_or(Route::Ambiguous, Route::Origin)
}

/// The host whose rules hold. One that nobody configured is another name of `PublicOrigin`: whoever makes it up gets
/// around no rule.
fn host<'a>(config: &'a Config, head: &RequestHead<'a>) -> &'a str {
    if config.rules.names_host(head.host) { head.host } else { config.gateway.public_origin_of(head.host).authority() }
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
        // Which provider that is must not change with those beside it.
        "/backchannel-logout" if !config.provider.is_named => Route::BackChannelLogout(&config.provider),
        "/events" => Route::Events,
        "/health" => Route::Health,
        "/jwks" if config.gateway.assertion_audience.is_some() => Route::Keys,
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
    is_under_auth || config.providers().any(|provider| from_provider(provider, path).is_some())
}

/// Whether a path is that of an API, which only pages of ours may call.
#[must_use]
pub fn is_api(config: &Config, path: &str) -> bool {
    below(path, &config.paths.api).is_some()
}

fn api<'a>(config: &'a Config, head: &RequestHead<'a>, method: Method, rest: &'a str) -> Route<'a> {
    let Some(rest) = rest.strip_prefix('/') else { return Route::Nothing };
    let end = rest.find('/').unwrap_or(rest.len());
    let (name, path) = rest.split_at(end);
    let Some(api) = config.api(name) else { return Route::Nothing };
    let rule = config.rules.find_api(host(config, head), method, head.target.path());
    rule.map_or(Route::Ambiguous, |rule| Route::Api(api, head.target.with_rest(path), rule))
}

/// What follows `prefix`, if the path is the prefix itself or continues it with a slash.
fn below<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

const SESSIONS: &str = "/sessions";
