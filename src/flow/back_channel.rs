//! Back-channel logout (OpenID Connect Back-Channel Logout 1.0): the OP says in a signed token that a session of its own,
//! or all of an end-user's, are over. The answer is 200 only once that cannot be undone here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::form_urlencoded;

use super::account::LogoutTokenId;
use super::log::{self, Event};
use super::op_logout::{self, Heard, OpLogout};
use super::{Incoming, refusal, verify_logout_token};
use crate::answer::Answer;
use crate::error::{Error, LogoutRequestFault};
use crate::json::members;
use crate::oidc::logout_token::LogoutToken;
use crate::request::Method;
use crate::runtime::Runtime;
use crate::session::account::AccountDigest;

/// `/.auth/backchannel-logout`: the OP's request (§2.5) and the answer that it understands (§2.8).
pub(super) async fn requested<R: Runtime>(incoming: &Incoming<'_, R>, inbound: &R::Inbound) -> Answer {
    match ended(incoming, inbound).await {
        Ok(()) => Answer::empty(200),
        Err(error) => {
            incoming.refused(&error);
            if error.status() == 400 {
                Answer::oauth_error("invalid_request")
            } else {
                refusal::problem(incoming, &error)
            }
        }
    }
}

async fn ended<R: Runtime>(incoming: &Incoming<'_, R>, inbound: &R::Inbound) -> Result<(), Error> {
    incoming.only(&[Method::Post], "POST")?;
    let compact = token(incoming, inbound).await.map_err(Error::LogoutRequestInvalid)?;
    let token = verify_logout_token::verify(incoming, &compact).await?;
    let provider = &incoming.realm.provider;
    // At the Microsoft identity platform `sub` is another one in each application, and no account is known by it.
    let subject = token.subject().filter(|_| !provider.is_entra);
    let account = subject.map(|subject| AccountDigest::from_subject(token.issuer(), subject));
    if account.is_none() && token.session_id().is_none() {
        return Err(Error::LogoutRequestInvalid(LogoutRequestFault::SessionMissing));
    }
    let logout = OpLogout {
        account,
        sid: token.session_id(),
        // Not those that began later: the same token, sent again, must not end them.
        until: token.issued_at() + provider.clock_skew,
        token: Some(LogoutTokenId { digest: digest(&token), expires_at: token.expires_at() + provider.clock_skew }),
    };
    let heard = op_logout::carry_out(incoming, &logout).await?;
    if heard == Heard::Replayed {
        return Err(Error::LogoutRequestInvalid(LogoutRequestFault::Replayed));
    }
    let details =
        members([("known", (heard == Heard::Ended).into()), ("names_sid", token.session_id().is_some().into())]);
    log::happened(incoming, Event::LogoutByBackChannel, None, details);
    Ok(())
}

/// The one `logout_token` of the form.
async fn token<R: Runtime>(incoming: &Incoming<'_, R>, inbound: &R::Inbound) -> Result<String, LogoutRequestFault> {
    let form = incoming.form(inbound).await.ok_or(LogoutRequestFault::NoForm)?;
    let mut tokens = form_urlencoded::parse(&form).filter(|(name, _)| name == "logout_token");
    let token = tokens.next().ok_or(LogoutRequestFault::TokenMissing)?.1.into_owned();
    if tokens.next().is_some() { Err(LogoutRequestFault::Duplicate) } else { Ok(token) }
}

/// `jti` is unique only within its issuer (RFC 7519 §4.1.7).
fn digest(token: &LogoutToken) -> String {
    let mut hash = Sha256::new();
    for part in [token.issuer(), token.token_id()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}
