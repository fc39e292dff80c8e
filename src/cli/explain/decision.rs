//! What would become of a request, by the functions that decide about it in the Worker. Only who sends it is assumed.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::assertion;
use crate::config::{Api, ApiToken, Config, Provider};
use crate::error::{Error, ExchangeFault};
use crate::flow::guard::Guarded;
use crate::flow::{claims, cors, refusal};
use crate::forwarding::{Destination, api_address, api_headers, headers_to_origin, origin_destination};
use crate::identity::Identity;
use crate::oidc::access_token::Profile;
use crate::oidc::bearer_token;
use crate::request::{HeadFault, RequestHead, Target};
use crate::router::{Route, route, route_for};
use crate::rules::Access;
use crate::time::{Lifetime, Timestamp};

/// Who sends a request, and when.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The claims of whoever is signed in, or of the access token; none if there is neither.
    pub claims: Option<&'a Map<String, Value>>,
    /// The section of the provider that the sign-in was at; the one that the request needs by default.
    pub provider: Option<&'a str>,
    /// The scopes of the access token.
    pub scopes: &'a [String],
    /// The present moment.
    pub now: Timestamp,
}

/// What would become of a request.
#[derive(Debug)]
pub enum Decision {
    /// One of our own paths answers it: which.
    Own(&'static str),
    /// It is passed on.
    Passed(Passed),
    /// It is a CORS preflight, and this is its answer.
    Preflight(Answer),
    /// It is refused, or sent to sign in.
    Refused(Error, Option<SignIn>),
}

/// A request that is passed on.
#[derive(Debug)]
pub struct Passed {
    /// Where it goes.
    pub destination: Destination,
    /// The headers of the request that do not pass, in lower case.
    pub remove: Vec<String>,
    /// Headers to set after the removal; a secret or a signature is described in angle brackets.
    pub set: Vec<(Cow<'static, str>, String)>,
    /// How long the head of the answer may take.
    pub timeout: Lifetime,
}

/// The sign-in that a request needs.
#[derive(Debug)]
pub struct SignIn {
    /// The section of the provider; none if the end-user chooses.
    pub provider: Option<String>,
    /// Whether the browser is sent there, instead of being told.
    pub is_sent: bool,
}

impl Decision {
    /// The status of an answer of ours, as far as it is known without a session.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Own(_) | Self::Passed(_) => None,
            Self::Preflight(answer) => Some(answer.status),
            Self::Refused(_, Some(SignIn { is_sent: true, .. })) => Some(302),
            Self::Refused(error, _) => Some(error.status()),
        }
    }
}

/// Decides about a request as the Worker would.
#[must_use]
pub fn decide(config: &Config, head: &RequestHead<'_>, sender: &Sender<'_>) -> Decision {
    let route = route(config, head);
    if let Some(answer) = cors::preflight(config, head) {
        return answer.map_or_else(|error| Decision::Refused(error, None), Decision::Preflight);
    }
    if let Some(own) = own_name(route) {
        return Decision::Own(own);
    }
    let case = Case::of(config, head, route, sender);
    let decided = match &case {
        Some(case) => case.judged().map(|()| Decision::Passed(case.passed())),
        None if matches!(route, Route::Ambiguous) => Err(Error::BadRequest(HeadFault::AmbiguousReading)),
        None => Err(Error::NoSuchRoute),
    };
    decided.unwrap_or_else(|error| {
        let sign_in = case.as_ref().and_then(|case| case.sign_in(route, &error));
        Decision::Refused(error, sign_in)
    })
}

/// The route of a request; of a preflight that is answered here, that of the request to follow.
pub(super) fn route_of<'a>(config: &'a Config, head: &RequestHead<'a>) -> Route<'a> {
    let preflight = head.preflight().filter(|_| cors::preflight(config, head).is_some());
    preflight.map_or_else(|| route(config, head), |method| route_for(config, head, method))
}

/// A request for the origin or an API with its rule, and who sends it.
pub(super) struct Case<'a> {
    pub(super) guarded: Guarded<'a>,
    /// Whoever is signed in here, or the access token.
    pub(super) claims: Option<Map<String, Value>>,
    /// The scopes of the rule that the access token lacks.
    pub(super) lacking: Vec<&'a str>,
    /// Whether the access token stands for an end-user, so that it can be exchanged.
    pub(super) has_end_user: bool,
    /// The provider that the sign-in here is at.
    pub(super) provider: &'a Provider,
    config: &'a Config,
    api: Option<(&'a Api, Target<'a>)>,
}

impl<'a> Case<'a> {
    pub(super) fn of(
        config: &'a Config,
        head: &'a RequestHead<'a>,
        route: Route<'a>,
        sender: &Sender<'a>,
    ) -> Option<Self> {
        let rule = route.rule()?;
        let api = if let Route::Api(api, target, _) = route { Some((api, target)) } else { None };
        let needed = if rule.access == Access::Bearer {
            config.bearer.as_ref().map(|bearer| bearer.provider.as_str())
        } else {
            route.provider().or(sender.provider)
        };
        let named = config.providers().find(|provider| Some(provider.name.as_str()) == needed);
        let provider = named.unwrap_or(&config.provider);
        let public_origin = config.gateway.public_origin_of(head.host);
        let guarded = Guarded { head, rule, public_origin, now: sender.now, skew: provider.clock_skew };
        // A session at another provider is none here.
        let is_here = sender.provider.is_none_or(|signed_in| signed_in == provider.name);
        let claims = sender.claims.filter(|_| is_here).cloned();
        let is_of_token = rule.access == Access::Bearer;
        let kept = |claims| if is_of_token { of_token(claims, sender.scopes) } else { claims::kept(claims) };
        let profile = if provider.is_entra { Profile::Entra } else { Profile::Rfc9068 };
        let has_end_user = claims.as_ref().is_some_and(|claims| stands_for_somebody(claims, profile));
        let claims = claims.map(kept);
        let lacking = rule.scopes.iter().filter(|scope| !sender.scopes.contains(scope)).map(String::as_str).collect();
        Some(Self { guarded, claims, lacking, has_end_user, config, provider, api })
    }

    /// Whoever is signed in and looked up.
    pub(super) fn user(&self) -> Option<&Map<String, Value>> {
        self.claims.as_ref().filter(|_| self.guarded.rule.access != Access::Anonymous)
    }

    /// In the order of the Worker.
    fn judged(&self) -> Result<(), Error> {
        let rule = self.guarded.rule;
        match (rule.access, self.user()) {
            (Access::Anonymous, _) | (Access::Optional, None) => Ok(()),
            (Access::Bearer, None) => Err(Error::AccessTokenMissing),
            (Access::Api | Access::Login, None) => Err(Error::LoginRequired),
            (Access::Bearer, Some(_)) if !self.lacking.is_empty() => {
                Err(Error::ScopeInsufficient { rule: rule.name.clone(), scopes: rule.scopes.clone() })
            }
            (Access::Bearer, Some(claims)) => self.guarded.claims(claims).and_then(|()| self.exchanged()),
            (Access::Api | Access::Login | Access::Optional, Some(claims)) => self.guarded.user(claims),
        }
    }

    /// Whether the access token can become one of the API's, where it must.
    fn exchanged(&self) -> Result<(), Error> {
        match self.api {
            Some((api, _)) if api.token == ApiToken::User && !self.has_end_user => {
                Err(Error::NotExchanged(api.name.clone(), ExchangeFault::NoEndUser))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The sign-in that mends the error; nothing does for an access token.
    fn sign_in(&self, route: Route<'_>, error: &Error) -> Option<SignIn> {
        let is_mended = matches!(error, Error::LoginRequired | Error::StepUpRequired(..));
        if !is_mended || self.guarded.rule.access == Access::Bearer {
            return None;
        }
        let is_known = self.config.other_providers.is_empty() || refusal::names_a_provider(route, error);
        Some(SignIn {
            provider: is_known.then(|| self.provider.name.clone()),
            is_sent: refusal::wants_login(self.guarded.head, route, error),
        })
    }

    fn passed(&self) -> Passed {
        self.api.map_or_else(|| self.to_origin(), |(api, target)| self.to_api(api, target))
    }

    fn to_api(&self, api: &Api, target: Target<'_>) -> Passed {
        let (remove, mut set) = api_headers(api, self.guarded.head, &self.config.gateway.claim_headers);
        let token = match api.token {
            ApiToken::App => Some("the application's own access token"),
            ApiToken::None => None,
            ApiToken::User if self.guarded.rule.access == Access::Bearer => Some("an exchanged access token"),
            ApiToken::User => Some("the end-user's access token"),
        };
        set.extend(token.map(|token| ("authorization".into(), format!("Bearer <{token} for {}>", api.name))));
        Passed { destination: Destination::Url(api_address(api, target)), remove, set, timeout: api.timeout }
    }

    fn to_origin(&self) -> Passed {
        let Guarded { head, rule, public_origin, .. } = self.guarded;
        let gateway = &self.config.gateway;
        let identity = self.user().map(Identity::of_claims);
        let known = identity.as_ref().map(|identity| (identity, self.provider.idp()));
        let (remove, mut set) = headers_to_origin(gateway, head, public_origin, known);
        let audience = gateway.assertion_audience.as_ref();
        set.extend(audience.map(|audience| (assertion::HEADER.into(), format!("<assertion signed for {audience}>"))));
        let destination = origin_destination(gateway, public_origin, head.target);
        Passed { destination, remove, set, timeout: rule.timeout.unwrap_or(gateway.origin_timeout) }
    }
}

/// What an access token with these claims would be taken for.
fn of_token(claims: Map<String, Value>, scopes: &[String]) -> Map<String, Value> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    let (subject, client_id) = (text("sub"), text("client_id").or_else(|| text("azp")).or_else(|| text("appid")));
    bearer_token::told(claims, subject.as_deref(), client_id.as_deref(), scopes)
}

fn stands_for_somebody(claims: &Map<String, Value>, profile: Profile) -> bool {
    let text = |names: &[&str]| names.iter().find_map(|name| claims.get(*name)).and_then(Value::as_str);
    let client_id = text(&["client_id", "azp", "appid"]).unwrap_or_default();
    profile.has_end_user(claims, text(&["sub"]).unwrap_or(client_id), client_id)
}

/// What answers at a path of Vestibule's own.
const fn own_name(route: Route<'_>) -> Option<&'static str> {
    Some(match route {
        Route::Ambiguous | Route::Api(..) | Route::Nothing | Route::Origin(_) => return None,
        Route::BackChannelLogout(_) => "the back-channel logout",
        Route::Callback(_) => "the redirect URI",
        Route::Events => "the events of a session",
        Route::FrontChannelLogout(_) => "the front-channel logout",
        Route::Health => "the health check",
        Route::Keys => "the keys of assertions to the origin",
        Route::Login(_) => "the beginning of a sign-in",
        Route::Logout => "the sign-out",
        Route::Me => "who is signed in",
        Route::OperatorSignOut => "the operator's sign-out",
        Route::Prefix(_) => "the redirect to what lies under StripPathPrefix",
        Route::ResourceMetadata(_) => "the metadata for clients with access tokens",
        Route::Session(_) => "one of the user's sessions",
        Route::Sessions => "the user's sessions",
        Route::SignedOut(_) => "the return from a sign-out",
    })
}
