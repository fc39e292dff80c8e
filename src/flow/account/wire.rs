//! Calls and replies as JSON: `{"trace": …, "ask": {<name>: {<field>: …}}}` and `{<name>: {<field>: …}}`.

use serde_json::Value;

use super::message::{Ask, Call, Listed, LogoutTokenId, Reply};
use crate::json::{Json, Members, bytes, members, named};

impl Call {
    /// The call as text.
    pub(super) fn to_text(&self) -> String {
        let fields = [
            ("provider", self.provider.to_json()),
            ("trace", self.trace.to_json()),
            ("traceparent", self.traceparent.to_json()),
            ("ask", self.ask.to_json()),
        ];
        members(fields).to_string()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut call = Members::parse(text.as_bytes())?;
        Some(Self {
            provider: call.take("provider")?,
            trace: call.take("trace")?,
            traceparent: call.take("traceparent")?,
            ask: call.take("ask")?,
        })
    }
}

impl Json for Ask {
    fn to_json(&self) -> Value {
        match self {
            Self::AppToken { api, cause } => message("AppToken", [("api", api.to_json()), ("cause", cause.to_json())]),
            Self::Begin { session, entry, revision, metadata } => {
                let fields = [
                    ("session", session.to_json()),
                    ("entry", bytes(entry)),
                    ("revision", revision.to_json()),
                    ("metadata", metadata.to_json()),
                ];
                message("Begin", fields)
            }
            Self::End { prefix, id, session } => {
                message("End", [("prefix", prefix.to_json()), ("id", id.to_json()), ("session", session.to_json())])
            }
            Self::EndAll { until } => message("EndAll", [("until", until.to_json())]),
            Self::EndIndexed { sid, until, token, names_account } => {
                let names_account = names_account.to_json();
                let fields = [
                    ("sid", sid.to_json()),
                    ("until", until.to_json()),
                    ("token", token.to_json()),
                    ("names_account", names_account),
                ];
                message("EndIndexed", fields)
            }
            Self::Index { key, begun_at, issued_at, expires_at } => {
                let fields = [
                    ("key", key.to_json()),
                    ("begun_at", begun_at.to_json()),
                    ("issued_at", issued_at.to_json()),
                    ("expires_at", expires_at.to_json()),
                ];
                message("Index", fields)
            }
            Self::Logout { prefix, sid, until, token } => {
                let sid = sid.to_json();
                let fields = [
                    ("prefix", prefix.to_json()),
                    ("sid", sid),
                    ("until", until.to_json()),
                    ("token", token.to_json()),
                ];
                message("Logout", fields)
            }
            Self::Read { session, revision } => {
                message("Read", [("session", session.to_json()), ("revision", revision.to_json())])
            }
            Self::Renew { session, api, cause } => {
                message("Renew", [("session", session.to_json()), ("api", api.to_json()), ("cause", cause.to_json())])
            }
            Self::Sessions { prefix } => message("Sessions", [("prefix", prefix.to_json())]),
            Self::SignOut { prefix, until, all, session } => {
                let session = session.to_json();
                let fields = [
                    ("prefix", prefix.to_json()),
                    ("until", until.to_json()),
                    ("all", all.to_json()),
                    ("session", session),
                ];
                message("SignOut", fields)
            }
            Self::ValidAfter {} => message("ValidAfter", []),
        }
    }

    fn from_json(value: Value) -> Option<Self> {
        let (name, mut fields) = read(Members::of(value)?)?;
        Some(match name.as_str() {
            "AppToken" => Self::AppToken { api: fields.take("api")?, cause: fields.take("cause")? },
            "Begin" => Self::Begin {
                session: fields.take("session")?,
                entry: fields.take_bytes("entry")?,
                revision: fields.take("revision")?,
                metadata: fields.take("metadata")?,
            },
            "End" => {
                Self::End { prefix: fields.take("prefix")?, id: fields.take("id")?, session: fields.take("session")? }
            }
            "EndAll" => Self::EndAll { until: fields.take("until")? },
            "EndIndexed" => Self::EndIndexed {
                sid: fields.take("sid")?,
                until: fields.take("until")?,
                token: fields.take("token")?,
                names_account: fields.take("names_account")?,
            },
            "Index" => Self::Index {
                key: fields.take("key")?,
                begun_at: fields.take("begun_at")?,
                issued_at: fields.take("issued_at")?,
                expires_at: fields.take("expires_at")?,
            },
            "Logout" => Self::Logout {
                prefix: fields.take("prefix")?,
                sid: fields.take("sid")?,
                until: fields.take("until")?,
                token: fields.take("token")?,
            },
            "Read" => Self::Read { session: fields.take("session")?, revision: fields.take("revision")? },
            "Renew" => {
                Self::Renew { session: fields.take("session")?, api: fields.take("api")?, cause: fields.take("cause")? }
            }
            "Sessions" => Self::Sessions { prefix: fields.take("prefix")? },
            "SignOut" => Self::SignOut {
                prefix: fields.take("prefix")?,
                until: fields.take("until")?,
                all: fields.take("all")?,
                session: fields.take("session")?,
            },
            "ValidAfter" => Self::ValidAfter {},
            _ => return None,
        })
    }
}

impl Reply {
    /// The reply as text.
    pub(super) fn to_text(&self) -> String {
        let reply = match self {
            Self::Begun(issued_at) => message("Begun", [("issued_at", issued_at.to_json())]),
            Self::Current {} => message("Current", []),
            Self::Done {} => message("Done", []),
            Self::Ended { entry, left } => {
                message("Ended", [("entry", entry.as_deref().map_or(Value::Null, bytes)), ("left", left.to_json())])
            }
            Self::Entry(entry) => message("Entry", [("entry", bytes(entry))]),
            Self::Failed(failure) => message("Failed", [("failure", failure.to_json())]),
            Self::Replayed {} => message("Replayed", []),
            Self::Sessions(sessions) => message("Sessions", [("sessions", sessions.to_json())]),
            Self::Unknown {} => message("Unknown", []),
            Self::ValidAfter(until) => message("ValidAfter", [("moment", until.to_json())]),
        };
        reply.to_string()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, mut fields) = read(Members::parse(text.as_bytes())?)?;
        Some(match name.as_str() {
            "Begun" => Self::Begun(fields.take("issued_at")?),
            "Current" => Self::Current {},
            "Done" => Self::Done {},
            "Ended" => Self::Ended { entry: fields.take_bytes("entry"), left: fields.take("left")? },
            "Entry" => Self::Entry(fields.take_bytes("entry")?),
            "Failed" => Self::Failed(fields.take("failure")?),
            "Replayed" => Self::Replayed {},
            "Sessions" => Self::Sessions(fields.take("sessions")?),
            "Unknown" => Self::Unknown {},
            "ValidAfter" => Self::ValidAfter(fields.take("moment")?),
            _ => return None,
        })
    }
}

/// The one member of a message: its name and its fields.
fn read(message: Members) -> Option<(String, Members)> {
    let mut members = message.into_map().into_iter();
    let ((name, fields), None) = (members.next()?, members.next()) else { return None };
    Some((name, Members::of(fields)?))
}

fn message<const N: usize>(name: &'static str, fields: [(&'static str, Value); N]) -> Value {
    named(name, members(fields))
}

impl Json for LogoutTokenId {
    fn to_json(&self) -> Value {
        members([("digest", self.digest.to_json()), ("expires_at", self.expires_at.to_json())])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut fields = Members::of(value)?;
        Some(Self { digest: fields.take("digest")?, expires_at: fields.take("expires_at")? })
    }
}

impl Json for Listed {
    fn to_json(&self) -> Value {
        members([("id", self.id.to_json()), ("metadata", self.metadata.to_json())])
    }

    fn from_json(value: Value) -> Option<Self> {
        let mut fields = Members::of(value)?;
        Some(Self { id: fields.take("id")?, metadata: fields.take("metadata")? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::cause::Cause;
    use super::*;
    use crate::error::{Failure, SessionEnd};
    use crate::oidc::claims_challenge::ClaimsChallenge;
    use crate::session::entry::EntryMetadata;
    use crate::time::Timestamp;

    fn asks() -> Vec<Ask> {
        let (at, s) = (Timestamp::from_unix, str::to_owned);
        let claims = ClaimsChallenge::parse(r#"{"access_token":{"nbf":{"essential":true}}}"#);
        let cause = Cause::Rejected { token: s("t"), claims };
        let token = Some(LogoutTokenId { digest: s("d"), expires_at: at(9) });
        vec![
            Ask::AppToken { api: s("Orders"), cause: Cause::Due },
            Ask::Begin { session: s("s"), entry: vec![0, 255], revision: u64::MAX, metadata: s("{\"a\":1}") },
            Ask::End { prefix: s("p/"), id: s("i"), session: None },
            Ask::End { prefix: s("p/"), id: s("i"), session: Some(s("s")) },
            Ask::EndAll { until: at(1) },
            Ask::EndIndexed { sid: s("sid/x"), until: at(u64::MAX), token: token.clone(), names_account: true },
            Ask::Index { key: s("k"), begun_at: at(1), issued_at: at(2), expires_at: at(3) },
            Ask::Logout { prefix: s("p/"), sid: Some(s("sid/x")), until: at(3), token },
            Ask::Logout { prefix: s("p/"), sid: None, until: at(3), token: None },
            Ask::Read { session: s("s"), revision: Some(0) },
            Ask::Read { session: s("s"), revision: None },
            Ask::Renew { session: s("s"), api: s("Orders"), cause },
            Ask::Sessions { prefix: s("p/") },
            Ask::SignOut { prefix: s("p/"), until: at(4), all: true, session: Some(s("s")) },
            Ask::ValidAfter {},
        ]
    }

    fn replies() -> Vec<Reply> {
        let at = Timestamp::from_unix;
        let metadata = EntryMetadata {
            created: at(1),
            expires: at(2),
            device: "\"<b>".to_owned(),
            country: Some("DE".to_owned()),
            sid: None,
        };
        vec![
            Reply::Begun(at(7)),
            Reply::Current {},
            Reply::Done {},
            Reply::Ended { entry: Some(vec![1, 2]), left: Some(Failure::Ended(SessionEnd::SignedOut)) },
            Reply::Ended { entry: None, left: None },
            Reply::Entry(vec![]),
            Reply::Failed(Failure::OpRefused("invalid_client".to_owned())),
            Reply::Replayed {},
            Reply::Sessions(vec![Listed { id: "i".to_owned(), metadata }]),
            Reply::Unknown {},
            Reply::ValidAfter(Some(at(0))),
            Reply::ValidAfter(None),
        ]
    }

    #[test]
    fn every_message_comes_back_as_it_went() {
        for ask in asks() {
            let (provider, traceparent) = (Some("B".to_owned()), Some("00-a-b-01".to_owned()));
            let text = Call { provider, trace: "t\"1".to_owned(), traceparent, ask }.to_text();
            assert_eq!(Call::parse(&text).unwrap().to_text(), text);
        }
        for reply in replies() {
            let text = reply.to_text();
            assert_eq!(Reply::parse(&text).unwrap().to_text(), text);
        }
    }

    #[test]
    fn a_message_of_another_version_is_none() {
        for text in ["", "{}", "[]", r#"{"Odd":{}}"#, r#"{"Done":1}"#, r#"{"Done":{},"Current":{}}"#, r#"{"Begun":{}}"#]
        {
            assert!(Reply::parse(text).is_none(), "{text}");
            let call = format!(r#"{{"trace":"t","ask":{text}}}"#);
            assert!(Call::parse(&call).is_none(), "{call}");
        }
    }
}
