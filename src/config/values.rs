//! The kinds of value that are not strings: numbers, switches and lists, each also written as a string, because
//! the `Section__Key` form has nothing else.

use serde_json::Value;

use crate::time::Lifetime;

use super::fault::Problem;
use super::section::{Section, plain_text};

/// The bounds and the default of a whole number.
pub(super) struct Range {
    /// The least accepted value.
    pub(super) min: u64,
    /// The greatest accepted value.
    pub(super) max: u64,
    /// What holds if the key is absent.
    pub(super) default: u64,
}

impl Section<'_> {
    /// A number, or a string of digits.
    pub(super) fn number(&mut self, name: &str, range: &Range) -> Option<u64> {
        if !self.holds(name) {
            return Some(range.default);
        }
        let leaf = self.take(name)?;
        let number = whole_number(&leaf.value).filter(|number| (range.min..=range.max).contains(number));
        self.accept(name, number.ok_or(Problem::OutOfRange(range.min, range.max)))
    }

    /// A number of seconds.
    pub(super) fn seconds(&mut self, name: &str, range: &Range) -> Option<Lifetime> {
        self.number(name, range).map(Lifetime::from_seconds)
    }

    /// A number of seconds; `None` within if it is absent.
    pub(super) fn optional_seconds(&mut self, name: &str, range: &Range) -> Option<Option<Lifetime>> {
        if self.holds(name) { self.seconds(name, range).map(Some) } else { Some(None) }
    }

    /// `true` or `false`; `false` if it is absent.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.flag_or(name, false)
    }

    /// `true` or `false`, with a default.
    pub(super) fn flag_or(&mut self, name: &str, default: bool) -> Option<bool> {
        if !self.holds(name) {
            return Some(default);
        }
        let leaf = self.take(name)?;
        let flag = match &leaf.value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => text.parse().ok(),
            Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => None,
        };
        self.accept(name, flag.ok_or(Problem::Invalid("be true or false", None)))
    }

    /// Words: a list of strings, or a string with spaces between them. `None` if absent.
    pub(super) fn words(&mut self, name: &str) -> Option<Vec<String>> {
        let leaf = self.take(name)?;
        let words = words(&leaf.value);
        self.accept(name, words)
    }

    /// Strings that may have spaces in them, as names of roles do: a list, or a single one without spaces, which could
    /// be meant as several. `None` if absent.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let leaf = self.take(name)?;
        let texts = texts(&leaf.value);
        self.accept(name, texts)
    }

    /// Scopes, each of the characters of RFC 6749 §3.3. `None` if absent.
    pub(super) fn scopes(&mut self, name: &str) -> Option<Vec<String>> {
        let scopes = self.words(name)?;
        let is_valid = scopes.iter().all(|scope| scope.bytes().all(is_scope_byte));
        let rule = Problem::Invalid("be scopes of printable ASCII without quotes, backslashes or spaces", None);
        self.accept(name, if is_valid { Ok(scopes) } else { Err(rule) })
    }
}

fn whole_number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn words(value: &Value) -> Result<Vec<String>, Problem> {
    const NEEDS_WORDS: Problem = Problem::Invalid("be a list of strings, or one string with spaces between them", None);

    let words = match value {
        Value::Array(items) => items.iter().map(plain_text).collect::<Result<Vec<_>, _>>(),
        Value::String(_) => plain_text(value).map(|text| text.split(' ').map(str::to_owned).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(NEEDS_WORDS),
    };
    let words = words.map_err(|_| NEEDS_WORDS)?;
    if words.is_empty() || words.iter().any(|word| word.is_empty() || word.contains(' ')) {
        return Err(NEEDS_WORDS);
    }
    distinct(words)
}

fn texts(value: &Value) -> Result<Vec<String>, Problem> {
    const NEEDS_TEXTS: Problem = Problem::Invalid("be a list of strings without spaces around them", None);

    let texts = match value {
        Value::Array(items) => items.iter().map(plain_text).collect::<Result<Vec<_>, _>>(),
        Value::String(text) if !text.contains(' ') => plain_text(value).map(|text| vec![text]),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(NEEDS_TEXTS),
    };
    let texts = texts.map_err(|_| NEEDS_TEXTS)?;
    if texts.is_empty() { Err(NEEDS_TEXTS) } else { distinct(texts) }
}

fn distinct(words: Vec<String>) -> Result<Vec<String>, Problem> {
    if words.iter().enumerate().any(|(position, word)| words.iter().take(position).any(|earlier| earlier == word)) {
        return Err(Problem::Invalid("not name anything twice", None));
    }
    Ok(words)
}

const fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}
