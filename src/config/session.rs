//! How long sessions last, and the keys that seal them, `[vars.Session]`.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

use crate::secret::Secret;
use crate::time::Lifetime;

use super::fault::Problem;
use super::section::Section;
use super::token_cache::{self, TokenCache};
use super::values::Range;

/// No session lasts longer, whatever is configured.
pub const LONGEST_SESSION: Lifetime = Lifetime::from_seconds(ABSOLUTE.max);

const ABSOLUTE: Range = Range { min: 300, max: 7_776_000, default: 28_800 };
const IDLE: Range = Range { min: 60, max: ABSOLUTE.max, default: 3_600 };
const LOGIN_ATTEMPT: Range = Range { min: 60, max: 3_600, default: 900 };
const RECHECK: Range = Range { min: 0, max: 300, default: 10 };
const MEMORY_ENTRIES: Range = Range { min: 1, max: 20_000, default: 5_000 };

const MOST_PREVIOUS_KEYS: usize = 4;
pub(super) const KEY_RULE: Problem =
    Problem::Invalid("be 32 random bytes in base64, as `openssl rand -base64 32` prints", None);

/// The life of a session.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// The keys everything is sealed with.
    pub keys: SessionKeys,
    /// `IdleSeconds`: an unused session ends after this; 3600 s by default.
    pub idle: Lifetime,
    /// `AbsoluteSeconds`: every session ends after this; 28800 s by default, never less than `idle`.
    pub absolute: Lifetime,
    /// `LoginAttemptSeconds`: a sign-in may take this long; 900 s by default.
    pub login_attempt: Lifetime,
    /// `RevocationDelay`: an isolate trusts its memory this long; 10 s by default.
    pub recheck: Lifetime,
    /// `MemoryEntries`: an isolate remembers this many sessions; 5000 by default.
    pub memory_entries: usize,
    /// `SignOutScope`: what a user's sign-out ends; the account by default.
    pub sign_out_scope: SignOutScope,
}

/// What a user's sign-out ends. What the OP or the operator ends is not up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignOutScope {
    /// Every session of the account, on all devices.
    Account,
    /// The session of that browser.
    Session,
}

/// `Session__Key` and its predecessors, all different.
#[derive(Clone, Debug)]
pub struct SessionKeys {
    /// Seals and opens.
    pub current: Secret<[u8; 32]>,
    /// Open only; at most four, none by default.
    pub previous: Vec<Secret<[u8; 32]>>,
}

/// Reads the section: where token cache entries are kept, and everything else.
pub(super) fn read(root: &mut Section<'_>) -> (Option<TokenCache>, Option<SessionSettings>) {
    let mut section = root.child("Session", "Session");
    let token_cache = token_cache::read(&mut section);
    let settings = settings(&mut section);
    section.finish();
    (token_cache, settings)
}

fn settings(section: &mut Section<'_>) -> Option<SessionSettings> {
    let keys = keys(section);
    let idle = section.seconds("IdleSeconds", &IDLE);
    let absolute = section.seconds("AbsoluteSeconds", &ABSOLUTE);
    if idle.zip(absolute).is_some_and(|(idle, absolute)| idle > absolute) {
        section.fault("IdleSeconds", Problem::NotAbove("Session.AbsoluteSeconds"));
    }
    let login_attempt = section.seconds("LoginAttemptSeconds", &LOGIN_ATTEMPT);
    let recheck = section.seconds("RevocationDelay", &RECHECK);
    let memory_entries = section.number("MemoryEntries", &MEMORY_ENTRIES);
    let sign_out_scope = section.parsed_or("SignOutScope", "Account", |scope| match scope {
        "Account" => Ok(SignOutScope::Account),
        "Session" => Ok(SignOutScope::Session),
        _ => Err(Problem::Invalid("be Account or Session", None)),
    });
    Some(SessionSettings {
        keys: keys?,
        idle: idle?,
        absolute: absolute?,
        login_attempt: login_attempt?,
        recheck: recheck?,
        memory_entries: usize::try_from(memory_entries?).ok()?,
        sign_out_scope: sign_out_scope?,
    })
}

fn keys(section: &mut Section<'_>) -> Option<SessionKeys> {
    if !section.holds("Key") {
        section.missing("Key", "store 32 random bytes in base64 with `wrangler secret put Session__Key`");
    }
    let value = section.secret("Key");
    let current = value.and_then(|value| section.accept("Key", value.as_str().ok_or(KEY_RULE).and_then(key)));
    let value = section.secret("PreviousKeys");
    let previous = value.map(|value| previous_keys(&value, current.as_ref()));
    let previous = previous.and_then(|previous| section.accept("PreviousKeys", previous)).unwrap_or_default();
    Some(SessionKeys { current: current?, previous })
}

fn previous_keys(value: &Value, current: Option<&Secret<[u8; 32]>>) -> Result<Vec<Secret<[u8; 32]>>, Problem> {
    const RULE: Problem = Problem::Invalid("be keys as Session.Key is one, with commas between them", None);

    let texts: Option<Vec<&str>> = match value {
        Value::String(text) => Some(text.split(',').map(str::trim).collect()),
        Value::Array(items) => items.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    let keys: Vec<_> = texts.ok_or(RULE)?.into_iter().map(key).collect::<Result<_, _>>().map_err(|_| RULE)?;
    if keys.len() > MOST_PREVIOUS_KEYS {
        return Err(Problem::Invalid("be at most 4 keys", None));
    }
    for (position, key) in keys.iter().enumerate() {
        if keys.iter().take(position).chain(current).any(|other| other.matches(key.expose())) {
            return Err(Problem::Invalid("differ from Session.Key and from each other", None));
        }
    }
    Ok(keys)
}

/// Either alphabet, padded or not: the tools that make keys disagree about both.
pub(super) fn key(text: &str) -> Result<Secret<[u8; 32]>, Problem> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
    let bytes = GeneralPurpose::new(alphabet, config).decode(text).map_err(|_| KEY_RULE)?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| KEY_RULE)?;
    // A key of one repeated byte was typed, not drawn.
    if bytes.iter().all(|byte| bytes.first() == Some(byte)) {
        return Err(KEY_RULE);
    }
    Ok(Secret::new(bytes))
}
