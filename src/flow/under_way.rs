//! One request does it, and all others of its isolate that want the same wait for what comes of it.

use super::Context;
use crate::memory::{Begun, PurposeKey, Work};
use crate::runtime::Runtime;
use crate::time::Lifetime;

/// Begins something, which is the caller's to do as long as it has what it is given. If another request is at it, waits until
/// that is through, whatever came of it, or for as long as `patience` says: none.
pub(super) async fn begin_or_wait<'a, R: Runtime>(
    context: &Context<'a, R>,
    key: PurposeKey,
    patience: Patience,
) -> Option<Begun<'a>> {
    let runtime = context.runtime;
    let work = match context.realm.memory.under_way.begin(key, runtime.now()) {
        Ok(begun) => return Some(begun),
        Err(work) => work,
    };
    let left = work.left(runtime.now());
    runtime.wait(left.min(patience.0), |wake| work.when_over(wake)).await;
    None
}

/// How long to wait.
#[derive(Clone, Copy)]
pub(super) struct Patience(Lifetime);

impl Patience {
    /// As long as a person would wait.
    pub(super) const OF_A_PERSON: Self = Self(Lifetime::from_seconds(2));
    /// As long as anything counts as under way: what the OP is asked for once is worth the wait.
    pub(super) const FOR_THE_OP: Self = Self(Work::LONGEST);
}
