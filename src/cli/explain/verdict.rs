//! What is told about a request: facts in the order in which they were found, and how it ends.

use serde_json::{Map, Value, json};

/// What would become of a request.
pub(super) struct Verdict {
    facts: Vec<(&'static str, Vec<String>)>,
    end: End,
}

/// How it ends.
pub(super) enum End {
    /// It is answered by Vestibule itself, or passed on.
    Served(String),
    /// It is not: the status of the answer, and why.
    Refused(u16, String),
}

impl Verdict {
    pub(super) const fn new() -> Self {
        Self { facts: Vec::new(), end: End::Served(String::new()) }
    }

    pub(super) fn fact(&mut self, label: &'static str, text: impl Into<String>) {
        self.facts.push((label, vec![text.into()]));
    }

    /// A fact for each of several things, such as headers.
    pub(super) fn list(&mut self, label: &'static str, texts: Vec<String>) {
        if !texts.is_empty() {
            self.facts.push((label, texts));
        }
    }

    pub(super) fn ended(mut self, end: End) -> Self {
        self.end = end;
        self
    }

    pub(super) const fn is_served(&self) -> bool {
        matches!(self.end, End::Served(_))
    }

    /// One line for each fact.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for (label, facts) in &self.facts {
            for fact in facts {
                text += &format!("{label}: {fact}\n");
            }
        }
        text + &match &self.end {
            End::Served(how) => format!("served: {how}\n"),
            End::Refused(status, why) => format!("refused: {status}, {why}\n"),
        }
    }

    /// One JSON document.
    pub(super) fn document(&self) -> Value {
        let mut document: Map<String, Value> =
            self.facts.iter().map(|(label, facts)| ((*label).to_owned(), json!(facts))).collect();
        let end = match &self.end {
            End::Served(how) => json!({ "served": true, "how": how }),
            End::Refused(status, why) => json!({ "served": false, "status": status, "why": why }),
        };
        document.insert("verdict".to_owned(), end);
        Value::Object(document)
    }
}
