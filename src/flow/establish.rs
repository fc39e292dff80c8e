//! What a verified sign-in becomes: an account, a token cache entry, the index that leads to it, and a session.

use serde_json::{Map, Value};

use super::authenticate::SignedIn;
use super::sign_in_scope::SignInScope;
use super::token_endpoint::{self, Purpose};
use super::{Context, Incoming, account, authenticate, claims, documents, sign_out, token_cache, user_flow};
use crate::config::{Config, Provider};
use crate::error::{Error, OpFault};
use crate::json;
use crate::oidc::id_token::IdToken;
use crate::oidc::metadata::Metadata;
use crate::oidc::token::TokenParts;
use crate::oidc::user_info::UserInfo;
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::session::account::AccountDigest;
use crate::session::device;
use crate::session::entry::{Consent, TokenCacheEntry};
use crate::session::login_attempt::{AttemptFault, Interaction};
use crate::session::session::Session;
use crate::session::storage_key::SidKey;
use crate::time::Timestamp;

/// A sign-in whose every check has passed.
pub(super) struct SignIn<'a> {
    /// The verified ID token.
    pub(super) id_token: IdToken,
    /// The token response that it came in.
    pub(super) tokens: TokenParts,
    /// What the access token is for.
    pub(super) purpose: Purpose<'a>,
    /// The OP's session, where the ID token does not name it.
    pub(super) session_state: Option<String>,
    /// The API that the end-user was sent for.
    pub(super) interaction: Option<&'a Interaction>,
    /// The session that this browser had, of whatever account.
    pub(super) previous: Option<&'a SignedIn>,
    /// When the end-user was sent to the OP.
    pub(super) begun_at: Timestamp,
}

/// Begins a session: the entry first, then the index; only then is there anything to put into a cookie.
pub(super) async fn session<R: Runtime>(
    incoming: &Incoming<'_, R>,
    metadata: &Metadata,
    sign_in: SignIn<'_>,
) -> Result<Session, Error> {
    let Context { app, realm, .. } = &incoming.context;
    let account = account(incoming, &sign_in)?;
    // Nothing of anybody else's is taken over.
    let previous = sign_in.previous.filter(|previous| previous.session.account == account);
    let sign_in = SignIn { previous, ..sign_in };
    if sign_in.interaction.is_some_and(|interaction| interaction.account != account) {
        return Err(Error::AccountMismatch);
    }
    let keys = realm.ring.current();
    let record_key = Secret::new(incoming.runtime.random());
    let settings = &app.config.session;
    let session = Session::begin(account, incoming.runtime.random(), record_key, keys.id(), incoming.now, settings);
    account::everybody::learn(incoming).await;
    // Only the comparison with a sign-out counts from there; the session ends no later for it.
    let issued_at = realm.memory.after_sign_out(account, realm.memory.everybody.after(incoming.now));
    let session = Session { issued_at, ..session };
    let begun_at = sign_in.begun_at;
    let entry = entry(incoming, metadata, sign_in).await?;
    let session = account::begin(incoming, session, &entry).await?;
    if let Some(sid_key) = &entry.sid_key {
        index(incoming, &session, sid_key, begun_at).await?;
    }
    realm.memory.remember(session.id, entry, incoming.now);
    Ok(session)
}

/// Makes the session known by the OP's. Where that has ended meanwhile, so has the session.
async fn index<R: Runtime>(
    incoming: &Incoming<'_, R>,
    session: &Session,
    sid_key: &str,
    begun_at: Timestamp,
) -> Result<(), Error> {
    if let Err(error) = account::index(incoming, session, sid_key, begun_at).await {
        // Nobody has its cookie: what cannot be removed now ends by itself.
        sign_out::session(incoming, session, Some(sid_key)).await;
        let is_over = error.ends_session();
        return Err(if is_over { Error::AttemptInvalid(AttemptFault::OpSessionEnded) } else { error });
    }
    if !token_cache::has_store(incoming) {
        return Ok(());
    }
    let entry_key = token_cache::key(incoming, session)?;
    let lifetime = token_cache::lifetime(incoming, session);
    let put = incoming.runtime.kv_put(sid_key, entry_key.as_str().as_bytes(), "{}", lifetime).await;
    match put {
        Err(fault) if account::is_elsewhere(incoming) => token_cache::failed(incoming, "index", fault),
        put => put.map_err(Error::CacheUnavailable)?,
    }
    Ok(())
}

async fn entry<R: Runtime>(
    incoming: &Incoming<'_, R>,
    metadata: &Metadata,
    sign_in: SignIn<'_>,
) -> Result<TokenCacheEntry, Error> {
    let Context { app, realm, .. } = &incoming.context;
    let provider = &realm.provider;
    let (claims, user_info) = known_claims(incoming, metadata, &sign_in).await?;
    let SignIn { id_token, tokens, purpose, session_state, interaction, previous, begun_at } = sign_in;
    // Not signed, so taken only from Entra, which repeats it as `sid` at front-channel logout.
    let session_state = session_state.filter(|_| provider.is_entra);
    let sid = id_token.session_id().map(str::to_owned).or(session_state);
    let issuer = provider.issuer.name();
    let sid_key = sid.map(|sid| SidKey::new(issuer, &sid, incoming.realm.ring.current()));

    let mut entry = TokenCacheEntry::new(id_token.issuer().to_owned(), claims, incoming.now);
    entry.id_token = tokens.id_token.clone().filter(|_| provider.sends_id_token_hint);
    entry.sid_key = sid_key.map(|key| key.as_str().to_owned());
    entry.user_info = user_info;
    entry.device = device::describe(incoming.head.header("user-agent"));
    entry.country = device::country(incoming.head.header("cf-ipcountry"));
    let earlier = previous.map(|previous| previous.entry.as_ref());
    consents((&app.config, provider), interaction, earlier, begun_at)
        .into_iter()
        .for_each(|consent| entry.consent(consent));
    let cached = token_endpoint::cached(&tokens, &purpose, incoming.now);
    entry.declined(purpose.resource, purpose.scopes, &cached.scopes);
    entry.save(cached, incoming.now);
    entry.refresh_token = tokens.refresh_token;
    if let Some(interaction) = interaction {
        if let Some(earlier) = earlier {
            entry.inherit(earlier, incoming.now);
        }
        entry.ask(&interaction.api, interaction.round, incoming.now);
    }
    // The Microsoft identity platform lists those of the one resource that the code was redeemed for, and has no name for
    // it but in the scopes.
    if let Some(granted) = tokens.scope.as_ref().filter(|_| !provider.is_entra) {
        entry.granted(purpose.resource, granted);
    }
    Ok(entry)
}

/// What the new refresh token is good for, as far as anybody knows.
fn consents(
    (config, provider): (&Config, &Provider),
    interaction: Option<&Interaction>,
    earlier: Option<&TokenCacheEntry>,
    begun_at: Timestamp,
) -> Vec<Consent> {
    // A session that another tab began since then had no part in the authorization request.
    let left = earlier.filter(|earlier| earlier.created_at <= begun_at);
    let mut consents = SignInScope::of(config, provider, interaction, left).into_consents();
    // The Microsoft identity platform remembers what it was asked before.
    if let Some(earlier) = earlier.filter(|_| provider.is_entra && interaction.is_some()) {
        let at_first = || SignInScope::of(config, provider, None, None).into_consents();
        consents.extend(earlier.consents().map_or_else(at_first, <[Consent]>::to_vec));
    }
    consents
}

/// Ends the session that this browser had before: its tokens must not outlive its cookie. They are not revoked: some OPs
/// would revoke the new ones with them.
pub(super) async fn end_previous<R: Runtime>(incoming: &Incoming<'_, R>, begun: &Session) {
    // One whose entry cannot be read is ended all the same.
    let Ok(session) = authenticate::session(incoming) else { return };
    // A second sign-in within one session of the OP: that index entry leads to the new session now.
    let taken_over = incoming.realm.memory.stale_entry(begun.id).and_then(|entry| entry.sid_key.clone());
    let farewell = sign_out::session(incoming, &session, taken_over.as_deref()).await;
    if let Err(Error::CacheUnavailable(fault)) = farewell.outcome {
        token_cache::failed(incoming, "previous entry", fault);
    }
}

/// The home account at the Microsoft identity platform, from the token response only: what the browser carries back
/// can be edited by its user.
fn account<R: Runtime>(incoming: &Incoming<'_, R>, sign_in: &SignIn<'_>) -> Result<AccountDigest, Error> {
    if !incoming.realm.provider.is_entra {
        return Ok(AccountDigest::from_subject(sign_in.id_token.issuer(), sign_in.id_token.subject()));
    }
    let info = sign_in.tokens.client_info.as_deref().and_then(|info| user_flow::client_info(incoming, info));
    let info = info.ok_or(Error::OpMisbehaved(OpFault::ClientInfo))?;
    let id_token = &sign_in.id_token;
    // An Azure AD B2C policy need not send `oid`; `sub` is the same there.
    if !info.fits(id_token.tenant(), id_token.object_id().unwrap_or_else(|| id_token.subject())) {
        return Err(Error::OpMisbehaved(OpFault::ClientInfoMismatch));
    }
    Ok(AccountDigest::from_client_info(&info))
}

/// The claims to keep, the ID token's and, where configured, those that only UserInfo has; and the names of the latter.
async fn known_claims<R: Runtime>(
    incoming: &Incoming<'_, R>,
    metadata: &Metadata,
    sign_in: &SignIn<'_>,
) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let mut claims = claims::of(&sign_in.id_token);
    let mut user_info = Vec::new();
    for (name, value) in more_claims(incoming, metadata, sign_in).await? {
        // The ID token's own word counts, and UserInfo repeats some of the protocol's.
        let is_elsewhere = claims::is_of_the_protocol(&name) || claims::is_of_the_sign_in(&name);
        if !claims.contains_key(&name) && !is_elsewhere {
            user_info.push(name.clone());
            claims.insert(name, value);
        }
    }
    Ok((claims, user_info))
}

/// What UserInfo says. A sign-in for an API brings a token for that API, which UserInfo does not take; the answer is known
/// from before.
async fn more_claims<R: Runtime>(
    incoming: &Incoming<'_, R>,
    metadata: &Metadata,
    sign_in: &SignIn<'_>,
) -> Result<Map<String, Value>, Error> {
    if !incoming.realm.provider.user_info {
        return Ok(Map::new());
    }
    if sign_in.interaction.is_some() {
        let earlier = sign_in.previous.map(|previous| &previous.entry);
        let mut known = earlier.into_iter().flat_map(|entry| {
            entry.user_info.iter().filter_map(|name| Some((name.as_str(), entry.claims.get(name)?.clone())))
        });
        return Ok(json::collected(&mut known));
    }
    let Some(endpoint) = &metadata.userinfo_endpoint else { return Ok(Map::new()) };
    let token = &sign_in.tokens.access_token;
    let answer = documents::get(incoming, "userinfo", endpoint.as_str(), Some(token)).await?;
    let user_info = UserInfo::parse(&answer, sign_in.id_token.subject());
    user_info.map(UserInfo::into_claims).map_err(|fault| Error::OpMisbehaved(OpFault::UserInfo(fault)))
}
