//! What the Worker and an account's object say to each other. A record key travels in it, so that the object can open the
//! entry while it answers; the object keeps none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cause::Cause;
use crate::error::Failure;
use crate::session::entry::EntryMetadata;
use crate::session::keys::KeyRing;
use crate::session::session::Session;
use crate::time::Timestamp;

/// One call, and the reference under which its log lines are found.
pub(crate) struct Call {
    /// The provider that it concerns. A Worker of a version that knew only one names none, and means that of the section.
    pub(crate) provider: Option<String>,
    /// The trace of the request that it is made for.
    pub(crate) trace: String,
    /// The client's own trace that the request is a part of.
    pub(crate) traceparent: Option<String>,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// What an object is asked.
pub(crate) enum Ask {
    /// The application's own token for an API.
    AppToken {
        /// The API's name.
        api: String,
        /// Why.
        cause: Cause,
    },
    /// To register a new session.
    Begin {
        /// The session.
        session: String,
        /// Its sealed entry.
        entry: Vec<u8>,
        /// The entry's revision.
        revision: u64,
        /// The entry's metadata.
        metadata: String,
    },
    /// To end one session.
    End {
        /// What the names of the account's entries begin with.
        prefix: String,
        /// Its id.
        id: String,
        /// The session, if the asker has its cookie: then its last entry is in the reply.
        session: Option<String>,
    },
    /// In the object of the deployment: to end every session that began up to a moment.
    EndAll {
        /// The moment.
        until: Timestamp,
    },
    /// In the object of an OP's session: to end the sessions that it leads to.
    EndIndexed {
        /// The index key, which is the object's own name.
        sid: String,
        /// Sessions that began up to this moment.
        until: Timestamp,
        /// The logout token, if it is the OP itself that says so: the session has ended even if it leads nowhere.
        token: Option<LogoutTokenId>,
        /// Whether the account is named as well: then its own object has used the token up.
        names_account: bool,
    },
    /// In the object of an OP's session: to have it lead to a session.
    Index {
        /// The key of the session's entry.
        key: String,
        /// When the end-user was sent to the OP.
        begun_at: Timestamp,
        /// When the session began.
        issued_at: Timestamp,
        /// When the session ends in any case.
        expires_at: Timestamp,
    },
    /// To end the account's sessions that the OP says are over.
    Logout {
        /// What the names of the account's entries begin with.
        prefix: String,
        /// The index key of the OP's session; none for all of the account.
        sid: Option<String>,
        /// Sessions that began up to this moment.
        until: Timestamp,
        /// The logout token, if there is one.
        token: Option<LogoutTokenId>,
    },
    /// Whether a session goes on, and its entry if it is newer than the revision that the asker has.
    Read {
        /// The session.
        session: String,
        /// The revision.
        revision: Option<u64>,
    },
    /// To renew a token.
    Renew {
        /// The session.
        session: String,
        /// The API's name.
        api: String,
        /// Why.
        cause: Cause,
    },
    /// Which sessions there are.
    Sessions {
        /// What the names of the account's entries begin with.
        prefix: String,
    },
    /// To end sessions of the account because of its own user or of the operator.
    SignOut {
        /// What the names of the account's entries begin with.
        prefix: String,
        /// Sessions that began up to this moment.
        until: Timestamp,
        /// Whether that means every session there is, whatever the clock said where it began.
        all: bool,
        /// The session of whoever signs out, if this object has it: its last entry is in the reply.
        session: Option<String>,
    },
    /// In the object of the deployment: the moment up to which every session has ended.
    ValidAfter {},
}

/// A logout token, as far as it must be known again.
#[derive(Clone, Debug)]
pub(crate) struct LogoutTokenId {
    /// The digest of issuer and `jti`.
    pub(crate) digest: String,
    /// Until when it could be used again.
    pub(crate) expires_at: Timestamp,
}

/// A session in a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// Its id.
    pub(crate) id: String,
    /// What is known of it without its key.
    pub(crate) metadata: EntryMetadata,
}

/// What an object replies: always one object, so no variant is bare.
pub(crate) enum Reply {
    /// The session is registered and counts from that moment.
    Begun(Timestamp),
    /// The session goes on, and the asker has its newest entry.
    Current {},
    /// It is done.
    Done {},
    /// The newest entry, sealed.
    Entry(Vec<u8>),
    /// The sessions have ended. Carries the last entry of the one that was given, sealed, and what could not be deleted.
    Ended {
        /// The entry.
        entry: Option<Vec<u8>>,
        /// Why copies in Workers KV are still there.
        left: Option<Failure>,
    },
    /// It cannot be done.
    Failed(Failure),
    /// The logout token was used before.
    Replayed {},
    /// The sessions that go on.
    Sessions(Vec<Listed>),
    /// Nothing is known that could end.
    Unknown {},
    /// The moment up to which every session has ended.
    ValidAfter(Option<Timestamp>),
}

/// A session as text, its record key in clear.
pub(crate) fn encoded(session: &Session) -> String {
    URL_SAFE_NO_PAD.encode(session.encode())
}

/// Reads the text back.
pub(super) fn decoded(session: &str, ring: &KeyRing) -> Option<Session> {
    Session::decode(&URL_SAFE_NO_PAD.decode(session).ok()?, ring)
}
