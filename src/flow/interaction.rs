//! When only the end-user can help: a sign-in for exactly what one API lacks, counted, so that nobody is sent round and
//! round.

use std::rc::Rc;

use super::Incoming;
use super::account;
use super::authenticate::{self, SignedIn};
use crate::config::Api;
use crate::error::{Error, Failure, InteractionNeed, InteractionReason};
use crate::oidc::claims_challenge::ClaimsChallenge;
use crate::oidc::tenant::PERSONAL_ACCOUNTS;
use crate::runtime::Runtime;
use crate::session::entry::{MAX_INTERACTIONS, TokenCacheEntry};
use crate::session::login_attempt::Interaction;
use crate::session::login_request::LoginRequest;

/// The error of a renewal that failed for an API.
pub(super) fn error<R: Runtime>(
    incoming: &Incoming<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
    failure: Failure,
) -> Error {
    match failure {
        Failure::NeedsUser { reason, claims } => required(incoming, signed_in, api, reason, claims),
        failure @ (Failure::Ended(_)
        | Failure::OpRefused(_)
        | Failure::OpUnreachable(_)
        | Failure::Store(_)
        | Failure::Untrusted) => account::error(failure),
    }
}

/// The end-user is needed, unless they were asked for the same in vain.
pub(super) fn required<R: Runtime>(
    incoming: &Incoming<'_, R>,
    signed_in: &SignedIn,
    api: &Api,
    reason: InteractionReason,
    claims: Option<ClaimsChallenge>,
) -> Error {
    let account = signed_in.session.account;
    // Whatever was asked for: an API may demand other claims every time.
    let round = signed_in.entry.times_asked(&api.name, incoming.now);
    if round >= MAX_INTERACTIONS {
        return Error::InteractionLoop(api.name.clone());
    }
    let interaction = Interaction { api: api.name.clone(), claims, account, round };
    Error::InteractionRequired(Box::new(InteractionNeed { interaction, scopes: api.scopes.clone(), reason }))
}

/// The value of `request` at the login, for a script to send its user to.
pub(super) fn sealed_request<R: Runtime>(incoming: &Incoming<'_, R>, interaction: &Interaction) -> String {
    let request = LoginRequest { interaction: interaction.clone(), created_at: incoming.now };
    request.seal(&incoming.realm.ring, incoming.runtime.random())
}

/// The entry of whoever is sent to the OP: not that of somebody else who signed in since the address was handed out.
pub(super) async fn entry_of_who_left<R: Runtime>(
    incoming: &Incoming<'_, R>,
    interaction: Option<&Interaction>,
) -> Option<Rc<TokenCacheEntry>> {
    let account = interaction?.account;
    let signed_in = authenticate::signed_in(incoming).await.ok()?;
    (signed_in.session.account == account).then_some(signed_in.entry)
}

/// Who is about to sign in, for the OP: never a display name.
pub(super) fn login_hint(entry: &TokenCacheEntry) -> Option<&str> {
    ["login_hint", "preferred_username", "email"].iter().find_map(|claim| entry.claim(claim))
}

/// The Microsoft identity platform's two kinds of homes.
pub(super) fn domain_hint(entry: &TokenCacheEntry) -> Option<&'static str> {
    let tenant = entry.claim("tid")?;
    Some(if tenant == PERSONAL_ACCOUNTS { "consumers" } else { "organizations" })
}
