//! The moment up to which every session of the deployment has ended: an operator sets it, and each isolate compares it
//! with the beginning of every session. It is kept in an object of its own, or in Workers KV where there are none.

use super::super::{Context, token_cache};
use super::message::{Ask, Reply};
use super::{ask, is_elsewhere, refused};
use crate::config::{Config, LONGEST_SESSION};
use crate::error::{Error, Failure};
use crate::memory::Watermark;
use crate::runtime::{AccountStorage, Runtime};
use crate::time::{Lifetime, Timestamp};

/// Whether this isolate asked recently enough. Where there is no operator there is nothing to ask.
pub(in crate::flow) fn is_known<R: Runtime>(context: &Context<'_, R>) -> bool {
    is_known_at(&context.app.config, &context.realm.memory.everybody, context.now)
}

/// The same, of what one realm's memory has.
pub(in crate::flow) fn is_known_at(config: &Config, everybody: &Watermark, now: Timestamp) -> bool {
    // One object for all isolates is not asked for every request.
    let delay = config.session.recheck.max(SHORTEST_DELAY);
    config.operator.is_none() || everybody.was_asked(now, delay)
}

/// Asks for the moment, if this isolate does not know it. An outage ends nobody's session.
pub(in crate::flow) async fn learn<R: Runtime>(context: &Context<'_, R>) {
    if is_known(context) {
        return;
    }
    let memory = &context.realm.memory.everybody;
    if !memory.is_unknown() {
        // Before the answer: a crowd must not ask one by one. At first there is nothing that it could go by meanwhile.
        memory.asks(context.now);
    }
    let answer = asked(context).await;
    memory.asks(context.now);
    match answer {
        Ok(Some(moment)) => memory.raise(moment),
        Ok(None) => (),
        Err(Error::CacheUnavailable(fault)) => token_cache::failed(context, NAME, fault),
        Err(_) => (),
    }
}

/// Ends every session that began up to a moment.
pub(in crate::flow) async fn end_all<R: Runtime>(context: &Context<'_, R>, until: Timestamp) -> Result<(), Error> {
    if is_elsewhere(context) {
        super::done(ask(context, NAME, Ask::EndAll { until }).await?)?;
    } else {
        let until = asked(context).await?.map_or(until, |earlier| earlier.max(until));
        let value = until.as_unix().to_be_bytes();
        context.runtime.kv_put(NAME, &value, "{}", LONGEST_SESSION).await.map_err(Error::CacheUnavailable)?;
    }
    context.realm.memory.everybody.raise(until);
    Ok(())
}

/// Inside the object.
pub(super) async fn end(storage: &impl AccountStorage, until: Timestamp) -> Result<Reply, Failure> {
    storage.end_until(until).and_then(|()| storage.wake_at(until + LONGEST_SESSION)).map_err(Failure::Store)?;
    storage.flush().await.map_err(Failure::Store)?;
    Ok(Reply::Done {})
}

async fn asked<R: Runtime>(context: &Context<'_, R>) -> Result<Option<Timestamp>, Error> {
    if !is_elsewhere(context) {
        let value = context.runtime.kv_get(NAME).await.map_err(Error::CacheUnavailable)?;
        let value = value.and_then(|value| value.try_into().ok());
        return Ok(value.map(|value| Timestamp::from_unix(u64::from_be_bytes(value))));
    }
    let reply = ask(context, NAME, Ask::ValidAfter {}).await?;
    if let Reply::ValidAfter(moment) = reply { Ok(moment) } else { Err(refused(reply)) }
}

/// The object's name, and the key in Workers KV.
const NAME: &str = "everybody";
const SHORTEST_DELAY: Lifetime = Lifetime::from_seconds(10);
