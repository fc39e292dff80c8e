//! The OpenID Provider's documents: metadata (OIDC Discovery 4) and keys (RFC 7517), from this isolate's memory, then
//! the store where there is one, then the OP. An outage of the OP is bridged with the last copy that anyone has.
//!
//! A copy is written to the store only after somebody has signed in: anonymous traffic writes nothing.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{Context, token_cache};
use crate::error::{Error, OpFault};
use crate::memory::{Documents, Held, Slot};
use crate::oidc::jwks::Jwks;
use crate::oidc::metadata::Metadata;
use crate::oidc::retry_after::retry_after;
use crate::runtime::{OpRequest, OpResponse, RETRY_AFTER, Runtime, TransportFault};
use crate::secret::Secret;
use crate::time::{Lifetime, Timestamp};

/// The OP's metadata.
pub(super) async fn metadata<R: Runtime>(context: &Context<'_, R>) -> Result<Rc<Metadata>, Error> {
    let provider = &context.realm.provider;
    let source = Source {
        url: provider.metadata_url_of(context.user_flow).as_str(),
        name: "metadata",
        parse: |bytes: &[u8]| Metadata::parse(bytes, &provider.issuer).map_err(OpFault::Metadata),
    };
    source.read(context, &held(context).metadata, METADATA_LIFETIME).await
}

/// The OP's keys. Where they must be new, the OP is asked again, but at most once per configured interval.
pub(super) async fn jwks<R: Runtime>(
    context: &Context<'_, R>,
    metadata: &Metadata,
    must_be_new: bool,
) -> Result<Rc<Jwks>, Error> {
    let source = Source {
        url: metadata.jwks_uri.as_str(),
        name: "jwks",
        parse: |bytes: &[u8]| Jwks::parse(bytes).map_err(OpFault::Jwks),
    };
    let lifetime = if must_be_new { context.realm.provider.jwks_refetch } else { JWKS_LIFETIME };
    source.read(context, &held(context).jwks, lifetime).await
}

/// How the OP just failed to send its keys, if it did: those in memory may be older than a token.
pub(super) fn recent_failure<R: Runtime>(context: &Context<'_, R>) -> Option<TransportFault> {
    held(context).jwks.recent_failure(context.now, PAUSE_AFTER_FAILURE)
}

/// Writes to the store what this isolate fetched and the store does not have. A failure costs the next isolate a fetch.
pub(super) async fn store<R: Runtime>(context: &Context<'_, R>) {
    if !token_cache::has_store(context) {
        return;
    }
    let Documents { metadata, jwks } = held(context);
    for (name, unstored) in [("metadata", metadata.take_unstored()), ("jwks", jwks.take_unstored())] {
        let Some((source, fetched_at)) = unstored else { continue };
        let mut value = fetched_at.as_unix().to_be_bytes().to_vec();
        value.extend_from_slice(&source);
        let key = storage_key(context, name);
        if let Err(fault) = context.runtime.kv_put(&key, &value, "{}", STORED_LIFETIME).await {
            token_cache::failed(context, name, fault);
        }
    }
}

struct Source<'a, P> {
    url: &'a str,
    name: &'static str,
    parse: P,
}

impl<P> Source<'_, P> {
    async fn read<R: Runtime, T>(
        &self,
        context: &Context<'_, R>,
        slot: &Slot<T>,
        lifetime: Lifetime,
    ) -> Result<Rc<T>, Error>
    where
        P: Fn(&[u8]) -> Result<T, OpFault>,
    {
        let is_fresh = |fetched_at: Timestamp| fetched_at + lifetime > context.now;
        if let Some((document, fetched_at)) = slot.read()
            && is_fresh(fetched_at)
        {
            return Ok(document);
        }
        if let Some(held) = self.stored(context).await
            && slot.read().is_none_or(|(_, fetched_at)| fetched_at < held.fetched_at)
        {
            let (document, fetched_at) = (Rc::clone(&held.document), held.fetched_at);
            slot.hold(held);
            if is_fresh(fetched_at) {
                return Ok(document);
            }
        }
        self.renewed(context, slot).await
    }

    /// The document from the OP, or in an outage the last one that anyone has.
    async fn renewed<R: Runtime, T>(&self, context: &Context<'_, R>, slot: &Slot<T>) -> Result<Rc<T>, Error>
    where
        P: Fn(&[u8]) -> Result<T, OpFault>,
    {
        let known = || slot.read().map(|(document, _)| document);
        if let Some(fault) = slot.recent_failure(context.now, PAUSE_AFTER_FAILURE) {
            return known().ok_or(Error::OpUnreachable(fault));
        }
        match self.fetch(context).await {
            Ok(held) => {
                let document = Rc::clone(&held.document);
                slot.hold(held);
                Ok(document)
            }
            Err(error) => {
                if let Error::OpUnreachable(fault) = error {
                    slot.failed(fault, context.now);
                }
                known().ok_or(error)
            }
        }
    }

    async fn stored<R: Runtime, T>(&self, context: &Context<'_, R>) -> Option<Held<T>>
    where
        P: Fn(&[u8]) -> Result<T, OpFault>,
    {
        if !token_cache::has_store(context) {
            return None;
        }
        let value = context.runtime.kv_get(&storage_key(context, self.name)).await.ok()??;
        let (fetched_at, source) = value.split_first_chunk::<8>()?;
        let document = Rc::new((self.parse)(source).ok()?);
        let fetched_at = Timestamp::from_unix(u64::from_be_bytes(*fetched_at));
        Some(Held { document, source: source.into(), fetched_at, is_stored: true })
    }

    async fn fetch<R: Runtime, T>(&self, context: &Context<'_, R>) -> Result<Held<T>, Error>
    where
        P: Fn(&[u8]) -> Result<T, OpFault>,
    {
        let body = get(context, self.name, self.url, None).await?;
        let document = (self.parse)(&body).map_err(Error::OpMisbehaved)?;
        Ok(Held { document: Rc::new(document), source: body.into(), fetched_at: context.now, is_stored: false })
    }
}

/// Gets JSON from the OP, with an access token where the endpoint wants one: the body of a 200; everything else is an
/// outage or a broken promise.
pub(super) async fn get<R: Runtime>(
    context: &Context<'_, R>,
    endpoint: &'static str,
    url: &str,
    access_token: Option<&Secret>,
) -> Result<Vec<u8>, Error> {
    let mut request = OpRequest::get(url);
    // A token that is no header value was refused with its response.
    let authorized = access_token.map_or(Ok(()), |token| request.authorize(token));
    authorized.map_err(|_| Error::Bug("a request to the OP is malformed"))?;
    let response = context.call_op(request).await.map_err(Error::OpUnreachable)?;
    match (response.status, outage(&response, context.now)) {
        (200, _) => Ok(response.body),
        (_, Some(fault)) => Err(Error::OpUnreachable(fault)),
        (status, None) => Err(Error::OpMisbehaved(OpFault::Status(endpoint, status))),
    }
}

/// Whether an answer only says that the OP cannot answer now.
pub(super) fn outage(response: &OpResponse, now: Timestamp) -> Option<TransportFault> {
    let status = response.status;
    let wait = response.retry_after.as_deref().and_then(|value| retry_after(value, now));
    match (status, wait.map(Lifetime::as_seconds)) {
        (429, wait) => Some(TransportFault::Busy { retry_after: wait.unwrap_or(RETRY_AFTER) }),
        (503, Some(retry_after)) => Some(TransportFault::Busy { retry_after }),
        // Without a wait it is a stumble like the others.
        (500.., _) => Some(TransportFault::Failing(status)),
        _ => None,
    }
}

/// The documents of the authority that the context is about.
const fn held<'a, R>(context: &Context<'a, R>) -> &'a Documents {
    context.realm.memory.documents(context.user_flow)
}

fn storage_key<R: Runtime>(context: &Context<'_, R>, name: &str) -> String {
    let authority = Sha256::digest(context.realm.provider.metadata_url_of(context.user_flow).as_str());
    format!("op/{}/{name}", URL_SAFE_NO_PAD.encode(authority))
}

const METADATA_LIFETIME: Lifetime = Lifetime::from_seconds(12 * 3600);
const JWKS_LIFETIME: Lifetime = Lifetime::from_seconds(12 * 3600);
/// A stored copy outlives its freshness, to bridge an outage.
const STORED_LIFETIME: Lifetime = Lifetime::from_seconds(7 * 24 * 3600);
/// For so long after an outage the OP is not asked again: what `Retry-After` tells visitors, too.
const PAUSE_AFTER_FAILURE: Lifetime = Lifetime::from_seconds(RETRY_AFTER);
