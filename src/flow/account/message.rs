//! What the Worker and an account's object say to each other, as JSON. A record key travels in it, so that the object can
//! open the entry while it answers; the object keeps none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::cause::Cause;
use crate::error::Failure;
use crate::json;
use crate::session::keys::KeyRing;
use crate::session::session::Session;
use crate::time::Timestamp;

/// One call, and the reference under which its log lines are found.
#[derive(Serialize, Deserialize)]
pub(crate) struct Call {
    /// The trace of the request that it is made for.
    pub(crate) trace: String,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// What an object is asked.
#[derive(Serialize, Deserialize)]
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
        #[serde(with = "bytes")]
        entry: Vec<u8>,
        /// The entry's revision.
        revision: u64,
        /// The entry's metadata.
        metadata: String,
    },
    /// To end one session.
    End {
        /// The session.
        session: String,
        /// The index entry that leads to it alone.
        sid: Option<String>,
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
    /// To end every session of the account.
    SignOut {
        /// What the names of the account's entries begin with.
        prefix: String,
        /// Sessions that began up to this moment.
        until: Timestamp,
    },
}

/// What an object replies: always one object, so no variant is bare.
#[derive(Serialize, Deserialize)]
pub(crate) enum Reply {
    /// The session is registered and counts from that moment.
    Begun(Timestamp),
    /// The session goes on, and the asker has its newest entry.
    Current {},
    /// It is done.
    Done {},
    /// The newest entry, sealed.
    Entry(#[serde(with = "bytes")] Vec<u8>),
    /// It cannot be done.
    Failed(Failure),
}

impl Call {
    /// The call as text.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        json::parse(text.as_bytes())
    }
}

impl Reply {
    /// The reply as text.
    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        json::parse(text.as_bytes())
    }
}

/// A session as text, its record key in clear.
pub(super) fn encoded(session: &Session) -> String {
    URL_SAFE_NO_PAD.encode(session.encode())
}

/// Reads the text back.
pub(super) fn decoded(session: &str, ring: &KeyRing) -> Option<Session> {
    Session::decode(&URL_SAFE_NO_PAD.decode(session).ok()?, ring)
}

/// Bytes as base64url.
mod bytes {
    use super::{Deserialize, Deserializer, Engine, Serializer, URL_SAFE_NO_PAD};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)
    }
}
