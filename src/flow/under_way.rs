//! One request does it, and all others of its isolate that want the same wait for what comes of it.

use super::Context;
use crate::memory::{Begun, PurposeKey};
use crate::runtime::Runtime;

/// Whose it is to do something.
pub(super) enum Whose<'a> {
    /// That of whoever has this, until it is dropped.
    Ours(Begun<'a>),
    /// Nobody's: another request has done it meanwhile, whatever came of it.
    Nobodys,
    /// Still another request's.
    Another,
}

/// Begins something, or waits until another request is through with it. One request must not wake another, so whoever
/// waits looks again and again.
pub(super) async fn begin_or_wait<'a, R: Runtime>(
    context: &Context<'a, R>,
    key: PurposeKey,
    patience: Patience,
) -> Whose<'a> {
    let (under_way, runtime) = (&context.realm.memory.under_way, context.runtime);
    if let Some(begun) = under_way.begin(key, runtime.now()) {
        return Whose::Ours(begun);
    }
    for _ in 0..patience.0 {
        runtime.moment().await;
        if !under_way.has(key, runtime.now()) {
            return Whose::Nobodys;
        }
    }
    Whose::Another
}

/// How often to look.
#[derive(Clone, Copy)]
pub(super) struct Patience(usize);

impl Patience {
    /// For a second or two, as long as a person would wait.
    pub(super) const OF_A_PERSON: Self = Self(30);
    /// For longer than anything counts as under way: what the OP is asked for once is worth the wait.
    pub(super) const FOR_THE_OP: Self = Self(800);
}
