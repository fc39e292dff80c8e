//! Makes sessions as sign-ins would leave them behind, so that a hundred thousand can be had in seconds:
//! `bench-sessions <first> <number> <access tokens in each> <now> <issuer> <resource> <scope>`, the deployment's `Session__Key` in
//! the variable `KEY`. Prints a line of JSON for each: the cookie, the key of its entry in the store, and the entry in base64.
//!
//! Nothing in them is secret: whatever must be random is counted.

use std::io::{BufWriter, Write, stdout};

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use vestibule::config::SessionKeys;
use vestibule::secret::Secret;
use vestibule::session::account::AccountDigest;
use vestibule::session::entry::{CachedAccessToken, Consent, TokenCacheEntry};
use vestibule::session::keys::KeyRing;
use vestibule::session::session::{Session, SessionId};
use vestibule::session::storage_key::EntryKey;
use vestibule::time::{Lifetime, Timestamp};

/// What the arguments ask for.
struct Wanted {
    first: u64,
    number: u64,
    tokens: u64,
    now: Timestamp,
    issuer: String,
    resource: String,
    scope: String,
}

fn main() -> Result<()> {
    let wanted =
        wanted().context("usage: bench-sessions <first> <number> <tokens> <now> <issuer> <resource> <scope>")?;
    let key = STANDARD.decode(std::env::var("KEY").context("KEY is not set")?).ok();
    let current = Secret::new(key.and_then(|key| key.try_into().ok()).context("KEY is not 32 bytes in base64")?);
    let ring = KeyRing::new(&SessionKeys { current, previous: Vec::new() });
    let mut output = BufWriter::new(stdout().lock());
    for number in wanted.first..wanted.first.saturating_add(wanted.number) {
        let session = session(&wanted, &ring, number);
        let key = EntryKey::of(&session, &ring).context("no key names the session")?;
        let stored = entry(&wanted, number).seal(&session.record_key, &key, counted(b'e', number));
        let cookie = session.cookie(&ring, counted(b's', number), wanted.now);
        let pair = cookie.split(';').next().unwrap_or_default();
        let line = json!({ "cookie": pair, "key": key.as_str(), "value": STANDARD.encode(stored) });
        writeln!(output, "{line}")?;
    }
    Ok(output.flush()?)
}

fn wanted() -> Option<Wanted> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next();
    Some(Wanted {
        first: next()?.parse().ok()?,
        number: next()?.parse().ok()?,
        tokens: next()?.parse().ok()?,
        now: Timestamp::from_unix(next()?.parse().ok()?),
        issuer: next()?,
        resource: next()?,
        scope: next()?,
    })
}

fn session(wanted: &Wanted, ring: &KeyRing, number: u64) -> Session {
    Session {
        id: SessionId::from_bytes(counted(b'i', number)),
        account: AccountDigest::from_subject(&wanted.issuer, &format!("user-{number}")),
        issued_at: wanted.now,
        idle_expires_at: wanted.now + Lifetime::from_seconds(3600),
        absolute_expires_at: wanted.now + Lifetime::from_seconds(8 * 3600),
        record_key: Secret::new(counted(b'r', number)),
        named_by: ring.current().id(),
    }
}

/// As large as those of real people: a few claims, a JWT for each API, a refresh token.
fn entry(wanted: &Wanted, number: u64) -> TokenCacheEntry {
    let claims = json!({
        "sub": format!("user-{number}"),
        "name": format!("Alice Liddell {number}"),
        "email": format!("alice.{number}@example.com"),
        "roles": ["reader", "writer"],
    });
    let claims = claims.as_object().cloned().unwrap_or_default();
    let mut entry = TokenCacheEntry::new(wanted.issuer.clone(), claims, wanted.now);
    entry.refresh_token = Some(Secret::new(format!("{number:064}")));
    entry.device = "Chrome on Linux".to_owned();
    for api in 0..wanted.tokens {
        let token = token(wanted, number, api);
        entry.consent(Consent { resource: token.resource.clone(), scopes: token.scopes.clone() });
        entry.save(token, wanted.now);
    }
    entry
}

/// The first one is for the API that is called, the others are for APIs of which nobody asks.
fn token(wanted: &Wanted, number: u64, api: u64) -> CachedAccessToken {
    let resource = if api == 0 { wanted.resource.clone() } else { format!("https://bench-{api}.example/") };
    CachedAccessToken {
        tenant: None,
        resource: Some(resource),
        scopes: vec![wanted.scope.clone()],
        token: Secret::new(format!("{number:0450}.{api:0450}")),
        issued_at: wanted.now,
        expires_at: wanted.now + Lifetime::from_seconds(8 * 3600),
        refresh_at: None,
        claims: None,
    }
}

/// Bytes that no other number and no other purpose has.
fn counted<const LENGTH: usize>(purpose: u8, number: u64) -> [u8; LENGTH] {
    let mut bytes = [purpose; LENGTH];
    let counted = bytes.iter_mut().skip(1).zip(number.to_be_bytes());
    counted.for_each(|(byte, digit)| *byte = digit);
    bytes
}
