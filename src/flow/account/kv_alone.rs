//! Ending sessions where the store is all there is: by listing, which lags behind writes in Workers KV.

use super::super::{Context, token_cache};
use super::failure;
use super::which::Which;
use crate::error::Failure;
use crate::runtime::{KvListing, Runtime};
use crate::session::entry::EntryMetadata;
use crate::session::storage_key::{EntryKey, SidKey};

/// Ends sessions of an account. `own` is an entry that is not left to the listing, which lags behind
/// writes, with its index key; `kept` an index key that leads to another session by now.
pub(in crate::flow) async fn end<R: Runtime>(
    context: &Context<'_, R>,
    (prefix, which): (&str, Which<'_>),
    own: Option<(String, Option<String>)>,
    kept: Option<&str>,
) -> Result<(), Failure> {
    let is_alone = match (which, &own) {
        // Even where only that one ends: its index may lead to others, too.
        (Which::One(_), Some((_, sid))) => sid.is_none() || sid.as_deref() == kept,
        (Which::Of(..) | Which::One(_) | Which::Until(_) | Which::Whole(_), _) => false,
    };
    let listed =
        if is_alone { Vec::new() } else { token_cache::list(context, prefix).await.map_err(Failure::Store)? };
    let mut ended: Vec<(String, Option<String>)> = Vec::new();
    let mut done: Vec<String> = kept.map(str::to_owned).into_iter().collect();
    for KvListing { key, metadata } in listed {
        let metadata = metadata.as_deref().and_then(EntryMetadata::parse);
        let is_meant = match which {
            Which::One(id) => EntryKey::under(prefix, id).as_str() == key,
            Which::Of(..) | Which::Until(_) | Which::Whole(_) => which.means(metadata.as_ref()),
        };
        let sid = metadata.and_then(|metadata| metadata.sid);
        if is_meant {
            ended.push((key, sid));
        } else {
            done.extend(sid);
        }
    }
    ended.extend(own.filter(|(own, _)| !ended.iter().any(|(key, _)| key == own)));
    // From here on a refresh that is under way in this isolate keeps nothing.
    let ids = ended.iter().filter_map(|(key, _)| EntryKey::parse(key)?.session());
    ids.for_each(|id| context.realm.memory.end(id));
    // Before each entry the index entry that it names: a second attempt must still find both.
    let mut keys = Vec::new();
    for (key, sid) in &ended {
        // Each key once: Workers KV takes one change of it in a second.
        let sid = sid.as_deref().filter(|sid| SidKey::parse(sid).is_some() && !done.iter().any(|done| done == sid));
        done.extend(sid.map(str::to_owned));
        keys.extend(sid.into_iter().chain([key.as_str()]));
    }
    for keys in keys.chunks(token_cache::most_at_once(context)) {
        token_cache::delete(context, keys).await.map_err(failure)?;
    }
    Ok(())
}
