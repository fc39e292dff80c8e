//! Calls of downstream APIs: the request goes on with an access token, and an answer that asks for another attempt gets
//! one where nothing can be lost.
//!
//! The `at_once` half decides without waiting, from this isolate's memory; the other ends in the same plan.

use std::borrow::Cow;

use super::account::Cause;
use super::acquire::Credential;
use super::at_once::AtOnce;
use super::caller::Caller;
use super::standing::Standing;
use super::{Incoming, cors};
use crate::config::{Api, ApiToken};
use crate::error::Error;
use crate::forwarding::{AnswerEdits, Destination, ForwardPlan, Relinking, api_address, api_headers};
use crate::oidc::challenge::BearerChallenge;
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::retry_after::retry_after;
use crate::request::Target;
use crate::rules::Rule;
use crate::runtime::Runtime;
use crate::time::{Lifetime, Timestamp};

/// The plan for a call whose token is in memory and outside its expiry window, and by what it stands.
pub(super) fn at_once<R: Runtime>(
    incoming: &Incoming<'_, R>,
    (api, target, rule): (&Api, Target<'_>, &Rule),
) -> Option<AtOnce> {
    let caller = Caller::at_once(incoming, rule)?;
    let credential = caller.credential_at_once(incoming, api)?;
    let plan = plan(incoming, &caller, (api, target, rule), &credential);
    let standing = standing(incoming, &caller, (api, target, rule), credential.fresh_until());
    Some(AtOnce { plan, standing })
}

/// A plan for a signed-in browser stands until its token is due.
fn standing<R: Runtime>(
    incoming: &Incoming<'_, R>,
    caller: &Caller,
    (api, target, rule): (&Api, Target<'_>, &Rule),
    until: Timestamp,
) -> Option<Standing> {
    let Caller::User(signed_in) = caller else { return None };
    // A token of the application is everybody's, and may be replaced meanwhile; one that is due is about to be.
    if api.token == ApiToken::App || until <= incoming.now || !api.extra_query.is_empty() {
        return None;
    }
    Standing::for_user(incoming, rule, signed_in, (until, target.length()))
}

/// Calls an API for whoever may.
pub(super) async fn serve<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
    (api, target, rule): (&Api, Target<'_>, &Rule),
) -> Result<R::Forwarded, Error> {
    let caller = Caller::authenticated(incoming, rule).await?;
    // Before the body: it cannot be sent twice.
    let credential = caller.credential(incoming, api).await?;
    let call = ApiCall { incoming, inbound, api, target, rule, caller };
    let answer = call.send(&credential).await?;
    call.settle(answer, &Sent::Credential(&credential)).await
}

/// Looks at the answer to a call that [`at_once`] planned with the token of that moment.
pub(super) async fn reconsider<R: Runtime>(
    incoming: &Incoming<'_, R>,
    inbound: &R::Inbound,
    (api, target, rule): (&Api, Target<'_>, &Rule),
    answer: R::Forwarded,
    issued_at: Timestamp,
) -> Result<R::Forwarded, Error> {
    let caller = match Caller::again(incoming, rule).await {
        Ok(caller) => caller,
        Err(error) => {
            incoming.runtime.discard(answer);
            return Err(error);
        }
    };
    ApiCall { incoming, inbound, api, target, rule, caller }.settle(answer, &Sent::At(issued_at)).await
}

/// One call, which is sent twice at most.
struct ApiCall<'a, R: Runtime> {
    incoming: &'a Incoming<'a, R>,
    inbound: &'a R::Inbound,
    api: &'a Api,
    target: Target<'a>,
    rule: &'a Rule,
    caller: Caller,
}

impl<R: Runtime> ApiCall<'_, R> {
    async fn send(&self, credential: &Credential) -> Result<R::Forwarded, Error> {
        let carried = self.caller.carried(self.incoming)?;
        let plan = plan(self.incoming, &self.caller, (self.api, self.target, self.rule), credential);
        let plan = ForwardPlan { carried, ..plan };
        let answer = self.incoming.runtime.forward(self.inbound, &plan).await;
        answer.map_err(|fault| Error::ApiUnreachable(self.api.name.clone(), fault))
    }

    /// Passes an answer on, or what a second attempt brings.
    async fn settle(&self, answer: R::Forwarded, sent: &Sent<'_>) -> Result<R::Forwarded, Error> {
        match self.incoming.runtime.status(&answer) {
            // An API that is called without a token gets none by asking for one.
            401 if self.api.token != ApiToken::None => match self.demand(&answer) {
                Some(demand) => self.with_another_token(answer, demand.claims, sent).await,
                None => Ok(answer),
            },
            429 | 503 => self.after_a_while(answer).await,
            _ => Ok(answer),
        }
    }

    /// With another token, once. A body cannot be sent again: then the answer goes to the caller, whose next call finds
    /// the other token, or the end-user is asked.
    async fn with_another_token(
        &self,
        answer: R::Forwarded,
        claims: Option<ClaimsChallenge>,
        sent: &Sent<'_>,
    ) -> Result<R::Forwarded, Error> {
        let cause = Cause::Rejected { token: self.rejected(sent), claims };
        let replacement = self.caller.replacement(self.incoming, self.api, &cause).await;
        let has_body = self.incoming.head.has_body();
        let token = match replacement {
            Ok(None) => return Ok(answer),
            Ok(Some(_)) if has_body => return Ok(answer),
            Err(error) if has_body && !is_about_the_user(&error) => return Ok(answer),
            Ok(Some(token)) => Ok(token),
            Err(error) => Err(error),
        };
        self.incoming.runtime.discard(answer);
        let answer = self.send(&token?).await?;
        let demanded = if self.incoming.runtime.status(&answer) == 401 { self.demand(&answer) } else { None };
        match demanded.and_then(|demand| demand.claims) {
            Some(claims) if self.api.token == ApiToken::User => {
                self.incoming.runtime.discard(answer);
                Err(self.caller.demanded(self.incoming, self.api, claims))
            }
            Some(_) | None => Ok(answer),
        }
    }

    /// After the time that the API asks for, if a person would wait so long and sending twice is the same as once.
    async fn after_a_while(&self, answer: R::Forwarded) -> Result<R::Forwarded, Error> {
        let Incoming { context, head, route } = self.incoming;
        let wait = context.runtime.answer_header(&answer, "retry-after");
        let wait =
            wait.and_then(|value| retry_after(&value, context.runtime.now())).filter(|wait| *wait <= LONGEST_WAIT);
        let Some(wait) = wait.filter(|_| head.method.is_idempotent() && !head.has_body()) else { return Ok(answer) };
        context.runtime.discard(answer);
        context.runtime.sleep(wait).await;
        let later = Incoming::new(context.app, *route, context.runtime, head, context.trace.clone());
        let credential = self.caller.credential(&later, self.api).await?;
        self.send(&credential).await
    }

    /// What a 401 asks for that another token can bring; `None` if nothing can be known of it.
    fn demand(&self, answer: &R::Forwarded) -> Option<Demand> {
        let field = self.incoming.runtime.answer_header(answer, "www-authenticate")?;
        let challenges = BearerChallenge::parse_field(&field);
        let claims = challenges.iter().filter(|challenge| challenge.is_insufficient_claims());
        if let Some(claims) = claims.filter_map(|challenge| challenge.claims.clone()).next() {
            return Some(Demand { claims: Some(claims) });
        }
        let is_invalid = |challenge: &BearerChallenge| challenge.error.as_deref() == Some("invalid_token");
        challenges.iter().any(is_invalid).then_some(Demand { claims: None })
    }

    /// Names the token that the API refused; nothing, if another one has taken its place by now.
    fn rejected(&self, sent: &Sent<'_>) -> String {
        let digest = match sent {
            Sent::At(issued_at) => self.caller.digest_of(self.incoming, self.api, *issued_at),
            Sent::Credential(credential) => credential.digest(),
        };
        digest.unwrap_or_default()
    }
}

/// Whether only the end-user can bring another token, so that the caller has to be told.
const fn is_about_the_user(error: &Error) -> bool {
    matches!(error, Error::InteractionRequired(_) | Error::InteractionLoop(_) | Error::NotExchanged(..))
}

/// What is known of the token of the first attempt.
enum Sent<'a> {
    /// When it was issued.
    At(Timestamp),
    /// All of it.
    Credential(&'a Credential),
}

/// What an API asks for.
struct Demand {
    claims: Option<ClaimsChallenge>,
}

fn plan<R: Runtime>(
    incoming: &Incoming<'_, R>,
    caller: &Caller,
    (api, target, rule): (&Api, Target<'_>, &Rule),
    credential: &Credential,
) -> ForwardPlan {
    let (remove, mut set) = api_headers(api, incoming.head, &incoming.app.config.gateway.claim_headers);
    if let Credential::Token { token, .. } = credential {
        set.push((Cow::Borrowed("authorization"), format!("Bearer {}", token.expose())));
    }
    let mut answer = AnswerEdits {
        set_cookie: caller.rolled(incoming),
        drop_cookies: true,
        force_no_store: true,
        links: links(incoming, api),
        ..AnswerEdits::default()
    };
    cors::edit(&mut answer, incoming.head, rule);
    ForwardPlan {
        destination: Destination::Url(api_address(api, target)),
        remove,
        set,
        timeout: api.timeout,
        may_be_cached: false,
        reconsider: Some(credential.issued_at().unwrap_or(Timestamp::from_unix(0))),
        answer,
        carried: None,
        measure: None,
    }
}

/// The API's own address becomes that of the gateway, at the origin that the page is of.
fn links<R: Runtime>(incoming: &Incoming<'_, R>, api: &Api) -> Option<Relinking> {
    api.rewrites_links.then(|| Relinking {
        from: api.base_url.as_str().trim_end_matches('/').to_owned(),
        to: incoming.public_url(&format!("{}/{}", incoming.app.config.paths.api, api.name)),
    })
}

/// Longer than this a person looks at nothing.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(5);
