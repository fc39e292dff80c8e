//! Which sessions of an account end.

use crate::session::entry::EntryMetadata;
use crate::session::session::SessionId;
use crate::time::Timestamp;

/// Which sessions of an account end.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// Those of one session of the OP that began up to a moment, and those of which it is not known whose they are.
    Of(&'a str, Timestamp),
    /// One.
    One(SessionId),
    /// All that began up to a moment.
    Until(Timestamp),
    /// All there are, whatever the clock said where they began; at least up to a moment.
    Whole(Timestamp),
}

/// The same as a user or an operator says it.
#[derive(Clone, Copy)]
pub(crate) enum Chosen {
    /// One.
    One(SessionId),
    /// All that began up to a moment.
    Until(Timestamp),
    /// All there are; at least up to a moment.
    Whole(Timestamp),
}

impl Chosen {
    /// All that began up to a moment; all there are if that is now.
    pub(crate) fn until(until: Timestamp, now: Timestamp) -> Self {
        if until >= now { Self::Whole(now) } else { Self::Until(until) }
    }
}

impl From<Chosen> for Which<'_> {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::One(id) => Self::One(id),
            Chosen::Until(until) => Self::Until(until),
            Chosen::Whole(least) => Self::Whole(least),
        }
    }
}

impl<'a> Which<'a> {
    /// Those that the OP says are over, by an index key of its session or all of the account.
    pub(crate) fn logged_out(sid: Option<&'a str>, until: Timestamp, now: Timestamp) -> Self {
        sid.map_or_else(|| Chosen::until(until, now).into(), |sid| Self::Of(sid, until))
    }

    /// Whether a session is meant of which only that much is known, by the name under which it is looked for.
    pub(super) fn means(self, metadata: Option<&EntryMetadata>) -> bool {
        match self {
            Self::Of(sid, until) => metadata.is_none_or(|metadata| {
                metadata.created <= until && metadata.sid.as_deref().is_none_or(|own| own == sid)
            }),
            Self::Until(until) => metadata.is_none_or(|metadata| metadata.created <= until),
            Self::One(_) | Self::Whole(_) => true,
        }
    }
}
