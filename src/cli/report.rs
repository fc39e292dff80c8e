//! What a check found, for people and for programs. No value is ever quoted: a secret pasted in the wrong place would be
//! printed into the log of a build.

use serde_json::{Value, json};

use crate::config::ConfigFault;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It does not work, or not safely.
    Fault,
    /// It works, and promises less than it looks like.
    Warning,
    /// Good to know.
    Note,
}

/// One line of a report.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) level: Level,
    key: String,
    sentence: String,
}

/// Everything found.
#[derive(Debug, Default)]
pub(super) struct Report {
    findings: Vec<Finding>,
    /// The secrets that must be put, by name.
    pub(super) secrets: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, level: Level, key: &str, sentence: impl Into<String>) {
        self.findings.push(Finding { level, key: key.to_owned(), sentence: sentence.into() });
    }

    pub(super) fn fault(&mut self, key: &str, sentence: impl Into<String>) {
        self.add(Level::Fault, key, sentence);
    }

    pub(super) fn warning(&mut self, key: &str, sentence: impl Into<String>) {
        self.add(Level::Warning, key, sentence);
    }

    pub(super) fn note(&mut self, key: &str, sentence: impl Into<String>) {
        self.add(Level::Note, key, sentence);
    }

    /// Takes over what the Worker's own parser says.
    pub(super) fn take(&mut self, faults: &[ConfigFault]) {
        for fault in faults {
            self.fault(fault.key(), fault.problem().to_string());
        }
    }

    /// Faults first; within a level by key.
    pub(super) fn sort(&mut self) {
        self.findings.sort();
        self.findings.dedup();
    }

    pub(super) fn has_faults(&self) -> bool {
        self.findings.iter().any(|finding| finding.level == Level::Fault)
    }

    /// One line for each finding, and one that counts them.
    pub(super) fn lines(&self) -> String {
        let mut text = String::new();
        for Finding { level, key, sentence } in &self.findings {
            text += &format!("{}: {key}: {sentence}\n", level.word());
        }
        for secret in &self.secrets {
            text += &format!("note: {secret}: is a secret that must be put: wrangler secret put {secret}\n");
        }
        let (faults, warnings) = (self.count(Level::Fault), self.count(Level::Warning));
        text + &format!("{}, {}\n", counted(faults, "fault"), counted(warnings, "warning"))
    }

    /// One JSON document.
    pub(super) fn document(&self) -> Value {
        let of = |level| -> Value {
            let findings = self.findings.iter().filter(|finding| finding.level == level);
            findings.map(|finding| json!({ "key": finding.key, "problem": finding.sentence })).collect()
        };
        json!({
            "faults": of(Level::Fault),
            "warnings": of(Level::Warning),
            "notes": of(Level::Note),
            "secrets": self.secrets,
        })
    }

    fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Note => "note",
            Self::Warning => "warning",
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
