//! Which route and which rule a request has, and whether whoever sends it may pass.

use serde_json::{Map, Value};

use super::forward;
use super::request::Request;
use super::verdict::{End, Verdict};
use crate::config::{Api, Config};
use crate::request::{RequestHead, Target};
use crate::router::{Route, route};
use crate::rules::{Access, Rule, StepUp, folded};

/// Decides as the Worker would.
pub(super) fn of(
    config: &Config,
    request: &Request,
    claims: Option<&Map<String, Value>>,
    scopes: &[String],
) -> Verdict {
    let mut verdict = Verdict::new();
    verdict.fact("request", &request.line);
    if let Some(sender) = request.sender {
        verdict.fact("sent by", sender);
    }
    let Ok(head) = RequestHead::parse(&request.text) else {
        return verdict.ended(End::Refused(
            400,
            "the path has an encoded dot segment, backslash or control character".to_owned(),
        ));
    };
    let path = head.target.path();
    let lenient = String::from_utf8_lossy(&folded(path)).into_owned();
    if lenient != path {
        verdict.fact("read leniently", lenient);
    }
    let (behind, rule) = match found(config, &head, &mut verdict) {
        Ok(found) => found,
        Err(end) => return verdict.ended(end),
    };
    let case = Case { config, head: &head, rule, behind, claims, scopes };
    match case.judged(&mut verdict) {
        Ok(()) => forward::planned(&case, verdict),
        Err(end) => verdict.ended(end),
    }
}

/// The route and the rule of a request that is passed on; the end of one that is not.
fn found<'a>(config: &'a Config, head: &RequestHead<'a>, verdict: &mut Verdict) -> Result<(Behind<'a>, &'a Rule), End> {
    let route = route(config, head);
    if let Some(own) = own_name(route) {
        return Err(End::Served(format!("by Vestibule itself, {own}")));
    }
    if matches!(route, Route::Nothing) {
        return Err(End::Refused(404, "the path is kept for Vestibule, and nothing is behind it".to_owned()));
    }
    let (behind, rule) = match route {
        Route::Api(api, target, rule) => {
            verdict.fact("route", format!("the downstream API {}", api.name));
            (Behind::Api(api, target), rule)
        }
        Route::Origin(rule) => {
            verdict.fact("route", "the origin");
            (Behind::Origin, rule)
        }
        _ => return Err(End::Refused(400, AMBIGUOUS.to_owned())),
    };
    Ok((behind, rule))
}

/// What a request that is not for us is for.
#[derive(Clone, Copy)]
pub(super) enum Behind<'a> {
    Api(&'a Api, Target<'a>),
    Origin,
}

/// A request with its rule, and who sends it.
pub(super) struct Case<'a> {
    pub(super) config: &'a Config,
    pub(super) head: &'a RequestHead<'a>,
    pub(super) rule: &'a Rule,
    pub(super) behind: Behind<'a>,
    pub(super) claims: Option<&'a Map<String, Value>>,
    scopes: &'a [String],
}

impl Case<'_> {
    /// In the order of the Worker: who it is, whose page sent it, what the rule requires.
    fn judged(&self, verdict: &mut Verdict) -> Result<(), End> {
        let rule = self.rule;
        verdict.fact("rule", format!("{} ({})", rule.name, rule.pattern));
        verdict.fact("access", access_name(rule.access));
        self.cors(verdict);
        match rule.access {
            Access::Anonymous => Ok(()),
            Access::Optional if self.claims.is_none() => {
                verdict.fact("signed in", "nobody");
                Ok(())
            }
            Access::Optional => self.anti_forgery(verdict),
            Access::Api | Access::Login => {
                let claims = self.signed_in(verdict)?;
                self.anti_forgery(verdict)?;
                self.required(claims, verdict)
            }
            Access::Bearer => {
                let no_token = || End::Refused(401, "an access token is required".to_owned());
                let claims = self.claims.ok_or_else(no_token)?;
                self.scopes(verdict)?;
                self.required(claims, verdict)
            }
        }
    }

    fn signed_in(&self, verdict: &mut Verdict) -> Result<&Map<String, Value>, End> {
        let provider = self.rule.provider.as_deref().unwrap_or(&self.config.provider.name);
        match self.claims {
            Some(claims) => {
                verdict.fact("signed in", format!("whoever the claims name, by {provider}"));
                Ok(claims)
            }
            None => {
                verdict.fact("signed in", "nobody");
                Err(self.sign_in(&format!("a sign-in by {provider} is required")))
            }
        }
    }

    /// A page is sent to the OP, a script is told.
    fn sign_in(&self, why: &str) -> End {
        let is_page = self.head.is_navigation() && self.head.method.starts_a_login();
        let is_sent = self.rule.access == Access::Login && is_page;
        if is_sent {
            End::Refused(302, format!("{why}: to the OpenID Provider"))
        } else {
            End::Refused(401, why.to_owned())
        }
    }

    fn anti_forgery(&self, verdict: &mut Verdict) -> Result<(), End> {
        const LABEL: &str = "anti-forgery";

        let is_api = matches!(self.behind, Behind::Api(..));
        if !is_api && self.head.method.is_safe() && !self.head.is_websocket() {
            verdict.fact(LABEL, "not needed: the method changes nothing");
        } else if !self.rule.has_anti_forgery {
            verdict.fact(LABEL, "off: the rule has AntiForgery = false");
        } else if self.head.is_same_origin(&self.config.gateway.public_origin) {
            verdict.fact(LABEL, "passed: a page of PublicOrigin sent it");
        } else if self.is_cors_origin() {
            verdict.fact(LABEL, "passed: a page of one of the rule's CorsOrigins sent it");
        } else {
            verdict.fact(LABEL, "failed");
            return Err(End::Refused(403, "no page of PublicOrigin sent it, as far as its headers tell".to_owned()));
        }
        Ok(())
    }

    fn cors(&self, verdict: &mut Verdict) {
        let Some(origin) = self.head.header("origin") else { return };
        let is_own = origin == self.config.gateway.public_origin.origin().ascii_serialization();
        verdict.fact(
            "cors",
            match (is_own, self.is_cors_origin()) {
                (true, _) => "not needed: the page's origin is PublicOrigin",
                (false, true) => "allowed: the page's origin is one of the rule's CorsOrigins",
                (false, false) => "not allowed: the page's origin is none of the rule's CorsOrigins",
            },
        );
    }

    fn is_cors_origin(&self) -> bool {
        self.head.header("origin").is_some_and(|origin| self.rule.cors_origins.iter().any(|own| own == origin))
    }

    fn scopes(&self, verdict: &mut Verdict) -> Result<(), End> {
        let missing: Vec<_> = self.rule.scopes.iter().filter(|scope| !self.scopes.contains(scope)).cloned().collect();
        let is_enough = missing.is_empty();
        verdict.list("lacks scope", missing);
        if is_enough { Ok(()) } else { Err(End::Refused(403, "the access token lacks a scope of the rule".to_owned())) }
    }

    fn required(&self, claims: &Map<String, Value>, verdict: &mut Verdict) -> Result<(), End> {
        if let Some(requirement) = &self.rule.require {
            if requirement.holds(claims) {
                verdict.fact("requires", "Require holds");
            } else {
                let unmet = requirement.explain(claims);
                let told =
                    |key: &str, is_unknown| format!("Require.{key} {}", if is_unknown { UNKNOWN } else { UNMET });
                verdict.list("requires", unmet.iter().map(|unmet| told(&unmet.key, unmet.is_unknown)).collect());
                let (status, how) = if self.rule.hides { (404, ", which the rule hides") } else { (403, "") };
                return Err(End::Refused(status, format!("the claims do not meet Require{how}")));
            }
        }
        self.rule.step_up.as_ref().map_or(Ok(()), |step_up| self.stepped_up(step_up, claims, verdict))
    }

    fn stepped_up(&self, wish: &StepUp, claims: &Map<String, Value>, verdict: &mut Verdict) -> Result<(), End> {
        if let Some(max_age) = wish.max_age {
            let seconds = max_age.as_seconds();
            verdict.fact(
                "requires",
                format!("a sign-in no longer than {seconds} s ago; when that was is not judged here"),
            );
        }
        let acr = claims.get("acr").and_then(Value::as_str);
        let is_reached = wish.acr_values.is_empty() || wish.acr_values.iter().any(|value| Some(value.as_str()) == acr);
        if is_reached { Ok(()) } else { Err(self.sign_in("a sign-in with one of AcrValues is required")) }
    }
}

const UNKNOWN: &str = "cannot be told from the claims, which counts as not met";
const UNMET: &str = "is not met";

const AMBIGUOUS: &str = "an origin could read the path as one that another rule is for";

const fn access_name(access: Access) -> &'static str {
    match access {
        Access::Anonymous => "Anonymous",
        Access::Api => "Api",
        Access::Bearer => "Bearer",
        Access::Login => "Login",
        Access::Optional => "Optional",
    }
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
        Route::Session(_) => "one of the user's sessions",
        Route::Sessions => "the user's sessions",
        Route::SignedOut(_) => "the return from a sign-out",
    })
}
