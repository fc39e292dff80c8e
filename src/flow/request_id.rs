//! `client-request-id` of token requests: what the Microsoft identity platform keeps in its log, and gives back as the
//! correlation id of an error. It follows from our own trace, so the lines of both logs find each other.

use sha2::{Digest, Sha256};

use super::{Context, hex};
use crate::runtime::OpRequest;

/// The id for all that is asked of the OP under one trace; none for OPs that know no such thing.
pub(super) fn request_id<R>(context: &Context<'_, R>) -> Option<String> {
    context.realm.provider.is_entra.then(|| of(&context.trace))
}

/// Puts it on a request.
pub(super) fn identify<R>(context: &Context<'_, R>, request: &mut OpRequest) {
    // An id of ours is never malformed.
    let _ = request_id(context).map(|id| request.set("client-request-id", id));
}

/// A UUID of version 8 (RFC 9562 §5.8), which only says what it was made from: the hash of the trace.
fn of(trace: &str) -> String {
    let digits = hex(Sha256::digest(trace).as_slice());
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    [part(0..8), "-", part(8..12), "-8", part(13..16), "-8", part(17..20), "-", part(20..32)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_one_id_and_another_trace_another() {
        assert_eq!(of("8f2a3b4c5d6e7f80-FRA"), of("8f2a3b4c5d6e7f80-FRA"));
        assert_ne!(of("8f2a3b4c5d6e7f80-FRA"), of("8f2a3b4c5d6e7f81-FRA"));
        // echo -n a | sha256sum
        assert_eq!(of("a"), "ca978112-ca1b-8dca-8ac2-31b39a23dc4d");
    }
}
