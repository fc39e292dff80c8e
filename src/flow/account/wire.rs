//! Calls and replies as JSON: `{"trace": …, "ask": {<name>: {<field>: …}}}` and `{<name>: {<field>: …}}`.
//!
//! Written by hand: what serde makes of enums with this many variants weighs more than the rest of the account's object
//! (docs/decisions.md).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::message::{Ask, Call, Listed, LogoutTokenId, Reply};
use crate::json;
use crate::time::Timestamp;

impl Call {
    /// The call as text.
    pub(super) fn to_text(&self) -> String {
        let fields = [
            ("provider", option(self.provider.as_deref())),
            ("trace", text(&self.trace)),
            ("traceparent", option(self.traceparent.as_deref())),
            ("ask", self.ask.to_json()),
        ];
        object(fields).to_string()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut call = Fields(json::object(text.as_bytes())?);
        let provider = call.text("provider");
        let trace = call.text("trace")?;
        let traceparent = call.text("traceparent");
        let Value::Object(ask) = call.0.remove("ask")? else { return None };
        Some(Self { provider, trace, traceparent, ask: Ask::parse(ask)? })
    }
}

impl Ask {
    fn to_json(&self) -> Value {
        match self {
            Self::AppToken { api, cause } => message("AppToken", [("api", text(api)), ("cause", value(cause))]),
            Self::Begin { session, entry, revision, metadata } => {
                let fields = [
                    ("session", text(session)),
                    ("entry", bytes(entry)),
                    ("revision", (*revision).into()),
                    ("metadata", text(metadata)),
                ];
                message("Begin", fields)
            }
            Self::End { prefix, id, session } => {
                message("End", [("prefix", text(prefix)), ("id", text(id)), ("session", option(session.as_deref()))])
            }
            Self::EndAll { until } => message("EndAll", [("until", moment(*until))]),
            Self::EndIndexed { sid, until, token, names_account } => {
                let names_account = (*names_account).into();
                let fields = [
                    ("sid", text(sid)),
                    ("until", moment(*until)),
                    ("token", used(token)),
                    ("names_account", names_account),
                ];
                message("EndIndexed", fields)
            }
            Self::Index { key, begun_at, issued_at, expires_at } => {
                let fields = [
                    ("key", text(key)),
                    ("begun_at", moment(*begun_at)),
                    ("issued_at", moment(*issued_at)),
                    ("expires_at", moment(*expires_at)),
                ];
                message("Index", fields)
            }
            Self::Logout { prefix, sid, until, token } => {
                let sid = option(sid.as_deref());
                let fields =
                    [("prefix", text(prefix)), ("sid", sid), ("until", moment(*until)), ("token", used(token))];
                message("Logout", fields)
            }
            Self::Read { session, revision } => {
                message("Read", [("session", text(session)), ("revision", (*revision).into())])
            }
            Self::Renew { session, api, cause } => {
                message("Renew", [("session", text(session)), ("api", text(api)), ("cause", value(cause))])
            }
            Self::Sessions { prefix } => message("Sessions", [("prefix", text(prefix))]),
            Self::SignOut { prefix, until, all, session } => {
                let session = option(session.as_deref());
                let fields =
                    [("prefix", text(prefix)), ("until", moment(*until)), ("all", (*all).into()), ("session", session)];
                message("SignOut", fields)
            }
            Self::ValidAfter {} => message("ValidAfter", []),
        }
    }

    fn parse(object: Map<String, Value>) -> Option<Self> {
        let (name, mut fields) = named(object)?;
        Some(match name.as_str() {
            "AppToken" => Self::AppToken { api: fields.text("api")?, cause: fields.read("cause")? },
            "Begin" => Self::Begin {
                session: fields.text("session")?,
                entry: fields.bytes("entry")?,
                revision: fields.read("revision")?,
                metadata: fields.text("metadata")?,
            },
            "End" => {
                Self::End { prefix: fields.text("prefix")?, id: fields.text("id")?, session: fields.text("session") }
            }
            "EndAll" => Self::EndAll { until: fields.moment("until")? },
            "EndIndexed" => Self::EndIndexed {
                sid: fields.text("sid")?,
                until: fields.moment("until")?,
                token: fields.token(),
                names_account: fields.read("names_account")?,
            },
            "Index" => Self::Index {
                key: fields.text("key")?,
                begun_at: fields.moment("begun_at")?,
                issued_at: fields.moment("issued_at")?,
                expires_at: fields.moment("expires_at")?,
            },
            "Logout" => Self::Logout {
                prefix: fields.text("prefix")?,
                sid: fields.text("sid"),
                until: fields.moment("until")?,
                token: fields.token(),
            },
            "Read" => Self::Read { session: fields.text("session")?, revision: fields.read("revision") },
            "Renew" => {
                Self::Renew { session: fields.text("session")?, api: fields.text("api")?, cause: fields.read("cause")? }
            }
            "Sessions" => Self::Sessions { prefix: fields.text("prefix")? },
            "SignOut" => Self::SignOut {
                prefix: fields.text("prefix")?,
                until: fields.moment("until")?,
                all: fields.read("all")?,
                session: fields.text("session"),
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
            Self::Begun(issued_at) => message("Begun", [("issued_at", moment(*issued_at))]),
            Self::Current {} => message("Current", []),
            Self::Done {} => message("Done", []),
            Self::Ended { entry, left } => {
                message("Ended", [("entry", entry.as_deref().map_or(Value::Null, bytes)), ("left", value(left))])
            }
            Self::Entry(entry) => message("Entry", [("entry", bytes(entry))]),
            Self::Failed(failure) => message("Failed", [("failure", value(failure))]),
            Self::Replayed {} => message("Replayed", []),
            Self::Sessions(sessions) => {
                let listed =
                    |listed: &Listed| object([("id", text(&listed.id)), ("metadata", value(&listed.metadata))]);
                message("Sessions", [("sessions", Value::Array(sessions.iter().map(listed).collect()))])
            }
            Self::Unknown {} => message("Unknown", []),
            Self::ValidAfter(until) => message("ValidAfter", [("moment", until.map_or(Value::Null, moment))]),
        };
        reply.to_string()
    }

    /// Reads the text back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, mut fields) = named(json::object(text.as_bytes())?)?;
        Some(match name.as_str() {
            "Begun" => Self::Begun(fields.moment("issued_at")?),
            "Current" => Self::Current {},
            "Done" => Self::Done {},
            "Ended" => Self::Ended { entry: fields.bytes("entry"), left: fields.read("left") },
            "Entry" => Self::Entry(fields.bytes("entry")?),
            "Failed" => Self::Failed(fields.read("failure")?),
            "Replayed" => Self::Replayed {},
            "Sessions" => {
                let Value::Array(sessions) = fields.0.remove("sessions")? else { return None };
                Self::Sessions(sessions.into_iter().map(listed).collect::<Option<_>>()?)
            }
            "Unknown" => Self::Unknown {},
            "ValidAfter" => Self::ValidAfter(fields.moment("moment")),
            _ => return None,
        })
    }
}

/// The fields of a message. One that is not there, or of another type, is none.
struct Fields(Map<String, Value>);

impl Fields {
    fn text(&mut self, name: &str) -> Option<String> {
        let Value::String(text) = self.0.remove(name)? else { return None };
        Some(text)
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.text(name)?).ok()
    }

    fn moment(&mut self, name: &str) -> Option<Timestamp> {
        self.0.remove(name)?.as_u64().map(Timestamp::from_unix)
    }

    fn token(&mut self) -> Option<LogoutTokenId> {
        let Value::Object(token) = self.0.remove("token")? else { return None };
        let mut fields = Self(token);
        Some(LogoutTokenId { digest: fields.text("digest")?, expires_at: fields.moment("expires_at")? })
    }

    fn read<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        serde_json::from_value(self.0.remove(name)?).ok()
    }
}

/// The one member of a message: its name and its fields.
fn named(object: Map<String, Value>) -> Option<(String, Fields)> {
    let mut members = object.into_iter();
    let (Some((name, Value::Object(fields))), None) = (members.next(), members.next()) else { return None };
    Some((name, Fields(fields)))
}

fn listed(value: Value) -> Option<Listed> {
    let Value::Object(listed) = value else { return None };
    let mut fields = Fields(listed);
    Some(Listed { id: fields.text("id")?, metadata: fields.read("metadata")? })
}

fn message<const N: usize>(name: &'static str, fields: [(&'static str, Value); N]) -> Value {
    object([(name, object(fields))])
}

fn object<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    members(&mut fields.into_iter())
}

/// Made once, whatever the number of fields.
fn members(fields: &mut dyn Iterator<Item = (&'static str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

fn text(text: &str) -> Value {
    text.into()
}

fn option(text: Option<&str>) -> Value {
    text.into()
}

fn bytes(bytes: &[u8]) -> Value {
    URL_SAFE_NO_PAD.encode(bytes).into()
}

fn moment(moment: Timestamp) -> Value {
    moment.as_unix().into()
}

fn used(token: &Option<LogoutTokenId>) -> Value {
    let token = token.as_ref();
    token.map_or(Value::Null, |token| {
        object([("digest", text(&token.digest)), ("expires_at", moment(token.expires_at))])
    })
}

/// What has a form of its own.
fn value(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::cause::Cause;
    use super::*;
    use crate::error::{Failure, SessionEnd};
    use crate::oidc::claims_challenge::ClaimsChallenge;
    use crate::session::entry::EntryMetadata;

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
