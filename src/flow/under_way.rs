//! One request does it, and all others of its isolate that want the same wait for what comes of it.

use super::Context;
use crate::memory::{Begun, PurposeKey, Work};
use crate::runtime::Runtime;
use crate::time::Lifetime;

/// Whose it is to do something.
pub(super) enum Whose<'a> {
    /// That of whoever has this, until it is dropped.
    Ours(Begun<'a>),
    /// Nobody's: another request has done it meanwhile, whatever came of it.
    Nobodys,
    /// Still another request's.
    Another,
}

/// Begins something, or waits until another request is through with it.
pub(super) async fn begin_or_wait<'a, R: Runtime>(
    context: &Context<'a, R>,
    key: PurposeKey,
    patience: Patience,
) -> Whose<'a> {
    let runtime = context.runtime;
    let work = match context.realm.memory.under_way.begin(key, runtime.now()) {
        Ok(begun) => return Whose::Ours(begun),
        Err(work) => work,
    };
    let left = work.left(runtime.now());
    let is_over = runtime.wait(left.min(patience.0), |wake| work.when_over(wake)).await;
    if is_over || !work.counts(runtime.now()) { Whose::Nobodys } else { Whose::Another }
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
